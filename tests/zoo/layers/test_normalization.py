"""Normalization: Keras's values, and second derivatives against differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.layers.normalization import BatchNormalization, LayerNormalization, moments

RNG = np.random.default_rng(0)
X, W = RNG.normal(1.0, 2.0, (6, 3, 4, 2)), RNG.normal(size=(6, 3, 4, 2))


def _layer(cls=BatchNormalization, **kwargs):
    layer = cls(momentum=0.8, epsilon=1e-3, dtype="float64", **kwargs)
    layer.build((None, 3, 4, 2))
    layer.gamma.assign([1.5, -0.5])
    layer.beta.assign([0.25, 2.0])
    return layer


def _slope(layer, x):
    """A weighted sum of the squared derivatives of `sum W layer(x)^2`."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(W * tf.square(layer(x, training=True)))
    return tf.reduce_sum(W[::-1] * tf.square(tape.gradient(total, x)))


def _second(layer, step=1e-5):
    """The derivative of `_slope` along a direction: by the tape, and by central differences."""
    direction = tf.constant(np.random.default_rng(1).normal(size=X.shape))
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        slope = _slope(layer, x)
    exact = tf.reduce_sum(tape.gradient(slope, x) * direction)
    difference = _slope(layer, x + step * direction) - _slope(layer, x - step * direction)
    return float(exact), float(difference / (2 * step))


def test_the_curvature_of_a_variance():
    """Of n numbers it is 2 (I - 11' / n) / n."""
    x = tf.constant(RNG.normal(size=5))
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            variance = moments(x, [0])[1]
        slope = tape.gradient(variance, x)
    np.testing.assert_allclose(variance, np.var(x), rtol=1e-14)
    np.testing.assert_allclose(slope, 2 * (x - np.mean(x)) / 5, rtol=1e-13)
    curvature = outer.jacobian(slope, x)
    np.testing.assert_allclose(curvature, 2 / 5 * (np.eye(5) - 1 / 5), rtol=0, atol=1e-14)


@pytest.mark.parametrize("keepdims", [False, True])
def test_moments_are_those_of_numpy(keepdims):
    mean, variance = moments(tf.constant(X), (0, 1, 2), keepdims)
    np.testing.assert_allclose(mean, X.mean((0, 1, 2), keepdims=keepdims), rtol=1e-13)
    np.testing.assert_allclose(variance, X.var((0, 1, 2), keepdims=keepdims), rtol=1e-13)


def test_the_second_derivative():
    exact, difference = _second(_layer())
    assert exact == pytest.approx(difference, rel=1e-7)


@pytest.mark.parametrize("axis", [-1, [1, 2, 3]])
def test_the_second_derivative_of_layer_normalization(axis):
    exact, difference = _second(LayerNormalization(axis=axis, epsilon=0.1, dtype="float64"))
    assert exact == pytest.approx(difference, rel=1e-7)


@pytest.mark.parametrize(
    "name, settings",
    [
        ("BatchNormalization", {}),
        ("GroupNormalization", {"groups": 1}),
        ("LayerNormalization", {"epsilon": 0.1}),
    ],
)
def test_those_of_keras_are_wrong(name, settings):
    """When this fails, Keras has it right, and our layers and the warning can go."""
    exact, difference = _second(getattr(keras.layers, name)(**settings, dtype="float64"))
    assert abs(exact / difference - 1) > 1e-3


def test_virtual_batch_normalization_has_it_right_too():
    layer = zoo.VirtualBatchNormalization(3, dtype="float64")
    layer.build((None, 3, 4, 2))
    exact, difference = _second(lambda x, training: layer(x), step=1e-2)
    assert exact == pytest.approx(difference, rel=1e-3)  # It computes in float32.


def test_the_rest_is_keras():
    ours, theirs = _layer(), _layer(keras.layers.BatchNormalization)
    results = []
    for layer in (ours, theirs):
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(W * layer(x, training=True) ** 2)
        sources = [x, *layer.trainable_variables]
        gradients = tape.gradient(loss, sources)
        results.append([*gradients, *layer.weights, layer(x, training=False)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)
    assert BatchNormalization.from_config(ours.get_config()).get_config() == ours.get_config()


@pytest.mark.parametrize("axis", [-1, 1, [1, 3], [1, 2, 3]])
@pytest.mark.parametrize("settings", [{}, {"center": False, "scale": False}])
def test_the_rest_of_layer_normalization_is_keras(axis, settings):
    results = []
    for cls in (LayerNormalization, keras.layers.LayerNormalization):
        layer = cls(axis=axis, dtype="float64", **settings)
        layer.build(X.shape)
        for i, weight in enumerate(layer.weights):
            weight.assign(np.random.default_rng(i).normal(size=weight.shape))
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(W * y**2)
        results.append([y, *tape.gradient(loss, [x, *layer.trainable_variables])])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_a_mask_goes_the_way_of_keras():
    x = tf.constant(RNG.normal(size=(4, 5, 2)))
    mask = tf.constant(RNG.integers(0, 2, (4, 5)), tf.bool)
    layers = [cls(dtype="float64") for cls in (BatchNormalization, keras.layers.BatchNormalization)]
    ours, theirs = (layer(x, training=True, mask=mask) for layer in layers)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("cls, axes", [(BatchNormalization, (0, 1, 2)), (LayerNormalization, -1)])
def test_half_precision(policy, cls, axes):
    y = cls(dtype=policy)(tf.constant(X, "float32"), training=True)
    assert y.dtype == policy.removeprefix("mixed_")
    x = np.array(tf.cast(tf.constant(X), policy.removeprefix("mixed_")), "float64")
    expected = x - x.mean(axes, keepdims=True)
    expected /= np.sqrt(x.var(axes, keepdims=True) + 1e-3)
    np.testing.assert_allclose(tf.cast(y, "float32"), expected, atol=0.02)


def test_the_players_use_it():
    generators = [
        zoo.DCGANGenerator(),
        zoo.ResNetGenerator(image_shape=(32, 32, 3), filters=8),
        zoo.MLPGenerator(batch_normalization=True),
    ]
    for model in [*generators, zoo.DCGANDiscriminator()]:
        layers = [v for v in model.layers if isinstance(v, keras.layers.BatchNormalization)]
        assert layers and all(type(layer) is BatchNormalization for layer in layers)
