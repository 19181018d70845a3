"""One Gaussian fitted to a density on the line by a divergence: exactly, and as a game."""

import keras
import numpy as np
from scipy import optimize

import trainers
import zoo

GRID = np.linspace(-14.0, 16.0, 60_001)
WIDTH, BATCH = 64, 1024
DIVERGENCES = ("kl", "reverse_kl", "jensen_shannon", "jeffrey", "pearson")


def log_normal(x, mean, scale):
    """The log density of a Gaussian."""
    return -0.5 * ((x - mean) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)


def divergence(name, log_p, mean, scale):
    """`int q f(p / q)` by the trapezoidal rule, which is exact to many digits for such densities.

    Args:
        name: Of `DIVERGENCES`.
        log_p: The log density of the data on `GRID`.
        mean, scale: Of q.
    """
    log_q = log_normal(GRID, mean, scale)
    ratio = np.clip(log_p - log_q, -600.0, 600.0)
    if name == "kl":  # p is the weight: no tail is lost.
        values = np.exp(log_p) * ratio
    elif name == "pearson":
        values = np.exp(np.clip(2 * log_p - log_q, -700, 700)) - np.exp(log_q)
    elif name == "jensen_shannon":
        half = np.logaddexp(log_p, log_q) - np.log(2)
        values = np.exp(log_p) * (log_p - half) + np.exp(log_q) * (log_q - half)
    elif name == "jeffrey":
        values = (np.exp(log_p) - np.exp(log_q)) * ratio
    else:
        values = -np.exp(log_q) * ratio
    return float(np.trapezoid(values, GRID))


def exact(name, log_p, start=(1.0, 1.5)):
    """The Gaussian of the least divergence near a start: (divergence, mean, deviation)."""

    def loss(place):
        return divergence(name, log_p, place[0], np.exp(place[1]))

    first = (start[0], np.log(start[1]))
    found = optimize.minimize(loss, first, method="Nelder-Mead", tol=1e-10)
    return float(found.fun), float(found.x[0]), float(np.exp(found.x[1]))


def learned(name, sampler, members, steps, seed, start=None, rate=2e-3):
    """The same by f-GAN: as many games as members, each with a generator `mu + sigma z`.

    Args:
        name: Of a divergence.
        sampler: Function of (generator of NumPy, shape) to data.
        members: int.
        steps: int.
        seed: int.
        start: Pairs of (mean, deviation), one a member. Defaults to (1, 1.5) for all.
        rate: float. Of both players' Adam, which falls to 0 along a cosine.

    Returns:
        A dict: `mean` and `scale`, lists of one a member; `bound`, the mean estimate of the
        divergence over the last steps of each; `diverged`.
    """
    per_epoch = 100
    decay = keras.optimizers.schedules.CosineDecay
    generator = zoo.MLPGenerator((1,), 1, (), output_activation="linear", prior="normal")
    discriminator = zoo.MLPDiscriminator(
        (1,),
        (WIDTH, WIDTH),
        "tanh",
        input_dropout=0.0,
        dropout=0.0,
        kernel_initializer="glorot_uniform",
    )
    ensemble = trainers.GANEnsemble(
        generator,
        discriminator,
        members,
        objective=trainers.objectives.FDivergence(name, "exact"),
        schedule="simultaneous",
        generator_optimizer=keras.optimizers.Adam(decay(rate, steps), beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(decay(2 * rate, steps), beta_1=0.5),
        ema_decay=0.99,
        seed=seed,
    )
    kernel, bias = ensemble.generator.weights
    means, scales = np.array(start or [(1.0, 1.5)] * members, "float32").T
    kernel.assign(scales[:, None, None])
    bias.assign(means[:, None])
    ensemble.ema_generator.set_weights(ensemble.generator.get_weights())
    data = sampler(np.random.default_rng(seed), (50 * BATCH,)).astype("float32")[:, None]
    history = ensemble.fit(
        data, batch_size=BATCH, epochs=steps // per_epoch, steps_per_epoch=per_epoch, verbose=0
    )
    kernel, bias = ensemble.ema_generator.get_weights()
    return {
        "mean": bias[:, 0].tolist(),
        "scale": np.abs(kernel[:, 0, 0]).tolist(),
        "bound": (-history.members["discriminator_loss"][-3:].mean(0)).tolist(),
        "diverged": len(ensemble.diverged),
    }
