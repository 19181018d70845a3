"""L-BFGS (Liu and Nocedal, 1989) and Adam on many small problems at once, one a row.

Rows share nothing but the call that computes their values and gradients, which is where the time
goes; the rest is NumPy on vectors of a few hundred numbers, in float64.
"""

import numpy as np

from zoo.adam import Rule

ADAM = Rule(rate=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-8)  # Rate: for latents of variance 1.
MEMORY = 10  # Pairs of L-BFGS.
SUFFICIENT = 1e-4  # Armijo's constant: the share of the promised descent that a step has to bring.
CURVATURE = 1e-10  # Cosine below which a pair says nothing about the curvature.
ROUNDING = 1e-7  # Relative error of a value that was computed in float32.
SMALLEST_STEP = 1e-10


def adam(function, x, steps):
    """Adam on every row, and the best point that each row has seen.

    Args:
        function: `function(x) -> (values (n,), gradients (n, d))`, float64. Row i depends on
            `x[i]` alone.
        x: float64 array of shape `(n, d)`.
        steps: int. Calls of the function.

    Returns:
        A float64 array of shape `(n, d)`.
    """
    means, squares = np.zeros_like(x), np.zeros_like(x)
    best, lowest = x, np.full(len(x), np.inf)
    for step in range(1, steps + 1):
        values, gradients = function(x)
        better = values < lowest
        best = np.where(better[:, None], x, best)
        lowest = np.where(better, values, lowest)
        # The paper's algorithm 1 adds epsilon to the root of the corrected square.
        rule = ADAM._replace(epsilon=ADAM.epsilon * np.sqrt(1.0 - ADAM.beta_2**step))
        x, means, squares = rule.step(x, gradients, means, squares, step, np.sqrt, np.square)
    return best


def lbfgs(function, x, steps):
    """L-BFGS on every row, with a backtracking line search that no row waits for.

    One step calls the function once. A row whose trial point goes down takes it and turns to a new
    direction; a row whose trial does not shortens its step and tries again at the next call.

    Args:
        function: As for `adam`.
        x: float64 array of shape `(n, d)`.
        steps: int. Calls of the function.

    Returns:
        A float64 array of shape `(n, d)`. No row has a higher value than it began with, but for
        the rounding of float32.

    Reference:
        - Liu and Nocedal, 1989, On the limited memory BFGS method for large scale optimization.
    """
    if steps < 2:  # The first call finds the slope, and the next one a point.
        return x
    values, gradients = function(x)
    memory = _Memory(*x.shape)
    direction, length = memory.direction(gradients), np.ones(len(x))
    for _ in range(steps - 1):
        trial = x + length[:, None] * direction
        new_values, new_gradients = function(trial)
        promised = length * _dot(gradients, direction)
        goes_down = new_values <= values + SUFFICIENT * promised
        # Near the minimum the values are all rounding, and the gradients still say where it is.
        flattens = _dot(new_gradients, new_gradients) < _dot(gradients, gradients)
        taken = goes_down | (flattens & (new_values <= values * (1 + ROUNDING)))
        memory.add(taken, trial - x, new_gradients - gradients)
        length = np.where(taken, 1.0, length * _cut(new_values - values, promised))
        x = np.where(taken[:, None], trial, x)
        gradients = np.where(taken[:, None], new_gradients, gradients)
        values = np.where(taken, new_values, values)
        stuck = length < SMALLEST_STEP
        memory.forget(stuck)
        length[stuck] = 1.0
        direction = memory.direction(gradients)
    return x


def _cut(rise, promised):
    """What to multiply a failed step by: to the minimum of the parabola, in [0.1, 0.5]."""
    bend = rise - promised
    upwards = np.isfinite(bend) & (bend > 0)
    return np.clip(-promised / (2.0 * np.where(upwards, bend, 1.0)), 0.1, 0.5)


def _dot(a, b):
    return np.sum(a * b, axis=-1)


class _Memory:
    """The last steps and changes of the gradient of each row, newest last."""

    def __init__(self, rows, size):
        self.steps = np.zeros((MEMORY, rows, size))
        self.changes = np.zeros((MEMORY, rows, size))
        self.weights = np.zeros((MEMORY, rows))  # 1 / (step . change); 0 where there is no pair.
        self.scale = np.zeros(rows)  # The newest step . change / |change|^2.

    def add(self, taken, steps, changes):
        """Keeps the pairs of the rows that moved along positive curvature."""
        product, square = _dot(steps, changes), _dot(changes, changes)
        kept = taken & (product > CURVATURE * np.sqrt(_dot(steps, steps) * square))
        for old, new in ((self.steps, steps), (self.changes, changes)):
            old[:-1, kept] = old[1:, kept]
            old[-1, kept] = new[kept]
        self.weights[:-1, kept] = self.weights[1:, kept]
        self.weights[-1, kept] = 1.0 / product[kept]
        self.scale[kept] = product[kept] / square[kept]

    def forget(self, rows):
        """Starts these rows again from the steepest descent."""
        self.weights[:, rows] = 0.0
        self.scale[rows] = 0.0

    def direction(self, gradients):
        """`-H gradients` by the two loops of L-BFGS; of length 1 where there are no pairs yet."""
        lengths = np.sqrt(_dot(gradients, gradients))
        result = -gradients
        shares = np.zeros_like(self.weights)
        for i in reversed(range(MEMORY)):
            shares[i] = self.weights[i] * _dot(self.steps[i], result)
            result = result - shares[i][:, None] * self.changes[i]
        first = 1.0 / np.where(lengths > 0, lengths, 1.0)
        result = np.where(self.scale > 0, self.scale, first)[:, None] * result
        for i in range(MEMORY):
            share = self.weights[i] * _dot(self.changes[i], result)
            result = result + (shares[i] - share)[:, None] * self.steps[i]
        return result
