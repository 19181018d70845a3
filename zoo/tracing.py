"""What TensorFlow keeps of a traced function after nobody has it any more."""

import contextlib
import functools
import weakref

import tensorflow as tf
from tensorflow.python.framework import ops

HELD = "_zoo_gradients"  # Of a graph: the gradients that it holds itself.


@contextlib.contextmanager
def released():
    """A block that traces a function, whose custom gradients go when their graph does.

    TensorFlow registers each `tf.custom_gradient` of each trace by a name of its own, and never
    takes one out; each holds the whole graph, and the graph the memory of all variables that it
    reads. One is in every step of every optimizer (the sum over the replicas). So a notebook that
    runs its cell again would keep the weights of every trainer that it ever made.

    Behind the block the registry holds such a gradient weakly, and the graph that it belongs to
    holds it: it can be asked for as long as there is an operation that asks.
    """
    registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    before = set(registered)
    try:
        yield
    finally:
        for name in set(registered) - before:
            _bind(registered, name)


def traced(function):
    """A function that `tf.function` is to trace, as in `released`."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        with released():
            return function(*args, **kwargs)

    return call


def _bind(registered, name):
    """Gives the gradient of a name to its graph; one that cannot be looked into stays."""
    entry = registered.get(name)
    gradient = entry["type"] if entry else None
    graph = _graph(gradient)
    if graph is None:
        return
    setattr(graph, HELD, [*getattr(graph, HELD, ()), gradient])
    weak = weakref.ref(gradient, lambda _: registered.pop(name, None))
    entry["type"] = lambda operation, *upstream: weak()(operation, *upstream)


def _graph(gradient):
    """The graph of the results that a registered custom gradient closes over, or `None`."""
    try:
        by_tape = _closed_over(gradient)["tape_grad_fn"]
        (result, *_) = tf.nest.flatten(_closed_over(by_tape)["result"])
        return result.graph
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _closed_over(function):
    cells = (cell.cell_contents for cell in function.__closure__)
    return dict(zip(function.__code__.co_freevars, cells, strict=True))
