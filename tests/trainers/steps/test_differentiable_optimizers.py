"""Virtual optimizers against Keras's own, from the middle of a training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainers.steps import differentiable_optimizers


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.SGD(0.1),
        lambda: keras.optimizers.SGD(0.1, momentum=0.8),
        lambda: keras.optimizers.SGD(0.1, momentum=0.8, nesterov=True),
        lambda: keras.optimizers.Adam(0.05, beta_1=0.5),
        lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 1000, 0.9)),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.05)),
    ],
)
def test_virtual_steps_are_keras_steps(make):
    rng = np.random.default_rng(0)
    variables = [
        keras.Variable(rng.normal(size=shape).astype("float32")) for shape in ((3, 2), (4,))
    ]
    real = make()
    real.build(variables)
    gradients = [[tf.constant(rng.normal(size=v.shape), "float32") for v in variables]] * 6
    scale = real.scale_loss(1.0)
    for step in gradients[:3]:
        real.apply([scale * g for g in step], variables)
    imagined = differentiable_optimizers.optimizer(real)
    weights = [tf.convert_to_tensor(v) for v in variables]
    for step in gradients[3:]:
        weights = imagined.step(weights, step)
        real.apply([scale * g for g in step], variables)
    for weight, variable in zip(weights, variables, strict=True):
        np.testing.assert_allclose(weight, variable, atol=2e-5)


def test_adam_has_a_finite_slope_where_nothing_has_moved():
    variable = keras.Variable(np.zeros(2, "float32"))
    real = keras.optimizers.Adam(0.1)
    real.build([variable])
    start = tf.constant([0.0, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(start)
        weights = differentiable_optimizers.optimizer(real).step([start], [start * 0.0])
    assert np.isfinite(tape.gradient(weights, start)).all()
