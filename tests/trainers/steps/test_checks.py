"""Warnings and errors of compile, before any work starts."""

import contextlib
import warnings

import keras
import pytest

import trainers
import zoo
from tests.helpers import tiny_pair
from trainers import objectives
from trainers.penalties import DRAGAN, R1, R2, GradientPenalty, HistoricalAveraging, Penalty
from trainers.steps import checks
from zoo.layers.spectral_normalization import SpectralNormalization

SLOPES = [R1, R2, GradientPenalty, DRAGAN]


@contextlib.contextmanager
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _normalized():
    """A pair whose discriminator has batch normalisation."""
    return zoo.DCGANGenerator((16, 16, 1), 3, 2), zoo.DCGANDiscriminator((16, 16, 1), 2)


def _line(*critic):
    layers = keras.layers
    generator = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    critic = critic or (layers.Dense(1),)
    return generator, keras.Sequential([keras.Input((1,)), *critic], name="critic")


# === Batch normalisation ===

COUPLED = "'normalization_1' of 'dcgan_discriminator.* every example move all logits"


@pytest.mark.parametrize("kind", SLOPES)
def test_a_slope_with_batch_normalization_is_warned_about(kind):
    gan = trainers.GAN(*_normalized())
    with pytest.warns(UserWarning, match=COUPLED):
        gan.compile(discriminator_penalties=[HistoricalAveraging(), kind()])


def test_the_penalty_of_a_trainer_itself_is_warned_about():
    with pytest.warns(UserWarning, match=COUPLED):
        trainers.WassersteinGANGP(*_normalized()).compile()


def test_a_layer_within_a_layer_is_found():
    inner = keras.Sequential([keras.layers.BatchNormalization(name="inner")])
    gan = trainers.GAN(*_line(inner, keras.layers.Dense(1)))
    with pytest.warns(UserWarning, match="'inner' of 'critic'"):
        gan.compile(discriminator_penalties=R1())


def test_batch_normalization_without_a_slope_is_not_warned_about():
    term = HistoricalAveraging()
    with no_warning():
        trainers.GAN(*_normalized()).compile()
        trainers.GAN(*_normalized()).compile(generator_penalties=term, discriminator_penalties=term)
        trainers.HistoricalAveragingGAN(*_normalized()).compile()
        trainers.WassersteinGAN(*_normalized()).compile()


def test_a_slope_without_batch_normalization_is_not_warned_about():
    # The generator may have it: no slope is taken there.
    generator = zoo.DCGANGenerator((16, 16, 1), 3, 2)
    critic = zoo.DCGANDiscriminator((16, 16, 1), 2, batch_normalization=False)
    with no_warning():
        trainers.GAN(generator, critic).compile(discriminator_penalties=[R1(), R2()])
        trainers.WassersteinGANGP(generator, critic).compile()


# === A critic without a bound ===

UNBOUNDED = "Wasserstein has a minimum only over critics of bounded slope.*'critic'"


def test_a_critic_without_a_bound_is_warned_about():
    for make in (
        lambda: trainers.GAN(*_line()).compile("wasserstein"),
        lambda: trainers.GAN(*_line()).compile(objectives.Wasserstein()),
        lambda: trainers.UnrolledGAN(*_line()).compile("wasserstein"),
        # It holds the weights near where they were, wherever that is.
        lambda: trainers.HistoricalAveragingGAN(*_line()).compile("wasserstein"),
    ):
        with pytest.warns(UserWarning, match=UNBOUNDED):
            make()


def test_a_critic_with_a_bound_is_not_warned_about():
    spectral = SpectralNormalization(keras.layers.Dense(1))
    with no_warning():
        for kind in SLOPES:
            trainers.GAN(*_line()).compile("wasserstein", discriminator_penalties=kind())
        trainers.GAN(*_line(spectral)).compile("wasserstein")
        trainers.WassersteinGAN(*_line()).compile()
        trainers.WassersteinGANGP(*_line()).compile()


@pytest.mark.parametrize("name", sorted({*objectives.OBJECTIVES, "kl"} - {"wasserstein"}))
def test_other_objectives_need_no_bound(name):
    with no_warning():
        trainers.GAN(*_line()).compile(name)
    assert not objectives.get(name).needs_bounded_slope


@pytest.mark.parametrize("cls", [trainers.GAN, trainers.UnrolledGAN, trainers.FGAN])
def test_a_warning_points_at_the_line_that_compiles(cls):
    gan = cls(*_line(zoo.BatchNormalization(), keras.layers.Dense(1)))
    with pytest.warns(UserWarning, match="every example") as caught:
        gan.compile(discriminator_penalties=R1())
    assert caught[0].filename == __file__


# === Layers whose second derivative is wrong ===

MOMENTS = "'normalization' of 'critic' has a wrong second derivative"


@pytest.mark.parametrize(
    "cls, settings, kind",
    [
        (trainers.UnrolledGAN, {}, "BatchNormalization"),
        (trainers.ConsensusGAN, {}, "BatchNormalization"),
        (trainers.UnrolledGAN, {}, "GroupNormalization"),
        (trainers.GAN, {"discriminator_penalties": R1()}, "GroupNormalization"),
        (trainers.WassersteinGANGP, {}, "LayerNormalization"),
    ],
)
def test_a_layer_that_takes_moments_is_warned_about(cls, settings, kind):
    layer = getattr(keras.layers, kind)(name="normalization")
    gan = cls(*_line(keras.layers.Dense(32), layer, keras.layers.Dense(1)))
    with pytest.warns(UserWarning, match=MOMENTS):
        gan.compile(**settings)


def test_the_generator_counts_where_its_step_is_differentiated():
    layers = keras.layers
    norm = layers.BatchNormalization()
    generator = keras.Sequential([keras.Input((1,)), norm, layers.Dense(1)], name="maker")
    critic = _line()[1]
    with pytest.warns(UserWarning, match="of 'maker' has a wrong second derivative"):
        trainers.ConsensusGAN(generator, critic).compile()
    with no_warning():
        trainers.UnrolledGAN(generator, critic).compile()


def test_what_is_not_differentiated_twice_is_not_warned_about():
    critic = keras.layers.BatchNormalization(), keras.layers.Dense(1)
    fine = zoo.BatchNormalization(), zoo.LayerNormalization(), keras.layers.Dense(1)
    with no_warning():
        trainers.GAN(*_line(*critic)).compile()
        trainers.UnrolledGAN(*_line(*critic), unroll_steps=0).compile()
        trainers.ConsensusGAN(*_line(*critic), weight=0.0).compile()
        trainers.UnrolledGAN(*_line(*fine)).compile()
        trainers.ConsensusGAN(*_line(*fine)).compile()


# === Penalties ===


def test_penalties_are_listed():
    term, slope = HistoricalAveraging(), R1()
    for given, wanted in ((term, (term,)), ([term, slope], (term, slope)), ((), ())):
        assert checks.as_tuple(given, Penalty, "discriminator_penalties") == wanted


@pytest.mark.parametrize("cls", [trainers.GAN, trainers.WassersteinGANGP])
def test_a_penalty_of_the_other_player_is_named(cls):
    message = (
        "`generator_penalties` holds a R1, which.*loss of the discriminator.*generator_penalties="
    )
    gan = cls(*tiny_pair())
    with pytest.raises(ValueError, match=message):
        gan.compile(generator_penalties=R1())
    assert not gan.compiled
