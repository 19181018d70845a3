"""Integrals over an interval of functions made of densities, by adaptive quadrature.

A rule of a few points steps over a peak that is narrow beside the interval. So the densities are
searched for their modes and the ends of their supports first, and the interval is cut there.
"""

import numpy as np
from scipy import integrate, optimize

PIECES = 64  # Of an interval, whatever the densities are.
SCAN = 4096  # Places at which a density is looked at to find its modes.
MODES = 64  # Of one density at most, the highest.


class Remembered:
    """A function of a number that is asked for each number once: densities may be slow."""

    def __init__(self, function):
        self.function = function
        self.values = {}

    def __call__(self, x):
        if x not in self.values:
            self.values[x] = float(self.function(x))
        return self.values[x]

    def at(self, numbers):
        """The values at many numbers: at once, where the function takes arrays."""
        few = numbers[:: max(len(numbers) // 8, 1)]
        single = [self(x) for x in map(float, few)]
        try:
            if np.array_equal(self.function(few), single):
                return np.array(self.function(numbers), "float64")
        except Exception:  # A function of a number may do anything with an array.
            pass
        return np.array([self(x) for x in map(float, numbers)])


def cuts(log_densities, low, high):
    """Where to cut an interval: evenly, at the modes and around them, at the ends of supports.

    Args:
        log_densities: Functions of a number to the log density there, `-inf` where it is 0, in
            a `Remembered`.
        low, high: The interval.

    Returns:
        A rising float64 array from `low` to `high`.
    """
    grid = np.linspace(low, high, SCAN + 1)
    points = [np.linspace(low, high, PIECES + 1)]
    for log_density in log_densities:
        values = log_density.at(grid)
        points += [_support_ends(log_density, grid, values)]
        points += [_around(log_density, *mode) for mode in _modes(log_density, grid, values)]
    points = np.unique(np.concatenate(points))
    return points[(points >= low) & (points <= high)]


def integral(function, points):
    """The integral over all pieces between the points, and what it may be wrong by."""
    value = error = 0.0
    for piece in zip(points[:-1], points[1:], strict=True):
        found = integrate.quad(function, *piece, epsabs=1e-14, epsrel=1e-12, full_output=1)
        value, error = value + found[0], error + found[1]
        if not np.isfinite(value):
            break
    return float(value), float(error)


def _modes(log_density, grid, values):
    """The highest local maxima, each as its place, the ends of the interval and a first width."""
    padded = np.concatenate([[-np.inf], values, [-np.inf]])
    # Of a plateau only the ends are higher than a neighbour.
    rises, falls = padded[1:-1] > padded[:-2], padded[1:-1] > padded[2:]
    peaks = (padded[1:-1] >= padded[:-2]) & (padded[1:-1] >= padded[2:]) & (rises | falls)
    found = np.flatnonzero(peaks)
    width = grid[1] - grid[0]
    for k in found[np.argsort(-values[found])][:MODES]:
        bounds = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
        best = optimize.minimize_scalar(
            lambda x: -log_density(float(x)),
            bounds=bounds,
            method="bounded",
            options={"xatol": 1e-12 * width},
        )
        place = best.x if -best.fun > values[k] else grid[k]
        yield float(place), grid[0], grid[-1], width


def _around(log_density, mode, low, high, width):
    """The mode, and points beside it at distances that grow from its width to the ends."""
    top, points = log_density(mode), [mode]
    for side, room in ((-1.0, mode - low), (1.0, high - mode)):

        def is_far(distance, side=side):
            return not top - log_density(mode + side * distance) <= 0.5

        distance = min(width, room)
        while distance > 1e-15 * (high - low) and is_far(distance):
            distance /= 2.0
        while distance < room and not is_far(min(2.0 * distance, room)):
            distance *= 2.0
        if room > 0:
            count = int(np.ceil(np.log(room / distance) / np.log(4.0))) + 1
            points += list(mode + side * distance * 4.0 ** np.arange(max(count, 1)))
    return np.array(points)


def _support_ends(log_density, grid, values):
    """The places where a density becomes or ceases to be 0, by bisection."""
    inside = values > -np.inf
    ends = []
    for k in np.flatnonzero(inside[1:] != inside[:-1]):
        left, right = grid[k], grid[k + 1]
        for _ in range(60):
            middle = (left + right) / 2.0
            if (log_density(float(middle)) > -np.inf) == inside[k]:
                left = middle
            else:
                right = middle
        ends += [left, right]
    return np.array(ends)
