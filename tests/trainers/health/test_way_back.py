"""The way back: weights and moments return, counts go on, rates shrink."""

import keras
import numpy as np
import pytest

import trainers
import zoo
from tests.helpers import tiny_data, tiny_mlp_pair
from trainers import GAN
from trainers.health.way_back import Reduced, WayBack


def gan(rate=0.01):
    keras.utils.set_random_seed(0)
    made = GAN(*tiny_mlp_pair(), seed=0)
    made.compile(
        generator_optimizer=keras.optimizers.Adam(rate),
        discriminator_optimizer=keras.optimizers.Adam(rate),
        ema_decay=0.9,
        jit_compile=False,
    )
    return made


def fit(model, epochs=1):
    model.fit(tiny_data((4, 4, 1))[0], batch_size=8, epochs=epochs, verbose=0)


def learned(model):
    return [v.numpy() for v in (*model.generator.weights, *model.discriminator.weights)]


def test_weights_and_moments_return_and_counts_go_on():
    model = gan()
    fit(model)
    back = WayBack(model)
    back.remember(int(model.steps))
    at, average = learned(model), [v.numpy() for v in model.ema_generator.weights]
    moments = [v.numpy() for v in model.generator_optimizer.variables[2:]]
    fit(model, 2)
    steps, iterations = int(model.steps), int(model.generator_optimizer.iterations)
    assert any((a != b).any() for a, b in zip(at, learned(model), strict=True))
    back.go(0.5)
    for before, now in zip(at, learned(model), strict=True):
        np.testing.assert_array_equal(before, now)
    for before, now in zip(average, model.ema_generator.weights, strict=True):
        np.testing.assert_array_equal(before, now)
    for before, now in zip(moments, model.generator_optimizer.variables[2:], strict=True):
        np.testing.assert_array_equal(before, now)
    assert int(model.steps) == steps and int(model.generator_optimizer.iterations) == iterations
    for optimizer in model.optimizers:
        assert float(optimizer.learning_rate) == pytest.approx(0.005)


def test_a_schedule_is_reduced_in_the_steps_that_follow():
    decay = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.5)
    model = gan(decay)
    back = WayBack(model)
    back.remember(0)
    fit(model)
    back.go(0.5)
    back.go(0.5)
    schedule = model.generator_optimizer._learning_rate
    assert isinstance(schedule, Reduced) and schedule.factor == 0.25
    assert float(schedule(10)) == pytest.approx(0.25 * 0.005)
    before = learned(model)
    back.go(0.0)  # A step of no length shows which rate the compiled step has.
    fit(model)
    still = [v.numpy() for v in model.generator.trainable_weights]
    fit(model)
    for a, b in zip(still, model.generator.trainable_weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert before


def test_a_reduced_schedule_is_read_from_its_config():
    schedule = Reduced(keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.5), 0.3)
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert float(again(20)) == pytest.approx(0.3 * 0.01 / 4)


def test_it_goes_through_bytes_and_refuses_others():
    model = gan()
    fit(model)
    back = WayBack(model)
    assert back.to_bytes() is None
    back.remember(7)
    at, content = learned(model), back.to_bytes()
    fit(model)
    other = WayBack(model)
    other.from_bytes(content)
    assert other.step == 7
    other.go(1.0)
    for before, now in zip(at, learned(model), strict=True):
        np.testing.assert_array_equal(before, now)
    with pytest.raises(ValueError, match="healthy.npz holds no weights of this trainer"):
        smaller = GAN(*tiny_mlp_pair(2), seed=0)
        smaller.compile()
        WayBack(smaller).from_bytes(content)
    with pytest.raises(ValueError, match="healthy.npz is damaged"):
        other.from_bytes(content[:50])


def test_numbers_of_every_width_go_through_bytes():
    for dtype in ("float64", "mixed_bfloat16", "bfloat16"):
        model = GAN(*tiny_mlp_pair(dtype=dtype), seed=0)
        model.compile(jit_compile=False)
        back, other = WayBack(model), WayBack(model)
        back.remember(1)
        other.from_bytes(back.to_bytes())
        for a, b in zip(back.values, other.values, strict=True):
            np.testing.assert_array_equal(a.astype("float64"), b.astype("float64"))


def other_models():
    yield trainers.LaplacianGAN(
        zoo.LaplacianGenerator((8, 8, 1), 2, 3, 2, (4,)),
        zoo.LaplacianDiscriminator((8, 8, 1), 2, 2, (4,)),
    )
    yield zoo.VAE((8, 8, 1), latent_dim=2, units=(4,))


def test_a_pyramid_and_an_autoencoder_go_back_too():
    x = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), "uint8")
    for model in other_models():
        model.compile()
        model.fit(x, batch_size=8, verbose=0)
        back = WayBack(model)
        back.remember(4)
        at = [v.numpy() for v in model.trainable_variables]
        model.fit(x, batch_size=8, verbose=0)
        moved = [v.numpy() for v in model.trainable_variables]
        assert any((a != b).any() for a, b in zip(at, moved, strict=True))
        back.go(1e-9)
        for a, b in zip(at, model.trainable_variables, strict=True):
            np.testing.assert_array_equal(a, b.numpy())
        model.fit(x, batch_size=8, verbose=0)  # At a rate that moves nothing.
        for a, b in zip(at, model.trainable_variables, strict=True):
            np.testing.assert_allclose(a, b.numpy(), atol=1e-6)
