"""Checks that every family of players and every trainer goes through."""

import inspect
import json

import keras
import numpy as np
import tensorflow as tf

import zoo


def player_inputs(model, count=4):
    """Inputs for a player, drawn from a fixed seed."""
    rng = np.random.default_rng(7)
    inputs = model.input if isinstance(model.input, dict) else {model.input.name: model.input}
    drawn = {}
    for name, tensor in inputs.items():
        if name == "labels":
            drawn[name] = (np.arange(count) % model.num_classes).astype("int32")
        else:
            drawn[name] = rng.uniform(-1, 1, (count, *tensor.shape[1:])).astype("float32")
    return drawn if isinstance(model.input, dict) else drawn[model.input.name]


def outputs(model, inputs):
    """The player's outputs as a flat list of arrays."""
    return [np.asarray(t) for t in tf.nest.flatten(model(inputs, training=False))]


def run_player_test(cls, kwargs, weights, path, policies=True):
    """A player's config, file, dtype policies, weight count and input names.

    Args:
        cls: The player's class.
        kwargs: Its constructor arguments, small.
        weights: The exact number of parameters.
        path: A temporary folder.
        policies: Whether to build it under each dtype policy.
    """
    model = cls(**kwargs)
    assert model.count_params() == weights
    config = model.get_config()
    named = set(inspect.signature(cls.__init__).parameters) - {"self", "kwargs", "dtype"}
    assert named <= set(config), "every constructor argument is in the config"
    for name, value in kwargs.items():
        assert config[name] == value
    again = cls.from_config(json.loads(json.dumps(config)))
    assert json.dumps(again.get_config()) == json.dumps(config)
    assert type(again) is cls and set(dir(again)) == set(dir(model))

    inputs = player_inputs(model)
    for weight in model.weights:  # Moved off their initial values, so that a lost one shows.
        weight.assign(weight + 0.03)
    model.save(path / "player.keras")
    loaded = keras.saving.load_model(path / "player.keras")
    assert type(loaded) is cls
    for a, b in zip(outputs(model, inputs), outputs(loaded, inputs), strict=True):
        np.testing.assert_array_equal(a, b)

    wanted = "latents" if isinstance(model, zoo.Generator) else "images"
    tensors = model.input if isinstance(model.input, dict) else {model.input.name: model.input}
    assert set(tensors) == ({wanted, "labels"} if model.num_classes else {wanted})
    if model.num_classes:
        assert tensors["labels"].dtype == "int32"

    for policy in ("float32", "mixed_bfloat16", "mixed_float16") if policies else ():
        typed = cls(**kwargs, dtype=policy)
        assert typed.dtype_policy.name == policy
        assert {w.dtype for w in typed.trainable_weights} == {"float32"}
        hidden = [la for la in typed.layers if la.weights and "output" not in la.name]
        assert all(la.dtype_policy.name == policy for la in hidden)
        result = typed(inputs)
        main = result if isinstance(typed, zoo.Generator) else result["logits"]
        assert main.dtype == tf.float32
        assert typed.from_config(typed.get_config()).dtype_policy.name == policy
    return model


def state(*things):
    """Copies of all variables of models and optimizers."""
    return [np.array(v) for thing in things for v in thing.variables]


def largest_difference(a, b):
    """The largest absolute difference between two lists of arrays."""
    assert len(a) == len(b)
    pairs = zip(a, b, strict=True)
    return max(np.max(np.abs(x.astype("float64") - y.astype("float64"))) for x, y in pairs)


def tiny_pair(classes=None, **kwargs):
    """A DCGAN pair of 8x8 grey images with a thousand weights or two."""
    return (
        zoo.DCGANGenerator((8, 8, 1), latent_dim=6, filters=4, num_classes=classes, **kwargs),
        zoo.DCGANDiscriminator((8, 8, 1), filters=4, num_classes=classes, **kwargs),
    )


def tiny_mlp_pair(classes=None, **kwargs):
    """The 2014 pair, maxout and dropout included, for 4x4 images."""
    return (
        zoo.MLPGenerator((4, 4, 1), latent_dim=5, units=(8,), num_classes=classes, **kwargs),
        zoo.MLPDiscriminator((4, 4, 1), units=(6, 6), pieces=2, num_classes=classes, **kwargs),
    )


def tiny_data(shape=(8, 8, 1), count=64, classes=3):
    """uint8 images and int32 labels from a fixed seed."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    return images, (np.arange(count) % classes).astype("int32")


def batches(arrays, size=16, steps=3):
    """`steps` batches of arrays in a fixed order."""
    dataset = tf.data.Dataset.from_tensor_slices(arrays).repeat()
    return dataset.batch(size, drop_remainder=True).take(steps)


def all_variables(gan):
    """What makes up the state of a trainer: players, averages, optimizers, seeds and counters."""
    things = [gan.generator, gan.discriminator, gan.generator_optimizer]
    things.append(gan.discriminator_optimizer)
    if gan.ema_generator is not None:
        things.append(gan.ema_generator)
    things += [*gan.generator_penalty_states, *gan.discriminator_penalty_states]
    things.append(gan.stopping_state)
    found = [*state(*things), np.array(gan.steps)]
    for game in getattr(gan, "level_gans", ()):
        found += all_variables(game)
    return found


def run_trainer_test(make, data, path):
    """A trainer's fit in eager mode, graph and XLA, its isolation of the players, and its file.

    Args:
        make: `make(**compile_arguments) -> compiled trainer`, seeded and equal at each call.
        data: Arrays for `batches`.
        path: A temporary folder.
    """
    results = []
    for modes in ({"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}):
        gan = make(**modes)
        history = gan.fit(batches(data), verbose=0).history
        assert all(np.isfinite(v).all() for v in history.values())
        results.append(all_variables(gan))
    assert largest_difference(results[0], results[1]) < 1e-4
    assert largest_difference(results[1], results[2]) < 1e-4

    whole = make()
    whole.fit(batches(data, steps=4), verbose=0)
    half = make()
    half.fit(batches(data, steps=2), verbose=0)
    half.save(path / "trainer.keras")
    loaded = keras.saving.load_model(path / "trainer.keras")
    assert type(loaded) is type(half)
    assert largest_difference(all_variables(half), all_variables(loaded)) == 0
    loaded.fit(batches(data, steps=4).skip(2), verbose=0)
    assert largest_difference(all_variables(whole), all_variables(loaded)) < 1e-6
    return whole
