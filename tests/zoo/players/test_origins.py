"""Plain models made of a generator want its latents: SciPy tells which prior samples are of."""

import keras
import numpy as np
import pytest
from scipy import stats

import trainers
import zoo
from zoo.players import sampling

L = keras.layers
ROOT3 = 3**0.5  # Where the uniform prior of variance 1 ends.


def passing_on(prior="uniform"):
    """A generator whose samples are its latents."""
    z = keras.Input((2,), name="latents")
    graph = z, L.Dense(2, kernel_initializer="identity")(z)
    return zoo.Generator(*graph, latent_dim=2, prior=prior, value_range=None)


def shared(generator):
    """A plain model of a generator's graph."""
    return keras.Model(generator.input, generator.output)


def called(generator):
    """A plain model that calls it."""
    z = keras.Input((2,))
    return keras.Model(z, L.Rescaling(1.0)(generator(z)))


def stacked(generator):
    """A Sequential that begins with it."""
    return keras.Sequential([generator, L.Rescaling(1.0)])


def twice(generator):
    """The clone of a clone."""
    return keras.models.clone_model(keras.models.clone_model(generator))


def called_clone(generator):
    """A plain model that calls its clone."""
    return called(keras.models.clone_model(generator))


MAKERS = (keras.models.clone_model, twice, called_clone, shared, called, stacked)


def check_uniform(samples):
    """Kolmogorov and Smirnov's test of the uniform distribution between the roots of 3."""
    assert stats.kstest(samples.ravel(), stats.uniform(-ROOT3, 2 * ROOT3).cdf).pvalue > 0.01


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_latents_are_those_of_the_generator(make, tmp_path):
    generator = passing_on()
    model = make(generator)
    model.set_weights(generator.get_weights())
    samples = sampling.sample(model, 2000, seed=0)
    np.testing.assert_array_equal(samples, generator.sample(2000, seed=0))
    check_uniform(samples)
    if make is shared:
        with pytest.raises(ValueError, match=r"uniform prior.*keras.Model\(z, f\(generator\(z\)\)"):
            zoo.saving.save(model, tmp_path / "model.keras")
        return
    zoo.saving.save(model, tmp_path / "model.keras")
    check_uniform(sampling.sample(zoo.load(tmp_path / "model.keras"), 2000, seed=0))


@pytest.mark.parametrize("make", (keras.models.clone_model, shared))
def test_a_trainer_and_its_average_draw_them_too(make, tmp_path):
    generator = passing_on()
    model = make(generator)
    model.set_weights(generator.get_weights())
    gan = trainers.GAN(model, zoo.MLPDiscriminator((2,), units=(4,)))
    gan.compile(ema_decay=0.9)
    check_uniform(gan.sample(2000, seed=0))
    if make is shared:
        with pytest.raises(ValueError, match="`generator`.*uniform prior"):
            gan.save(tmp_path / "gan.keras")
        return
    gan.save(tmp_path / "gan.keras")
    check_uniform(keras.saving.load_model(tmp_path / "gan.keras").sample(2000, seed=0))


def test_latents_of_a_layer_before_it_are_normal():
    """What a mapping hands to the generator is no draw of its prior."""
    z = keras.Input((2,))
    generator = passing_on()
    model = keras.Model(z, generator(L.Dense(2, kernel_initializer="identity")(z)))
    model.layers[1].set_weights([np.eye(2), np.zeros(2)])
    samples = sampling.sample(model, 2000, seed=0)
    assert stats.kstest(samples.ravel(), stats.norm.cdf).pvalue > 0.01
    plain = keras.Sequential([keras.Input((2,)), L.Dense(2)])
    assert zoo.players.traits(plain).prior == "normal"


def test_a_clone_knows_what_only_the_generator_knew():
    """Of a tanh of pictures it is said that they are none, and how classes are called."""
    z = keras.Input((2,), name="latents")
    graph = z, L.Reshape((2, 2, 1))(L.Dense(4, activation="tanh")(z))
    clone = keras.models.clone_model(zoo.Generator(*graph, latent_dim=2, value_range=None))
    assert sampling.sample(clone, 2, seed=0).dtype == np.float32
    pictures = keras.models.clone_model(zoo.Generator(*graph, latent_dim=2))
    assert sampling.sample(pictures, 2, seed=0).dtype == np.uint8
    generator = zoo.MLPGenerator((2,), units=(4,), num_classes=2)
    generator.class_names = ("cat", "dog")
    clone = keras.models.clone_model(generator)
    assert zoo.players.origins.of(clone).class_names == ("cat", "dog")
    assert sampling.sample(clone, 2, labels=[0, 1], seed=0).shape == (2, 2)
    np.testing.assert_array_equal(clone.count_params(), generator.count_params())


def test_members_of_an_ensemble_draw_them_too():
    generator = passing_on()
    clone = keras.models.clone_model(generator)
    clone.set_weights(generator.get_weights())
    players = clone, zoo.MLPDiscriminator((2,), units=(4,), input_dropout=0, dropout=0)
    ensemble = trainers.GANEnsemble(*players, members=2, first_weights="shared")
    for samples in ensemble.sample(1000, seed=0):
        check_uniform(samples)
