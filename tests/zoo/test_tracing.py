"""A trainer, a generator, an autoencoder that nobody has any more: nothing of it is left."""

import gc
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


def test_a_derivative_outlives_no_owner_but_its_own():
    """What another owner traced meanwhile can still be differentiated."""

    class Owner:
        pass

    @tf.custom_gradient
    def doubled(x):
        return 2.0 * x, lambda upstream: 5.0 * upstream

    first, second = Owner(), Owner()
    functions = [tf.function(tracing.owned(owner, doubled.__call__)) for owner in (first, second)]
    x = tf.constant(3.0)
    count = len(ops.gradient_registry.list())
    for function in functions:
        function(x)
    assert len(ops.gradient_registry.list()) == count + 2
    del first, functions[0], function
    gc.collect()
    assert len(ops.gradient_registry.list()) == count + 1
    with tf.GradientTape() as tape:  # The derivative of a function is made when it is asked for.
        tape.watch(x)
        y = functions[0](x)
    assert float(tape.gradient(y, x)) == 5.0
