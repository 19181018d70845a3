"""Keras's callbacks mean for two players what they mean for one, or are refused before training."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.compat.proto import event_pb2

import evaluation
import trainers
from tests.games import REAL, game, position
from tests.helpers import compiled, state
from trainers.callbacks import keras_callbacks

C = keras.callbacks
DATA = np.zeros((12, 1), "float32")


def fit(gan, *callbacks, epochs=3, **arguments):
    gan.run_eagerly = True
    arguments = {"batch_size": 4, "verbose": 0, **arguments}
    return gan.fit(DATA, callbacks=list(callbacks), epochs=epochs, **arguments)


def rates(gan):
    return [float(optimizer.learning_rate) for optimizer in gan.optimizers]


def test_a_schedule_moves_each_rate_from_its_own(tmp_path):
    gan = game(trainers.GAN, 1, 1, rates=(0.5, 0.25))
    log = C.CSVLogger(tmp_path / "log.csv")
    history = fit(gan, C.LearningRateScheduler(lambda epoch, rate: rate * 0.5), log).history
    np.testing.assert_array_equal(history["learning_rate_generator"], [0.25, 0.125, 0.0625])
    np.testing.assert_array_equal(history["learning_rate_discriminator"], [0.125, 0.0625, 0.03125])
    assert rates(gan) == [0.0625, 0.03125]
    rows = list(csv.DictReader((tmp_path / "log.csv").read_text().splitlines()))
    assert [float(row["learning_rate_generator"]) for row in rows] == [0.25, 0.125, 0.0625]


def test_a_plateau_lowers_both_rates():
    gan = game(trainers.GAN, 0, 0, rates=(0.5, 0.25))  # At rest: no loss ever moves.
    plateau = C.ReduceLROnPlateau("generator_loss", mode="min", patience=2, factor=0.5)
    fit(gan, plateau, epochs=5)
    assert rates(gan) == [0.125, 0.0625]  # After epochs 3 and 5.


def test_float16_and_several_optimizers_have_their_rates_set():
    gan = game(trainers.GAN, 1, 1)
    parts = keras.optimizers.OptimizerMap(
        keras.optimizers.SGD(0.1, name="a"), {"nowhere": keras.optimizers.SGD(0.1, name="b")}
    )
    gan.compile(
        generator_optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1)),
        discriminator_optimizer=keras.optimizers.MultiOptimizer(parts),
    )
    history = fit(gan, C.LearningRateScheduler(lambda epoch, rate: 0.5), epochs=1).history
    names = {name for name in history if name.startswith("learning_rate")}
    assert names == {
        "learning_rate_" + n for n in ("generator", "discriminator_a", "discriminator_b")
    }
    assert float(gan.generator_optimizer.learning_rate) == 0.5


def test_early_stopping_and_the_best_file(tmp_path):
    gan = game(trainers.GAN, 0, 0)
    stop = C.EarlyStopping("generator_loss", mode="min", patience=1)
    best = C.ModelCheckpoint(
        tmp_path / "{epoch}.weights.h5",
        monitor="generator_loss",
        mode="min",
        save_best_only=True,
        save_weights_only=True,
    )
    every = C.ModelCheckpoint(tmp_path / "all.weights.h5", "anything", save_weights_only=True)
    history = fit(gan, stop, best, every, epochs=9)
    assert history.epoch == [0, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.weights.h5", "all.weights.h5"]


class Logs(C.Callback):
    """A user's callback that logs a figure."""

    def on_epoch_end(self, epoch, logs=None):
        logs["mine"] = 1.0


def test_a_monitor_may_be_a_users_figure_or_a_score():
    gan = game(trainers.GAN, 0, 0)
    stop = C.EarlyStopping("mine", mode="max", patience=1)
    assert len(fit(gan, Logs(), stop, epochs=5).epoch) == 2
    measure = evaluation.SlicedWasserstein(np.zeros((8, 1), "float32"))
    stop = C.EarlyStopping(measure.name, mode="min")
    keras_callbacks.check(gan, [trainers.Score(measure), stop], False)
    with pytest.raises(ValueError, match="trainers.Score that comes before"):
        keras_callbacks.check(gan, [stop, trainers.Score(measure)], False)


def _scheduled():
    gan = game(trainers.GAN, 0, 0)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    gan.compile(generator_optimizer="sgd", discriminator_optimizer=keras.optimizers.SGD(schedule))
    return gan


def _plain():
    return game(trainers.GAN, 0, 0)


class Orbax(C.OrbaxCheckpoint):
    """One without its package, which need not be installed."""

    def __init__(self):
        C.Callback.__init__(self)


REFUSED = {
    "no loss": (_plain, C.EarlyStopping(), "`monitor` of EarlyStopping is not .*'val_loss'"),
    "no loss to reduce": (_plain, C.ReduceLROnPlateau(), "`monitor` of ReduceLROnPlateau"),
    "no best": (_plain, C.ModelCheckpoint("a.keras", save_best_only=True), "`monitor` of Model"),
    "misspelt": (
        _plain,
        C.EarlyStopping("generator_los", mode="min"),
        "'generator_loss'.*Received: monitor='generator_los'",
    ),
    "no validation": (
        _plain,
        C.EarlyStopping("val_generator_loss", mode="min"),
        "with validation_data",
    ),
    "no mode": (_plain, C.EarlyStopping("generator_loss"), "`mode` of EarlyStopping .*'max'"),
    "a file by what is no loss": (
        _plain,
        C.ModelCheckpoint("e{epoch}_{val_loss:.2f}.keras"),
        "`filepath` of ModelCheckpoint names 'val_loss', .*'generator_loss'.*e{epoch}_{val_loss",
    ),
    "a file by what is not validated": (
        _plain,
        C.ModelCheckpoint("{val_generator_loss:.2f}.keras"),
        "`filepath` of ModelCheckpoint names .*, with validation_data",
    ),
    "a file between epochs by its epoch's loss": (
        _plain,
        C.ModelCheckpoint("{batch}_{learning_rate:.2f}.keras", save_freq=2),
        "names 'learning_rate', which is not logged.*'epoch', 'batch', 'generator_loss'",
    ),
    "a file by a number of epochs": (
        _plain,
        C.ModelCheckpoint("{epoch}_{generator_loss:d}.keras"),
        "`filepath` of ModelCheckpoint has a field that cannot be filled in .*'d'",
    ),
    "a schedule": (
        _scheduled,
        C.LearningRateScheduler(lambda epoch, rate: rate),
        "`callbacks` holds a LearningRateScheduler, .* of the discriminator .*ExponentialDecay",
    ),
    "no average": (_plain, C.SwapEMAWeights(), "`callbacks` holds a SwapEMAWeights.*ema_decay"),
    **{
        f"a backup by {frequency}": (
            _plain,
            C.BackupAndRestore("backup", save_freq=frequency),
            rf"`save_freq` of BackupAndRestore .*trainers\.Checkpoint.*save_freq={frequency}$",
        )
        for frequency in (3, False)
    },
    "orbax": (_plain, Orbax(), "`callbacks` holds an OrbaxCheckpoint.*trainers.Checkpoint"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_has_trained_nothing(case):
    make, callback, message = REFUSED[case]
    gan = make()
    with pytest.raises(ValueError, match=message):
        fit(gan, callback)
    assert int(gan.steps.numpy()) == 0


def test_a_file_name_may_have_what_is_logged(tmp_path):
    name = str(tmp_path / "{epoch:02d}_{generator_loss:.1f}_{val_generator_loss:.1f}.weights.h5")
    saver = C.ModelCheckpoint(name, save_weights_only=True)
    fit(_plain(), saver, epochs=2, validation_data=REAL)
    names = sorted(path.name[:3] for path in tmp_path.iterdir())
    assert names == ["01_", "02_"]
    rates = C.LearningRateScheduler(lambda epoch, rate: rate)
    rated = C.ModelCheckpoint(str(tmp_path / "{learning_rate_generator:.2f}.weights.h5"))
    mine = C.ModelCheckpoint(str(tmp_path / "{mine:.2f}.weights.h5"))
    keras_callbacks.check(_plain(), [rates, rated, Logs(), mine], False)
    with pytest.raises(ValueError, match="names 'mine'"):
        keras_callbacks.check(_plain(), [mine, Logs()], False)


# === Averages of weights ===


def _averaged(momentum=0.5):
    gan = game(trainers.GAN, 1, 1)
    gan.compile(
        gan.objective,
        *(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=momentum) for _ in "gd"),
    )
    return gan


def _course(steps):
    """(x, y) after each alternating step of V = x y at rate 0.1: D ascends, then G descends."""
    x, y, course = 1.0, 1.0, []
    for _ in range(steps):
        y += 0.1 * x
        x -= 0.1 * y
        course.append((x, y))
    return np.array(course)


def test_use_ema_ends_with_the_average_of_both_players():
    gan = _averaged()
    fit(gan, epochs=1)
    course = _course(3)
    average = course[0]
    for point in course[1:]:
        average = 0.5 * average + 0.5 * point
    np.testing.assert_allclose(position(gan), average, rtol=1e-6)


def test_an_average_that_never_moved_is_left_alone():
    gan = _averaged()
    fit(gan, epochs=2, initial_epoch=2)
    np.testing.assert_array_equal(position(gan), [1, 1])


def test_swapped_averages_are_evaluated_and_training_goes_on_from_the_weights():
    seen = []

    class Look(C.Callback):
        def on_test_batch_begin(self, batch, logs=None):
            seen.append(position(self.model))

        def on_epoch_end(self, epoch, logs=None):
            seen.append(position(self.model))

    gan = _averaged()
    fit(gan, C.SwapEMAWeights(), Look(), epochs=1, validation_data=REAL)
    course = _course(3)
    average = 0.25 * course[0] + 0.25 * course[1] + 0.5 * course[2]
    np.testing.assert_allclose(seen[0], average, rtol=1e-6)
    np.testing.assert_allclose(seen[1], course[2], rtol=1e-6)


# === Going on ===


def test_backup_and_restore_goes_on_with_the_next_batch(tmp_path):
    """The same weights as in one go: players, moments, and the order of the samples."""
    x = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")

    def make():
        keras.utils.set_random_seed(5)
        generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
        discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        gan = trainers.GAN(generator, discriminator, seed=3)
        return compiled(gan, "non_saturating", "adam", "adam", run_eagerly=True)

    class Stop(C.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise InterruptedError

    def backup():
        return C.BackupAndRestore(tmp_path / "backup")

    arguments = {"x": x, "batch_size": 4, "verbose": 0}
    whole = make()
    whole.fit(**arguments, epochs=3)
    with pytest.raises(InterruptedError):
        make().fit(**arguments, epochs=3, callbacks=[backup(), Stop()])
    again = make()
    assert again.fit(**arguments, epochs=3, callbacks=backup()).epoch == [2]
    for a, b in zip(state(whole, *whole.optimizers), state(again, *again.optimizers), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.fit(**arguments, epochs=1).epoch == [0]  # Keras would skip it.


def test_tensorboard_has_the_rates_and_the_steps_a_second(tmp_path):
    board = C.TensorBoard(tmp_path, write_graph=False, write_steps_per_second=True)
    fit(game(trainers.GAN, 1, 1, rates=(0.5, 0.25)), board, epochs=1, validation_data=REAL)
    found = {}
    for path in (tmp_path / "train").iterdir():
        for record in tf.data.TFRecordDataset(str(path)):
            for value in event_pb2.Event.FromString(record.numpy()).summary.value:
                found[value.tag] = float(tf.make_ndarray(value.tensor))
    assert found["epoch_learning_rate_generator"] == 0.5
    assert found["epoch_learning_rate_discriminator"] == 0.25
    assert found["epoch_steps_per_second"] > 0 and "epoch_generator_loss" in found


@pytest.mark.parametrize("several", [False, True])
def test_a_list_of_callbacks_takes_the_checks_too(several):
    gan = _plain()
    callbacks = C.EarlyStopping()
    if several:
        callbacks = C.CallbackList([callbacks], model=gan)
    with pytest.raises(ValueError, match="`monitor` of EarlyStopping"):
        gan.fit(DATA, callbacks=callbacks, verbose=0)
