"""Games whose players are told numbers, and plain Keras players of two inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import export
import trainers
import zoo
from evaluation import SlicedWasserstein
from export import parity
from tests.helpers import (
    all_variables,
    batches,
    compiled,
    largest_difference,
    run_resume_test,
    tiny_data,
    tiny_dense_pair,
)

IMAGES, LABELS = tiny_data((4, 4, 1))
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(48, 2)).astype("float32")
TOLD = RNG.normal(size=(48, 3)).astype("float32")


GAMES = {
    "simultaneous": lambda pair, how: compiled(trainers.GAN(*pair, schedule="simultaneous"), **how),
    "alternating": lambda pair, how: compiled(trainers.GAN(*pair, discriminator_steps=2), **how),
    "penalized": lambda pair, how: compiled(
        trainers.WassersteinGANGP(*pair, discriminator_steps=2), **how
    ),
    "unrolled": lambda pair, how: compiled(trainers.UnrolledGAN(*pair, unroll_steps=2), **how),
    "features": lambda pair, how: compiled(trainers.FeatureMatchingGAN(*pair), **how),
}


@pytest.mark.parametrize("game", GAMES)
def test_one_hot_conditions_train_as_labels_do(game):
    """Three steps from one seed give the same weights, to rounding."""
    results = []
    for told, y in (({"classes": 3}, LABELS), ({"num_conditions": 3}, ONE_HOT)):
        keras.utils.set_random_seed(1)
        gan = GAMES[game](tiny_dense_pair(**told), {"run_eagerly": True, "ema_decay": 0.9})
        gan.fit(batches((IMAGES, y), steps=3), verbose=0)
        results.append(all_variables(gan))
    assert largest_difference(*results) < 1e-7


def test_every_level_of_a_pyramid_is_told():
    results = []
    images, labels = tiny_data((8, 8, 1))
    for told, y in (("num_classes", labels), ("num_conditions", np.eye(3)[labels])):
        keras.utils.set_random_seed(1)
        generator = zoo.LaplacianGenerator((8, 8, 1), 2, 3, 2, (4,), **{told: 3})
        discriminator = zoo.LaplacianDiscriminator((8, 8, 1), 2, 2, (4,), **{told: 3})
        gan = compiled(trainers.LaplacianGAN(generator, discriminator), run_eagerly=True)
        gan.fit(batches((images, y), steps=2), verbose=0)
        given = {"labels" if told == "num_classes" else "conditions": y[:4]}
        results.append([*all_variables(gan), gan.sample(4, seed=2, **given)])
        chain = gan.sampler.chain(np.zeros((2, generator.latent_dim), "float32"), y[:2])
        assert [level.shape for level in chain] == [(2, 4, 4, 1), (2, 8, 8, 1)]
    assert largest_difference(*results) == 0


def _plain_pair(form="list"):
    def joined(shape, name):
        x, y = keras.Input(shape, name=name), keras.Input((3,), name="condition")
        hidden = keras.layers.Dense(8, activation="tanh")(keras.layers.Concatenate()([x, y]))
        return [x, y] if form == "list" else {x.name: x, y.name: y}, hidden

    inputs, hidden = joined((4,), "noise")
    generator = keras.Model(inputs, keras.layers.Dense(2, name="out")(hidden))
    inputs, hidden = joined((2,), "point")
    return generator, keras.Model(inputs, keras.layers.Dense(1)(hidden))


def _plain_gan(form="list", **how):
    return compiled(trainers.GAN(*_plain_pair(form)), **{"ema_decay": 0.9, **how})


@pytest.mark.parametrize("form", ["list", "dict"])
def test_plain_players_and_their_file(form, tmp_path):
    whole, loaded = run_resume_test(lambda **how: _plain_gan(form, **how), (POINTS, TOLD), tmp_path)
    drawn = whole.sample(5, conditions=TOLD[:5], seed=3)
    assert np.array_equal(drawn, loaded.sample(5, conditions=TOLD[:5], seed=3))
    assert np.abs(drawn - whole.sample(5, conditions=TOLD[5:10], seed=3)).min(axis=1).max() > 0


def test_forms_of_plain_players_train_alike():
    results = []
    for form in ("list", "dict"):
        keras.utils.set_random_seed(2)
        gan = _plain_gan(form, run_eagerly=True)
        gan.fit(batches((POINTS, TOLD), steps=3), verbose=0)
        results.append(all_variables(gan))
    assert largest_difference(*results) == 0


class _PyData(keras.utils.PyDataset):
    def __init__(self, told):
        super().__init__()
        self.told = told

    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(16 * index, 16 * index + 16)
        return POINTS[rows], self.told[rows]


SOURCES = {
    "arrays": lambda told: {"x": POINTS, "y": told, "batch_size": 16, "shuffle": False},
    "tf.data": lambda told: {"x": tf.data.Dataset.from_tensor_slices((POINTS, told)).batch(16)},
    "PyDataset": lambda told: {"x": _PyData(told), "shuffle": False},
    "generator": lambda told: {"x": (_PyData(told)[k] for k in range(3))},
    "dict": lambda told: {
        "x": tf.data.Dataset.from_tensor_slices({"image": POINTS, "condition": told}).batch(16)
    },
}


def test_every_source_feeds_them_alike():
    results = []
    for source in SOURCES.values():
        keras.utils.set_random_seed(2)
        gan = _plain_gan()
        gan.fit(**source(TOLD), verbose=0)
        assert int(gan.steps) == 3
        results.append(all_variables(gan))
    assert max(largest_difference(results[0], other) for other in results[1:]) < 1e-6


@pytest.mark.parametrize("source", SOURCES)
def test_a_condition_that_is_no_number_is_seen(source):
    """In the last batch, where a look at the first does not help."""
    gan = _plain_gan()
    told = TOLD.copy()
    told[40, 1] = np.nan
    with pytest.raises(ValueError, match="^`conditions`.*Expected.*Received"):
        gan.fit(**SOURCES[source](told), verbose=0)
    assert all(np.isfinite(w).all() for w in gan.get_weights())


@pytest.mark.parametrize(
    "y,match",
    [
        (None, r"`conditions` are missing.*second input.*Expected fit\(x, y\).*\(n, 3\)"),
        (TOLD[:10], "`conditions` do not match the samples in number"),
        (TOLD[:, :2], r"another shape.*\(n, 3\)"),
        (TOLD[0], "`conditions` do not match"),
    ],
)
def test_conditions_that_do_not_fit(y, match):
    with pytest.raises(ValueError, match=match):
        _plain_gan().fit(POINTS, y, verbose=0)


def test_players_who_are_told_other_things():
    generator, _ = tiny_dense_pair(classes=3)
    discriminator = zoo.MLPDiscriminator((4, 4, 1), units=(6,), num_conditions=3)
    match = "Expected a generator with num_conditions=3. Received: a generator with num_classes=3"
    with pytest.raises(ValueError, match=match):
        trainers.GAN(generator, discriminator)
    with pytest.raises(ValueError, match="with neither labels nor conditions"):
        trainers.GAN(tiny_dense_pair()[0], discriminator)


@pytest.mark.parametrize("form", ["list", "dict"])
def test_predict_says_what_it_wants(form):
    gan = _plain_gan(form)
    latents = np.ones((2, 4), "float32")
    for lacks in (latents, {"latents": latents}):
        with pytest.raises(ValueError, match=r"dict of `latents`.*and `conditions`, \(n, 3\)"):
            gan.predict(lacks)
    with pytest.raises(ValueError, match="NaN"):
        gan.predict({"latents": latents, "conditions": np.full((2, 3), np.nan)})
    made = gan.predict({"latents": latents, "conditions": TOLD[:2]}, verbose=0)
    drawn = zoo.players.decode(gan.sampler, latents, TOLD[:2])
    assert np.allclose(made, drawn, atol=1e-6)


def test_a_row_for_all_is_none_of_training():
    """Three numbers for three examples are no condition of each."""
    with pytest.raises(ValueError, match="`conditions` have another shape"):
        _plain_gan().train_on_batch(POINTS[:3], TOLD[0])


def test_a_discriminator_that_is_not_told_is_warned_of():
    generator = zoo.MLPGenerator((2,), 4, (8,), output_activation="linear", num_conditions=3)
    gan = trainers.GAN(generator, zoo.MLPDiscriminator((2,), (4,)))
    with pytest.warns(UserWarning, match="cannot tell whether samples fit"):
        gan.compile()


def _labelled_pair():
    """As Keras-GAN's: an embedding of the label times the latent."""
    layers = keras.layers
    x, label = keras.Input((4,)), keras.Input((1,), dtype="int32")
    told = layers.Multiply()([x, layers.Flatten()(layers.Embedding(3, 4)(label))])
    generator = keras.Model([x, label], layers.Dense(2)(told))
    x, label = keras.Input((2,)), keras.Input((1,), dtype="int32")
    told = layers.Concatenate()([x, layers.Flatten()(layers.Embedding(3, 4)(label))])
    return generator, keras.Model([x, label], layers.Dense(1)(layers.Dense(4, "tanh")(told)))


def test_plain_players_of_labels(tmp_path):
    gan = compiled(trainers.GAN(*_labelled_pair()), ema_decay=0.9, run_eagerly=True)
    labels = np.arange(48) % 3
    grid = trainers.SampleGrid(tmp_path / "samples", count=6)
    gan.fit(POINTS, labels, verbose=0, callbacks=[grid])
    assert gan.traits.num_classes == 3
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    drawn = gan.sample(3, labels=[0, 1, 2], seed=1)
    assert np.array_equal(again.sample(3, labels=[0, 1, 2], seed=1), drawn)
    assert parity.check(gan, export.save(gan, tmp_path / "served")).exact
    with pytest.raises(ValueError, match="`labels` are out of range"):
        gan.fit(POINTS, labels + 1, verbose=0)


def test_an_extractor_that_wants_conditions_too():
    pair = zoo.MLPGenerator((2,), 4, (8,)), zoo.MLPDiscriminator((2,), (4,))
    with pytest.raises(ValueError, match="it wants conditions too. Expected.*Received"):
        trainers.FeatureMatchingGAN(*pair, feature_extractor=_plain_pair()[1])


def test_a_critic_of_two_inputs_estimates_nothing():
    with pytest.raises(ValueError, match="`critic` cannot judge"):
        trainers.estimate_divergence(POINTS, POINTS, "kl", critic=_plain_pair()[1])


def test_two_batches_to_validate_on_are_no_pair():
    gan = compiled(trainers.GAN(*tiny_dense_pair()), run_eagerly=True)
    images, seen = tiny_data((4, 4, 1))[0], []
    counting = keras.callbacks.LambdaCallback()
    counting.on_test_batch_end = lambda batch, logs=None: seen.append(batch)
    parts = [images[:16], images[16:32]]
    gan.fit(images[:32], verbose=0, validation_data=parts, callbacks=[counting])
    assert seen == [0, 1]


def test_callbacks_are_told_before_a_step(tmp_path):
    gan = _plain_gan()
    measure = SlicedWasserstein(POINTS)
    for callback in (
        trainers.SampleGrid(tmp_path / "a", count=4),
        trainers.Score(measure, count=48),
    ):
        with pytest.raises(ValueError, match="`conditions` are missing"):
            gan.fit(POINTS, TOLD, verbose=0, callbacks=[callback])
    assert int(gan.steps) == 0
    grid = trainers.SampleGrid(tmp_path / "b", count=4, conditions=TOLD[:4])
    score = trainers.Score(measure, count=48, conditions=TOLD)
    gan.fit(POINTS, TOLD, verbose=0, callbacks=[grid, score])
    assert np.isfinite(score.scores[1].value)
    assert len(list((tmp_path / "b").glob("*.png"))) == 2


@pytest.mark.parametrize("kind", ["zoo", "list", "dict"])
def test_a_served_model_is_told(kind, tmp_path):
    """The file answers as Python does, in a process without this project."""
    if kind == "zoo":
        gan = compiled(trainers.GAN(*tiny_dense_pair(num_conditions=3)))
    else:
        gan = _plain_gan(kind)
    path = export.save(gan, tmp_path / "served")
    assert parity.check(gan, path).exact
    served = tf.saved_model.load(str(path))
    latents = RNG.normal(size=(3, gan.traits.latent_dim)).astype("float32")
    answer = served.signatures["serving_default"](
        latents=tf.constant(latents), conditions=tf.constant(TOLD[:3])
    )
    made = zoo.players.decode(gan.sampler, latents, TOLD[:3], as_float=True)
    assert answer.pop("valid").numpy().all()
    ((_, samples),) = answer.items()
    assert np.allclose(samples, made, atol=1e-6)
    assert served.signatures["score"].structured_input_signature[1]["conditions"].shape == (None, 3)


def test_a_regression_with_its_spread_is_learned():
    """x | c ~ N(c, 0.2^2): the samples' mean follows c, and they keep a deviation."""
    keras.utils.set_random_seed(0)
    c = np.random.default_rng(1).uniform(-1, 1, (2048, 1)).astype("float32")
    x = c + 0.2 * np.random.default_rng(2).normal(size=c.shape).astype("float32")
    generator = zoo.MLPGenerator(
        (1,), 2, (32,), output_activation="linear", num_conditions=1, kernel_initializer="he_normal"
    )
    discriminator = zoo.MLPDiscriminator(
        (1,), (32, 32), "relu", dropout=0.0, input_dropout=0.0, num_conditions=1,
        kernel_initializer="he_normal",
    )  # fmt: skip
    gan = trainers.GAN(generator, discriminator, schedule="simultaneous", seed=0)
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(1e-3, 0.5),
        discriminator_optimizer=keras.optimizers.Adam(1e-3, 0.5),
        discriminator_penalties=trainers.penalties.R1(0.1),
        ema_decay=0.99,
    )
    gan.fit(x, c, batch_size=128, epochs=40, verbose=0)
    for wanted in (-0.7, 0.0, 0.7):
        drawn = gan.sample(2000, conditions=wanted, seed=0)
        assert abs(drawn.mean() - wanted) < 0.1
        assert 0.15 < drawn.std() < 0.25
