"""The table of f-divergences, formula by formula, and what a name makes."""

import re

import numpy as np
import pytest
import scipy.special
import tensorflow as tf

from trainers import divergences


def _evaluated(formula, **names):
    """The number that a formula of the table gives, in float64."""
    expression, *definition = re.split(r", (?=\w = )", formula)
    functions = {
        "log": np.log,
        "sqrt": np.sqrt,
        "abs": abs,
        "sign": np.sign,
        "tanh": np.tanh,
        "max": max,
        "W": lambda x: scipy.special.lambertw(x).real,
        "e": np.e,
        **names,
    }

    def python(words):
        words = words.replace("^", "**")
        words = re.sub(r"(?<=[\w)]) +(?=[A-Za-z(])", " * ", words)  # `u log(u)` is a product.
        return re.sub(r"\* \*(?!\*)", "*", words)

    for name, value in (words.split(" = ") for words in definition):
        functions[name] = eval(python(value), {}, functions)
    return eval(python(expression), {}, functions)


@pytest.mark.parametrize("row", divergences.TABLE, ids=lambda row: row.name)
def test_the_table_says_what_the_classes_compute(row):
    """Every cell by itself, in float64, on both sides of p = q."""
    parameters = {"alpha": [{"alpha": 0.3}, {"alpha": 1.7}, {"alpha": -0.6}]}
    parameters["weighted_jensen_shannon"] = [{"pi": 0.3}]
    for given in parameters.get(row.name, [{}]):
        divergence = divergences.get(row.name, **given)
        names = {"pi": given.get("pi"), "a": given.get("alpha")}
        activation = row.activation
        if row.name == "alpha":
            below, above = activation.split("; a>1: ")
            activation = above if given["alpha"] > 1 else below
        for x in (-0.7, -0.2, 0.4, 1.1):
            u, x64 = tf.constant(np.exp(x), "float64"), tf.constant(x, "float64")
            t = divergence.optimal_critic(x64)
            cells = [
                (row.f, divergence.f(u), {"u": np.exp(x)}),
                (row.optimal_critic, t, {"r": x}),
                (activation, divergence.activation(x64), {"v": x}),
                (row.conjugate, divergence.conjugate(t), {"t": float(t)}),
            ]
            for formula, found, values in cells:
                expected = _evaluated(formula, **names, **values)
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
        assert abs(_evaluated(row.threshold) - divergence.threshold) < 1e-15


def test_the_table_has_every_divergence_once():
    assert [row.name for row in divergences.TABLE] == list(divergences.DIVERGENCES)
    assert all(row.name in divergences.as_text() for row in divergences.TABLE)


@pytest.mark.parametrize(
    "name, parameters, message",
    [
        ("jefrey", {}, "did you mean 'jeffrey'.*divergence='jefrey'"),
        (3, {}, "divergence=3"),
        ("kl", {"alpha": 2}, r"`parameters` are not those of 'kl'.*parameters={'alpha': 2}"),
        ("alpha", {}, r"Expected \['alpha'\].*parameters={}"),
        ("alpha", {"alpha": 0}, "'reverse_kl', the limit at 0.*alpha=0"),
        ("alpha", {"alpha": 1.0}, "'kl', the limit at 1.*alpha=1.0"),
        ("alpha", {"alpha": np.nan}, "alpha=nan"),
        ("weighted_jensen_shannon", {"pi": np.pi}, r"in \(0, 1\).*pi=3.14"),
        ("weighted_jensen_shannon", {"pi": 0}, "pi=0"),
    ],
)
def test_errors(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        divergences.get(name, **parameters)
