"""LAPGAN's trainer: an ordinary game at every level, independent of the others, sampled as one."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import export
import trainers
from tests.helpers import (
    all_variables,
    batches,
    largest_difference,
    run_trainer_test,
    state,
    tiny_data,
    tiny_pair,
)
from trainers import objectives, penalties, perturbations, stopping
from trainers.laplacian import LaplacianGAN
from zoo import latents, saving
from zoo.lapgan import LaplacianDiscriminator, LaplacianGenerator, pyramid

SHAPE = (8, 8, 1)


def _pair(levels=3, classes=None, shape=SHAPE, **kwargs):
    shared = {"filters": 3, "units": (6,), "num_classes": classes, **kwargs}
    generator = LaplacianGenerator(shape, levels, latent_dim=5, **shared)
    return generator, LaplacianDiscriminator(shape, levels, **shared)


def _gan(levels=3, classes=None, arguments=None, **compile_arguments):
    keras.utils.set_random_seed(1)
    gan = LaplacianGAN(*_pair(levels, classes), seed=3, **(arguments or {}))
    gan.compile(**{"ema_decay": 0.9, "run_eagerly": True, **compile_arguments})
    return gan


def _everything(gan):
    """The state of the trainer and of the game of each level."""
    return [*all_variables(gan), *(v for game in gan.level_gans for v in all_variables(game))]


def test_modes_of_execution_and_file(tmp_path):
    def make(**modes):
        # A band alone, because XLA takes its time; the other tests have the coarsest level too.
        return _gan(2, arguments={"levels": [1]}, **{"run_eagerly": False, **modes})

    run_trainer_test(make, tiny_data()[0], tmp_path)


def test_a_resumed_run_has_every_level_as_it_was(tmp_path):
    whole, half = _gan(2), _gan(2)
    images, _ = tiny_data()
    whole.fit(batches(images, steps=2), verbose=0)
    half.fit(batches(images, steps=1), verbose=0)
    half.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert json.dumps(loaded.get_config()) == json.dumps(half.get_config())
    assert json.dumps(loaded.get_compile_config()) == json.dumps(half.get_compile_config())
    assert largest_difference(_everything(half), _everything(loaded)) == 0
    loaded.fit(batches(images, steps=2).skip(1), verbose=0)
    assert largest_difference(_everything(whole), _everything(loaded)) == 0
    for game in loaded.level_gans:
        assert int(game.steps) == int(game.generator_optimizer.iterations) == 2


def test_level_by_level_is_all_at_once():
    together, apart = _gan(classes=3), _gan(classes=3)
    together.fit(batches(tiny_data(), steps=2), verbose=0)
    start = [state(game.generator, game.discriminator) for game in apart.level_gans]
    for k, levels in enumerate(([2], [0], [1])):
        apart.levels = levels
        history = apart.fit(batches(tiny_data(), steps=2), verbose=0).history
        assert {name[:8] for name in history if name.startswith("level")} == {f"level_{levels[0]}_"}
        moved = [
            largest_difference(before, state(game.generator, game.discriminator)) > 0
            for before, game in zip(start, apart.level_gans, strict=True)
        ]
        assert moved == [[False, False, True], [True, False, True], [True] * 3][k]
    pairs = zip(together.level_gans, apart.level_gans, strict=True)
    assert all(largest_difference(all_variables(a), all_variables(b)) == 0 for a, b in pairs)
    np.testing.assert_array_equal(
        together.sample(4, [0, 1, 2, 0], seed=0), apart.sample(4, [0, 1, 2, 0], seed=0)
    )
    assert int(together.steps) == 2 and int(apart.steps) == 6  # Batches that came.


def test_a_change_of_levels_reaches_a_compiled_step():
    gan = _gan(2, run_eagerly=False)
    for levels in ([0], [1]):
        gan.levels = levels
        before = [state(game.generator) for game in gan.level_gans]
        gan.fit(batches(tiny_data()[0], steps=1), verbose=0)
        after = [state(game.generator) for game in gan.level_gans]
        moved = [largest_difference(a, b) > 0 for a, b in zip(before, after, strict=True)]
        assert moved == [levels == [0], levels == [1]]


def test_the_coarsest_level_is_an_ordinary_gan():
    gan = _gan(3)
    images = tf.constant(tiny_data(count=16)[0])
    keras.utils.set_random_seed(1)
    generator, discriminator = _pair(3)
    plain = trainers.GAN(generator.parts[0], discriminator.parts[0], seed=3)
    plain.compile(ema_decay=0.9, run_eagerly=True)
    key_of = plain.key_of
    plain.key_of = lambda *words: key_of(*words).fold(0)  # The draws of level 0.
    real, _ = gan.unpack(images)
    for _ in range(2):
        gan.train_on_batch(images)
        plain.train_step(pyramid.pictures(real, 3)[0])
    assert largest_difference(all_variables(gan.level_gans[0]), all_variables(plain)) < 1e-6


@pytest.mark.parametrize("classes", [None, 3])
def test_a_fake_is_the_true_coarse_picture_and_a_band(classes):
    gan = _gan(3, classes)
    images, labels = tiny_data(count=6)
    real, labels = gan.unpack((images, labels))
    drawn = []
    for level, picture in enumerate(pyramid.pictures(real, 3)[1:], start=1):
        game = gan.level_gans[level]
        key = game.key(0)
        noise = game.latents(6, key)
        coarse = pyramid.up(pyramid.down(picture))
        inputs = {"latents": noise, "coarse": coarse, **({"labels": labels} if classes else {})}
        fake = game.fake(picture, labels, key, training=False)
        band = gan.generator.parts[level](inputs)
        np.testing.assert_allclose(fake, coarse + band, atol=1e-6)
        drawn.append(noise.numpy()[:, :16])
    assert np.abs(drawn[0] - drawn[1]).min() > 0, "levels draw apart"


def test_a_shift_that_the_band_takes_back_changes_nothing():
    gan = _gan(2)
    game = gan.level_gans[1]
    first = game.generator.get_layer("convolution_0").kernel
    blind = first.numpy()
    blind[:, :, 0] = 0.0  # The band no longer depends on the coarse picture,
    first.assign(blind)
    bias = game.generator.get_layer("output").bias
    real = np.random.default_rng(0).uniform(-0.5, 0.5, (5, *SHAPE)).astype("float32")

    def verdict(shift):
        bias.assign([-shift])  # so that it can take the shift of the coarse picture back.
        fake = game.fake(tf.constant(real + shift), None, game.key(0), training=False)
        return np.array(game.view(fake, None, training=False).logits)

    np.testing.assert_allclose(verdict(0.25), verdict(0.0), atol=2e-6)
    bias.assign([0.0])
    fake = game.fake(tf.constant(real + 0.25), None, game.key(0), training=False)
    assert np.abs(game.view(fake, None, training=False).logits - verdict(0.0)).max() > 1e-3


def test_a_level_whose_bands_are_true_cannot_be_told_from_the_data():
    gan = _gan(2)
    game = gan.level_gans[1]
    real, _ = gan.unpack(tiny_data(count=8)[0])

    def true_band(inputs, training):
        assert set(inputs) == {"latents", "coarse"}
        return real - inputs["coarse"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(game.generator), "__call__", lambda self, *a, **k: true_band(*a, **k))
        fake = game.fake(real, None, game.key(0), training=True)
    np.testing.assert_allclose(fake, real, atol=2.0**-23)


def test_metrics_are_those_of_the_levels_and_their_means():
    gan = _gan(3, generator_penalties=penalties.HistoricalAveraging(0.1))
    images, _ = tiny_data(count=24)
    logs = gan.fit(images, batch_size=12, verbose=0, shuffle=False).history
    names = {"generator_loss", "generator_penalty", "discriminator_loss", "discriminator_real"}
    names |= {"discriminator_fake", "js_estimate"}
    assert set(logs) == names | {f"level_{k}_{name}" for k in range(3) for name in names}
    for name in names:
        mean = np.mean([logs[f"level_{k}_{name}"] for k in range(3)])
        assert logs[name][0] == pytest.approx(mean, abs=1e-6)
    before = _everything(gan)
    scores = gan.evaluate(images, batch_size=16, verbose=0, return_dict=True)
    assert scores == gan.evaluate(images, batch_size=16, verbose=0, return_dict=True)
    assert largest_difference(before, _everything(gan)) == 0
    real, _ = gan.unpack(images)
    for k, (game, picture) in enumerate(
        zip(gan.level_gans, pyramid.pictures(real, 3), strict=True)
    ):
        on_real = tf.sigmoid(game.discriminator(picture)["logits"])
        wanted = pytest.approx(float(tf.reduce_mean(on_real)), abs=1e-6)
        assert scores[f"level_{k}_discriminator_real"] == wanted


def test_samples_come_from_the_averaged_chain():
    gan = _gan(2, classes=3)
    average = [w.numpy().astype("float64") for w in gan.generator.weights]
    for t in range(3):
        gan.train_on_batch(*(x[:16] for x in tiny_data()))
        d = min(0.9, (1 + t) / (10 + t))
        average = [
            d * a + (1 - d) * w.numpy() for a, w in zip(average, gan.generator.weights, strict=True)
        ]
    assert largest_difference(average, [w.numpy() for w in gan.ema_generator.weights]) < 1e-5
    labels = [0, 1, 2, 0]
    np.testing.assert_array_equal(
        gan.sample(4, labels, seed=0), gan.ema_generator.sample(4, labels, seed=0)
    )
    assert not np.array_equal(
        gan.sample(4, labels, seed=0), gan.generator.sample(4, labels, seed=0)
    )


def test_players_out_of_the_trainers_file(tmp_path):
    gan = _gan(3)
    gan.fit(batches(tiny_data()[0], steps=1), verbose=0)
    saving.save(gan, tmp_path / "gan.keras")
    generator = saving.load(tmp_path / "gan.keras")
    discriminator = saving.load(tmp_path / "gan.keras", "discriminator")
    assert largest_difference(state(generator), state(gan.ema_generator)) == 0
    wanted = gan.discriminator.get_weights()
    assert largest_difference(discriminator.get_weights(), wanted) == 0


def test_an_exported_chain_answers_the_same(tmp_path):
    gan = _gan(2, classes=3)
    gan.fit(batches(tiny_data(), steps=1), verbose=0)
    signatures = tf.saved_model.load(export.save(gan, tmp_path)).signatures
    assert {"serving_default", "sample", "sample_png", "score"} < set(signatures)
    seeds, labels = np.arange(9), (np.arange(9) % 3).astype("int32")
    images = signatures["sample"](seed=tf.constant(seeds), labels=tf.constant(labels))["images"]
    np.testing.assert_array_equal(images, gan.sample(9, labels, seed=seeds))
    drawn = latents.from_seed("uniform", 9, gan.traits.latent_dim, 0)
    unit = signatures["serving_default"](latents=drawn, labels=tf.constant(labels))["images"]
    last = gan.ema_generator.chain(drawn, labels)[-1]
    np.testing.assert_allclose(unit, (last + 1) / 2, atol=1e-6)
    logits = signatures["score"](images=unit, labels=tf.constant(labels))["logits"]
    inputs = {"images": last, "labels": tf.constant(labels)}
    finest = gan.discriminator.parts[-1](inputs)["logits"]
    np.testing.assert_allclose(logits, finest, atol=1e-5)


COMPOSITIONS = {
    "least squares, R1": {
        "objective": "least_squares",
        "discriminator_penalties": penalties.R1(1.0),
    },
    "hinge, noise": {"objective": "hinge", "perturbations": perturbations.InstanceNoise(0.1)},
    "relativistic, flips": {
        "objective": "relativistic_average",
        "perturbations": perturbations.LabelFlips(0.1),
    },
    "kl, history": {
        "objective": "kl",
        "generator_penalties": penalties.HistoricalAveraging(0.1),
        "discriminator_penalties": penalties.HistoricalAveraging(0.1, every=2),
    },
    "wasserstein, gradient penalty": {
        "objective": "wasserstein",
        "discriminator_penalties": penalties.GradientPenalty(),
        "generator_optimizer": keras.optimizers.SGD(0.01, momentum=0.5),
    },
}
MOVES = [
    {"discriminator_steps": 2},
    {"schedule": "simultaneous"},
    {"discriminator_steps": stopping.UntilConverged(0.0, 1, 2)},
]


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_what_compile_takes_composes(tmp_path, name):
    moves = MOVES[list(COMPOSITIONS).index(name) % len(MOVES)]
    gan = _gan(2, arguments=moves, **COMPOSITIONS[name])
    before = [state(game.generator, game.discriminator) for game in gan.level_gans]
    history = gan.fit(batches(tiny_data(count=8)[0], 4, steps=2), verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    for game, start in zip(gan.level_gans, before, strict=True):
        assert largest_difference(start, state(game.generator, game.discriminator)) > 0
        assert type(game.objective) is type(objectives.get(COMPOSITIONS[name]["objective"]))
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert json.dumps(loaded.get_compile_config()) == json.dumps(gan.get_compile_config())
    assert largest_difference(_everything(gan), _everything(loaded)) == 0


def test_each_level_has_optimizers_of_its_own():
    sgd, adam = keras.optimizers.SGD(0.3, momentum=0.2), keras.optimizers.Adam(0.1, beta_1=0.4)
    gan = _gan(3, generator_optimizer=sgd, discriminator_optimizer=adam)
    for player, pattern in (("generator", sgd), ("discriminator", adam)):
        copies = [getattr(game, f"{player}_optimizer") for game in gan.level_gans]
        assert len({id(copy) for copy in copies}) == 3
        for copy, game in zip(copies, gan.level_gans, strict=True):
            assert copy.get_config() == {**pattern.get_config(), "name": copy.name}
            slots = len(getattr(game, player).trainable_variables)
            assert len(copy.variables) == 2 + slots * (1 if pattern is sgd else 2)


def test_an_optimizer_whose_copies_would_be_others_is_refused_at_compile():
    class Forgetful(keras.optimizers.SGD):
        def __init__(self, strength=1.0, **kwargs):
            super().__init__(**kwargs)
            self.strength = strength

    gan = LaplacianGAN(*_pair())
    with keras.saving.custom_object_scope({"Forgetful": Forgetful}):
        with pytest.raises(ValueError, match="`discriminator_optimizer`.*level has.*`strength`"):
            gan.compile(discriminator_optimizer=Forgetful(2.0))
        assert not gan.compiled
        gan.compile(discriminator_optimizer=Forgetful(1.0))


def test_float16_scales_the_losses_of_every_level():
    gan = LaplacianGAN(*_pair(2, dtype="mixed_float16"))
    gan.compile(run_eagerly=True)
    for game in gan.level_gans:
        for optimizer in (game.generator_optimizer, game.discriminator_optimizer):
            assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    before = state(gan.generator)
    history = gan.fit(batches(tiny_data()[0], steps=2), verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert largest_difference(before, state(gan.generator)) > 0


def test_arrays_data_sets_and_labels():
    images, labels = tiny_data()
    for classes in (None, 3):
        gan = _gan(2, classes)
        gan.fit(images, labels, batch_size=64, verbose=0)
        gan.fit(tf.data.Dataset.from_tensor_slices((images, labels)).batch(64), verbose=0)
        assert int(gan.steps) == 2
    with pytest.raises(ValueError, match=r"samples of shape \(8, 8, 1\)"):
        gan.fit(tiny_data((4, 4, 1))[0], verbose=0)


def test_pairs_that_do_not_match():
    generator, discriminator = _pair(3)
    with pytest.raises(ValueError, match="a generator of 3 levels and a discriminator of 2"):
        LaplacianGAN(generator, _pair(2)[1])
    with pytest.raises(ValueError, match=r"\(8, 8, 1\) and a discriminator of \(16, 16, 1\)"):
        LaplacianGAN(generator, _pair(3, shape=(16, 16, 1))[1])
    with pytest.raises(ValueError, match="num_classes=3. Received.*neither labels nor conditions"):
        LaplacianGAN(generator, _pair(3, 3)[1])
    plain = tiny_pair()
    with pytest.raises(ValueError, match="LaplacianGenerator. Received: generator=.*DCGANGen"):
        LaplacianGAN(plain[0], discriminator)
    with pytest.raises(ValueError, match="`discriminator` has.*LaplacianDiscriminator. Received"):
        LaplacianGAN(generator, plain[1])


@pytest.mark.parametrize("levels", [[3], [-1], [], [0, 5], 3, [0.5], [True], "all"])
def test_levels_that_do_not_exist(levels):
    with pytest.raises(ValueError, match="from 0 .the coarsest. to 2, or None.*Received: levels="):
        LaplacianGAN(*_pair(3), levels=levels)
    gan = LaplacianGAN(*_pair(3))
    with pytest.raises(ValueError, match="`levels` names no level"):
        gan.levels = levels
    assert gan.levels == (0, 1, 2)


def test_levels_are_kept_in_order():
    gan = LaplacianGAN(*_pair(3), levels=[2, 0])
    assert gan.levels == (0, 2) and gan.get_config()["levels"] == [0, 2]
    gan.levels = None
    assert gan.levels == (0, 1, 2)
