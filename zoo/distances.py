"""Squared distances of many vectors in float32, with a bound on the rounding."""

import dataclasses

import numpy as np

HALF_ULP = 2.0**-24  # Relative rounding error of one operation in float32.


@dataclasses.dataclass(frozen=True)
class Vectors:
    """Vectors as float32 offsets from a centre near all of them, which keeps the rounding small.

    Attributes:
        offsets: float32 of shape `(n, d)`.
        squares: float64 of shape `(n,)`, the squared lengths.
    """

    offsets: np.ndarray
    squares: np.ndarray

    @classmethod
    def around(cls, centre, rows):
        """Rows `(n, d)` as vectors from a centre `(d,)`; both in float64."""
        offsets = (rows - centre).astype("float32")
        return cls(offsets, np.einsum("ij,ij->i", offsets, offsets, dtype="float64"))

    def __getitem__(self, rows):
        """Some of the vectors."""
        return Vectors(self.offsets[rows], self.squares[rows])

    def approximate_squares(self, others):
        """The squared distances to others, `(n, m)` in float32, off by `rounding` at most.

        `|a - b|^2 = (-2 a, |a|^2, 1).(b, 1, |b|^2)`: one product, and no pass over its result.
        """
        squares, other_squares = (x.squares.astype("float32") for x in (self, others))
        left = np.column_stack([-2.0 * self.offsets, squares, np.ones_like(squares)])
        right = np.column_stack([others.offsets, np.ones_like(other_squares), other_squares])
        return left @ right.T

    def rounding(self, squares, other_squares):
        """The bound for vectors of these squared lengths, in float64.

        A sum of n products in float32 is off by at most `n 2^-24` times the sum of their sizes.
        The d + 2 products are at most `2 (|a|^2 + |b|^2)`; ten more roundings made the vectors.
        """
        return 2.0 * (self.offsets.shape[1] + 12) * HALF_ULP * (squares + other_squares)
