"""Packing: packs are joined as PacGAN joins them, and are examples to everything that follows."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import export
import trainers
import zoo
from export import __main__ as command
from tests.helpers import largest_difference
from trainers.penalties import R1, GradientPenalty
from trainers.perturbations import InstanceNoise, LabelFlips
from trainers.steps.packing import pack
from zoo import random

L = keras.layers
ROWS, LATENT = 12, 3


@pytest.mark.parametrize("shape", [(2,), (3, 4, 2), (5, 3)])
@pytest.mark.parametrize("packing", [1, 2, 3])
def test_a_pack_is_its_samples_side_by_side(shape, packing):
    samples = np.random.default_rng(0).normal(size=(7, *shape))
    packs = pack(tf.constant(samples), packing).numpy()
    whole = range(0, 7 - packing + 1, packing)
    wanted = [np.concatenate(samples[k : k + packing], axis=-1) for k in whole]
    np.testing.assert_array_equal(packs, wanted if packing > 1 else samples)


def test_of_one_sample_nothing_is_made():
    samples = tf.constant(np.ones((4, 2)))
    assert pack(samples, 1) is samples


def _generator():
    keras.utils.set_random_seed(1)
    return zoo.MLPGenerator((2,), LATENT, (4,), output_activation="linear", prior="normal")


def _discriminator(packing):
    keras.utils.set_random_seed(2)
    return zoo.MLPDiscriminator(
        (2 * packing,),
        (4,),
        "tanh",
        input_dropout=0.0,
        dropout=0.0,
        kernel_initializer="glorot_uniform",
    )


def _data(count=4 * ROWS):
    return np.random.default_rng(3).normal(1, 1, (count, 2)).astype("float32")


class OfPacks(trainers.GAN):
    """A GAN whose samples are packs from the start; its latents are those of as many samples."""

    def latents(self, count, key):
        drawn = random.draw("normal", 2 * count, LATENT, key.value)
        return tf.reshape(drawn, (count, 2 * LATENT))


def _generator_of_packs():
    generator, latents = _generator(), keras.Input((2 * LATENT,), name="latents")
    halves = [generator(latents[:, k * LATENT : (k + 1) * LATENT]) for k in (0, 1)]
    return keras.Model(latents, L.Concatenate()(halves))


GAMES = {
    "alternating": ({}, {}),
    "simultaneous": ({"schedule": "simultaneous"}, {}),
    "two steps, flips": ({"discriminator_steps": 2}, {"perturbations": LabelFlips(0.3)}),
    "R1": ({}, {"discriminator_penalties": R1(0.5)}),
    "gradient penalty": ({}, {"discriminator_penalties": GradientPenalty(2.0)}),
    "relativistic average": ({}, {"objective": "relativistic_average"}),
}


@pytest.mark.parametrize("name", GAMES)
def test_the_game_is_that_of_a_generator_of_packs(name):
    """Two games written otherwise make the same weights."""
    arguments, settings = GAMES[name]
    packed = trainers.GAN(_generator(), _discriminator(2), packing=2, seed=5, **arguments)
    joined = OfPacks(_generator_of_packs(), _discriminator(2), seed=5, **arguments)
    data = _data()
    for gan, x, size in ((packed, data, ROWS), (joined, data.reshape(-1, 4), ROWS // 2)):
        descents = {
            f"{player}_optimizer": keras.optimizers.SGD(0.2)
            for player in ("generator", "discriminator")
        }
        gan.compile(jit_compile=False, **descents, **settings)
        history = gan.fit(x, batch_size=size, epochs=2, shuffle=False, verbose=0)
        gan.last = history.history["discriminator_loss"]
    assert packed.last == pytest.approx(joined.last, rel=1e-5)
    first = _generator().get_weights()
    assert largest_difference(first, packed.generator.get_weights()) > 1e-3
    for player in ("generator", "discriminator"):
        own, other = (getattr(gan, player).get_weights() for gan in (packed, joined))
        assert largest_difference(own, other) < 1e-5


def test_a_pack_of_one_is_the_plain_game():
    made = []
    for arguments in ({}, {"packing": 1}):
        gan = trainers.GAN(_generator(), _discriminator(1), seed=5, **arguments)
        gan.compile(jit_compile=False)
        gan.fit(_data(), batch_size=ROWS, epochs=1, verbose=0)
        made.append([*gan.generator.get_weights(), *gan.discriminator.get_weights()])
    assert largest_difference(*made) == 0


def test_noise_is_each_samples_own():
    gan = trainers.GAN(_generator(), _discriminator(2), packing=2)
    gan.compile(perturbations=InstanceNoise(1.0))
    real, fake = gan.perturbed(tf.zeros((400, 2)), tf.zeros((400, 2)), gan.key(0))
    assert real.shape == fake.shape == (200, 4)
    correlation = np.corrcoef(real, rowvar=False) - np.eye(4)
    assert np.abs(correlation).max() < 0.25 and np.std(real) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    "kind, arguments",
    [
        (trainers.WassersteinGANGP, {"discriminator_steps": 3}),
        (trainers.UnrolledGAN, {"unroll_steps": 1}),
        (trainers.ConsensusGAN, {}),
        (trainers.FeatureMatchingGAN, {}),
        (trainers.HistoricalAveragingGAN, {}),
        (trainers.FGAN, {"divergence": "kl"}),
    ],
)
def test_every_way_to_play_takes_packs(kind, arguments, tmp_path):
    gan = kind(_generator(), _discriminator(2), packing=2, **arguments)
    gan.compile(jit_compile=False)
    gan.fit(_data(), batch_size=ROWS, epochs=1, verbose=0)
    scores = gan.evaluate(_data(7), verbose=0, return_dict=True)
    assert all(np.isfinite(value) for value in scores.values())
    gan.save(tmp_path / "gan.keras")
    assert keras.saving.load_model(tmp_path / "gan.keras").packing == 2


def test_a_served_model_has_no_score_of_packs(tmp_path):
    gan = trainers.GAN(_generator(), _discriminator(2), packing=2)
    path = export.save(gan, tmp_path / "served")
    assert "score" not in tf.saved_model.load(str(path)).signatures


# === Refusals ===


def test_what_packs_do_not_fit():
    pair = _generator(), _discriminator(2)
    message = r"`discriminator` cannot see packs of 3 samples.*Expected one of \(6,\)"
    with pytest.raises(ValueError, match=message):
        trainers.GAN(*pair, packing=3)
    for packing in (0, 1.5, True):
        with pytest.raises(ValueError, match="`packing` is"):
            trainers.GAN(*pair, packing=packing)
    told = zoo.MLPGenerator((2,), LATENT, (4,), output_activation="linear", num_classes=3)
    with pytest.raises(ValueError, match="`packing` has no meaning for a conditional generator"):
        trainers.GAN(told, pair[1], packing=2)
    gan = trainers.GAN(*pair, packing=2, discriminator_steps=3)
    gan.compile()
    with pytest.raises(ValueError, match=r"leaves no pack of 2 examples a step.*at least 6"):
        gan.fit(_data(), batch_size=5, verbose=0)


def test_a_stream_leaves_out_what_makes_no_pack():
    gan = trainers.GAN(_generator(), _discriminator(2), packing=2)
    gan.compile(jit_compile=False)
    stream = tf.data.Dataset.from_tensor_slices(_data(ROWS + 1)).batch(ROWS)
    gan.fit(stream, epochs=1, verbose=0)
    assert int(gan.steps) == 1
    assert all(np.isfinite(w).all() for w in gan.discriminator.get_weights())


@pytest.mark.parametrize("batches", [False, True])
def test_what_no_pack_or_step_takes_is_said(batches):
    gan = trainers.GAN(_generator(), _discriminator(2), packing=2, discriminator_steps=2)
    gan.compile(jit_compile=False)
    data = _data(7)
    given = tf.data.Dataset.from_tensors(data) if batches else data
    message = "Of a batch of 7 examples 3 will not be used: each of 2 .*in packs of 2.*of 4"
    with pytest.warns(UserWarning, match=message):
        gan.fit(given, batch_size=None if batches else 7, epochs=1, verbose=0)
    assert int(gan.steps) == 1


def test_an_evaluation_needs_a_pack():
    gan = trainers.GAN(_generator(), _discriminator(3), packing=3)
    gan.compile(jit_compile=False)
    data = _data(ROWS)
    message = "`batch_size` leaves no pack of 3 examples, which.*at least 3 examples.*batch of 2"
    stream = tf.data.Dataset.from_tensor_slices(data).batch(2)
    for x, size in ((data[:2], None), (data, 2), (stream, None)):
        with pytest.raises(ValueError, match=message):
            gan.evaluate(x, batch_size=size, verbose=0)
        with pytest.raises(ValueError, match=message):
            gan.fit(data, validation_data=x, validation_batch_size=size, verbose=0)
    with pytest.raises(ValueError, match=message):
        gan.test_on_batch(data[:2])
    assert int(gan.steps) == 0
    assert gan.evaluate(data[:4], batch_size=3, verbose=0)[0] > 0  # What is left is not judged.


@pytest.mark.parametrize("give", ["array", "dataset", "list"])
def test_a_last_batch_without_a_pack_is_not_judged(give):
    """Convolutions take no batch of no pictures; those of dense layers gave a mean of nothing."""
    images = np.random.default_rng(0).integers(0, 256, (33, 8, 8, 1), dtype=np.uint8)
    gan = trainers.GAN(
        zoo.DCGANGenerator((8, 8, 1), 2, 2, 2), zoo.DCGANDiscriminator((8, 8, 2), 2), packing=2
    )
    gan.compile(jit_compile=False)

    def judged(x):
        if give == "array":
            return gan.evaluate(x, batch_size=16, verbose=0)
        parts = [x[k : k + 16] for k in range(0, len(x), 16)]
        if give == "dataset":
            return gan.evaluate(tf.data.Dataset.from_tensor_slices(x).batch(16), verbose=0)
        return gan.evaluate(parts, verbose=0)

    np.testing.assert_array_equal(judged(images), judged(images[:32]))


def test_a_packed_run_is_exported_as_it_says(tmp_path, capsys):
    gan = trainers.GAN(_generator(), _discriminator(2), packing=2)
    gan.compile()
    gan.save(tmp_path / "gan.keras")
    generator, discriminator = command.players(str(tmp_path / "gan.keras"))
    assert isinstance(generator, zoo.players.Generator) and discriminator is None
    zoo.save_preset(gan.sampler, tmp_path / "preset", gan.discriminator)
    generator, discriminator = command.players(str(tmp_path / "preset"))
    assert isinstance(generator, zoo.players.Generator) and discriminator is None


def test_members_of_an_ensemble_are_not_packed_together():
    pair = _generator(), _discriminator(2)
    ensemble = trainers.GANEnsemble(*pair, members=2, packing=2, jit_compile=False)
    data = np.stack([_data(ROWS), _data(ROWS) + 1])
    with pytest.raises(ValueError, match="would be packed with another's.*packing=2"):
        ensemble.fit(data, batch_size=5, verbose=0)
    alone = ensemble.member(1)
    ensemble.fit(data, batch_size=6, epochs=2, verbose=0)
    alone.fit(data[1], batch_size=6, epochs=2, verbose=0)
    own = ensemble.member(1)
    for player in ("generator", "discriminator"):
        weights = [getattr(gan, player).get_weights() for gan in (own, alone)]
        assert largest_difference(*weights) < 1e-5


def test_a_pyramid_has_no_packs():
    shape = (8, 8, 1)
    pair = (
        zoo.LaplacianGenerator(shape, latent_dim=3, filters=4, units=(8,)),
        zoo.LaplacianDiscriminator(shape, filters=4, units=(8,)),
    )
    with pytest.raises(ValueError, match="`packing` has no meaning for a LaplacianGAN"):
        trainers.LaplacianGAN(*pair, packing=2)
    assert trainers.LaplacianGAN(*pair, packing=1).packing == 1
