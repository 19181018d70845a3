"""Chunks: some members at a time make the steps of all of them together."""

import numpy as np
import pytest

from tests.helpers import largest_difference
from tests.trainers.test_ensemble import (  # noqa: F401 - Two of them are fixtures.
    BATCH,
    MEMBERS,
    copies,
    fit,
    fresh,
    one_worker,
    pair,
    points,
    same_start,
)
from trainers.ensembles import data, training
from trainers.ensembles.chunks import state
from zoo.players.sampling import traits

pytestmark = pytest.mark.xdist_group("ensemble")

EPOCHS, STEPS = 2, 2


def _whole():
    """An ensemble that was trained, its history by members, and the worker that did it."""
    made = fresh()
    logs = fit(made, points(), epochs=EPOCHS).members
    (worker,) = made.workers[MEMBERS, True]
    return made, logs, worker


def _data():
    return data.checked(traits(pair()[0]), MEMBERS, points(), None, BATCH, True)


@pytest.mark.long
@pytest.mark.parametrize(
    "chunks, settings",
    [
        ([2, 1], {"workers": lambda: 2}),
        ([1, 1, 1], {"CACHE": 1}),
        ([1, 1, 1], {"workers": lambda: 3}),
    ],
)
def test_chunks_of_every_size_make_the_same_steps(monkeypatch, chunks, settings):
    """By one worker or several; the last chunk may not be full."""
    wanted, logs, _ = _whole()
    wanted = copies(wanted)
    for name, value in settings.items():
        monkeypatch.setattr(training, name, value)
    made = fresh()
    parts = training.Training(made, _data(), STEPS).parts
    assert [part.stop - part.start for part in parts] == chunks
    trained = fit(made, points(), epochs=EPOCHS).members
    assert largest_difference(wanted, copies(made)) < 1e-6
    for name, values in logs.items():
        np.testing.assert_allclose(trained[name], values, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("some", [slice(0, 2), slice(1, 3), slice(1, 2)])
def test_members_that_are_not_of_a_chunk_stay_as_they_are(some):
    made, logs, worker = _whole()
    wanted = copies(made)
    arrays = copies(fresh())
    before = [array.copy() for array in arrays]
    seeds = made.member_seeds.numpy()
    figures = worker.train(arrays, some, seeds, _data(), [STEPS] * EPOCHS)
    others = np.setdiff1d(np.arange(MEMBERS), np.arange(MEMBERS)[some])
    for array, first, last in zip(arrays, before, wanted, strict=True):
        if array.ndim:
            np.testing.assert_array_equal(array[others], first[others])
            np.testing.assert_allclose(array[some], last[some], atol=1e-6)
        else:  # Counters are of all: the ensemble sets them.
            np.testing.assert_array_equal(array, first)
    shared = worker.shared()
    assert {k for k, array in enumerate(arrays) if not array.ndim} == set(shared)
    for k, value in shared.items():
        np.testing.assert_array_equal(value, wanted[k])
    for epoch, named in enumerate(figures):
        for name, values in named.items():
            np.testing.assert_allclose(values, logs[name][epoch, some], atol=1e-6, err_msg=name)


def test_a_chunk_has_the_state_of_its_ensemble():
    made, _, worker = _whole()
    for own, every in zip(worker.state, state(made), strict=True):
        assert own.shape == every.shape and own.dtype == every.dtype
    kept = {id(variable) for variable in state(made)}
    for model in (made.generator, made.discriminator, made.ema_generator):
        assert kept >= {id(variable) for variable in model.variables}
    for optimizer in made.optimizers:
        assert kept >= {id(variable) for variable in optimizer.variables}
