"""Learning a lower bound of an f-divergence from samples (Nguyen et al., 2010)."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from trainers import divergences, objectives
from trainers.steps import apply_gradients
from zoo.sampling import discriminate, patches, sample_shape
from zoo.validation import check_positive


@dataclasses.dataclass(frozen=True)
class DivergenceEstimate:
    """A lower bound of an f-divergence, from samples.

    Attributes:
        value: float. `mean g_f(v(p)) - mean f*(g_f(v(q)))` over samples the critic has not seen.
        standard_error: float. Of `value`, from the spread over those samples.
        name: str. The divergence's name.
        parameters: dict. The divergence's parameters.
        samples: Two ints. Held-out samples of p and of q.
    """

    value: float
    standard_error: float
    name: str
    parameters: dict
    samples: tuple


def estimate_divergence(p, q, name, critic=None, steps=1000, seed=0, **parameters):
    """Learns a critic on half of the samples, and bounds `D_f(p || q)` from below on the rest.

    The expected value is at most the divergence, whatever the critic: it is short of it by what
    the critic has not learned. Adam takes `steps` steps on batches of up to 512 samples of each,
    with a rate that falls from 0.003 to 0 along a cosine.

    Args:
        p: float array `(n, d)`. Samples of the data.
        q: float array `(m, d)`. Samples of the model.
        name: Name, config or `trainers.divergences.Divergence`.
        critic: Keras model from `(batch, d)` to one logit, which is trained in place. Defaults to
            two layers of 64 softplus units on standardised inputs.
        steps: int. Steps of Adam.
        seed: int. Of the halves, the batches and the default critic.
        **parameters: The divergence's, as for `trainers.divergences.get`.

    Returns:
        `DivergenceEstimate`.

    Raises:
        ValueError: If the samples are no two arrays `(n, d)` of equal d with at least four finite
            rows, or another argument is unknown or out of range.

    Example:

    ```python
    import numpy as np
    import trainers

    rng = np.random.default_rng(0)
    real, generated = rng.normal(0, 1, (2000, 1)), rng.normal(1, 1, (2000, 1))
    estimate = trainers.estimate_divergence(real, generated, "jensen_shannon")
    print(estimate.value, "+-", estimate.standard_error)
    ```

    Reference:
        - [Nguyen et al., 2010](https://arxiv.org/abs/0809.0853), for the estimator.
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), equation 4.
    """
    game = objectives.FDivergence(divergences.get(name, **parameters))
    check_positive(steps=steps)
    p, q = _samples(p, "p"), _samples(q, "q")
    if p.shape[1] != q.shape[1]:
        raise ValueError(
            "`p` and `q` have different dimensions. Expected arrays (n, d) and (m, d). "
            f"Received: p of shape {p.shape} and q of shape {q.shape}"
        )
    rng = np.random.default_rng(seed)
    p, q = rng.permutation(p), rng.permutation(q)
    n, m = len(p) // 2, len(q) // 2
    if critic is None:
        critic = _critic(np.concatenate([p[:n], q[:m]]), rng)
    else:
        _check_critic(critic, p.shape[1:])
    _learn(critic, game, p[:n], q[:m], steps, int(rng.integers(2**31)))
    real = game.divergence.activation(_logits(critic, p[n:])).numpy()
    fake = game.divergence.conjugate_of_activation(_logits(critic, q[m:])).numpy()
    return DivergenceEstimate(
        value=float(real.mean() - fake.mean()),
        standard_error=float(np.sqrt(real.var(ddof=1) / real.size + fake.var(ddof=1) / fake.size)),
        name=game.divergence.name,
        parameters=game.divergence.get_config(),
        samples=(real.size, fake.size),
    )


def _samples(samples, name):
    array = np.asarray(samples, "float32")
    if array.ndim != 2 or len(array) < 4 or not np.isfinite(array).all():
        raise ValueError(
            f"`{name}` is no set of samples. Expected a finite float array (n, d) with n >= 4: "
            f"half of them teach, the other half tests. Received: {name} of shape {array.shape} "
            f"with {np.sum(~np.isfinite(array))} values that are not finite"
        )
    return array


def _check_critic(critic, wanted):
    """Raises a `ValueError` unless a model takes samples of this shape to one logit."""
    shape = sample_shape(critic, "critic")
    if shape != wanted or patches(critic, "critic") != 1:
        raise ValueError(
            f"`critic` cannot judge the samples. Expected a model from (batch, {wanted[0]}) to one "
            f"logit. Received: critic={critic.name!r} for samples of shape {shape}"
        )


def _critic(samples, rng):
    """The default critic: an MLP on inputs of mean 0 and variance 1."""
    mean, variance = samples.mean(0), samples.var(0)
    layers = [
        keras.Input(samples.shape[1:]),
        keras.layers.Normalization(mean=mean, variance=variance),
    ]
    for units, activation in ((64, "softplus"), (64, "softplus"), (1, None)):
        kernel = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
        layers.append(keras.layers.Dense(units, activation, kernel_initializer=kernel))
    return keras.Sequential(layers)


def _learn(critic, game, p, q, steps, seed):
    """Ascends the bound on batches drawn with replacement."""
    p, q = tf.constant(p), tf.constant(q)
    variables = critic.trainable_variables
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps))
    optimizer.build(variables)

    def batch(samples, *stream):
        rows = min(len(samples), 512)
        index = tf.random.stateless_uniform((rows,), stream, 0, len(samples), "int32")
        return tf.gather(samples, index)

    @tf.function
    def run():
        for step in tf.range(steps):
            with tf.GradientTape() as tape:
                real, _ = discriminate(critic, batch(p, seed, 2 * step), training=True)
                fake, _ = discriminate(critic, batch(q, seed, 2 * step + 1), training=True)
                real = game.divergence.activation(real)
                fake = game.divergence.conjugate_of_activation(fake)
                loss = tf.reduce_mean(fake) - tf.reduce_mean(real)
            apply_gradients.apply(optimizer, tape.gradient(loss, variables), variables)

    run()


def _logits(critic, samples):
    """float64 logits, in chunks."""
    chunks = [
        discriminate(critic, tf.constant(samples[k : k + 4096]))[0]
        for k in range(0, len(samples), 4096)
    ]
    return tf.cast(tf.concat(chunks, 0), "float64")
