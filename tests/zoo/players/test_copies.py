"""Copies made from a config: like their original, or refused with what is missing."""

import pickle
import random

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import SMALL_PLAYERS, outputs, player_inputs, tiny_dense_pair
from zoo import saving
from zoo.players import copies

L = keras.layers
register = keras.saving.register_keras_serializable(package="test_copies")


def sloped(slope):
    """A graph from latents to points, whose form hangs on the slope."""
    z = keras.Input((3,), name="latents")
    return z, L.Dense(2)(L.LeakyReLU(slope)(z))


@register
class Forgetful(zoo.Generator):
    """Its get_config leaves its argument out: what was recorded is added."""

    def __init__(self, slope=0.2, **kwargs):
        super().__init__(*sloped(slope), latent_dim=3, value_range=None, **kwargs)

    def get_config(self):
        return {"name": self.name}


@register
class Reading(Forgetful):
    """It reads its config in a way of its own, and loses the argument."""

    def __init__(self, slope=0.2, **kwargs):
        super().__init__(slope, **kwargs)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls()


@register
class Given(zoo.Generator):
    """It takes its graph's tensors, which no config can hold."""

    def __init__(self, inputs, outputs, gain=1.0, **kwargs):
        super().__init__(inputs, outputs * gain, latent_dim=3, value_range=None, **kwargs)


@register
class Gain(L.Layer):
    """A layer whose get_config lacks its argument."""

    def __init__(self, gain=1.0, **kwargs):
        super().__init__(**kwargs)
        self.gain = gain

    def call(self, inputs):
        return self.gain * inputs

    def get_config(self):
        return super().get_config()


@register
class Holder(L.Layer):
    """A layer whose config says nothing of the layer in it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = L.Dense(2, name="inner")

    def build(self, shape):
        self.inner.build(shape)

    def call(self, inputs):
        return self.inner(inputs)


@register
class Noise(L.Layer):
    """A layer that draws in inference too: no two of its calls are alike."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(0)

    def call(self, inputs):
        return inputs + keras.random.normal(keras.ops.shape(inputs), seed=self.seed)


def net(*layers):
    return keras.Sequential([keras.Input((3,)), *layers])


def local_layer():
    class Local(L.Layer):
        def call(self, inputs):
            return 2 * inputs

    return Local()


def frozen_inside():
    model = net(Holder())
    model.layers[0].inner.trainable = False
    return model


REFUSED = {
    "from_config": (lambda: Reading(0.7), r"`slope` is 0.2 in the copy, and 0.7.*hold `slope`"),
    "tensors": (lambda: Given(*sloped(0.1), gain=2.0), "get_config to hold every argument"),
    "layer": (lambda: net(Gain(3.0)), "gives other outputs.*get_config to hold every argument"),
    "lambda": (lambda: net(L.Lambda(lambda t: 2 * t)), "Python lambda.*subclass of keras.layers"),
    "local": (lambda: net(local_layer()), "the class 'Local'.*register_keras_serializable"),
    "frozen": (frozen_inside, "'inner' has trainable=True where it has trainable=False"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_player_that_cannot_be_made_again_is_refused_with_the_remedy(case, tmp_path):
    make, message = REFUSED[case]
    model = make()
    with pytest.raises(ValueError, match=f"^`generator` cannot be made.*{message}.* Received: gen"):
        copies.copied(model, "generator")
    with pytest.raises(ValueError, match=message):
        saving.save(model, tmp_path / "player.keras")
    assert not list(tmp_path.iterdir())
    if isinstance(model, zoo.Generator):
        with pytest.raises(ValueError, match=message):
            model.save(tmp_path / "player.keras")
        with pytest.raises(ValueError, match=message):
            pickle.dumps(model)


def test_what_a_users_get_config_leaves_out_comes_back():
    model = Forgetful(0.7)
    assert model.get_config()["slope"] == 0.7
    twin = copies.copied(model)
    latents = -np.ones((2, 3), "float32")
    np.testing.assert_array_equal(twin(latents), model(latents))
    w, b = model.get_weights()
    np.testing.assert_allclose(twin(latents), 0.7 * latents @ w + b, rtol=1e-6)


@pytest.mark.parametrize("make", [lambda: net(Noise()), lambda: tiny_dense_pair(3)[0]])
def test_a_copy_moves_no_random_number(make):
    model = make()
    seeds = [np.array(v) for v in model.variables]
    random.seed(5)
    wanted = random.random()
    random.seed(5)
    copies.copied(model)
    assert random.random() == wanted
    for a, b in zip(seeds, model.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_value_range_that_was_said_goes_with_the_copy():
    model = net(L.Dense(2))
    model.value_range = (0.0, 1.0)
    assert copies.copied(model).value_range == (0.0, 1.0)


@register
class Rate(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule whose get_config lacks its argument."""

    def __init__(self, rate=0.1):
        self.rate = rate

    def __call__(self, step):
        return self.rate

    def get_config(self):
        return {}


@register
class Mine(keras.optimizers.SGD):
    """An optimizer of a user's; `complete` says whether its get_config has its arguments."""

    complete = False

    def __init__(self, strength=1.0, powers=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.strength, self._powers = strength, powers

    def get_config(self):
        own = {"strength": self.strength, "powers": list(self._powers)} if self.complete else {}
        return {**super().get_config(), **own}


@register
class Complete(Mine):
    """The same with a get_config that holds all."""

    complete = True


@register
class Rateless(keras.optimizers.SGD):
    """An optimizer whose get_config forgets what its parent keeps."""

    def get_config(self):
        return {"momentum": self.momentum}


def test_an_optimizer_that_comes_back_as_another_is_refused():
    lost = "`it` cannot be made again.*its argument `strength` is 1.0 in the copy, and 3.0 in it"
    with pytest.raises(ValueError, match=lost + ".*Expected get_config to hold `strength`.*Mine"):
        copies.check_parts(Mine(3.0), "it")
    with pytest.raises(ValueError, match="`strength`"):
        copies.check_parts(keras.optimizers.LossScaleOptimizer(Mine(3.0)), "it")
    with pytest.raises(ValueError, match=r"`powers` is \(1, 2\) in the copy, and \(3,\) in it"):
        copies.check_parts(Mine(powers=(3,)), "it")
    with pytest.raises(ValueError, match="`learning_rate` is 0.0.*in the copy, and 0.5"):
        copies.check_parts(Rateless(0.5, momentum=0.5), "it")
    moved = Complete(3.0, (3,), learning_rate=0.3, momentum=0.5, clipnorm=1.0)
    net_ = net(L.Dense(2))
    moved.build(net_.trainable_variables)
    moved.learning_rate = 0.1
    scaled = keras.optimizers.LossScaleOptimizer(Complete(3.0))
    copies.check_parts([moved, scaled, Mine(), Rateless()], "several")


def test_objects_that_come_back_as_others_are_refused():
    with pytest.raises(ValueError, match="`generator_optimizer`.*0.1 in the copy, and 0.5.*Rate"):
        copies.check_parts(keras.optimizers.Adam(Rate(0.5)), "generator_optimizer")
    copies.check_parts([keras.optimizers.Adam(Rate(0.1)), "adam", 3, None], "several")
    with pytest.raises(ValueError, match="`trainer`.*class 'Local'"):
        copies.check_class(local_layer(), "trainer")
    copies.check_class(Rate(), "trainer")


@pytest.mark.parametrize("family", SMALL_PLAYERS)
def test_every_family_clones_and_lends_its_layers(family, tmp_path):
    """Keras's `clone_model`, and a model of a player's inner layers in a file, labels included."""
    model = SMALL_PLAYERS[family](num_classes=2)
    if family == "LaplacianDiscriminator":  # Its graph is that of its finest level.
        model = model.parts[-1]
    inputs = player_inputs(model)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    inner = [la for la in model.layers if la.weights and not isinstance(la, keras.Model)]
    lent = keras.Model(model.input, {"inner": [la.output for la in inner], "all": model.output})
    lent.save(tmp_path / "lent.keras")
    loaded = keras.saving.load_model(tmp_path / "lent.keras")
    for original, copy in ((model, clone), (lent, loaded)):
        for a, b in zip(outputs(original, inputs), outputs(copy, inputs), strict=True):
            np.testing.assert_array_equal(a, b)
