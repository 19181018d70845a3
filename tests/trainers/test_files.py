"""A trainer's files: what cannot be read back is refused, and the average is never another."""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import SMALL_PLAYERS, assert_same_weights, compiled, tiny_data, tiny_dense_pair

L = keras.layers
DATA = tiny_data((4, 4, 1), 16)[0]


def game(**settings):
    """An eager game of dense players, compiled where there are settings."""
    gan = trainers.GAN(*tiny_dense_pair())
    return compiled(gan, run_eagerly=True, **settings) if settings else gan


def averaged():
    """A trainer with an average that is apart from its generator."""
    gan = game(ema_decay=0.9, generator_optimizer=keras.optimizers.Adam(0.1))
    gan.fit(DATA, batch_size=8, verbose=0)
    assert not np.array_equal(gan.ema_generator.get_weights()[0], gan.generator.get_weights()[0])
    return gan


def plain(*layers):
    """A trainer whose generator is a net of these layers, without an average."""
    generator = keras.Sequential([keras.Input((3,)), *layers, L.Dense(2)])
    judge = keras.Sequential([keras.Input((2,)), L.Dense(1)])
    return trainers.GAN(generator, judge)


POINTS = np.zeros((8, 2), "float32")

# === What is frozen comes back ===


def test_a_layer_frozen_before_compile_stays_so_and_the_optimizer_goes_on(tmp_path):
    """FreezeD: the first layer of a DCGAN discriminator."""
    pair = SMALL_PLAYERS["DCGANGenerator"](), SMALL_PLAYERS["DCGANDiscriminator"]()
    gan = trainers.GAN(*pair)
    gan.discriminator.layers[1].trainable = False
    gan.generator.get_layer("projection").trainable = False
    gan.compile(run_eagerly=True, ema_decay=0.5)
    x = tiny_data((8, 8, 1), 8)[0]
    gan.fit(x, batch_size=8, verbose=0)
    before = gan.discriminator.layers[1].get_weights()
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert int(again.discriminator_optimizer.iterations) == 1
    again.fit(x, batch_size=8, verbose=0)
    assert_same_weights(again.discriminator.layers[1], gan.discriminator.layers[1])
    np.testing.assert_array_equal(again.discriminator.layers[1].get_weights()[0], before[0])
    assert int(again.discriminator_optimizer.iterations) == 2
    for name in ("generator", "ema_generator"):
        assert not getattr(again, name).get_layer("projection").trainable
    assert not zoo.load(tmp_path / "gan.keras").get_layer("projection").trainable
    twin = pickle.loads(pickle.dumps(again))
    assert len(twin.discriminator.trainable_weights) == len(gan.discriminator.trainable_weights)


def test_an_uncompiled_trainer_has_a_file(tmp_path):
    gan = game()
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert not loaded.compiled
    assert_same_weights(loaded, gan)


# === What cannot be read back ===


def test_a_player_without_a_config_trains_and_is_refused_where_it_is_saved(tmp_path):
    gan = compiled(plain(L.Lambda(lambda t: 2 * t)), run_eagerly=True)
    gan.fit(POINTS, batch_size=8, verbose=0)
    message = "`generator` cannot be made again from its config.*lambda.*Received: generator="
    with pytest.raises(ValueError, match=message):
        gan.save(tmp_path / "gan.keras")
    steps = int(gan.steps)
    with pytest.raises(ValueError, match=message):
        gan.fit(POINTS, verbose=0, callbacks=[trainers.Checkpoint(tmp_path / "run.keras")])
    assert int(gan.steps) == steps and not list(tmp_path.glob("*.keras"))
    with pytest.raises(ValueError, match="`ema_decay` averages a second one.*lambda"):
        gan.compile(ema_decay=0.9)
    assert gan.ema_generator is None


def test_a_wired_graph_trains_with_an_average_and_comes_back(tmp_path):
    z = keras.Input((3,))
    generator = zoo.Generator(z, L.Dense(2)(z), latent_dim=3, value_range=None)
    gan = trainers.GAN(generator, keras.Sequential([keras.Input((2,)), L.Dense(1)]))
    gan.compile(ema_decay=0.9, run_eagerly=True)
    gan.fit(POINTS, verbose=0, callbacks=[trainers.Checkpoint(tmp_path / "run.keras")])
    loaded = keras.saving.load_model(tmp_path / "run.keras")
    np.testing.assert_array_equal(loaded.sample(4, seed=0), gan.sample(4, seed=0))


def test_an_objective_that_no_file_gives_back_is_refused(tmp_path):
    class Local(trainers.objectives.Objective):
        def discriminator_loss(self, real_logits, fake_logits):
            return fake_logits - real_logits

        def generator_loss(self, real_logits, fake_logits):
            return -fake_logits

    gan = compiled(plain(), objective=Local())
    with pytest.raises(ValueError, match="`objective` cannot be made again.*class 'Local'"):
        gan.save(tmp_path / "gan.keras")


@keras.saving.register_keras_serializable(package="test_files")
class Noise(trainers.perturbations.InstanceNoise):
    """A perturbation with an argument that its get_config forgets."""

    def __init__(self, scale=0.1, kind="normal"):
        super().__init__(scale)

    def get_config(self):
        return {"scale": self.scale}


def test_a_users_perturbation_comes_back_with_its_arguments(tmp_path):
    gan = compiled(plain(), perturbations=[Noise(0.2, "odd")])
    gan.save(tmp_path / "gan.keras")
    (noise,) = keras.saving.load_model(tmp_path / "gan.keras").perturbations
    assert (noise.scale, noise.kind) == (0.2, "odd")


# === The average ===


def test_weights_of_a_file_bring_their_average_with_them(tmp_path):
    gan = averaged()
    gan.save_weights(tmp_path / "w.weights.h5")
    wanted = gan.sample(5, seed=0)
    bare = game()
    bare.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(bare.sample(5, seed=0), wanted)
    bare.compile(ema_decay=0.9, run_eagerly=True)
    np.testing.assert_array_equal(bare.sample(5, seed=0), wanted)
    like = game(ema_decay=0.5)
    like.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(like.sample(5, seed=0), wanted)
    gan.save(tmp_path / "gan.keras")
    bare = game()
    bare.load_weights(tmp_path / "gan.keras")
    np.testing.assert_array_equal(bare.sample(5, seed=0), wanted)


def test_a_compiled_trainer_without_an_average_says_that_it_leaves_it_out(tmp_path):
    averaged().save_weights(tmp_path / "w.weights.h5")
    gan = game(ema_decay=None)
    with pytest.warns(UserWarning, match="holds a moving average, and this trainer keeps none"):
        gan.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(gan.sample(3, seed=0), gan.generator.sample(3, seed=0))


def test_a_file_without_an_average_begins_it_anew(tmp_path):
    game(ema_decay=None).save_weights(tmp_path / "w.weights.h5")
    gan = averaged()
    with pytest.warns(UserWarning, match="holds no moving average.*begins anew"):
        gan.load_weights(tmp_path / "w.weights.h5")
    assert_same_weights(gan.ema_generator, gan.generator)


def test_until_a_step_is_taken_the_average_is_the_generator():
    gan = game(ema_decay=0.9)
    other = averaged()
    gan.generator.set_weights(other.generator.get_weights())
    wanted = other.generator.sample(3, seed=0)
    np.testing.assert_array_equal(gan.sample(3, seed=0), wanted)
    gan.generator.set_weights([w + 0.1 for w in other.generator.get_weights()])
    latents = np.ones((2, 5), "float32")
    np.testing.assert_array_equal(gan.predict(latents, verbose=0), gan.generator(latents))
    # Once a step has been taken, the average has a way of its own.
    kept = other.ema_generator.get_weights()
    other.generator.set_weights([w + 0.1 for w in other.generator.get_weights()])
    assert other.sampler is other.ema_generator
    for a, b in zip(kept, other.ema_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_failed_loading_leaves_no_average(tmp_path):
    averaged().save_weights(tmp_path / "w.weights.h5")
    gan = plain()
    with pytest.raises(ValueError):
        gan.load_weights(tmp_path / "w.weights.h5")
    assert gan.ema_generator is None


def test_the_old_format_is_refused_by_name(tmp_path):
    gan = trainers.GAN(*tiny_dense_pair())
    with pytest.raises(ValueError, match=r"`filepath` .*Expected.*\.keras\. Received.*x\.h5"):
        gan.save(tmp_path / "x.h5")


def test_keras_export_is_of_the_generator_that_samples(tmp_path):
    gan = averaged()
    gan.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "model"))
    latents = np.random.default_rng(0).normal(size=(3, gan.traits.latent_dim)).astype("float32")
    want = gan.ema_generator(latents, training=False)
    np.testing.assert_allclose(served.serve(latents), want, rtol=1e-6, atol=1e-6)
