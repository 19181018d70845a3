"""What TensorFlow keeps of a traced function after the model that it belongs to is gone."""

import contextlib
import functools
import weakref

from tensorflow.python.framework import ops


@contextlib.contextmanager
def forgotten_with(owner):
    """A block that traces a function of `owner`, whose custom gradients go when `owner` does.

    TensorFlow registers each `tf.custom_gradient` of each trace by a name of its own, and never
    takes one out; each holds the whole graph, and the graph the memory of all variables that it
    reads. One is in every step of every optimizer (the sum over the replicas). So a notebook that
    runs its cell again would keep the weights of every trainer that it ever made.

    What other threads register meanwhile counts as the owner's too. No lock can be held here: the
    replicas of a strategy are threads that wait for each other in the middle of a step.

    Args:
        owner: An object that can be referred to weakly, mostly a model.
    """
    registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    before = set(registered)
    try:
        yield
    finally:
        names = set(registered) - before
        if names:
            weakref.finalize(owner, _forget, registered, names).atexit = False


def owned(owner, function):
    """A function to be traced that is `owner`'s, as `forgotten_with` says."""

    @functools.wraps(function)
    def traced(*args, **kwargs):
        with forgotten_with(owner):
            return function(*args, **kwargs)

    return traced


def _forget(registered, names):
    for name in names:
        registered.pop(name, None)
