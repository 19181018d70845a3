"""What a wrapped layer adds to the loss of its model is added once, wherever it is called."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import KERNEL_LAYERS, MODES, normal_batch
from zoo.layers import SpectralNormalization, WeightNormalization

WRAPPERS = [WeightNormalization, SpectralNormalization]
STRENGTH = 0.1


class Louder(keras.layers.Dense):
    """Adds a constant times the sum of its outputs' squares."""

    def call(self, inputs):
        outputs = super().call(inputs)
        self.add_loss(STRENGTH * keras.ops.sum(keras.ops.square(outputs)))
        return outputs


def by_activity(case):
    """Keras divides by the rows."""
    make, shape, _ = KERNEL_LAYERS[case]
    x = normal_batch(shape)
    return make(activity_regularizer=keras.regularizers.L2(STRENGTH)), x, len(x)


def by_add_loss(_):
    return Louder(3), normal_batch((5,)), 1


def by_inner_activity(_):
    """Of a layer that the wrapped one has for an activation."""
    inner = keras.layers.ReLU(activity_regularizer=keras.regularizers.L2(STRENGTH))
    x = normal_batch((5,))
    return keras.layers.Dense(3, activation=inner), x, len(x)


KINDS = [by_activity, by_add_loss, by_inner_activity]


def _model(kind, wrapper, case="dense"):
    layer, x, rows = kind(case)
    model = keras.Sequential([keras.Input(x.shape[1:]), wrapper(layer)])
    wanted = STRENGTH * (np.asarray(model(x), "float64") ** 2).sum() / rows
    return model, x, wanted


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("kind, case", [(by_activity, case) for case in KERNEL_LAYERS])
def test_activities_of_every_kernel_layer_are_losses(kind, case, wrapper):
    model, x, wanted = _model(kind, wrapper, case)
    model(x)
    np.testing.assert_allclose(model.losses, [wanted], rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("kind", KINDS)
def test_they_are_losses_in_every_mode_and_reach_the_kernel(kind, wrapper, mode):
    model, x, wanted = _model(kind, wrapper)
    kernel = model.layers[0].layer.kernel

    def losses():
        with tf.GradientTape() as tape:
            model(x)
            added = list(model.losses)
            total = tf.add_n(added)
        return added, tape.gradient(total, kernel.value)

    added, gradient = MODES[mode](losses)()
    np.testing.assert_allclose(added, [wanted], rtol=1e-5)
    assert np.any(gradient)


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_scope_that_collects_losses_has_each_once(kind, wrapper):
    model, x, wanted = _model(kind, wrapper)
    state = [[v.value for v in model.trainable_variables]]
    state.append([v.value for v in model.non_trainable_variables])
    _, _, losses = model.stateless_call(*state, x, return_losses=True)
    np.testing.assert_allclose(losses, [wanted], rtol=1e-5)
    with keras.StatelessScope(collect_losses=True) as scope:
        model(x)
        np.testing.assert_allclose(scope.losses, [wanted], rtol=1e-5)
    with keras.StatelessScope() as scope:  # This one does not ask for any.
        model(x)
        assert scope.losses == []
