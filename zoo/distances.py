"""Squared distances of many vectors in float32, with a bound on the rounding."""

import dataclasses

import numpy as np

HALF_ULP = 2.0**-24  # Relative rounding error of one operation in float32.


@dataclasses.dataclass(frozen=True)
class Vectors:
    """Vectors in float32, from a centre near all of them: they are short, and so are the errors.

    Attributes:
        short: float32 of shape `(n, d)`.
        squares: float64 of shape `(n,)`, the squared lengths.
    """

    short: np.ndarray
    squares: np.ndarray

    @classmethod
    def around(cls, centre, rows):
        """Rows `(n, d)` as vectors from a centre `(d,)`; both in float64."""
        short = (rows - centre).astype("float32")
        return cls(short, np.einsum("ij,ij->i", short, short, dtype="float64"))

    def __getitem__(self, rows):
        """Some of the vectors."""
        return Vectors(self.short[rows], self.squares[rows])

    def roughly(self, others):
        """The squared distances to others, `(n, m)` in float32, off by `rounding` at most.

        `|a - b|^2 = (-2 a, |a|^2, 1).(b, 1, |b|^2)`: one product, and no pass over its result.
        """
        squares, other_squares = (x.squares.astype("float32") for x in (self, others))
        left = np.column_stack([-2.0 * self.short, squares, np.ones_like(squares)])
        right = np.column_stack([others.short, np.ones_like(other_squares), other_squares])
        return left @ right.T

    def rounding(self, squares, other_squares):
        """The bound for vectors of these squared lengths, in float64.

        A sum of n products in float32 is off by at most `n 2^-24` times the sum of their sizes.
        The d + 2 products are at most `2 (|a|^2 + |b|^2)`; ten more roundings made the vectors.
        """
        return 2.0 * (self.short.shape[1] + 12) * HALF_ULP * (squares + other_squares)
