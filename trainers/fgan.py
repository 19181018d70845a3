"""f-GAN: training by any f-divergence, and estimating one from samples (Nowozin et al., 2016)."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from trainers import divergences, objectives
from trainers.gan import GAN
from trainers.steps import apply_gradients
from zoo.sampling import discriminate
from zoo.validation import check_positive


@keras.saving.register_keras_serializable(package="zoo")
class FGAN(GAN):
    """f-GAN: the generator minimises an f-divergence, the discriminator estimates it.

    Both players move at once, which is the paper's single-step method, on the bound
    `E g_f(v_real) - E f*(g_f(v_fake))`. Its batch means are logged as `divergence_estimate`, a
    lower bound of the divergence, in nats where that has a unit. `discriminator_real`,
    `discriminator_fake` and `js_estimate` read the logit as a log density ratio: at the optimum of
    `"gan"`, `"jensen_shannon"` and `"reverse_kl"` it is one.

    Args:
        generator: As in `GAN`.
        discriminator: As in `GAN`. Its logit is the v of `T = g_f(v)`.
        divergence: Name, config or `trainers.divergences.Divergence`.
        generator_loss: `"replacement"` (section 3.2 of the paper) or `"exact"`.
        schedule: `"simultaneous"` or `"alternating"`.
        **kwargs: `discriminator_steps` and `seed` of `GAN`.

    Raises:
        ValueError: If an argument is unknown, or the players do not fit each other.

    Example:

    ```python
    gan = trainers.FGAN(zoo.DCGANGenerator(), zoo.DCGANDiscriminator(), "pearson", seed=0)
    gan.compile()
    gan.fit(zoo.datasets.load("mnist", batch_size=128), epochs=5)
    ```

    Reference:
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), algorithm 1.
    """

    def __init__(
        self,
        generator,
        discriminator,
        divergence="kl",
        generator_loss="replacement",
        schedule="simultaneous",
        **kwargs,
    ):
        game = objectives.FDivergence(divergence, generator_loss)
        super().__init__(generator, discriminator, schedule=schedule, **kwargs)
        self.game = game
        self.trackers["divergence_estimate"] = keras.metrics.Mean(name="divergence_estimate")

    @property
    def divergence(self):
        """The `trainers.divergences.Divergence` that is played for."""
        return self.game.divergence

    def compile(
        self, objective=None, generator_optimizer=None, discriminator_optimizer=None, **kwargs
    ):
        """As `GAN.compile`, with an objective that the divergence has already chosen.

        Args:
            objective: `None`, or an `objectives.FDivergence` equal to the trainer's.
            generator_optimizer: Keras optimizer or its name. Defaults to Adam(0.0002, 0.5).
            discriminator_optimizer: Likewise.
            **kwargs: The further arguments of `GAN.compile`.

        Raises:
            ValueError: If another objective is given.
        """
        objective = self.game if objective is None else objectives.get(objective)
        if _config(objective) != _config(self.game):
            raise ValueError(
                "`objective` is another than the divergence of the FGAN. Expected None, or another "
                f"trainer than FGAN with divergence={self.divergence.name!r} and generator_loss="
                f"{self.game.generator!r}. Received: objective={type(objective).__name__} with "
                f"{objective.get_config()}"
            )
        super().compile(self.game, generator_optimizer, discriminator_optimizer, **kwargs)

    def track_discriminator(self, losses, real, fake):
        super().track_discriminator(losses, real, fake)
        bound = self.game.bound(real.logits, fake.logits)
        self.trackers["divergence_estimate"].update_state(bound)


def _config(objective):
    return type(objective), objective.get_config()


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
