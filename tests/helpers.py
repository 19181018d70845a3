"""Checks that every family of players and every trainer goes through."""

import inspect
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from zoo import command

KERNEL_LAYERS = {  # Its name: the layer, an input's shape, axis of the output units in the kernel.
    "dense": (lambda **k: keras.layers.Dense(3, **k), (5,), 1),
    "conv": (
        lambda **k: keras.layers.Conv2D(4, 3, strides=2, padding="same", groups=2, **k),
        (5, 5, 2),
        3,
    ),
    "transpose": (
        lambda **k: keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", **k),
        (3, 3, 2),
        2,
    ),
}
SMALL_PLAYERS = {  # Every family by its name, as small as it can be.
    "MLPGenerator": lambda **k: zoo.MLPGenerator((3,), 4, (5,), **k),
    "MLPDiscriminator": lambda **k: zoo.MLPDiscriminator((3,), (4,), pieces=2, **k),
    "DCGANGenerator": lambda **k: zoo.DCGANGenerator((8, 8, 1), 4, 2, **k),
    "DCGANDiscriminator": lambda **k: zoo.DCGANDiscriminator((8, 8, 1), 2, units=(3,), **k),
    "ResNetGenerator": lambda **k: zoo.ResNetGenerator((28, 28, 1), 3, 2, **k),
    "ResNetDiscriminator": lambda **k: zoo.ResNetDiscriminator((28, 28, 1), 2, **k),
    "R3GANGenerator": lambda **k: zoo.R3GANGenerator((28, 28, 1), 3, 4, 1, 2, **k),
    "R3GANDiscriminator": lambda **k: zoo.R3GANDiscriminator((28, 28, 1), 4, 1, 2, **k),
    "LaplacianGenerator": lambda **k: zoo.LaplacianGenerator((8, 8, 1), 2, 3, 2, (4,), **k),
    "LaplacianDiscriminator": lambda **k: zoo.LaplacianDiscriminator((8, 8, 1), 2, 2, (4,), **k),
}
MODES = {
    "eager": lambda f: f,
    "graph": tf.function,
    "xla": lambda f: tf.function(f, jit_compile=True),
}


def run_command(module, *arguments):
    """The exit status of a command of the house, run in this process with its flags as new.

    Args:
        module: The `__main__` of a package.
        *arguments: What stands behind its name.
    """
    module.FLAGS.unparse_flags()
    given = [module.__name__, *map(str, arguments)]
    with pytest.raises(SystemExit) as ended:
        command.run(module.main, module.__doc__, module.FLAGS, given)
    return ended.value.code or 0


def data_of_a_fit(monkeypatch, train):
    """The data that a function gives to the `fit` of a `GANEnsemble`, which then ends it."""
    seen = []

    def fit(ensemble, data, **_):
        seen.append(np.array(data))
        raise StopIteration

    monkeypatch.setattr(trainers.GANEnsemble, "fit", fit)
    with pytest.raises(StopIteration):
        train()
    (data,) = seen
    return data


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


def normal_batch(shape, count=6, seed=0):
    """Examples of one shape from the normal distribution, by their seed."""
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype("float32")


def run_labels_test(*models):
    """Another label changes what a player answers to every input."""
    for model in models:
        inputs = player_inputs(model)
        other = {**inputs, "labels": (inputs["labels"] + 1) % model.num_classes}
        a, b = (model(x) for x in (inputs, other))
        if not isinstance(model, zoo.Generator):
            a, b = a["logits"], b["logits"]
        assert (np.abs(a - b).reshape(len(a), -1).max(1) > 1e-6).all()


def state(*things):
    """Copies of all variables of models and optimizers."""
    return [np.array(v) for thing in things for v in thing.variables]


def assert_same_weights(model, other):
    """Both models have the same weights, bit for bit."""
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def largest_difference(a, b):
    """The largest absolute difference between two lists of arrays."""
    assert len(a) == len(b)
    pairs = zip(a, b, strict=True)
    return max(np.max(np.abs(x.astype("float64") - y.astype("float64"))) for x, y in pairs)


def tiny_pair(classes=None, prior="normal", **kwargs):
    """A DCGAN pair of 8x8 grey images with a thousand weights or two."""
    of_generator = {"latent_dim": 6, "prior": prior, **kwargs}
    return (
        zoo.DCGANGenerator((8, 8, 1), filters=4, num_classes=classes, **of_generator),
        zoo.DCGANDiscriminator((8, 8, 1), filters=4, num_classes=classes, **kwargs),
    )


def tiny_mlp_pair(classes=None, **kwargs):
    """The 2014 pair, maxout and dropout included, for 4x4 images."""
    return (
        zoo.MLPGenerator((4, 4, 1), latent_dim=5, units=(8,), num_classes=classes, **kwargs),
        zoo.MLPDiscriminator((4, 4, 1), units=(6, 6), pieces=2, num_classes=classes, **kwargs),
    )


def tiny_dense_pair(classes=None, **kwargs):
    """Smooth dense players without dropout, for 4x4 images: what is compiled soonest."""
    shared = {"num_classes": classes, "activation": "tanh", **kwargs}
    rates = {"dropout": 0.0, "input_dropout": 0.0}
    return (
        zoo.MLPGenerator((4, 4, 1), latent_dim=5, units=(8,), **shared),
        zoo.MLPDiscriminator((4, 4, 1), units=(6,), **rates, **shared),
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


def compiled(trainer, *arguments, **settings):
    """The trainer, compiled."""
    trainer.compile(*arguments, **settings)
    return trainer


def trained(make, data, steps=4, **modes):
    """A trainer of `make(**modes)` after so many steps, from one seed."""
    keras.utils.set_random_seed(1)
    trainer = make(**modes)
    history = trainer.fit(batches(data, steps=steps), verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    return trainer


def run_trainer_test(make, data, path):
    """A trainer's fit in eager mode, graph and XLA, and its file.

    Args:
        make: `make(**compile_arguments) -> compiled trainer`, equal at each call.
        data: Arrays for `batches`.
        path: A temporary folder.

    Returns:
        The trainer after four steps, and the one that was saved after two and went on.
    """
    whole, loaded = run_resume_test(make, data, path, run_eagerly=True)
    wanted = all_variables(whole)
    for jit_compile in (False, True):
        other = trained(make, data, jit_compile=jit_compile)
        assert largest_difference(wanted, all_variables(other)) < 1e-4
    return whole, loaded


def run_resume_test(make, data, path, steps=4, **modes):
    """Half of the steps, a file and the other half are all the steps in one go."""
    whole = trained(make, data, steps, **modes)
    half = trained(make, data, steps // 2, **modes)
    half.save(path / "trainer.keras")
    loaded = zoo.saving.load_model(path / "trainer.keras")  # Its checks, and Keras.
    assert type(loaded) is type(half)
    assert json.dumps(loaded.get_config()) == json.dumps(half.get_config())
    assert json.dumps(loaded.get_compile_config()) == json.dumps(half.get_compile_config())
    assert largest_difference(all_variables(half), all_variables(loaded)) == 0
    loaded.fit(batches(data, steps=steps).skip(steps // 2), verbose=0)
    assert largest_difference(all_variables(whole), all_variables(loaded)) < 1e-6
    return whole, loaded


def run_equality_test(makers, data, tolerance=0.0, **modes):
    """Trainers that play one game are in one state after three steps."""
    results = []
    for make in makers:
        gan = trained(make, data, steps=3, **{"run_eagerly": True, **modes})
        players = [gan.generator, gan.discriminator, *gan.optimizers]
        if gan.ema_generator is not None:
            players.append(gan.ema_generator)
        results.append([*state(*players), np.array(gan.steps)])
    assert largest_difference(*results) <= tolerance


def run_isolation_test(gan, data, movers=("generator", "discriminator"), resting=()):
    """A step of one player moves all of its weights and statistics, and nothing of the other.

    Args:
        gan: A compiled trainer.
        data: Arrays of one batch.
        movers: Which players take a step each.
        resting: Models that are to rest too.
    """
    real, labels = gan.unpack(tf.nest.map_structure(tf.constant, data))
    for mover in movers:
        rester = "discriminator" if mover == "generator" else "generator"
        at_rest = [getattr(gan, rester), getattr(gan, f"{rester}_optimizer"), *resting]
        rested, moved = state(*at_rest), getattr(gan, mover).get_weights()
        step = getattr(gan, f"{mover}_step")
        if gan.run_eagerly:
            step(real, labels, gan.key(0))
        else:
            tf.function(lambda step=step: step(real, labels, gan.key(0)), autograph=False)()
        assert largest_difference(rested, state(*at_rest)) == 0
        pairs = zip(moved, getattr(gan, mover).get_weights(), strict=True)
        assert not any(np.array_equal(a, b) for a, b in pairs)


def run_float16_test(make, data, tolerance):
    """Steps in float16 have size and direction of those in float32: the loss scale comes out again.

    Args:
        make: `make(dtype) -> trainer`, not compiled.
        data: Arrays for `batches`.
        tolerance: float. Of the difference, as a share of the step.
    """
    moves = []
    for policy in ("float32", "mixed_float16"):
        keras.utils.set_random_seed(4)
        sgd = keras.optimizers.SGD
        gan = compiled(make(policy), "non_saturating", sgd(0.1), sgd(0.1), run_eagerly=True)
        start = gan.get_weights()
        gan.fit(batches(data), verbose=0)
        moves.append([a - b for a, b in zip(gan.get_weights(), start, strict=True)])
    a, b = (np.concatenate([np.ravel(w) for w in move]) for move in moves)
    assert np.linalg.norm(a - b) < tolerance * np.linalg.norm(a)


def run_config_test(thing):
    """An object's config comes back from JSON; returns the object that it makes."""
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(thing) and again.get_config() == thing.get_config()
    return again
