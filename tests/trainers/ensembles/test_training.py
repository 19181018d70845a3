"""The training of an ensemble: its figures, the size of its chunks, and what ends it early."""

import os
import time
import types

import keras
import numpy as np
import pytest

from tests.helpers import largest_difference
from tests.trainers.test_ensemble import (  # noqa: F401 - Two of them are fixtures.
    BATCH,
    MEMBERS,
    SEED,
    copies,
    ensemble,
    fit,
    fresh,
    one_worker,
    points,
    same_start,
)
from trainers.ensembles import couplings, training
from trainers.ensembles.chunks import Worker, state

pytestmark = pytest.mark.xdist_group("ensemble")

CORES = training.workers  # Before the fixture has its say.

# === Figures ===


def _figures(members=40):
    rng = np.random.default_rng(0)
    names = ("generator_loss", "discriminator_loss", "discriminator_real")
    return {name: rng.normal(size=members).astype("float32") for name in names}


def _check_log(log, figures, kept):
    assert list(log)[-1] == "diverged" and all(
        type(value) in (int, float) for value in log.values()
    )
    for name, values in figures.items():
        values = values[kept].astype("float64")
        assert log[name] == pytest.approx(values.mean(), rel=1e-6)
        for q in (5, 50, 95):
            named = f"{name}_q{q:02d}"
            assert (named in log) == name.endswith("_loss")
            if named in log:
                assert log[named] == pytest.approx(np.percentile(values, q), rel=1e-5)


def test_a_log_has_means_and_quantiles_over_members():
    figures = _figures()
    log = training.log(figures)
    _check_log(log, figures, slice(None))
    assert log["diverged"] == 0


def test_members_that_diverged_are_left_out_of_every_figure():
    figures = _figures()
    figures["generator_loss"][3] = np.nan
    figures["discriminator_real"][[3, 7]] = np.inf
    figures["discriminator_loss"][9] = -np.inf
    log = training.log(figures)
    _check_log(log, figures, np.setdiff1d(np.arange(40), [3, 7, 9]))
    assert log["diverged"] == 3


def test_where_all_members_diverged_the_figures_say_so():
    log = training.log({"generator_loss": np.array([np.nan, np.inf, -np.inf], "float32")})
    assert log.pop("diverged") == 3
    assert not any(np.isfinite(value) for value in log.values())


# === Chunks ===


def test_as_many_chunks_are_at_work_as_there_are_cores():
    assert CORES() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("cores", [1, 2, 3, 8])
@pytest.mark.parametrize("cache", [1, 2000, 2**20])
@pytest.mark.parametrize("members", [1, 3, 10, 1000])
def test_the_size_of_a_chunk(monkeypatch, cores, cache, members):
    monkeypatch.setattr(training, "workers", lambda: cores)
    monkeypatch.setattr(training, "CACHE", cache)
    made = fresh()
    players = [made.generator.player, made.discriminator.player]
    weights = sum(player.count_params() for player in players)
    widths = sum(sum(couplings.widths(player)) for player in players)
    largest = max(1, cache // (4 * weights + 2 * BATCH * widths))

    many = types.SimpleNamespace(
        generator=made.generator, discriminator=made.discriminator, members=members
    )
    size = training.chunk_size(many, BATCH)
    assert 1 <= size <= min(members, largest)  # It fits.
    fewest = -(-members // min(members, largest))
    chunks = -(-members // size)
    assert fewest <= chunks
    if size > 1:  # Each core has as many, and none waits for the last.
        assert chunks <= -(-fewest // cores) * cores


class Stub:
    """In a worker's place: what it makes of a member is plain to see, and it takes its time."""

    def __init__(self, ensemble, size, own_rows):
        self.size, self.busy, self.calls = size, False, []

    def train(self, arrays, members, seeds, data, runs):
        assert not self.busy and members.stop - members.start <= self.size
        self.busy = True
        self.calls.append(members)
        time.sleep(0.01)
        for array in arrays:
            if array.ndim:
                array[members] = seeds[members].reshape(-1, *(1 for _ in array.shape[1:]))
        self.busy = False
        return [{"generator_loss": seeds[members] + steps} for steps in runs]

    def shared(self):
        return {self.steps: np.array(7)}


@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize("cache", [1, 2**20])
def test_workers_share_all_chunks(monkeypatch, cores, cache):
    """Each member is trained once, and what comes of it is put where it belongs."""
    made = ensemble(members=5)
    Stub.steps = len(state(made)) - 1
    for name, value in (("Worker", Stub), ("CACHE", cache), ("workers", lambda: cores)):
        monkeypatch.setattr(training, name, value)
    game = training.Training(made, types.SimpleNamespace(own=True, batch_size=BATCH), 2)
    done = []
    figures = game.train(3, done.append)
    size = 1 if cache == 1 else -(-5 // cores)
    assert len(game.workers) == min(cores, -(-5 // size))
    parts = [part for worker in game.workers for part in worker.calls]
    assert sorted(k for part in parts for k in range(5)[part]) == list(range(5))
    assert done == list(range(len(parts))) == list(range(-(-5 // size)))
    for variable in state(made)[:-1]:
        if len(variable.shape):
            np.testing.assert_array_equal(variable, np.ones(variable.shape) * _column(variable))
    assert int(made.steps) == 7
    assert len(figures) == 3
    np.testing.assert_array_equal(game.history()["generator_loss"], [SEED + np.arange(5) + 2] * 3)


def _column(variable):
    """The seed of each member, as many axes as a variable has."""
    return (SEED + np.arange(5)).reshape(-1, *(1 for _ in variable.shape[1:]))


# === Trainings that end early ===


def test_what_was_interrupted_is_as_it_was():
    class Interrupted(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    made = fresh()
    before = copies(made)
    with pytest.raises(KeyboardInterrupt):
        fit(made, points(), callbacks=[Interrupted()])
    assert largest_difference(before, copies(made)) == 0
    fit(made, points())
    after, made = copies(made), fresh()
    fit(made, points())
    assert largest_difference(after, copies(made)) == 0


def test_what_fails_in_a_chunk_is_raised(monkeypatch):
    made = fresh()
    fit(made, points())
    before = copies(made)
    train = Worker.train

    def failing(self, *args):
        train(self, *args)
        raise MemoryError("no room")

    with monkeypatch.context() as patch, pytest.raises(MemoryError, match="no room"):
        patch.setattr(Worker, "train", failing)
        fit(made, points())
    assert largest_difference(before, copies(made)) == 0
    fit(made, points())  # No worker was lost.
    assert int(made.steps) == 8


def test_figures_of_several_stays_are_one_history():
    at_once, made = fit(fresh(), points(), epochs=3).members, fresh()
    logs = [fit(made, points(), epochs=k + 1, initial_epoch=k).members for k in range(3)]
    for name, values in at_once.items():
        assert values.shape == (3, MEMBERS) and values.dtype == np.float32
        np.testing.assert_array_equal(np.concatenate([log[name] for log in logs]), values)
