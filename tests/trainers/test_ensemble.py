"""GANEnsemble: each member makes the steps of a GAN alone, and none of another's."""

import csv
import functools
import json
import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import assert_same_weights, largest_difference
from trainers.ensembles import couplings, training
from trainers.ensembles.chunks import state
from trainers.penalties import DRAGAN, HistoricalAveraging
from trainers.stopping import UntilConverged

pytestmark = pytest.mark.xdist_group("ensemble")  # One of them is compiled once for all.

L, C = keras.layers, keras.callbacks
MEMBERS, SEED, POINTS, BATCH = 3, 5, 8, 4
GLOROT = {"kernel_initializer": "glorot_uniform"}  # Large enough to move and to be moved.


@pytest.fixture(autouse=True)
def same_start():
    """As everywhere, but for TensorFlow's seed: with a new one it drops what it has compiled."""
    random.seed(0)
    np.random.seed(0)


@pytest.fixture(autouse=True)
def one_worker(monkeypatch):
    """One chunk of all members at work, on every machine: what is compiled soonest."""
    monkeypatch.setattr(training, "workers", lambda: 1)


def pair(**told):
    """Players of points in the plane, with a few weights."""
    return (
        zoo.MLPGenerator((2,), 2, (4,), output_activation="linear", **GLOROT, **told),
        zoo.MLPDiscriminator((2,), (4,), "relu", input_dropout=0, dropout=0, **GLOROT, **told),
    )


def ensemble(players=None, members=MEMBERS, **settings):
    """An ensemble of small players; not compiled by XLA, for the time."""
    settings = {"seed": SEED, "jit_compile": False, **settings}
    return trainers.GANEnsemble(*(players or pair()), members=members, **settings)


def points(members=MEMBERS, rows=POINTS, seed=0):
    """Data of every member."""
    return np.random.default_rng(seed).normal(1, 1, (members, rows, 2)).astype("float32")


@functools.cache
def _compiled():
    """An ensemble with an average, which is compiled once, and its first state."""
    made = ensemble(ema_decay=0.9)
    return made, [variable.numpy() for variable in state(made)]


def fresh():
    """The ensemble that is compiled once, as it was at first."""
    made, first = _compiled()
    for variable, value in zip(state(made), first, strict=True):
        variable.assign(value)
    made.stop_training = False
    return made


def fit(trainer, data, epochs=2, **arguments):
    """Trains, and returns the history."""
    arguments = {"batch_size": BATCH, "verbose": 0, **arguments}
    return trainer.fit(data, epochs=epochs, **arguments)


def copies(trainer):
    """All numbers of an ensemble."""
    return [variable.numpy() for variable in state(trainer)]


# === Members know nothing of each other ===


def test_data_of_one_member_move_that_one_alone():
    data, other = points(), points()
    other[1] *= 2.0
    results = []
    for x in (data, other):
        made = fresh()
        logs = fit(made, x).members
        results.append((copies(made), logs))
    (first, logs), (second, other_logs) = results
    for a, b in zip(first, second, strict=True):
        if a.ndim:
            np.testing.assert_array_equal(a[[0, 2]], b[[0, 2]])
    assert not np.array_equal(first[0][1], second[0][1])
    for name, values in logs.items():
        np.testing.assert_array_equal(values[:, [0, 2]], other_logs[name][:, [0, 2]])


def test_a_member_that_diverged_is_counted_and_leaves_the_others_alone():
    data = points()
    made = fresh()
    fit(made, data)
    wanted, made = copies(made), fresh()
    weight = made.discriminator.weights[0]
    broken = weight.numpy()
    broken[1] = np.nan
    weight.assign(broken)
    with pytest.warns(UserWarning, match=r"1 members diverged: their weights.*First: \[1\]"):
        history = fit(made, data)
    np.testing.assert_array_equal(made.diverged, [1])
    assert history.history["diverged"] == [1, 1]
    for before, after in zip(wanted, copies(made), strict=True):
        if before.ndim:
            np.testing.assert_array_equal(before[[0, 2]], after[[0, 2]])
    losses = history.members["generator_loss"]
    np.testing.assert_array_equal(np.isnan(losses), [[False, True, False]] * 2)
    means = losses[:, [0, 2]].mean(axis=1)
    np.testing.assert_allclose(history.history["generator_loss"], means, rtol=1e-6)
    with pytest.raises(ValueError, match=r"`members` hold 1 that diverged.*members with \[1\]"):
        made.sample(2, seed=0)
    rest = np.setdiff1d(range(MEMBERS), made.diverged)
    assert np.isfinite(made.sample(2, seed=0, members=rest)).all()


def test_a_member_that_diverged_is_saved_with_the_others(tmp_path):
    made = fresh()
    weight = made.generator.weights[0]
    for lost in ([1], range(MEMBERS)):
        values = weight.numpy()
        values[lost] = np.nan
        weight.assign(values)
        callback = trainers.Checkpoint(tmp_path / f"{len(lost)}.keras")
        callback.set_model(made)
        if len(lost) == MEMBERS:
            with pytest.raises(ValueError, match="The training diverged"):
                callback.save()
        else:
            with pytest.warns(UserWarning, match=r"1 members diverged.*\[1\]"):
                callback.on_train_begin()
                callback.save()
    assert [path.name for path in tmp_path.iterdir()] == ["1.keras"]


# === First weights ===


def test_own_first_weights_follow_from_the_seed_alone():
    first = fresh().get_weights()
    keras.utils.set_random_seed(77)
    again = ensemble(ema_decay=0.9)
    assert largest_difference(first, again.get_weights()) == 0
    other = ensemble(seed=SEED + 1)  # Its members are one further on.
    for a, b in zip(again.generator.weights, other.generator.weights, strict=True):
        np.testing.assert_array_equal(a[1:], b[:-1])
    assert len(np.unique(again.generator.weights[0].numpy(), axis=0)) == MEMBERS


@pytest.mark.parametrize("first_weights", ["own", "shared"])
def test_what_a_user_has_set_is_kept(first_weights):
    generator, discriminator = pair()
    generator.set_output_bias(np.full((4, 2), 3.0))
    made = ensemble((generator, discriminator), first_weights=first_weights)
    for k in range(MEMBERS):
        member = made.member(k)
        np.testing.assert_array_equal(member.generator.get_layer("output").bias, [3.0, 3.0])
        alike = np.array_equal(member.generator.get_weights()[0], generator.get_weights()[0])
        assert alike == (first_weights == "shared")
    if first_weights == "shared":
        assert_same_weights(made.member(2).discriminator, discriminator)


# === A member by itself, and files ===


def test_a_member_goes_on_as_the_ensemble_does():
    made = fresh()
    fit(made, points())
    alone = made.member(1)
    assert type(alone) is trainers.GAN and alone.seed == SEED + 1
    assert int(alone.steps) == int(made.steps) == 4
    np.testing.assert_allclose(
        alone.sample(5, seed=SEED + 1), made.sample(5, seed=SEED)[1], atol=1e-6
    )
    fit(alone, points()[1])
    fit(made, points())
    assert largest_difference(copies(made.member(1)), copies(alone)) < 1e-6


@pytest.mark.parametrize("compiled_anew", [False, pytest.param(True, marks=pytest.mark.long)])
def test_half_of_the_epochs_a_file_and_the_other_half_are_all(tmp_path, compiled_anew):
    whole = fresh()
    fit(whole, points(), epochs=4)
    wanted, half = copies(whole), fresh()
    fit(half, points(), epochs=2)
    half.save(tmp_path / "ensemble.keras")
    loaded = keras.saving.load_model(tmp_path / "ensemble.keras")
    assert type(loaded) is trainers.GANEnsemble and loaded.members == MEMBERS
    for config in ("get_config", "get_compile_config"):
        assert json.dumps(getattr(loaded, config)()) == json.dumps(getattr(half, config)())
    assert largest_difference(copies(half), copies(loaded)) == 0
    np.testing.assert_array_equal(loaded.member_seeds, half.member_seeds)
    if not compiled_anew:
        loaded.workers.update(half.workers)  # What they know of an ensemble is its compilation.
    fit(loaded, points(), epochs=4, initial_epoch=2)
    assert largest_difference(wanted, copies(loaded)) == 0


@pytest.mark.parametrize("number", [-1, MEMBERS, 1.0, None])
def test_there_are_members_from_0_on(number):
    with pytest.raises(ValueError, match=f"`number` is out of range.*number={number}"):
        fresh().member(number)


# === Fit ===


def test_epochs_without_callbacks_are_trained_together(monkeypatch):
    """To the same numbers as one by one."""
    stays = []
    train = training.Training.train
    monkeypatch.setattr(
        training.Training,
        "train",
        lambda self, epochs, done: stays.append(epochs) or train(self, epochs, done),
    )
    results = []
    for callbacks in (None, [C.Callback()]):
        made = fresh()
        results.append((fit(made, points(), epochs=3, callbacks=callbacks).history, copies(made)))
    assert stays == [3, 1, 1, 1]
    assert results[0][0] == results[1][0]
    assert largest_difference(results[0][1], results[1][1]) == 0


def test_history_has_means_quantiles_and_members():
    made = fresh()
    history = fit(made, points(), epochs=3)
    assert history.epoch == [0, 1, 2] and made.history is history
    figures = ["discriminator_fake", "discriminator_loss", "discriminator_real", "generator_loss"]
    assert sorted(history.members) == [*figures, "js_estimate"]
    quantiles = [f"{name}_q{q}" for name in figures[1::2] for q in ("05", "50", "95")]
    assert set(history.history) == {*history.members, *quantiles, "diverged"}
    for name, values in history.members.items():
        assert values.shape == (3, MEMBERS)
        np.testing.assert_allclose(history.history[name], values.mean(axis=1), rtol=1e-6)
    for name in quantiles:
        values = history.members[name[:-4]]
        wanted = np.percentile(values, int(name[-2:]), axis=1)
        np.testing.assert_allclose(history.history[name], wanted, rtol=1e-6)
    assert history.history["diverged"] == [0, 0, 0]
    assert fit(made, points(), epochs=0).members == {}


def test_callbacks_of_epochs_do_their_work(tmp_path):
    made = fresh()
    stopping = C.EarlyStopping("generator_loss", mode="min", min_delta=100, patience=2)
    log = C.CSVLogger(tmp_path / "log.csv")
    seen = []
    watch = C.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, dict(logs))))
    history = fit(made, points(), epochs=9, callbacks=[log, watch, stopping]).history
    assert stopping.stopped_epoch == 2 and len(history["generator_loss"]) == 3
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    for name, values in history.items():
        assert [float(row[name]) for row in rows] == pytest.approx(values)
        assert [logs[name] for _, logs in seen] == values


def test_a_callback_may_stop_the_training():
    class Stop(C.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    made = fresh()
    assert fit(made, points(), epochs=9, callbacks=[Stop()]).epoch == [0, 1]
    assert int(made.steps) == 4
    assert fit(made, points(), epochs=1).epoch == [0]  # It begins anew.


def test_what_is_logged_can_be_monitored():
    for monitor in ("generator_loss_q50", "discriminator_loss_q95", "diverged"):
        made, stopping = fresh(), C.EarlyStopping(monitor, mode="min", min_delta=99, patience=1)
        assert fit(made, points(), epochs=5, callbacks=[stopping]).epoch == [0, 1]


class Halved(C.Callback):
    """Sets weights after each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        for weight in self.model.generator.weights:
            weight.assign(weight / 2.0)


def test_what_callbacks_set_is_heeded():
    made = fresh()
    alone = made.member(1)
    rates = C.LearningRateScheduler(lambda epoch, rate: 0.5 / (epoch + 1))
    for one, data in ((alone, points()[1]), (made, points())):
        fit(one, data, epochs=3, callbacks=[Halved(), rates])
        for optimizer in one.optimizers:
            assert float(optimizer.learning_rate.numpy()) == pytest.approx(0.5 / 3)
    assert largest_difference(copies(made.member(1)), copies(alone)) < 1e-5


def test_a_backup_goes_on_with_the_epoch_that_comes_next(tmp_path):
    class Broken(C.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    made = fresh()
    fit(made, points(), epochs=4)
    wanted, backup = copies(made), tmp_path / "backup"
    with pytest.raises(KeyboardInterrupt):
        fit(fresh(), points(), epochs=4, callbacks=[C.BackupAndRestore(backup), Broken()])
    made = fresh()
    history = fit(made, points(), epochs=4, callbacks=[C.BackupAndRestore(backup)])
    assert history.epoch in ([2, 3], [3])
    assert largest_difference(wanted, copies(made)) == 0


def test_data_in_their_order_begin_with_their_first_batch():
    """In each epoch, whatever a member has seen before."""
    made = fresh()
    made.steps.assign(1)  # After an epoch of an odd number of batches.
    alone = made.member(1)
    fit(made, points(), shuffle=False)
    fit(alone, points()[1], shuffle=False)
    assert largest_difference(copies(made.member(1)), copies(alone)) < 1e-5


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_bar_counts_chunks(capsys, monkeypatch, verbose):
    monkeypatch.setenv("COLUMNS", "80")
    fit(fresh(), points(), verbose=verbose)
    said = capsys.readouterr().out
    assert "Epoch 1/2" in said and "Epoch 2/2" in said
    assert said.count("1/1") >= 2 and "g_loss" in said


# === Refusals ===


CONSTRUCTED = {
    "members": ({"members": 0}, "`members` is.*positive.*members=0"),
    "first_weights": ({"first_weights": "mine"}, "`first_weights` is unknown.*'own', 'shared'"),
    "schedule": ({"schedule": "both"}, "`schedule` is unknown.*schedule='both'"),
    "stopping rule": (
        {"discriminator_steps": UntilConverged()},
        "`discriminator_steps` is a stopping rule.*Expected an int",
    ),
    "argument": (
        {"generator_optimiser": "sgd"},
        "`generator_optimiser` is no argument of GANEnsemble; did you mean 'generator_optimizer'",
    ),
    "seed": ({"seed": 2**63 - 2}, "`seed` is out of range.*members=3"),
}


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_arguments_that_make_no_ensemble(name):
    arguments, message = CONSTRUCTED[name]
    with pytest.raises(ValueError, match=message):
        ensemble(**arguments)


def test_layers_that_cannot_be_stacked_are_named():
    players = zoo.DCGANGenerator((8, 8, 1), 2, 2), zoo.DCGANDiscriminator((8, 8, 1), 2)
    with pytest.raises(ValueError, match="`generator` has a layer that cannot be stacked"):
        ensemble(players)


def test_members_that_do_not_fit_into_memory(monkeypatch):
    monkeypatch.setattr(couplings, "free_memory", lambda: 4_000_000)
    weights = sum(player.count_params() for player in pair())
    most = 4_000_000 // (weights * 4 * 6)
    message = (
        f"`members` are too many.*: 1,000,000 members of {weights} weights.*"
        f"Expected at most {most:,} members.*members=1000000"
    )
    with pytest.raises(ValueError, match=message):
        ensemble(members=1_000_000)


FITTED = {
    "leading axis": (
        lambda: {"x": points(members=2)},
        r"`x` has another number of members.*Expected 3.*x of shape \(2, 8, 2\)",
    ),
    "NaN": (
        lambda: {"x": np.where(np.arange(MEMBERS)[:, None, None] == 1, np.nan, points())},
        "`x` holds NaN.*bad values in the data of 1 members, first member 1",
    ),
    "argument": (
        lambda: {"x": points(), "validation_data": points()},
        "`validation_data` is no argument of GANEnsemble.fit",
    ),
    "data set": (
        lambda: {"x": tf.data.Dataset.from_tensor_slices(points()[0]).batch(4)},
        "`x` is no array.*Received: x of type",
    ),
    "nothing": (lambda: {}, "`x` is no array.*Received: x of type NoneType"),
    "batch size": (
        lambda: {"x": points(rows=10), "batch_size": 4, "shuffle": False},
        "`batch_size` does not divide.*Expected a divisor of 10, or shuffle=True.*batch_size=4",
    ),
    "epochs": (lambda: {"x": points(), "epochs": -1}, "`epochs` is out of range.*epochs=-1"),
    "verbose": (lambda: {"x": points(), "verbose": "loud"}, "`verbose` is unknown.*'loud'"),
    "shuffle": (lambda: {"x": points(), "shuffle": "batch"}, "`shuffle` is no bool.*'batch'"),
    "steps": (
        lambda: {"x": points(), "steps_per_epoch": 0},
        "`steps_per_epoch` is.*positive.*steps_per_epoch=0",
    ),
    "callback": (
        lambda: {"x": points(), "callbacks": [3]},
        "`callbacks` holds what is no callback",
    ),
    "monitor": (
        lambda: {"x": points(), "callbacks": [C.EarlyStopping("loss")]},
        "`monitor` of EarlyStopping is not logged",
    ),
    "grid": (
        lambda: {"x": points(), "callbacks": [trainers.SampleGrid("never")]},
        "`callbacks` holds a SampleGrid that looks at one generator",
    ),
    "steps of a checkpoint": (
        lambda: {"x": points(), "callbacks": [trainers.Checkpoint("never.keras", every_steps=1)]},
        "`callbacks` holds a Checkpoint that.*counts single steps",
    ),
}


@pytest.mark.parametrize("name", FITTED)
def test_what_fit_refuses_leaves_the_ensemble(name):
    arguments, message = FITTED[name]
    made = fresh()
    before = copies(made)
    with pytest.raises(ValueError, match=message):
        made.fit(**{"verbose": 0, **arguments()})
    assert largest_difference(before, copies(made)) == 0


COMPILED = {
    "objective": ({"objective": "relativistic_average"}, "`objective` mixes the examples"),
    "DRAGAN": (
        {"discriminator_penalties": DRAGAN()},
        "`discriminator_penalties` holds a DRAGAN.*Expected some of R1, R2, GradientPenalty",
    ),
    "history": (
        {"generator_penalties": HistoricalAveraging()},
        "`generator_penalties` holds a HistoricalAveraging",
    ),
    "norm": (
        {"generator_optimizer": keras.optimizers.Adam(clipnorm=1.0)},
        "`generator_optimizer` would let members move each other.*Adam with clipnorm",
    ),
    "norm of all": (
        {"discriminator_optimizer": keras.optimizers.SGD(global_clipnorm=1.0)},
        "`discriminator_optimizer` would.*SGD with global_clipnorm",
    ),
    "loss scale": (
        {"generator_optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())},
        "`generator_optimizer` would.*Received: generator_optimizer=LossScaleOptimizer",
    ),
    "Lamb": (
        {"generator_optimizer": keras.optimizers.Lamb()},
        "`generator_optimizer` would.*generator_optimizer=Lamb",
    ),
    "name": ({"objective": "non-saturated"}, "`objective` is unknown"),
    "average": ({"ema_decay": 1.0}, "`ema_decay` is out of range"),
}


@pytest.mark.parametrize("name", COMPILED)
def test_what_compile_refuses_leaves_the_ensemble(name):
    arguments, message = COMPILED[name]
    made = fresh()
    before = made._compilation
    with pytest.raises(ValueError, match=message):
        made.compile(**arguments)
    assert made._compilation is before
    assert fit(made, points(), epochs=1).epoch == [0]


@pytest.mark.parametrize(
    "method", ["evaluate", "predict", "predict_on_batch", "train_on_batch", "test_on_batch"]
)
def test_methods_of_one_gan_are_refused(method):
    message = rf"`{method}` is of one GAN.*ensemble of 3.*Expected member\(i\).{method}"
    with pytest.raises(ValueError, match=message):
        getattr(fresh(), method)(points())
