"""Walks between latents and arithmetic with them (Radford, Metz and Chintala, 2016, section 6).

Everything here takes and returns latents, so it serves any generator: `zoo.players.decode` draws
the samples.
"""

import math

import numpy as np

from zoo.random import UNIFORM_LIMIT, check_prior
from zoo.validation import (
    as_array,
    check_choice,
    check_flag,
    check_integer,
    check_memory,
    check_positive,
)

MODES = ("linear", "spherical")
# Sine of the angle below which the arc is a straight line in float32, or has no plane.
PARALLEL = 1e-6
BYTES = 48  # A coordinate takes on its way: several float64, and a float32.


def walk(a, b, steps=8, mode="linear", prior="normal"):
    """Latents from `a` to `b`, both ends included.

    With `t = 0, 1 / (steps - 1), ..., 1`:

    - `"linear"`: `(1 - t) a + t b`. Between two latents of N(0, I) the middle is shorter than the
      latents that the generator was trained on, by a factor of about sqrt 2.
    - `"spherical"`: `r (sin((1 - t) w) a / |a| + sin(t w) b / |b|) / sin w`, where w is the angle
      between the ends and `r = (1 - t) |a| + t |b|`: the direction turns at constant speed and the
      length changes linearly. It becomes linear where there is no arc to walk on: an end is zero,
      or `sin w < 1e-6` (parallel, where both are the same, and opposite, where any plane would do).

    A linear walk stays where the prior is: inside the cube of the uniform one, and within the
    truncation of its ends. An arc leaves both, so it is refused for the uniform prior.

    Args:
        a: Latents of shape `(latent_dim,)`, or `(..., latent_dim)` for many walks at once.
        b: Latents of the same shape.
        steps: int of at least 2. Number of latents, the ends among them.
        mode: `"linear"` or `"spherical"`.
        prior: What both ends were drawn from: `"normal"` or `"uniform"`.

    Returns:
        A float32 array of shape `(steps, ..., latent_dim)`. The first is exactly `a` and
        the last `b`.

    Raises:
        ValueError: If the shapes differ, a latent cannot be of that prior, or an argument is
            wrong.

    Example:

    ```python
    import zoo

    generator = zoo.DCGANGenerator(latent_dim=64)
    a, b = zoo.latents.from_seed("normal", 2, 64, seed=0)
    images = zoo.players.decode(generator, zoo.latents.walk(a, b, steps=10, mode="spherical"))
    ```

    Reference:
        - [Radford et al., 2016](https://arxiv.org/abs/1511.06434), section 6.1 (linear).
        - [White, 2016](https://arxiv.org/abs/1609.04468), section 2.1 (spherical).
    """
    _check_mode(mode, prior)
    check_integer(2, steps=steps)  # Both ends are among them.
    a, b = _check_latents(prior, a=a, b=b)
    check_memory(int(steps) * np.size(a), BYTES, steps=steps)
    return _walk(a, b, steps, mode)


def corners(a, b, c, d, rows=8, columns=8, mode="linear", prior="normal"):
    """A grid of latents between four: `a` top left, `b` top right, `c` and `d` below them.

    Row i walks from the i-th latent between a and c to the i-th between b and d. A linear grid is
    bilinear: `(1 - s)((1 - t) a + t b) + s ((1 - t) c + t d)`.

    Args:
        a, b, c, d: Latents of shape `(latent_dim,)`.
        rows: int of at least 2.
        columns: int of at least 2.
        mode: As in `walk`.
        prior: As in `walk`.

    Returns:
        A float32 array of shape `(rows, columns, latent_dim)`, with the four in its corners.

    Raises:
        ValueError: As `walk`.
    """
    _check_mode(mode, prior)
    check_integer(2, rows=rows, columns=columns)
    a, b, c, d = _check_latents(prior, a=a, b=b, c=c, d=d)
    check_memory(int(rows) * int(columns) * np.size(a), BYTES, rows=rows)
    left, right = _walk(a, c, rows, mode), _walk(b, d, rows, mode)
    return np.swapaxes(_walk(left, right, columns, mode), 0, 1)


def loop(latents, steps=8, mode="linear", prior="normal"):
    """A closed walk through several latents: from each to the next, and back to the first.

    Args:
        latents: Array of shape `(n, ..., latent_dim)` with at least two latents.
        steps: int, positive. Steps from each latent to the next.
        mode: As in `walk`.
        prior: As in `walk`.

    Returns:
        A float32 array of shape `(n * steps, ..., latent_dim)`. Row `i * steps` is latent i, and
        behind the last row comes the first again: an animation of it has no seam.

    Raises:
        ValueError: As `walk`, or if there are fewer than two latents.
    """
    _check_mode(mode, prior)
    check_positive(steps=steps)
    (latents,) = _check_latents(prior, latents=latents)
    if latents.ndim < 2 or len(latents) < 2:
        raise ValueError(
            "`latents` are too few for a loop. Expected an array of shape (n, latent_dim) with "
            f"n of at least 2. Received: latents of shape {latents.shape}"
        )
    check_memory(int(steps) * latents.size, BYTES, steps=steps)
    legs = zip(latents, np.roll(latents, -1, axis=0), strict=True)
    return np.concatenate([_walk(a, b, steps + 1, mode)[:-1] for a, b in legs])


def arithmetic(a, b, c, rescale=False):
    """`mean(a) - mean(b) + mean(c)`: what a has and b lacks, added to c.

    Each argument holds the latents of samples that show one thing (with glasses, without, another
    person without); the paper averages three. With independent draws of a prior, which has
    variance 1, a coordinate of the result has variance `1/n_a + 1/n_b + 1/n_c`: the prior's own
    when three are averaged, and more for single latents, which `rescale` mends. No coordinate is
    cut, so the result may lie outside the cube of the uniform prior or a truncation.

    Args:
        a: Latents of shape `(n, latent_dim)`, or `(latent_dim,)` for one. Their number may differ
            from that of b and c.
        b: Likewise; subtracted.
        c: Likewise.
        rescale: bool. Gives the result the length `sqrt(latent_dim)`, where latents of both priors
            lie, instead of its own.

    Returns:
        A float32 array of shape `(latent_dim,)`.

    Raises:
        ValueError: If they are no latents of one length, or the result is zero and has no
            direction that could be rescaled.

    Reference:
        - [Radford et al., 2016](https://arxiv.org/abs/1511.06434), section 6.3.2.
    """
    check_flag(rescale=rescale)
    means = []
    for name, latents in (("a", a), ("b", b), ("c", c)):
        latents = _to_array(name, latents)
        if latents.ndim > 2:
            raise ValueError(
                f"`{name}` are not rows of latents. Expected shape (n, latent_dim) or "
                f"(latent_dim,). Received: {name} of shape {latents.shape}"
            )
        means.append(np.atleast_2d(latents).astype("float64").mean(0))
    _check_same_shape(dict(zip("abc", means, strict=True)))
    result = means[0] - means[1] + means[2]
    if rescale:
        length = np.linalg.norm(result)
        if length == 0:
            raise ValueError(
                "`rescale` is impossible: the result is zero and has no direction. Expected "
                "latents whose sum is not zero, or rescale=False. Received: rescale=True"
            )
        result *= math.sqrt(len(result)) / length
    return result.astype("float32")


def _walk(a, b, steps, mode):
    """`walk` without its checks. In float64, so that both ends round to what they were."""
    wide_a, wide_b = a.astype("float64"), b.astype("float64")
    t = np.linspace(0.0, 1.0, steps).reshape(-1, *[1] * a.ndim)
    path = (1.0 - t) * wide_a + t * wide_b
    if mode == "spherical":
        path = _arc(wide_a, wide_b, t, path)
    return path.astype("float32")


def _arc(a, b, t, straight):
    """The spherical path, and the straight one for pairs without an arc."""
    lengths = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b)]
    ends = [x / np.where(n > 0, n, 1.0) for x, n in zip((a, b), lengths, strict=True)]
    # 2 atan2(|u - v|, |u + v|) is exact at both ends, where the arc cosine is not.
    sides = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (ends[0] - ends[1], sum(ends))]
    angle = 2.0 * np.arctan2(*sides)
    flat = (np.sin(angle) < PARALLEL) | (np.minimum(*lengths) == 0)
    angle = np.where(flat, 1.0, angle)
    direction = (np.sin((1.0 - t) * angle) * ends[0] + np.sin(t * angle) * ends[1]) / np.sin(angle)
    length = (1.0 - t) * lengths[0] + t * lengths[1]
    return np.where(flat, straight, length * direction)


def _check_mode(mode, prior):
    check_prior(prior)
    check_choice(MODES, mode=mode)
    if mode == "spherical" and prior == "uniform":
        raise ValueError(
            "`mode` and `prior` do not go together: an arc between two corners leaves the cube "
            "that the uniform prior fills. Expected mode='linear', which stays inside. Received: "
            "mode='spherical', prior='uniform'"
        )


def _to_array(name, latents):
    latents = as_array(**{name: latents})
    finite = latents.dtype.kind in "fiu" and np.all(np.isfinite(latents))
    if not finite or latents.ndim < 1 or latents.size == 0:
        raise ValueError(
            f"`{name}` are not latents. Expected an array of finite numbers, of shape (..., "
            f"latent_dim). Received: {name} of shape {latents.shape} and dtype {latents.dtype}"
        )
    return latents.astype("float32")


def _check_same_shape(named):
    shapes = {name: x.shape for name, x in named.items()}
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
        names = " and ".join(f"`{name}`" for name in named)
        raise ValueError(
            f"{names} have different shapes. Expected latents of one generator. Received: {listed}"
        )


def _check_latents(prior, **named):
    """The latents as float32 arrays of one shape that lie where the prior is."""
    named = {name: _to_array(name, latents) for name, latents in named.items()}
    _check_same_shape(named)
    for name, latents in named.items():
        largest = np.abs(latents).max()
        if prior == "uniform" and largest > np.float32(UNIFORM_LIMIT):
            raise ValueError(
                f"`{name}` are not of the uniform prior: they lie outside of its cube. "
                f"Expected coordinates in [-{UNIFORM_LIMIT:.4f}, "
                f"{UNIFORM_LIMIT:.4f}], or prior='normal'. Received: {name} with {largest:.4g}"
            )
    return list(named.values())
