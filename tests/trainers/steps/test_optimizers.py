"""Optimizers: one for each player, what Keras gives them to do, and both of them as one."""

import keras
import numpy as np
import pytest

import trainers
import zoo
from tests.games import Value, game, play
from tests.helpers import compiled, state
from trainers.steps.optimizers import unbuilt

SGD, Adam = keras.optimizers.SGD, keras.optimizers.Adam
SCHEDULE = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.02])


def _game(*optimizers):
    gan = game(trainers.GAN, 1, 1)
    if optimizers:
        gan.compile(Value(), *optimizers, run_eagerly=True)
    return gan


# === What an optimizer does ===

# What each player is given, and an optimizer that makes the same steps by itself.
FEATURES = {
    "weight decay": (lambda: SGD(0.1, weight_decay=0.5),) * 2,
    "clipnorm": (lambda: Adam(0.1, clipnorm=0.01),) * 2,
    "accumulation": (lambda: SGD(0.1, gradient_accumulation_steps=2),) * 2,
    "overwritten average": (lambda: SGD(0.1, use_ema=True, ema_overwrite_frequency=2),) * 2,
    "loss scale factor": (lambda: SGD(0.1, loss_scale_factor=8.0), lambda: SGD(0.1)),
    "loss scale": (lambda: keras.optimizers.LossScaleOptimizer(SGD(0.1)), lambda: SGD(0.1)),
    "schedule": (lambda: SGD(SCHEDULE),) * 2,
    "lion": (lambda: keras.optimizers.Lion(0.1),) * 2,
    "adafactor": (lambda: keras.optimizers.Adafactor(0.1),) * 2,
}


@pytest.mark.parametrize("feature", FEATURES)
def test_each_player_moves_as_its_optimizer_alone(feature):
    """V = x y: the discriminator's gradient is -x, then the generator's is y."""
    ours, alone = FEATURES[feature]
    gan = _game(ours(), ours())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainers.steps.optimizers.Finalize.on_train_end", lambda self, logs: None)
        found = play(gan, 3)
    x, y = (keras.Variable(1.0, name=name) for name in "xy")
    by_x, by_y = alone(), alone()
    for _ in range(3):
        by_y.apply([-keras.ops.convert_to_tensor(x)], [y])
        by_x.apply([keras.ops.convert_to_tensor(y)], [x])
    np.testing.assert_allclose(found, [float(x), float(y)], rtol=1e-6)
    assert abs(found - 1).max() > 1e-3


def test_a_fixed_loss_scale_is_kept_in_float16():
    players = {"units": (3,), "dtype": "mixed_float16"}
    gan = trainers.GAN(zoo.MLPGenerator((2,), 2, **players), zoo.MLPDiscriminator((2,), **players))
    fixed = SGD(0.1, loss_scale_factor=8.0)
    gan.compile(generator_optimizer=fixed)
    assert gan.generator_optimizer is fixed and fixed.loss_scale_factor == 8.0
    dynamic = gan.discriminator_optimizer
    gan.compile(generator_optimizer=fixed, discriminator_optimizer=dynamic.inner_optimizer)
    assert gan.discriminator_optimizer is dynamic  # With the scale that it has found.


# === Whose an optimizer is ===


def test_one_object_for_both_players_is_refused():
    one = SGD(0.1)
    for pair in ((one, one), (keras.optimizers.LossScaleOptimizer(one), one)):
        gan = game(trainers.GAN, 1, 1)
        with pytest.raises(ValueError, match="`discriminator_optimizer` is the object .* twice"):
            gan.compile(Value(), *pair)
        assert not one.built


@pytest.mark.parametrize("scaled", [False, True])
def test_an_optimizer_of_another_model_is_refused(scaled):
    one = SGD(0.1)
    _game(one, SGD(0.1))
    given = keras.optimizers.LossScaleOptimizer(one) if scaled else one
    gan = game(trainers.GAN, 1, 1)
    before = gan.discriminator_optimizer
    with pytest.raises(ValueError, match="`discriminator_optimizer` has moved other weights"):
        gan.compile(Value(), SGD(0.1), given)
    assert gan.discriminator_optimizer is before


@pytest.mark.parametrize("given", [0.1, SGD, {"class_name": "nothing"}])
def test_what_is_no_optimizer_is_refused(given):
    with pytest.raises(ValueError, match="`generator_optimizer` is no optimizer.*Received"):
        game(trainers.GAN, 1, 1).compile(Value(), given)


def test_compiled_again_with_the_same_objects_it_goes_on():
    ours = [SGD(0.1, momentum=0.9) for _ in "gd"]
    gan, whole = _game(*ours), _game(*(SGD(0.1, momentum=0.9) for _ in "gd"))
    play(gan, 2)
    gan.compile(Value(), *ours, run_eagerly=True)
    np.testing.assert_array_equal(play(gan, 2), play(whole, 4))


# === Both as one ===


def test_the_optimizer_of_a_trainer_is_both():
    gan = game(trainers.GAN, 1, 1, rates=(0.5, 0.25))
    both = gan.optimizer
    assert [one.name for one in both.optimizers] == ["generator", "discriminator"]
    assert both.iterations is gan.steps
    assert len(both.variables) == sum(len(one.variables) for one in gan.optimizers)
    with pytest.raises(
        AttributeError, match="each player has .* generator_optimizer.learning_rate"
    ):
        both.learning_rate  # noqa: B018
    both.learning_rate = 0.125
    assert [float(one.learning_rate) for one in gan.optimizers] == [0.125, 0.125]
    with pytest.raises(AttributeError, match="generator_optimizer.momentum"):
        both.momentum = 0.5
    with pytest.raises(AttributeError, match="`optimizer` is not one thing.*compile"):
        gan.optimizer = SGD()
    pair = gan.generator, gan.discriminator
    assert trainers.GAN(*pair).optimizer is None


# === A pyramid's levels, each with a copy ===


def _pyramid(**optimizers):
    shape = (8, 8, 1)
    gan = trainers.LaplacianGAN(
        zoo.LaplacianGenerator(shape, levels=2, latent_dim=2, filters=2, units=(3,)),
        zoo.LaplacianDiscriminator(shape, levels=2, filters=2, units=(3,)),
    )
    return compiled(gan, **optimizers)


def _rates(gan):
    return [float(one.learning_rate) for one in gan.optimizers]


def test_levels_follow_the_rate_of_the_given_optimizer_and_keep_their_moments():
    ours = SGD(0.5, momentum=0.5)
    gan = _pyramid(generator_optimizer=ours)
    assert gan.generator_optimizer is ours and not ours.built
    names = [f"level_{k}_{player}" for k in (0, 1) for player in ("generator", "discriminator")]
    assert [one.name for one in gan.optimizer.optimizers] == names
    gan.optimizers[0].momentums[0].assign_add(keras.ops.ones_like(gan.optimizers[0].momentums[0]))
    gan.optimizers[2].learning_rate = 0.25  # Of one level alone.
    moments = state(gan.optimizers[0])
    gan.compile(generator_optimizer=ours)
    for a, b in zip(moments, state(gan.optimizers[0]), strict=True):
        np.testing.assert_array_equal(a, b)
    assert _rates(gan)[::2] == [0.5, 0.25]
    ours.learning_rate = 0.125
    for callback in gan.own_callbacks():
        callback.set_model(gan)
        callback.on_epoch_begin(0)
    assert _rates(gan)[::2] == [0.125, 0.125]
    gan.compile(generator_optimizer=SGD(0.0625))
    assert _rates(gan)[::2] == [0.0625, 0.0625]


def test_a_copy_keeps_what_is_excluded_from_weight_decay():
    ours = Adam(0.1, weight_decay=0.5)
    ours.exclude_from_weight_decay(var_names=["bias"])
    kernel, bias = (keras.Variable(1.0, name=name) for name in ("kernel", "bias"))
    copy = unbuilt(ours)
    copy.apply([keras.ops.zeros(())] * 2, [kernel, bias])
    np.testing.assert_allclose([float(kernel), float(bias)], [0.95, 1.0], rtol=1e-6)


def test_every_class_refuses_one_object_for_both():
    one = Adam()
    pair = zoo.MLPGenerator((2,), 2, units=(3,)), zoo.MLPDiscriminator((2,), units=(3,))
    for cls in (trainers.UnrolledGAN, trainers.ConsensusGAN, trainers.WassersteinGANGP):
        with pytest.raises(ValueError, match="`discriminator_optimizer` is the object"):
            cls(*pair).compile(generator_optimizer=one, discriminator_optimizer=one)
    with pytest.raises(ValueError, match="`discriminator_optimizer` is the object"):
        _pyramid(generator_optimizer=one, discriminator_optimizer=one)
    vae = zoo.VAE((2,), latent_dim=2, units=(3,))
    vae.compile(one)
    with pytest.raises(ValueError, match="`optimizer` has moved other weights before"):
        zoo.VAE((2,), latent_dim=2, units=(3,)).compile(one)
