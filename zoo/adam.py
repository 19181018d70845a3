"""Adam (Kingma and Ba, 2015) as a pure function: one step for one array or tensor."""


def adam_step(weights, gradients, means, squares, step, rate, beta_1, beta_2, epsilon, sqrt):
    """The weights and both moments after one step.

    `m <- m + (1 - b1)(g - m)`, `v <- v + (1 - b2)(g^2 - v)` and
    `w <- w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)`: the order of the paper's
    section 2, which is Keras's. There epsilon stands beside the root of the uncorrected v.

    Args:
        weights, gradients: Arrays or tensors of one shape.
        means, squares: The moments m and v: of the same shape, zeros before the first step.
        step: The number t of this step, from 1.
        rate, beta_1, beta_2, epsilon: Adam's numbers.
        sqrt: The square root of the framework that the arrays belong to.

    Returns:
        `(weights, means, squares)`; nothing is changed in place.

    Reference:
        - [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980), algorithm 1 and section 2.
    """
    means = means + (1.0 - beta_1) * (gradients - means)
    squares = squares + (1.0 - beta_2) * (gradients * gradients - squares)
    rate = rate * sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    return weights - rate * means / (sqrt(squares) + epsilon), means, squares
