"""Batched minimisation: SciPy's answers, every row on its own, and what a call counts."""

import numpy as np
import pytest
from scipy import optimize

from zoo.latents import lbfgs


def rosenbrock(x):
    """Values and gradients of the banana valley in any dimension."""
    a, b = x[:, :-1], x[:, 1:]
    values = np.sum(100 * (b - a**2) ** 2 + (1 - a) ** 2, axis=1)
    gradients = np.zeros_like(x)
    gradients[:, :-1] = -400 * a * (b - a**2) - 2 * (1 - a)
    gradients[:, 1:] += 200 * (b - a**2)
    return values, gradients


def test_the_banana_valley():
    x = np.random.default_rng(0).normal(size=(20, 4))
    found = lbfgs.lbfgs(rosenbrock, x, 200)
    for row, start in zip(found, x, strict=True):  # Some starts end in the valley's other minimum.
        expected = optimize.minimize(
            lambda v: rosenbrock(v[None])[0][0],
            row,
            jac=lambda v: rosenbrock(v[None])[1][0],
            method="BFGS",
            options={"gtol": 1e-9},
        ).x
        np.testing.assert_allclose(row, expected, atol=1e-6)
        assert rosenbrock(row[None])[0] <= rosenbrock(start[None])[0]
    assert np.mean(np.abs(found - 1).max(1) < 1e-6) > 0.7


def test_quadratics_to_the_solution_of_their_equations():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(30, 12, 8)), rng.normal(size=(30, 12))

    def function(x):
        residual = np.einsum("nij,nj->ni", a, x) - b
        return np.sum(residual**2, 1), 2 * np.einsum("nij,ni->nj", a, residual)

    found = lbfgs.lbfgs(function, np.zeros((30, 8)), 100)
    expected = [np.linalg.lstsq(*problem, rcond=None)[0] for problem in zip(a, b, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_kinks_come_close_to_the_linear_programs_optimum():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 12, 6)), rng.normal(size=(20, 12))

    def function(x):
        residual = np.einsum("nij,nj->ni", a, x) - b
        return np.abs(residual).sum(1), np.einsum("nij,ni->nj", a, np.sign(residual))

    found, _ = function(lbfgs.lbfgs(function, np.zeros((20, 6)), 400))
    cost = np.concatenate([np.zeros(6), np.ones(12)])
    for i in range(20):  # min sum u, with -u <= a x - b <= u.
        sides = np.block([[a[i], -np.eye(12)], [-a[i], -np.eye(12)]])
        bounds = [(None, None)] * 6 + [(0, None)] * 12
        lowest = optimize.linprog(cost, sides, np.concatenate([b[i], -b[i]]), bounds=bounds).fun
        assert lowest * (1 - 1e-9) <= found[i] < 1.1 * lowest


def test_a_row_that_forgets_goes_straight_down():
    rng = np.random.default_rng(1)
    memory, gradients = lbfgs._Memory(2, 3), rng.normal(size=(2, 3))
    steps = rng.normal(size=(2, 3))
    memory.add(np.array([True, True]), steps, steps * [1.0, 2.0, 3.0])
    before = memory.direction(gradients)
    memory.forget(np.array([True, False]))
    after = memory.direction(gradients)
    np.testing.assert_allclose(after[0], -gradients[0] / np.linalg.norm(gradients[0]))
    np.testing.assert_array_equal(after[1], before[1])
    assert not np.allclose(before[0], after[0])


def test_a_row_that_finds_no_way_down_forgets_and_tries_long_steps_again(monkeypatch):
    forgotten, trials = [], []
    monkeypatch.setattr(lbfgs._Memory, "forget", lambda self, rows: forgotten.append(rows[0]))

    def function(x):  # 1 everywhere but at the start.
        trials.append(x[0, 0])
        return np.array([float(len(trials) > 1)]), np.ones((1, 1))

    np.testing.assert_array_equal(lbfgs.lbfgs(function, np.zeros((1, 1)), 40), 0.0)
    lengths = np.abs(trials[1:])
    restart = np.flatnonzero(forgotten)[0]
    assert np.all(np.diff(lengths[: restart + 1]) < 0) and lengths[restart] < 1e-8
    assert lengths[restart + 1] == lengths[0] == 1.0


@pytest.mark.parametrize("method", [lbfgs.adam, lbfgs.lbfgs])
def test_rows_do_not_touch_each_other(method):
    x = np.random.default_rng(2).normal(size=(6, 3))
    together = method(rosenbrock, x, 40)
    for i in range(6):
        np.testing.assert_allclose(method(rosenbrock, x[i : i + 1], 40)[0], together[i], atol=1e-9)


def test_a_row_that_is_nowhere_finite_stays_and_spoils_no_other():
    def function(x):
        values, gradients = rosenbrock(x)
        values[0], gradients[0] = np.nan, np.nan
        return values, gradients

    x = np.random.default_rng(3).normal(size=(3, 2))
    found = lbfgs.lbfgs(function, x, 60)
    np.testing.assert_array_equal(found[0], x[0])
    np.testing.assert_allclose(found[1:], 1.0, atol=1e-5)


@pytest.mark.parametrize("method", [lbfgs.adam, lbfgs.lbfgs])
def test_a_minimum_is_kept(method):
    np.testing.assert_array_equal(method(rosenbrock, np.ones((2, 3)), 5), 1.0)


def test_adam_is_algorithm_1_of_its_paper():
    def function(x):  # As flat as epsilon, so that it shows to which root epsilon is added.
        return np.sum(np.cosh(x), 1) * 1e-7, np.sinh(x) * 1e-7

    x = np.array([[1.0, -2.0]])
    first, second, expected = 0.0, 0.0, x
    for t in range(1, 8):
        gradient = np.sinh(expected) * 1e-7
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        last = expected
        corrected = first / (1 - 0.9**t), second / (1 - 0.999**t)
        expected = expected - 0.1 * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    # It goes down all the way, so the best point is the last one that was evaluated.
    np.testing.assert_allclose(lbfgs.adam(function, x, 7), last, rtol=1e-12)


def test_adam_returns_the_best_point_that_it_saw():
    seen = []

    def function(x):
        seen.append((np.sum(np.abs(x), 1)[0], x[0]))
        return np.sum(np.abs(x), 1), np.sign(x)

    found = lbfgs.adam(function, np.array([[0.25, -0.31]]), 50)[0]
    np.testing.assert_array_equal(found, min(seen, key=lambda pair: pair[0])[1])


@pytest.mark.parametrize("steps", [2, 7])
@pytest.mark.parametrize("method", [lbfgs.adam, lbfgs.lbfgs])
def test_a_step_is_one_call(method, steps):
    calls = []

    def function(x):
        calls.append(1)
        return rosenbrock(x)

    method(function, np.zeros((2, 3)), steps)
    assert len(calls) == steps
