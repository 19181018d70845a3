"""How often the health monitor is right: runs made to fail, and runs that are not.

  python -m benchmarks.health --seeds=10          # every kind of failure, ten seeds
  python -m benchmarks.health --only=few_modes    # one kind
  python -m benchmarks.health --healthy           # games that go well

A failure counts as found where its name is among those that the monitor named. Toys and small nets,
so that ten of each take minutes; each game is one that fails for the reason in its name.
"""

import contextlib
import os
import time
import warnings

import keras
import numpy as np
from absl import flags

import trainers
import zoo
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_integer("seeds", 10, "Runs of each.", lower_bound=1, flag_values=FLAGS)
flags.DEFINE_list("only", None, "Names of some.", flag_values=FLAGS)
flags.DEFINE_bool("healthy", False, "Games that go well.", flag_values=FLAGS)
RECORD = {}  # Where the looks of the next game go.
STEPS, EVERY, BATCH = 2400, 200, 64
GIVEN = ("schedule", "unroll_steps", "discriminator_steps")  # What is of the trainer.


def generator(units=(64, 64), shape=(2,), latent_dim=16, **first):
    """Dense, LeakyReLU, no normalization."""
    layers = [keras.Input((latent_dim,))]
    for width in units:
        layers += [keras.layers.Dense(width, **first), keras.layers.LeakyReLU(0.2)]
    layers += [keras.layers.Dense(int(np.prod(shape))), keras.layers.Reshape(shape)]
    return keras.Sequential(layers, name="generator")


def discriminator(units=(64, 64), shape=(2,)):
    """Likewise, to one logit."""
    layers = [keras.Input(shape), keras.layers.Flatten()]
    for width in units:
        layers += [keras.layers.Dense(width), keras.layers.LeakyReLU(0.2)]
    return keras.Sequential([*layers, keras.layers.Dense(1)], name="discriminator")


def points(name, count=20_000):
    """Training and unseen points of a toy."""
    return [zoo.datasets.arrays(name, split, examples=count)[0] for split in ("train", "test")]


def normal(count, size, seed):
    """Points N(0, I)."""
    return np.random.default_rng(seed).normal(size=(count, size)).astype("float32")


def adam(rate, beta_1=0.5):
    """Adam."""
    return keras.optimizers.Adam(rate, beta_1)


def game(pair, rates, data, seed, trainer=trainers.GAN, steps=STEPS, betas=(0.5, 0.5), **compiled):
    """Trains, with a monitor beside it: the troubles that it named, by step."""
    given = {k: compiled.pop(k) for k in GIVEN if k in compiled}
    gan = trainer(*pair, seed=seed, value_range=None, **given)
    pairs = zip(rates, betas, strict=True)
    rates = [adam(rate, beta) if isinstance(rate, float) else rate for rate, beta in pairs]
    gan.compile(
        generator_optimizer=rates[0],
        discriminator_optimizer=rates[1],
        steps_per_execution=20,
        jit_compile=False,
        **compiled,
    )
    train, held_out = data
    monitor = trainers.HealthMonitor(
        train, held_out, every_steps=EVERY, warm_up=600, seed=seed, path=RECORD.get("path")
    )
    with warnings.catch_warnings(), contextlib.suppress(zoo.finite.Diverged):
        warnings.simplefilter("ignore")
        gan.fit(
            train,
            batch_size=min(BATCH, len(train)),
            epochs=steps // EVERY,
            steps_per_epoch=EVERY,
            callbacks=[monitor],
            verbose=0,
        )
    return monitor


def not_finite(seed):
    """Steps of 10^30."""
    optimizers = [keras.optimizers.SGD(1e30), keras.optimizers.SGD(1e30)]
    return game((generator(), discriminator()), optimizers, points("ring"), seed, steps=200)


def discriminator_won(seed):
    """A generator that hardly moves."""
    return game((generator(), discriminator()), (1e-6, 2e-3), points("ring"), seed)


def vanishing_gradient(seed):
    """The minimax loss against a discriminator that is ahead."""
    pair = generator(), discriminator()
    return game(
        pair, (1e-6, 5e-3), points("ring"), seed, objective="minimax", discriminator_steps=4
    )


def discriminator_overfits(seed):
    """64 points of 32 coordinates."""
    data = normal(64, 32, seed), normal(1000, 32, 1000 + seed)
    pair = generator(shape=(32,)), discriminator((256, 256), (32,))
    return game(pair, (2e-4, 5e-4), data, seed)


def generator_won(seed):
    """A discriminator that stands still."""
    return game((generator(), discriminator()), (1e-3, 1e-7), points("ring"), seed)


def one_sample(seed):
    """Theorem: against a discriminator that is fixed, the generator goes to its highest point."""
    end = keras.optimizers.schedules.PiecewiseConstantDecay([300], [2e-3, 0.0])
    net = keras.Sequential(
        [*generator().layers, keras.layers.Activation("tanh"), keras.layers.Rescaling(3.0)]
    )
    net.build((None, 16))
    return game((net, discriminator()), (3e-3, adam(end)), points("ring"), seed)


def few_modes(seed):
    """The ring, by turns, with much momentum and nothing against collapse."""
    pair = generator((128, 128), latent_dim=256), discriminator((128,))
    return game(pair, (1e-3, 1e-4), points("ring"), seed, betas=(0.9, 0.9))


def oscillation(seed):
    """Large steps with momentum at the same time."""
    pair = generator(), discriminator()
    return game(pair, (2e-2, 2e-2), points("ring"), seed, betas=(0.9, 0.9), schedule="simultaneous")


def memorisation(seed):
    """40 points of 8 coordinates, and nets that hold them."""
    data = normal(40, 8, seed), normal(1000, 8, 1000 + seed)
    pair = generator((256, 256), (8,), 8), discriminator((256, 256), (8,))
    return game(pair, (1e-3, 1e-3), data, seed, steps=4000)


def dead_units(seed):
    """Rectifiers that a bias of -5 keeps shut."""
    layers = [keras.Input((16,))]
    for _ in range(2):
        layers += [keras.layers.Dense(64, bias_initializer=keras.initializers.Constant(-5.0))]
        layers += [keras.layers.ReLU()]
    net = keras.Sequential([*layers, keras.layers.Dense(2)], name="generator")
    return game((net, discriminator()), (1e-4, 1e-4), points("ring"), seed)


def loss_scale(seed):
    """A penalty beyond float16's largest number."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        pair = generator(), discriminator()
        scaled = [keras.optimizers.LossScaleOptimizer(adam(1e-3)) for _ in range(2)]
        penalty = trainers.penalties.R1(1e12)
        return game(pair, scaled, points("ring"), seed, discriminator_penalties=penalty, steps=1200)
    finally:
        keras.config.set_dtype_policy(before)


FAILURES = (
    not_finite,
    discriminator_won,
    vanishing_gradient,
    discriminator_overfits,
    generator_won,
    one_sample,
    few_modes,
    oscillation,
    memorisation,
    dead_units,
    loss_scale,
)


def healthy(seed):
    """Games that go well, a few kinds of data and rules in turn."""
    noise = trainers.perturbations.InstanceNoise(
        keras.optimizers.schedules.PolynomialDecay(1.0, STEPS, 0.05)
    )
    r1 = trainers.penalties.R1(0.1)
    kind = seed % 5
    data = points(("ring", "grid", "mixture", "normal", "ring")[kind])
    shape = data[0].shape[1:]
    pair = generator(shape=shape), discriminator(shape=shape)
    rules = (
        {"discriminator_penalties": r1, "perturbations": noise, "schedule": "simultaneous"},
        {"discriminator_penalties": r1, "perturbations": noise, "schedule": "simultaneous"},
        {"discriminator_penalties": r1},
        {"objective": "least_squares"},
        {"trainer": trainers.UnrolledGAN, "unroll_steps": 5, "perturbations": noise},
    )
    return game(pair, (1e-3, 1e-3), data, seed, **rules[kind])


def main(arguments):
    """Runs them and prints a table."""
    command.no_arguments(arguments)
    games = [healthy] if FLAGS.healthy else FAILURES
    print("game                     found  named (times)", flush=True)
    for play in games:
        if FLAGS.only and play.__name__ not in FLAGS.only:
            continue
        begun, named, found = time.perf_counter(), {}, 0
        for seed in range(FLAGS.seeds):
            keras.utils.set_random_seed(seed)
            monitor = play(seed)
            keras.backend.clear_session()
            found += play.__name__ in monitor.troubles
            for name, steps in monitor.troubles.items():
                named.setdefault(name, []).append((seed, steps[0]))
            if os.environ.get("LOOKS"):
                for look in monitor.history:
                    numbers = {k: v for k, v in look.items() if isinstance(v, float)}
                    print({k: round(v, 3) for k, v in numbers.items() if "loss" not in k})
        said = ", ".join(f"{name} {len(at)} {at[:3]}" for name, at in named.items())
        seconds = time.perf_counter() - begun
        print(
            f"{play.__name__:24} {found:2} of {FLAGS.seeds}  {said}  ({seconds:.0f} s)", flush=True
        )
    return 0


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
