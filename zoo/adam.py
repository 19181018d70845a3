"""Adam (Kingma and Ba, 2015) as a pure function: one step for one array or tensor."""

from typing import NamedTuple


class Rule(NamedTuple):
    """Adam with its numbers; it keeps no state.

    `m <- m + (1 - b1)(g - m)`, `v <- v + (1 - b2)(g^2 - v)` and
    `w <- w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)`: the order of the paper's
    section 2, which is Keras's. There epsilon stands beside the root of the uncorrected v.

    Attributes:
        rate: Length of a step at first, in each coordinate.
        beta_1, beta_2: Decays of the moments m and v, in [0, 1).
        epsilon: What is added to the root of v.

    Reference:
        - [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980), algorithm 1 and section 2.
    """

    rate: float
    beta_1: float
    beta_2: float
    epsilon: float

    def step(self, weights, gradients, means, squares, t, sqrt, square):
        """The weights and both moments after one step.

        Args:
            weights, gradients: Arrays or tensors of one shape.
            means, squares: The moments m and v: of the same shape, zeros before the first step.
            t: The number of this step, from 1.
            sqrt, square: Both functions of the framework that the arrays belong to.

        Returns:
            `(weights, means, squares)`; nothing is changed in place.
        """
        means = means + (1.0 - self.beta_1) * (gradients - means)
        squares = squares + (1.0 - self.beta_2) * (square(gradients) - squares)
        rate = self.rate * sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        return weights - rate * means / (sqrt(squares) + self.epsilon), means, squares
