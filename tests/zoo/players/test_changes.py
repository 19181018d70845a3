"""What was done to the layers of a player after it was made is in its config and its files."""

import copy
import json
import pickle

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import SMALL_PLAYERS, outputs, player_inputs
from zoo import saving
from zoo.players import changes

L = keras.layers
COPIES = {
    "config": lambda m: from_config(m),
    "pickle": lambda m: pickle.loads(pickle.dumps(m)),
    "deepcopy": copy.deepcopy,
}


def from_config(model):
    """A copy of the model by way of JSON, with its weights."""
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    twin = keras.saving.deserialize_keras_object(config)
    twin.set_weights(model.get_weights())
    return twin


def traces(model):
    """What Keras itself says of every layer, nested ones too, and of every weight."""
    layers = [
        (la.trainable, la.dtype_policy.name, *(vars(la).get(k) for k in ("negative_slope", "rate")))
        for la in model._flatten_layers()
    ]
    return layers, [(tuple(w.shape), w.trainable, w.dtype) for w in model.weights]


def assert_copied(model, twin):
    """A copy has the layers' settings, the trainable weights and the outputs of its original."""
    assert traces(twin) == traces(model)
    assert json.dumps(twin.get_config()) == json.dumps(model.get_config())
    inputs = player_inputs(model)
    for a, b in zip(outputs(model, inputs), outputs(twin, inputs), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("family", SMALL_PLAYERS)
def test_every_family_keeps_what_was_done_to_its_layers(family):
    model = SMALL_PLAYERS[family](num_classes=2)
    assert changes.since(model, changes.snapshot(model)) == {}
    assert "changed_layers" not in model.get_config()
    layers = [layer for layer in model._flatten_layers() if layer is not model]
    for number, layer in enumerate(layers):
        if number % 3 == 0:
            layer.trainable = False
        if isinstance(layer, L.LeakyReLU):
            layer.negative_slope = 0.45
        if isinstance(layer, L.Dense) and layer.built and number % 3:
            layer.dtype_policy = "mixed_bfloat16"
            layer.kernel.trainable = not layer.kernel.trainable
    assert_copied(model, from_config(model))


def frozen_part(model):
    model.get_layer("dense_0").trainable = False


def frozen_whole(model):
    model.trainable = False


def freed_part(model):
    model.trainable = False
    model.get_layer("output").trainable = True


def frozen_weight(model):
    model.get_layer("output").bias.trainable = False


def other_rate(model):
    model.get_layer("dropout_0").rate = 0.6


def other_activation(model):
    model.get_layer("dense_0").activation = keras.activations.tanh


def other_name(model):
    model.get_layer("dense_0").name = "head"


def lora(model):
    model.get_layer("dense_0").enable_lora(2, 3)
    model.get_layer("dense_0").lora_kernel_b.assign_add(np.ones((2, 4)))


def quantized(model):
    model.get_layer("dense_0").quantize("int8")


DEEDS = (
    frozen_part,
    frozen_whole,
    freed_part,
    frozen_weight,
    other_rate,
    other_activation,
    other_name,
    lora,
    quantized,
)


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_is_kept_by_every_copy_and_file(deed, tmp_path):
    model = zoo.MLPDiscriminator((3,), (4,), activation="leaky_relu", dropout=0.1)
    deed(model)
    for make in COPIES.values():
        assert_copied(model, make(model)) if deed is not lora else check_lora(model, make(model))
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    named = [layer.name for layer in model.layers]
    assert [layer.name for layer in loaded.layers] == named
    x = player_inputs(model)
    # Keras writes the product of LoRA's kernels into the kernel: equal but for rounding.
    for a, b in zip(outputs(model, x), outputs(loaded, x), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6 if deed is lora else 0)
    assert traces(loaded) == traces(model)


def check_lora(model, twin):
    assert traces(twin) == traces(model)
    for a, b in zip(*(outputs(m, player_inputs(model)) for m in (model, twin)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_frozen_whole_and_what_was_never_touched_are_short_in_the_config():
    model = SMALL_PLAYERS["DCGANDiscriminator"]()
    model.trainable = False
    assert model.get_config()["trainable"] is False and "changed_layers" not in model.get_config()
    model.get_layer("output").trainable = True
    assert model.get_config()["changed_layers"] == {"output": {"trainable": True}}


@keras.saving.register_keras_serializable(package="test_changes")
class Frozen(zoo.Generator):
    """A player whose own constructor freezes a layer, and names none; it takes no name either."""

    def __init__(self, slope=0.2):
        z = keras.Input((3,), name="latents")
        hidden = L.Dense(4)
        x = L.LeakyReLU(slope)(hidden(z))
        super().__init__(z, L.Dense(2)(x), latent_dim=3, value_range=None)
        hidden.trainable = False


def test_what_a_constructor_froze_stays_so_and_what_a_user_freed_stays_free():
    model = Frozen(0.4)
    assert "changed_layers" not in model.get_config()
    twin = from_config(model)
    assert_copied(model, twin)
    assert len(twin.trainable_variables) == 2 and twin.name == model.name
    for m in (model, twin):
        m.layers[1].trainable, m.layers[3].trainable = True, False
    assert json.dumps(model.get_config()) == json.dumps(twin.get_config())
    assert_copied(model, from_config(twin))


def test_a_player_that_was_given_its_graph_comes_back(tmp_path):
    z = keras.Input((3,), name="latents")
    labels = keras.Input((), name="labels", dtype="int32")
    x = L.Concatenate()([z, keras.ops.one_hot(labels, 2)])
    x = L.Dense(4, trainable=False)(L.LeakyReLU(0.3)(x))
    model = zoo.Generator(
        {"latents": z, "labels": labels},
        x,
        latent_dim=3,
        prior="uniform",
        num_classes=2,
        value_range=(0.0, 1.0),
        name="mine",
    )
    for twin in (from_config(model), zoo.load(saving.save(model, tmp_path / "g.keras"))):
        assert type(twin) is zoo.Generator and twin.traits == model.traits
        assert_copied(model, twin)
        assert twin.trainable_variables == []
    judge = zoo.Discriminator(z, {"logits": L.Dense(1)(z)[:, 0], "features": z}, dtype="float32")
    judge.layers[1].trainable = False
    assert_copied(judge, from_config(judge))


def test_a_vae_keeps_its_layers_settings(tmp_path):
    model = zoo.VAE((3,), 2, (4,))
    model.encoder.layers[1].trainable = False
    model.generator.get_layer("output").trainable = False
    model.compile()
    model.save(tmp_path / "v.keras")
    loaded = keras.saving.load_model(tmp_path / "v.keras")
    assert traces(loaded) == traces(model)
    assert len(loaded.trainable_variables) == 4 == len(model.trainable_variables)


def test_a_config_of_other_layers_is_refused():
    config = SMALL_PLAYERS["MLPGenerator"]().get_config()
    with pytest.raises(ValueError, match="`changed_layers` names layers.*Received: .*'nowhere'"):
        zoo.MLPGenerator.from_config({**config, "changed_layers": {"nowhere": {"name": "x"}}})
    with pytest.raises(ValueError, match="`changed_layers` has a setting that the layer 'output'"):
        zoo.MLPGenerator.from_config({**config, "changed_layers": {"output": {"rate": 0.5}}})


def test_a_copy_leaves_pythons_random_numbers_alone():
    import random

    random.seed(3)
    wanted = random.random()
    model = SMALL_PLAYERS["MLPDiscriminator"]()
    model.layers[2].rate = 0.4
    config = keras.saving.serialize_keras_object(model)
    random.seed(3)
    with changes.unmoved_random():
        keras.saving.deserialize_keras_object(config)
    assert random.random() == wanted
