"""Tunes a simulated detector to its data: adversarial variational optimisation on decay times.

Usage: python -m studies.detector [--seeds=3] [--epochs=60]

A particle decays after a time of mean tau, and the detector blurs it with a resolution sigma:
t = -tau log u + sigma n. The data are 10,000 events at tau = 1, sigma = 0.5; the simulators start
from tau = 2, sigma = 1. Three ways to the parameters:

  times   pathwise           t itself: TensorFlow differentiates the simulator
  counts  finite_difference  floor(t / 0.25), of NumPy: integers, without a derivative
  counts  score              the same

The discriminator has two layers of 32 units. Adam's rates fall to 0 along a cosine, from 0.02 for
the simulator, whose parameters move by logarithms, and 0.01 for the discriminator; the answer is a
moving average. Under each run stands the estimate of maximum likelihood from the same events, from
the exact density: no other can do better than its standard errors, 1.1 % for tau and 1.5 % for
sigma. Over seeds 0 to 2 the errors of all nine runs are below 2.5 %.
"""

import keras
import numpy as np
import tensorflow as tf
from absl import flags
from scipy import optimize, special, stats

import trainers
import zoo
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_integer("seeds", 3, "Runs of each way, with data of their own.", 1, flag_values=FLAGS)
flags.DEFINE_integer("epochs", 60, "Passes over the events.", 1, flag_values=FLAGS)

TRUTH = {"tau": 1.0, "sigma": 0.5}
START = {"tau": 2.0, "sigma": 1.0}
EVENTS, BATCH = 10_000, 500
BIN = 0.25


@keras.saving.register_keras_serializable("studies")
def times(parameters, latents):
    """Blurred decay times: u = Phi(z_0), n = z_1."""
    lifetimes = -tf.math.log(tf.math.erfc(latents[:, :1] / 2**0.5) / 2.0)
    return parameters["tau"] * lifetimes + parameters["sigma"] * latents[:, 1:]


@keras.saving.register_keras_serializable("studies")
def counts(parameters, latents):
    """The same times as integers, by a clock with ticks of `BIN`."""
    lifetimes = -np.log(special.ndtr(-latents[:, :1]))
    blurred = parameters["tau"] * lifetimes + parameters["sigma"] * latents[:, 1:]
    return np.floor(blurred / BIN)


WAYS = [(times, "pathwise"), (counts, "finite_difference"), (counts, "score")]


def events(function, seed, count=EVENTS):
    """Data: float32 `(count, 1)`, by a generator of their own."""
    rng = np.random.default_rng(seed)
    blurred = rng.exponential(TRUTH["tau"], (count, 1))
    blurred += rng.normal(scale=TRUTH["sigma"], size=(count, 1))
    blurred = np.floor(blurred / BIN) if function is counts else blurred
    return blurred.astype("float32")


def tune(function, gradient, data, seed, epochs):
    """The trainer after `epochs` passes over the data; its `sampler` is the averaged simulator."""
    keras.utils.set_random_seed(seed)
    simulator = zoo.Simulator(
        function,
        START,
        sample_shape=(1,),
        latent_dim=2,
        gradient=gradient,
        scale=0.05,
        bounds={name: [0.0, None] for name in START},
    )
    discriminator = zoo.MLPDiscriminator(
        (1,),
        units=(32, 32),
        activation="tanh",
        input_dropout=0.0,
        dropout=0.0,
        kernel_initializer="glorot_uniform",
    )
    gan = trainers.GAN(simulator, discriminator, seed=seed)
    steps = epochs * (len(data) // BATCH)
    decay = keras.optimizers.schedules.CosineDecay
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(decay(0.02, steps), beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(decay(0.01, steps), beta_1=0.5),
        ema_decay=0.98,
    )
    gan.fit(data, batch_size=BATCH, epochs=epochs, verbose=0)
    return gan


def most_likely(function, data):
    """The parameters of maximum likelihood, from the exact density: as good as one can do."""

    def surprise(logarithms):
        tau, sigma = np.exp(logarithms)
        response = stats.exponnorm(tau / sigma, scale=sigma)
        if function is not counts:
            return -response.logpdf(data).sum()
        values, numbers = np.unique(data, return_counts=True)
        shares = response.cdf((values + 1) * BIN) - response.cdf(values * BIN)
        return -(numbers * np.log(np.maximum(shares, 1e-300))).sum()

    start = np.log(list(TRUTH.values()))
    found = optimize.minimize(surprise, start, method="Nelder-Mead", tol=1e-4)
    return dict(zip(TRUTH, np.exp(found.x), strict=True))


def _row(way, gradient, seed, values):
    cells = [f"{v:8.4f}{v / TRUTH[name] - 1:+7.1%}" for name, v in values.items()]
    print(f"{way:8}{gradient:20}{seed:4}", *cells, flush=True)


def main(arguments):
    print(f"{'':8}{'gradient':20}seed      tau  error    sigma  error")
    for function, gradient in WAYS:
        for seed in range(FLAGS.seeds):
            data = events(function, seed)
            gan = tune(function, gradient, data, seed, FLAGS.epochs)
            _row(function.__name__, gradient, seed, gan.sampler.values())
            _row("", "(maximum likelihood)", seed, most_likely(function, data))


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
