"""Toy distributions: Gaussian mixtures whose centres, spreads and density are known exactly.

They are the distributions on which GAN papers show mode collapse and divergences, because what a
perfect generator would draw is known in closed form.
"""

import numpy as np
import tensorflow as tf

from zoo import draw_arguments, random
from zoo.validation import (
    LARGEST,
    as_array,
    check_above_zero,
    check_choice,
    check_integer,
    check_number,
    check_seed,
    in_short,
)

LONGEST = 1 << 10  # Side of a grid.


class Mixture:
    """A mixture of isotropic Gaussians, p(x) = sum_k weights[k] N(x; centres[k], scales[k]^2 I).

    Args:
        centres: Array of shape `(modes, dim)`.
        scales: Standard deviation of each mode: positive, of shape `(modes,)`, or one number for
            all.
        weights: Positive numbers of shape `(modes,)` that sum to 1. Defaults to equal weights.
        name: str, optional.

    Attributes:
        centres, scales, weights: The parameters as float64 arrays.
        dim: Coordinates of a point.

    Raises:
        ValueError: If the shapes disagree, a scale or a weight is not positive, or the weights do
            not sum to 1.

    Example:

    ```python
    import zoo

    points = zoo.toys.ring().sample(1000, seed=0)
    print(points.shape)  # (1000, 2)
    ```
    """

    def __init__(self, centres, scales, weights=None, name=None):
        self.centres = np.array(as_array(centres=centres), order="C")
        if not _are_finite(self.centres) or self.centres.ndim != 2 or not self.centres.size:
            raise ValueError(
                "`centres` do not have one row per mode. Expected an array of shape (modes, dim) "
                f"of finite numbers. Received: centres of shape {self.centres.shape} and dtype "
                f"{self.centres.dtype}"
            )
        self.centres = self.centres.astype("float64")
        modes, self.dim = self.centres.shape
        self.scales = _per_mode("scales", scales, modes)
        self.weights = _per_mode("weights", 1 / modes if weights is None else weights, modes)
        if abs(self.weights.sum() - 1) > 1e-6:
            raise ValueError(
                f"`weights` are not probabilities. Expected {modes} numbers that sum to 1. "
                f"Received: weights={in_short(weights)}"
            )
        self.name = "mixture" if name is None else str(name)

    def __repr__(self):
        return f"<Mixture {self.name}: {len(self.centres)} modes, dim {self.dim}>"

    def sample(self, count, seed):
        """Draws points; row r is the same function of (seed, r) for every `count`.

        Args:
            count: Number of points; an int, or a scalar integer tensor in a graph.
            seed: An integer, or two integers (also as a tensor).

        Returns:
            A float32 tensor of shape `(count, dim)`: the same eagerly, in `tf.data` and under XLA.
        """
        draw_arguments.check_count(count, self.dim)
        if isinstance(seed, (int, np.integer)):
            check_seed(seed)
        elif not (tf.is_tensor(seed) and seed.shape.rank == 0):
            draw_arguments.check_pair(seed)
        seed = tf.cast(seed, "int64")
        if seed.shape.rank == 0:
            seed = tf.stack([seed, 0])
        # Inverse CDF; the last bound is left out, so that rounding cannot name a mode too many.
        bounds = np.cumsum(self.weights)[:-1].astype("float32")
        uniform = random.uniform((count, 1), random.fold(seed, 0))
        mode = tf.reduce_sum(tf.cast(uniform >= bounds, "int32"), axis=-1)
        noise = random.normal((count, self.dim), random.fold(seed, 1))
        centres = tf.constant(self.centres, "float32")
        scales = tf.constant(self.scales[:, None], "float32")
        return tf.gather(centres, mode) + tf.gather(scales, mode) * noise

    def log_density(self, points):
        """log p(x), computed in float64.

        Args:
            points: Array of shape `(n, dim)`, or a float tensor, which may be differentiated.

        Returns:
            A float64 array of shape `(n,)`, or a tensor of the points' dtype.

        Raises:
            ValueError: If the points have another dimension than the mixture.
        """
        if tf.is_tensor(points):
            return tf.cast(self._log_density(tf.cast(points, "float64")), points.dtype)
        points = as_array("iufb", points=points).astype("float64")
        return self._log_density(tf.constant(points)).numpy()

    def _log_density(self, points):
        if points.shape.rank != 2 or points.shape[1] != self.dim:
            raise ValueError(
                f"`points` are of another dimension. Expected shape (n, {self.dim}). "
                f"Received: points of shape {tuple(points.shape)}"
            )
        # log w_k - |x - c_k|^2 / (2 s_k^2) - dim log(s_k sqrt(2 pi))
        squares = tf.reduce_sum(tf.square(points[:, None] - self.centres), axis=2)
        heights = np.log(self.weights) - self.dim * np.log(self.scales * np.sqrt(2 * np.pi))
        return tf.reduce_logsumexp(heights - squares / (2 * self.scales**2), axis=1)


def _per_mode(name, values, modes):
    array = as_array(**{name: values})
    if not _are_finite(array) or array.shape not in ((), (modes,)) or not np.all(array > 0):
        raise ValueError(
            f"`{name}` do not have one positive value per mode. Expected {modes} positive numbers. "
            f"Received: {name}={in_short(values)}"
        )
    return np.array(np.broadcast_to(array.astype("float64"), (modes,)))


def _are_finite(array):
    return array.dtype.kind in "iuf" and bool(np.all(np.isfinite(array)))


def ring(modes=8, radius=2.0, scale=0.02):
    """Modes at equal angles 2 pi k / modes on a circle, all of equal weight.

    The defaults are the ring of Unrolled GAN (Metz et al., 2017, arXiv:1611.02163v4, section 3.1).
    The angle 2 pi is left out: it is the angle 0, and would make eight modes seven.

    Args:
        modes: int, at least 1.
        radius: Positive float.
        scale: Positive float: the standard deviation of each mode.

    Returns:
        A `Mixture` of dimension 2.
    """
    check_integer(1, LARGEST, modes=modes)
    check_above_zero(radius=radius, scale=scale)
    angles = 2 * np.pi * np.arange(modes) / modes
    centres = radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return Mixture(centres, scale, name="ring")


def grid(side=5, spacing=2.0, scale=0.05):
    """`side` x `side` modes of equal weight around the origin; by default at -4, -2, 0, 2, 4.

    The defaults are the 2D-grid of VEEGAN (Srivastava et al., 2017, arXiv:1705.07761) and PacGAN
    (Lin et al., 2018, arXiv:1712.04086).

    Args:
        side: int, at least 1: modes along each axis.
        spacing: Positive float: distance between neighbours.
        scale: Positive float: the standard deviation of each mode.

    Returns:
        A `Mixture` of dimension 2.
    """
    check_integer(1, LONGEST, side=side)
    check_above_zero(spacing=spacing, scale=scale)
    axis = spacing * (np.arange(side) - (side - 1) / 2)
    centres = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return Mixture(centres, scale, name="grid")


def normal(mean=0.0, scale=1.0):
    """One Gaussian on the line, by default N(0, 1).

    Args:
        mean: float.
        scale: Positive float: the standard deviation.

    Returns:
        A `Mixture` of dimension 1 with one mode.
    """
    check_number(mean=mean)
    check_above_zero(scale=scale)
    return Mixture([[float(mean)]], scale, name="normal")


def mixture():
    """0.33 N(-1, variance 0.0625) + 0.67 N(2, variance 2).

    The target of the f-GAN paper's univariate experiment (Nowozin et al., 2016, arXiv:1606.00709,
    section 2.5). Note that these are variances: the standard deviations are 0.25 and sqrt 2.

    Returns:
        A `Mixture` of dimension 1 with two modes.
    """
    return Mixture([[-1.0], [2.0]], [0.25, np.sqrt(2.0)], [0.33, 0.67], name="mixture")


TOYS = {"ring": ring, "grid": grid, "normal": normal, "mixture": mixture}


def get(name, **parameters):
    """The toy distribution of this name.

    Args:
        name: `"ring"`, `"grid"`, `"normal"` or `"mixture"`.
        **parameters: What the function of this name takes: `get("ring", modes=25)`.

    Returns:
        A `Mixture`.

    Raises:
        ValueError: If the name is unknown or a parameter is out of its range.
    """
    return TOYS[check_choice(TOYS, name=name)](**parameters)
