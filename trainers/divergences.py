"""f-divergences, their conjugates and the activations of f-GAN (Nowozin et al., 2016).

`D_f(P || Q) = E_Q f(p/q) = sup_T E_P T - E_Q f*(T)` over functions T into the domain of the convex
conjugate `f*(t) = sup_u t u - f(u)`. The discriminator's output v enters as `T = g_f(v)`. `p` is
the density of the data, `q` the generator's, `u = p/q` and `r = log u`. `TABLE` has the formulas of
all; the classes are in `trainers.divergence_forms` and `trainers.alpha_divergence`.
"""

import inspect
from typing import NamedTuple

import keras

from trainers import other_names
from trainers.alpha_divergence import AlphaDivergence
from trainers.divergence_forms import (
    KL,
    Divergence,
    GANDivergence,
    Jeffrey,
    JensenShannon,
    Neyman,
    Pearson,
    ReverseKL,
    SquaredHellinger,
    TotalVariation,
    WeightedJensenShannon,
)
from trainers.divergence_forms import (
    Domain as Domain,
)
from zoo.validation import nearest


class Row(NamedTuple):
    """The formulas of one divergence, to be read beside the others.

    `e^x` is the exponential and `W` Lambert's function; `, m = ...` says what m is. f* is given in
    its domain; `a` is alpha, and for a > 1 the conjugate is -1/a where b < 0. For 0.8 <= a < 1 the
    activation is that of `LOG_RATIO`, and `alpha_divergence` says why.

    Attributes:
        name: str. What `get` knows it by.
        f: `f(u)`.
        optimal_critic: `T*(r) = f'(e^r)`.
        threshold: `f'(1)`.
        activation: `g_f(v)`.
        conjugate: `f*(t)`.
    """

    name: str
    f: str
    optimal_critic: str
    threshold: str
    activation: str
    conjugate: str


# fmt: off
TABLE = (
    Row("kl", "u log(u)", "1 + r", "1", "v", "e^(t-1)"),
    Row("reverse_kl", "-log(u)", "-e^(-r)", "-1", "-e^(-v)", "-1 - log(-t)"),
    Row("pearson", "(u-1)^2", "2 (e^(r) - 1)", "0", "v", "m^2/4 + m, m = max(t, -2)"),
    Row("neyman", "(1-u)^2 / u", "1 - e^(-2 r)", "0", "1 - e^(-v)", "2 - 2 sqrt(1-t)"),
    Row("squared_hellinger", "(sqrt(u) - 1)^2", "1 - e^(-r/2)", "0", "1 - e^(-v)", "t / (1-t)"),
    Row("jeffrey", "(u-1) log(u)", "1 + r - e^(-r)", "0", "v", "w + 1/w + t - 2, w = W(e^(1-t))"),
    Row("gan", "u log(u) - (u+1) log(u+1)", "-log(1 + e^(-r))", "-log(2)",
        "-log(1 + e^(-v))", "-log(1 - e^(t))"),
    Row("jensen_shannon", "u log(u) - (u+1) log((u+1)/2)", "log(2) - log(1 + e^(-r))", "0",
        "log(2) - log(1 + e^(-v))", "-log(2 - e^(t))"),
    Row("weighted_jensen_shannon", "pi u log(u) - m log(m), m = 1-pi+pi u",
        "pi (r - log(1-pi+pi e^(r)))", "0",
        "-pi log(pi) - log(1 + e^(-v))", "(1-pi) log((1-pi) / (1 - pi e^(t/pi)))"),
    Row("total_variation", "abs(u-1) / 2", "sign(r) / 2", "0", "tanh(v) / 2", "max(t, -1/2)"),
    Row("alpha", "(u^a - 1 - a (u-1)) / (a (a-1))", "(e^((a-1) r) - 1) / (a-1)", "0",
        "1/(1-a) - log(1 + e^(-v)); a>1: v",
        "(b^(a/(a-1)) - 1) / a, b = 1+(a-1) t"),
)
# fmt: on
LOG_RATIO = "alpha, 0.8 <= a < 1 or form='log_ratio': g_f(v) = (1 - e^(-(1-a) v)) / (1-a)"


def as_text():
    """The table as text of at most 100 columns: what `python -m trainers --list` prints."""
    heads = Row("divergence", "f(u)", "T*(r)", "f'(1)", "g_f(v)", "f*(t)")
    lines = []
    for columns in (
        ("name", "f", "optimal_critic", "threshold"),
        ("name", "activation", "conjugate"),
    ):
        rows = [[getattr(row, column) for column in columns] for row in (heads, *TABLE)]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  ".join(cells).rstrip())
        lines.append("")
    return "\n".join([*lines, LOG_RATIO])


_CLASSES = [KL, ReverseKL, Pearson, Neyman, SquaredHellinger, Jeffrey, GANDivergence]
_CLASSES += [JensenShannon, WeightedJensenShannon, TotalVariation, AlphaDivergence]
DIVERGENCES = {cls.name: cls for cls in _CLASSES}


def get(divergence, **parameters):
    """A `Divergence` from its name and parameters (`get("alpha", alpha=0.3)`), config, or itself.

    Raises:
        ValueError: If the name is unknown, or the parameters are not the divergence's.
    """
    if isinstance(divergence, dict):
        divergence = keras.saving.deserialize_keras_object(divergence)
    if isinstance(divergence, Divergence) and not parameters:
        return divergence
    if not isinstance(divergence, str) or divergence not in DIVERGENCES:
        raise ValueError(
            f"`divergence` is unknown. Expected one of {sorted(DIVERGENCES)}, its parameters, or "
            "a trainers.divergences.Divergence by itself"
            f"{nearest(divergence, DIVERGENCES, other_names.OBJECTIVES)}. "
            f"Received: divergence={divergence!r}, parameters={parameters}"
        )
    cls = DIVERGENCES[divergence]
    known, defaults = cls.argument_names(), inspect.signature(cls).parameters
    needed = [name for name in known if defaults[name].default is inspect.Parameter.empty]
    if not set(needed) <= set(parameters) <= set(known):
        others = [name for name in known if name not in needed]
        also = f" and, if you like, {others}" if others else ""
        raise ValueError(
            f"`parameters` are not those of {divergence!r}. Expected {needed}{also}. "
            f"Received: parameters={parameters}"
        )
    return cls(**parameters)
