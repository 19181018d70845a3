"""The optimal discriminator of known densities: proposition 1 of Goodfellow et al. (2014)."""

import tensorflow as tf

from trainers import objectives


def optimal_discriminator(p, q, objective="non_saturating"):
    """The discriminator that training would end with, as a function of samples to logits.

    It is what a trained discriminator is compared with, and what stands in for one where theory
    says "for the optimal discriminator". For `"minimax"` and `"non_saturating"` its logit is
    `log p/q`, so that `D* = p / (p + q)`, moved by label smoothing; for an f-divergence the v with
    `g_f(v) = f'(p/q)`; `p / (p + q)` for `"least_squares"`, and the sign of `p - q` for `"hinge"`.

    Args:
        p: The data: something with `log_density`, such as `zoo.toys.normal()`, or a function of
            samples `(batch, ...)` to log densities `(batch,)`.
        q: The generator's distribution, likewise.
        objective: Name, config or `trainers.objectives.Objective`.

    Returns:
        A function of samples `(batch, ...)` to logits `(batch,)`, in the samples' dtype. It can be
        differentiated as far as the densities can.

    Raises:
        ValueError: If the objective's optimum is no function of the two densities at a sample:
            that of `"wasserstein"` and of `"relativistic_average"`.

    Example:

    ```python
    import trainers, zoo

    data, model = zoo.toys.normal(), zoo.toys.normal(1.0, 1.5)
    discriminator = trainers.optimal_discriminator(data, model)
    logits = discriminator(data.sample(1000, seed=0))  # log p(x) / q(x)
    ```

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), proposition 1.
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), equation 5.
    """
    objective = objectives.get(objective)
    objective.optimal_logit(tf.zeros(1))  # Raises here if there is none.
    log_p, log_q = (getattr(density, "log_density", density) for density in (p, q))

    def discriminator(samples):
        samples = tf.convert_to_tensor(samples)
        return objective.optimal_logit(log_p(samples) - log_q(samples))

    return discriminator
