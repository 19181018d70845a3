"""Virtual optimizers against Keras's own, from the middle of a training."""

import warnings

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
        # Rates that fall from step to step: one that stood still would be twice too large.
        lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)),
        lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 7), momentum=0.5),
        lambda: keras.optimizers.SGD(
            keras.optimizers.schedules.PiecewiseConstantDecay([3, 4], [0.1, 0.01, 0.3])
        ),
        # Settings that change no step.
        lambda: keras.optimizers.Adam(0.05, loss_scale_factor=8.0),
        lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9, weight_decay=0.0),
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


@pytest.mark.parametrize("make", [keras.optimizers.Adam, keras.optimizers.SGD])
def test_constraints_missing_gradients_and_a_part_of_the_weights(make):
    rng = np.random.default_rng(1)
    bounds = [None, keras.constraints.MaxNorm(0.5), keras.constraints.NonNeg(), None]
    variables = [keras.Variable(rng.normal(size=(3, 2)).astype("float32")) for _ in bounds]
    for variable, bound in zip(variables, bounds, strict=True):
        variable.constraint = bound
    real = make(0.1) if make is keras.optimizers.Adam else make(0.1, momentum=0.9)
    real.build(variables)
    gradients = [tf.constant(rng.normal(size=(3, 2)), "float32") for _ in variables]
    real.apply(gradients, variables)
    part = variables[1:]  # The first is frozen now; the last has no part in the loss.
    gradients = [*gradients[1:3], None]
    imagined = differentiable_optimizers.optimizer(real, part)
    weights = [tf.convert_to_tensor(v) for v in part]
    for _ in range(3):
        weights = imagined.step(weights, gradients)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras names the one without a gradient.
            real.apply(gradients, part)
    for weight, variable in zip(weights, part, strict=True):
        np.testing.assert_allclose(weight, variable, atol=2e-6)


@pytest.mark.parametrize(
    "make, received",
    [
        (lambda: keras.optimizers.Adam(gradient_accumulation_steps=2), "gradient_accumulation"),
        (lambda: keras.optimizers.SGD(use_ema=True, ema_overwrite_frequency=2), "ema_overwrite"),
        (lambda: keras.optimizers.SGD(clipvalue=1.0), "SGD with clipvalue"),
        (lambda: keras.optimizers.SGD(global_clipnorm=1.0), "SGD with global_clipnorm"),
        (lambda: keras.optimizers.Adam(weight_decay=0.1), "Adam with weight_decay"),
        (lambda: keras.optimizers.Adam(amsgrad=True), "Adam with amsgrad"),
        (lambda: keras.optimizers.Adam(lambda: 0.1), "Adam with a function for learning_rate"),
        (lambda: keras.optimizers.AdamW(), "AdamW with weight_decay"),
        (lambda: keras.optimizers.Muon(), "Muon"),
        (
            lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(clipnorm=1.0)),
            "SGD with clipnorm",
        ),
    ],
)
def test_what_has_no_virtual_steps_is_named(make, received):
    message = f"`discriminator_optimizer` cannot be unrolled.*Received: .*{received}"
    with pytest.raises(ValueError, match=message):
        differentiable_optimizers.check(make())


def test_adam_has_a_finite_slope_where_nothing_has_moved():
    variable = keras.Variable(np.zeros(2, "float32"))
    real = keras.optimizers.Adam(0.1)
    real.build([variable])
    start = tf.constant([0.0, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(start)
        weights = differentiable_optimizers.optimizer(real).step([start], [start * 0.0])
    assert np.isfinite(tape.gradient(weights, start)).all()
