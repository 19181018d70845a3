"""One Gaussian fitted to a density on the line by a divergence: exactly, and as a game."""

import keras
import numpy as np
from scipy import optimize

import trainers
import zoo
from studies.study import Finding

GRID = np.linspace(-14.0, 16.0, 60_001)
WIDTH, BATCH = 64, 1024


def log_normal(x, mean, scale):
    """The log density of a Gaussian."""
    return -0.5 * ((x - mean) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)


def _kl(log_p, log_q):
    return np.exp(log_p) * _log_ratio(log_p, log_q)  # p is the weight: no tail is lost.


def _reverse_kl(log_p, log_q):
    return -np.exp(log_q) * _log_ratio(log_p, log_q)


def _jensen_shannon(log_p, log_q):
    half = np.logaddexp(log_p, log_q) - np.log(2)
    return np.exp(log_p) * (log_p - half) + np.exp(log_q) * (log_q - half)


def _jeffrey(log_p, log_q):
    return (np.exp(log_p) - np.exp(log_q)) * _log_ratio(log_p, log_q)


def _pearson(log_p, log_q):
    return np.exp(np.clip(2 * log_p - log_q, -700, 700)) - np.exp(log_q)


def _log_ratio(log_p, log_q):
    return np.clip(log_p - log_q, -600.0, 600.0)


INTEGRANDS = {  # `q f(p / q)` from both log densities.
    "kl": _kl,
    "reverse_kl": _reverse_kl,
    "jensen_shannon": _jensen_shannon,
    "jeffrey": _jeffrey,
    "pearson": _pearson,
}
DIVERGENCES = tuple(INTEGRANDS)


def divergence(name, log_p, mean, scale):
    """`int q f(p / q)` by the trapezoidal rule, which is exact to many digits for such densities.

    That of "jensen_shannon" is 2 JS, the f-divergence of f-GAN's table 1 without its constant.

    Args:
        name: Of `DIVERGENCES`.
        log_p: The log density of the data on `GRID`.
        mean, scale: Of q.
    """
    return float(np.trapezoid(INTEGRANDS[name](log_p, log_normal(GRID, mean, scale)), GRID))


def lost(name, games):
    """The finding that some games diverged, if some did."""
    count = int(np.sum(~np.isfinite(games["mean"]) | ~np.isfinite(games["scale"])))
    if count:
        said = f"{count} of {len(games['mean'])} (nan)"
        yield Finding(f"{name}: games that diverged", "0", said, False)


def exact(name, log_p, start=(1.0, 1.5)):
    """The Gaussian of the least divergence near a start: (divergence, mean, deviation)."""

    def loss(place):
        return divergence(name, log_p, place[0], np.exp(place[1]))

    first = (start[0], np.log(start[1]))
    found = optimize.minimize(loss, first, method="Nelder-Mead", tol=1e-10)
    return float(found.fun), float(found.x[0]), float(np.exp(found.x[1]))


def learned(name, sampler, starts, steps, seed, rate=5e-3):
    """The same by f-GAN: a game a start, each with a generator `mu + sigma z` and its own data.

    Args:
        name: Of a divergence.
        sampler: Function of (generator of NumPy, shape) to data.
        starts: Pairs of (mean, deviation), one a game.
        steps: int.
        seed: int.
        rate: float. Of both players' Adam, which falls to 0 along a cosine.

    Returns:
        A dict: `mean` and `scale`, lists of one a game; `bound`, the mean estimate of the
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
        len(starts),
        objective=trainers.objectives.FDivergence(name, "exact"),
        schedule="simultaneous",
        generator_optimizer=keras.optimizers.Adam(decay(rate, steps), beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(decay(2 * rate, steps), beta_1=0.5),
        ema_decay=0.99,
        seed=seed,
    )
    kernel, bias = ensemble.generator.weights
    means, scales = np.array(starts, "float32").T
    kernel.assign(scales[:, None, None])
    bias.assign(means[:, None])
    ensemble.ema_generator.set_weights(ensemble.generator.get_weights())
    data = sampler(np.random.default_rng(seed), (len(starts), 50 * BATCH)).astype("float32")
    history = ensemble.fit(
        data[..., None],
        batch_size=BATCH,
        epochs=steps // per_epoch,
        steps_per_epoch=per_epoch,
        verbose=0,
    )
    kernel, bias = ensemble.ema_generator.get_weights()
    return {
        "mean": bias[:, 0].tolist(),
        "scale": np.abs(kernel[:, 0, 0]).tolist(),
        "bound": (-history.members["discriminator_loss"][-3:].mean(0)).tolist(),
    }
