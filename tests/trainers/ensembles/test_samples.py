"""Samples of many members: those that each member would draw by itself."""

import functools

import numpy as np
import pytest

import zoo
from tests.trainers.test_ensemble import (  # noqa: F401 - Two of them are fixtures.
    GLOROT,
    MEMBERS,
    SEED,
    ensemble,
    fit,
    fresh,
    one_worker,
    pair,
    points,
    same_start,
)
from trainers.ensembles import samples

pytestmark = pytest.mark.xdist_group("ensemble")

COUNT = 5


def _pictures():
    generator = zoo.MLPGenerator((2, 2, 1), 2, (4,), "tanh", "tanh", **GLOROT)
    return generator, zoo.MLPDiscriminator((2, 2, 1), (4,))


PLAYERS = {
    "plain": pair,
    "labels": lambda: pair(num_classes=3),
    "conditions": lambda: pair(num_conditions=2),
    "pictures": _pictures,
}


@functools.cache
def _made(name):
    """Before any step: its members have first weights of their own."""
    return ensemble(PLAYERS[name]())


def _check_alone(made, tolerance=1e-6, **arguments):
    together = made.sample(COUNT, seed=7, **arguments)
    alone = made.member(2).sample(COUNT, seed=7 + 2, **arguments)
    assert together[2].dtype == alone.dtype and together[2].shape == alone.shape
    np.testing.assert_allclose(together[2], alone, rtol=1e-6, atol=tolerance)
    assert len(np.unique(together.reshape(MEMBERS, -1), axis=0)) == MEMBERS
    return together


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("plain", {}),
        ("plain", {"truncation": 0.5}),
        ("labels", {"labels": [0, 1, 2, 0, 1]}),
        ("labels", {"labels": 2}),
        ("conditions", {"conditions": [0.5, -1.0]}),
        ("conditions", {"conditions": np.linspace(-1, 1, 2 * COUNT).reshape(COUNT, 2)}),
        ("pictures", {"as_float": True}),
    ],
)
def test_samples_are_those_of_each_member(name, arguments):
    _check_alone(_made(name), **arguments)


def test_pictures_are_bytes():
    assert _check_alone(_made("pictures"), tolerance=1).dtype == np.uint8  # Rounding.


def test_samples_are_drawn_by_the_average():
    made = fresh()
    fit(made, points())
    drawn = _check_alone(made)
    moved = made.member(2).generator.sample(COUNT, seed=7 + 2)
    assert np.abs(drawn[2] - moved).max() > 1e-6


def test_xla_draws_alike():
    made = ensemble(jit_compile=True)
    wanted = _made("plain").sample(COUNT, seed=7)
    np.testing.assert_allclose(made.sample(COUNT, seed=7), wanted, atol=1e-5)


@pytest.mark.parametrize(
    "members", [[1], [2, 0], np.array([1, 1]), slice(1, None), [-1], np.array([True, False, True])]
)
def test_some_members_draw_what_they_draw_among_all(members):
    made = _made("plain")
    wanted = made.sample(COUNT, seed=7)[members]
    np.testing.assert_allclose(made.sample(COUNT, seed=7, members=members), wanted, rtol=1e-6)


@pytest.mark.parametrize("numbers", [1, 2 * COUNT * 4])
def test_members_are_computed_some_at_a_time(monkeypatch, numbers):
    made = _made("plain")
    wanted = made.sample(COUNT, seed=7)
    assert made.widest == 4
    monkeypatch.setattr(samples, "NUMBERS", numbers)
    np.testing.assert_allclose(made.sample(COUNT, seed=7), wanted, rtol=1e-6)
    assert (max(1, numbers // (COUNT * 4)), COUNT, None) in made.samplers


def test_a_seed_draws_the_same_again_and_none_draws_anew():
    made = _made("plain")
    np.testing.assert_array_equal(made.sample(COUNT, seed=7), made.sample(COUNT, seed=7))
    first, second = made.sample(COUNT), made.sample(COUNT)
    assert not np.array_equal(first, second)
    larger = made.sample(COUNT, seed=8)[:-1]  # Member i + 1 of one seed is member i of the next.
    assert not np.array_equal(larger, made.sample(COUNT, seed=7)[1:])  # Its weights are its own.


def test_a_compiled_sampler_has_the_weights_of_now():
    made = _made("plain")
    before = made.sample(COUNT, seed=7)
    bias = made.generator.weights[-1]
    kept = bias.numpy()
    bias.assign(kept + 1.0)
    after = made.sample(COUNT, seed=7)
    bias.assign(kept)
    np.testing.assert_allclose(after, before + 1.0, rtol=1e-5)


# === Refusals ===

REFUSED = {
    "count": ("plain", {"count": 0}, "`count` is.*positive.*count=0"),
    "truncation": ("plain", {"truncation": 0}, "`truncation` is not positive"),
    "no labels": ("labels", {}, "`labels` are missing"),
    "labels": ("labels", {"labels": [0, 1, 3, 0, 0]}, "`labels` are out of range"),
    "number of labels": ("labels", {"labels": [0, 1]}, "`labels` do not match.*Expected 5"),
    "labels of nobody": ("plain", {"labels": 1}, "`labels` are given, and the generator has none"),
    "conditions": ("conditions", {"conditions": [1.0]}, "`conditions` have another shape"),
    "no member": ("plain", {"members": []}, "`members`"),
    "another member": ("plain", {"members": [MEMBERS]}, "`members`"),
    "a number": ("plain", {"members": 1}, "`members`"),
    "a half": ("plain", {"members": [0.5]}, "`members`"),
    "seed": ("plain", {"seed": 1.5}, "`seed` is not an integer.*seed=1.5"),
    "last seed": ("plain", {"seed": 2**63 - 1}, "`seed` is out of range"),
    "seeds": ("plain", {"seed": [1, 2, 3]}, "`seed` is not an integer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    players, arguments, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        _made(players).sample(**{"count": COUNT, "seed": SEED, **arguments})
