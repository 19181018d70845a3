"""What a look measures, against NumPy on the players' own outputs; and that it moves nothing."""

import keras
import numpy as np
import pytest

import trainers
import zoo
from trainers.health import signs
from trainers.health.probe import Probe
from zoo.players import discriminate, generate


def ring(count, seed=0):
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * rng.integers(0, 8, count) / 8
    points = np.stack([np.cos(angles), np.sin(angles)], 1) + 0.02 * rng.normal(size=(count, 2))
    return points.astype("float32")


def pair(num_classes=None):
    keras.utils.set_random_seed(1)
    told = {"num_classes": num_classes} if num_classes else {}
    generator = zoo.MLPGenerator(
        (2,), 3, (6, 5), output_activation="linear", batch_normalization=True, **told
    )
    discriminator = zoo.MLPDiscriminator(
        (2,), (7,), activation="relu", input_dropout=0.0, dropout=0.0, **told
    )
    return generator, discriminator


def game(cls=trainers.GAN, num_classes=None, objective="non_saturating", **arguments):
    gan = cls(*pair(num_classes), seed=3, **arguments)
    compiled = {} if cls is not trainers.GAN else {"objective": objective}
    gan.compile(jit_compile=False, **compiled)
    return gan


def test_the_numbers_are_those_of_the_players_outputs():
    gan, real, unseen = game(), ring(300), ring(200, 1)
    probe = Probe(gan, real, unseen, count=64, seed=5)
    found = probe()
    made = generate(gan.generator, probe.latents, training=False).numpy().astype("float64")
    batch = probe.batch.astype("float64")
    assert found["variety"] == pytest.approx(signs.variety(made, batch), rel=1e-6)
    assert found["energy"] == pytest.approx(signs.energy_coefficient(made, batch), rel=1e-5)
    logits = [
        discriminate(gan.discriminator, x.astype("float32"))[0].numpy()
        for x in (probe.batch, unseen[:64], made)
    ]
    assert found["falling_behind"] == pytest.approx(signs.falling_behind(*logits), abs=1e-4)
    hidden = keras.Model(
        gan.generator.input,
        [la.output for la in gan.generator.layers if "relu" in str(la.get_config())],
    )
    dead = [
        (np.asarray(value).max(0) <= 0).mean()
        for value in keras.tree.flatten(hidden(probe.latents, training=False))
        if value.shape[-1] in (6, 5) and np.min(value) >= 0
    ]
    assert found["dead_generator"] == pytest.approx(max(dead))


@pytest.mark.parametrize(
    "objective, slope",
    [
        ("non_saturating", lambda v: 2 * (1 - 1 / (1 + np.exp(-v)))),
        ("minimax", lambda v: 2 / (1 + np.exp(-v))),
        ("wasserstein", np.ones_like),
    ],
)
@pytest.mark.filterwarnings("ignore:Wasserstein has a minimum")
def test_the_push_is_the_slope_of_the_loss_over_that_at_zero(objective, slope):
    gan = game(objective=objective)
    probe = Probe(gan, ring(100), count=32)
    made = generate(gan.generator, probe.latents, training=True)
    with keras.StatelessScope():
        logits, _ = discriminate(gan.discriminator, made, training=True)
    assert probe()["push"] == pytest.approx(slope(logits.numpy()).mean(), rel=1e-4)


@pytest.mark.filterwarnings("ignore:Of a batch of 32 examples 2 will not")  # The critic's.
@pytest.mark.parametrize(
    "cls, arguments",
    [
        (trainers.GAN, {}),
        (trainers.GAN, {"num_classes": 4}),
        (trainers.FeatureMatchingGAN, {}),
        (trainers.WassersteinGANGP, {}),
        (trainers.UnrolledGAN, {}),
        (trainers.ConsensusGAN, {}),
        (trainers.FGAN, {}),
    ],
)
def test_nothing_moves(cls, arguments):
    gan = game(cls, **arguments)
    x, y = ring(128), np.arange(128) % 4
    gan.fit(x, y if arguments else None, batch_size=32, verbose=0)
    state = [v.numpy() for v in gan.variables]
    moments = [np.array(v) for optimizer in gan.optimizers for v in optimizer.variables]
    probe = Probe(gan, (x, y) if arguments else x, (x, y) if arguments else x, count=32)
    found = probe()
    assert all(np.isfinite(v) for v in found.values() if isinstance(v, float))
    assert {"variety", "told_apart", "falling_behind", "copying"} <= set(found)
    for before, now in zip(state, gan.variables, strict=True):
        np.testing.assert_array_equal(before, now)
    now = [v for optimizer in gan.optimizers for v in optimizer.variables]
    for before, after in zip(moments, now, strict=True):
        np.testing.assert_array_equal(before, after)


def test_packs_are_judged_as_packs():
    keras.utils.set_random_seed(1)
    generator = zoo.MLPGenerator((2,), 3, (6,), output_activation="linear")
    gan = trainers.GAN(generator, zoo.MLPDiscriminator((4,), (7,)), packing=2)
    gan.compile(jit_compile=False)
    found = Probe(gan, ring(101), ring(51, 1), count=33)()
    assert 0 <= found["told_apart"] <= 1 and "falling_behind" in found


def test_a_pyramid_and_an_autoencoder_are_looked_at_by_their_samples():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), "uint8")
    laplacian = trainers.LaplacianGAN(
        zoo.LaplacianGenerator((8, 8, 1), 2, 3, 2, (4,)),
        zoo.LaplacianDiscriminator((8, 8, 1), 2, 2, (4,)),
    )
    laplacian.compile(jit_compile=False)
    vae = zoo.VAE((8, 8, 1), latent_dim=2, units=(4,))
    vae.compile()
    for model in (laplacian, vae):
        found = Probe(model, images, images, count=16)()
        assert found["variety"] >= 0 and "told_apart" not in found


def test_a_conditional_generator_wants_labels():
    with pytest.raises(ValueError, match="`labels` are missing"):
        Probe(game(num_classes=4), ring(50))


def test_samples_that_are_no_numbers_are_said_to_be():
    gan = game()
    for weight in gan.generator.trainable_weights[-1:]:
        weight.assign(np.full(weight.shape, np.nan))
    assert Probe(gan, ring(50))() == {"finite": 0.0}


def test_data_that_are_sorted_by_class_are_seen_whole():
    x = ring(4000)
    x = x[np.argsort(np.arctan2(x[:, 1], x[:, 0]))]
    probe = Probe(game(), x, x, count=200)
    assert probe.kinds.present(probe.kinds.shares(x.astype("float64"))) > 0.95
    for some in (probe.batch, probe.unseen[0]):
        assert probe.kinds.present(probe.kinds.shares(some.astype("float64"))) > 0.9


def test_labels_stay_with_their_samples():
    x, y = ring(50), np.arange(50) % 4
    probe = Probe(game(num_classes=4), (x, y), (x, y), count=20)
    place = {tuple(row): label for row, label in zip(x, y, strict=True)}
    for samples, labels in ((probe.batch, probe.told), probe.unseen):
        assert [place[tuple(row)] for row in samples] == list(labels.numpy())
