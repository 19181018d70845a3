"""GAN: Algorithm 1 against NumPy, equal in every mode of execution, and each player by itself."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import (
    all_variables,
    batches,
    compiled,
    largest_difference,
    run_float16_test,
    run_isolation_test,
    run_trainer_test,
    tiny_data,
    tiny_dense_pair,
    tiny_mlp_pair,
    tiny_pair,
    trained,
)
from trainers.steps.key import TESTING, TRAINING
from zoo import latents


@pytest.mark.parametrize(
    "pair, shape, classes, arguments",
    [
        (tiny_pair, (8, 8, 1), None, {}),
        (tiny_pair, (8, 8, 1), 3, {"schedule": "simultaneous"}),
        (tiny_mlp_pair, (4, 4, 1), 3, {"discriminator_steps": 2}),
        (tiny_mlp_pair, (4, 4, 1), None, {"schedule": "simultaneous"}),
    ],
)
def test_modes_of_execution_and_file(tmp_path, pair, shape, classes, arguments):
    def make(**modes):
        return compiled(trainers.GAN(*pair(classes), seed=3, **arguments), ema_decay=0.9, **modes)

    run_trainer_test(make, tiny_data(shape), tmp_path)


def _sigmoid(v):
    return 1 / (1 + np.exp(-v))


def _linear_gan(**arguments):
    """x = a z + b against logit = w x + c, both by plain gradient descent."""
    generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    discriminator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    for player, values in ((generator, (0.8, 0.3)), (discriminator, (-0.4, 0.1))):
        for weight, value in zip(player.weights, values, strict=True):
            weight.assign(tf.fill(weight.shape, value))
    gan = trainers.GAN(generator, discriminator, seed=5, **arguments)
    sgd = keras.optimizers.SGD
    gan.compile("non_saturating", sgd(0.3), sgd(0.2), run_eagerly=True)
    return gan


def _latents(step, turn, rows):
    seed = latents.fold((5, TRAINING), step, turn)
    return latents.draw("normal", rows, 1, seed).numpy().astype("float64")[:, 0]


def _discriminator_gradient(w, c, real, fake):
    on_real, on_fake = _sigmoid(w * real + c) - 1, _sigmoid(w * fake + c)
    return np.mean(on_real * real + on_fake * fake), np.mean(on_real + on_fake)


def _generator_gradient(w, c, z, fake):
    slope = (_sigmoid(w * fake + c) - 1) * w
    return np.mean(slope * z), np.mean(slope)


@pytest.mark.parametrize("k", [1, 3])
def test_alternating_steps_follow_algorithm_1(k):
    gan = _linear_gan(discriminator_steps=k)
    real = np.random.default_rng(0).normal(2, 1, (2, 14)).astype("float32")
    a, b, w, c = 0.8, 0.3, -0.4, 0.1
    rows = 14 // k
    for step in range(2):
        gan.train_on_batch(real[step][:, None])
        for turn in range(k):
            part = real[step, turn * rows : (turn + 1) * rows].astype("float64")
            fake = a * _latents(step, turn, rows) + b
            dw, dc = _discriminator_gradient(w, c, part, fake)
            w, c = w - 0.2 * dw, c - 0.2 * dc
        z = _latents(step, k, rows)
        da, db = _generator_gradient(w, c, z, a * z + b)
        a, b = a - 0.3 * da, b - 0.3 * db
    got = [float(np.squeeze(v)) for v in gan.generator.get_weights()]
    got += [float(np.squeeze(v)) for v in gan.discriminator.get_weights()]
    np.testing.assert_allclose(got, [a, b, w, c], rtol=1e-5, atol=1e-7)
    assert int(gan.discriminator_optimizer.iterations) == 2 * k
    assert int(gan.generator_optimizer.iterations) == 2 == int(gan.steps)


def test_simultaneous_steps_take_both_gradients_at_one_point():
    gan = _linear_gan(schedule="simultaneous")
    real = np.random.default_rng(0).normal(2, 1, (2, 14)).astype("float32")
    a, b, w, c = 0.8, 0.3, -0.4, 0.1
    for step in range(2):
        gan.train_on_batch(real[step][:, None])
        z = _latents(step, 0, 14)
        fake = a * z + b
        dw, dc = _discriminator_gradient(w, c, real[step].astype("float64"), fake)
        da, db = _generator_gradient(w, c, z, fake)
        w, c, a, b = w - 0.2 * dw, c - 0.2 * dc, a - 0.3 * da, b - 0.3 * db
    got = [float(np.squeeze(v)) for v in gan.generator.get_weights()]
    got += [float(np.squeeze(v)) for v in gan.discriminator.get_weights()]
    np.testing.assert_allclose(got, [a, b, w, c], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("pair, shape", [(tiny_pair, (8, 8, 1)), (tiny_mlp_pair, (4, 4, 1))])
def test_a_step_of_one_player_leaves_the_other_untouched(pair, shape):
    run_isolation_test(compiled(trainers.GAN(*pair(3))), tiny_data(shape))


def test_every_draw_of_a_step_is_fresh():
    gan = trainers.GAN(*tiny_pair(), discriminator_steps=2)
    gan.compile()
    drawn = []
    draw = gan.latents
    gan.latents = lambda *args: drawn.append(draw(*args).numpy()) or tf.constant(drawn[-1])
    gan.run_eagerly = True
    gan.fit(batches(tiny_data()[0], steps=2), verbose=0)
    rows = np.concatenate(drawn)
    assert len(drawn) == 6 and len(np.unique(rows, axis=0)) == len(rows) == 2 * 3 * 8


def test_steps_per_execution_changes_nothing():
    def make(**modes):
        return compiled(trainers.GAN(*tiny_dense_pair(), seed=3), ema_decay=0.9, **modes)

    data = tiny_data((4, 4, 1))[0]
    one = trained(make, data, steps=6)
    three = trained(make, data, steps=6, steps_per_execution=3)
    assert largest_difference(all_variables(one), all_variables(three)) < 1e-6
    assert int(three.steps) == 6


def test_the_moving_average_follows_its_formula():
    gan = trainers.GAN(*tiny_pair())
    gan.compile(ema_decay=0.5, run_eagerly=True)
    average = [w.numpy().astype("float64") for w in gan.generator.weights]
    for t in range(12):
        gan.train_on_batch(tiny_data(count=16)[0])
        d = min(0.5, (1 + t) / (10 + t))
        average = [
            d * a + (1 - d) * w.numpy() for a, w in zip(average, gan.generator.weights, strict=True)
        ]
    assert largest_difference(average, [w.numpy() for w in gan.ema_generator.weights]) < 1e-5
    np.testing.assert_array_equal(gan.sample(4, seed=0), gan.ema_generator.sample(4, seed=0))
    assert not np.array_equal(gan.sample(4, seed=0), gan.generator.sample(4, seed=0))


def test_evaluate_reports_the_definitions_and_repeats_itself():
    gan = trainers.GAN(*tiny_pair(), seed=2)
    gan.compile()
    images, _ = tiny_data(count=24)
    before = all_variables(gan)
    first = gan.evaluate(images, batch_size=16, verbose=0, return_dict=True)
    assert first == gan.evaluate(images, batch_size=16, verbose=0, return_dict=True)
    assert largest_difference(before, all_variables(gan)) == 0

    fake = []
    for start, rows in ((0, 16), (16, 8)):  # The last batch is smaller and weighs less.
        seed = latents.fold((2, TESTING), start)
        fake.append(gan.generator(latents.draw("normal", rows, 6, seed), training=False))
    real = images / 127.5 - 1
    on_real, on_fake = (
        gan.discriminator(x, training=False)["logits"].numpy().astype("float64")
        for x in (real.astype("float32"), np.concatenate(fake))
    )
    wanted = {
        "discriminator_real": _sigmoid(on_real).mean(),
        "discriminator_fake": _sigmoid(on_fake).mean(),
        "generator_loss": -np.log(_sigmoid(on_fake)).mean(),
        "discriminator_loss": -(np.log(_sigmoid(on_real)) + np.log(_sigmoid(-on_fake))).mean(),
    }
    wanted["js_estimate"] = np.log(2) - wanted["discriminator_loss"] / 2
    assert set(first) == set(wanted)
    for name, value in wanted.items():
        assert first[name] == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("schedule", ["alternating", "simultaneous"])
def test_mixed_precision(tmp_path, policy, schedule):
    gan = trainers.GAN(*tiny_pair(3, dtype=policy), schedule=schedule)
    gan.compile(ema_decay=0.9)
    optimizers = (gan.generator_optimizer, gan.discriminator_optimizer)
    for optimizer in optimizers:
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        assert scaled == (policy == "mixed_float16")
    before = gan.get_weights()
    history = gan.fit(batches(tiny_data(), steps=3), verbose=0).history
    assert all(np.isfinite(v).all() for v in history.values())
    assert not any(
        np.array_equal(a, b)
        for a, b, w in zip(before, gan.get_weights(), gan.weights, strict=True)
        if w.trainable
    )
    assert gan.sample(2, [0, 1], seed=0).dtype == np.uint8
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded.generator_optimizer) is type(optimizers[0])
    assert largest_difference(all_variables(gan), all_variables(loaded)) == 0
    loaded.fit(batches(tiny_data(), steps=1), verbose=0)


def test_float16_matches_float32_to_its_precision():
    def make(dtype):
        return trainers.GAN(*tiny_pair(dtype=dtype), seed=1)

    run_float16_test(make, tiny_data()[0], tolerance=0.02)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"discriminator_steps": 0}, "`discriminator_steps` is.*positive.*discriminator_steps=0"),
        ({"schedule": "sequential"}, "`schedule` is unknown.*alternating.*schedule='sequential'"),
        (
            {"schedule": "simultaneous", "discriminator_steps": 2},
            "`discriminator_steps` does not.*equally many steps.*discriminator_steps=2",
        ),
    ],
)
def test_arguments_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        trainers.GAN(*tiny_pair(), **arguments)
