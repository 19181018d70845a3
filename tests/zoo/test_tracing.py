"""A trainer, a generator, an autoencoder that nobody has any more: nothing of it is left."""

import concurrent.futures
import gc
import threading
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.framework.func_graph import FuncGraph

import trainers
import zoo
from zoo import tracing

SIZES = {"image_shape": (2,), "units": (4,)}
POINTS = np.random.default_rng(0).uniform(size=(8, 2)).astype("float32")
LABELS = np.arange(8) % 2


def pair(**arguments):
    """A small game."""
    return zoo.MLPGenerator(**SIZES, **arguments), zoo.MLPDiscriminator(**SIZES, **arguments)


def trained():
    """Arrays, shuffled."""
    gan = trainers.GAN(*pair())
    gan.compile(jit_compile=False)
    gan.fit(POINTS, batch_size=4, verbose=0)
    return gan


def conditional():
    """Labels beside the points, whose concatenation has a gradient of its own."""
    gan = trainers.GAN(*pair(num_classes=2))
    gan.compile(jit_compile=False)
    gan.fit(POINTS, LABELS, batch_size=4, verbose=0)
    return gan


def looked_at():
    """The monitor's functions are traced beside the step."""
    gan = trainers.GAN(*pair(num_classes=2))
    gan.compile(jit_compile=False)
    monitor = trainers.HealthMonitor((POINTS, LABELS), every_steps=1)
    gan.fit(POINTS, LABELS, batch_size=8, verbose=0, callbacks=[monitor])
    return gan


def drawn():
    """A generator alone."""
    generator = zoo.MLPGenerator(**SIZES, num_classes=2)
    generator.sample(2, [0, 1], seed=0)
    return generator


def autoencoder():
    """Keras's own `fit`."""
    vae = zoo.VAE(**SIZES, latent_dim=2)
    vae.compile()
    vae.fit(POINTS, batch_size=4, verbose=0)
    return vae


def left():
    """Graphs, and gradients that are registered, by what they are known by."""
    for _ in range(3):  # What the first makes free, the next collects.
        gc.collect()
    graphs = {id(thing) for thing in gc.get_objects() if isinstance(thing, FuncGraph)}
    return graphs, set(ops.gradient_registry.list())


@pytest.mark.parametrize("make", [trained, conditional, looked_at, drawn, autoencoder])
def test_nothing_is_left_of_a_model(make):
    make()  # Once, for what the process itself keeps.
    graphs, names = left()
    gone = weakref.ref(make())
    graphs_now, names_now = left()
    assert gone() is None
    assert names_now <= names and graphs_now <= graphs


@tf.custom_gradient
def doubled(x):
    """Twice x, by a derivative that nobody else has."""
    return 2.0 * x, lambda upstream: 5.0 * upstream


def slope(function, x=3.0):
    """The derivative of a function, made when it is asked for."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return float(tape.gradient(y, x))


def test_a_gradient_lives_as_long_as_its_graph():
    """A layer's own function, first traced within another's, may outlive that one."""
    _, before = left()
    inner = tf.function(doubled.__call__, autograph=False)

    def both(x, inner=inner):
        return inner(x) + doubled(x)

    outer = tf.function(tracing.traced(both), autograph=False)
    assert float(outer(tf.constant(3.0))) == 12.0
    own = left()[1] - before
    assert len(own) == 2
    del outer, both
    assert len(own & left()[1]) == 1
    assert slope(inner) == 5.0
    del inner
    assert not own & left()[1]


def test_threads_that_trace_at_once():
    """Each keeps its own, whichever block saw it registered."""
    both = threading.Barrier(2)

    def wait(x):
        both.wait(timeout=60)
        y = doubled(x)
        both.wait(timeout=60)
        return y

    functions = [tf.function(tracing.traced(lambda x: wait(x)), autograph=False) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda function: function(tf.constant(3.0)), functions))
    del functions[0]
    left()
    assert slope(functions[0]) == 5.0


def test_what_cannot_be_looked_into_stays():
    @ops.RegisterGradient("ZooTestsOwn")
    def own(operation, upstream):
        return upstream

    with tracing.released():
        ops.RegisterGradient("ZooTestsOther")(own)
    assert ops.gradient_registry.lookup("ZooTestsOther") is own
