"""Where XLA pays on this machine: milliseconds of a step in `fit`, compiled and not.

  python -m benchmarks.xla --rounds=5

Every round times each configuration of a row once, so that a busy machine slows all of them. The
last column is after how many steps the compilation has paid for itself.
"""

import time

import keras
import numpy as np
from absl import flags

import trainers as t
import zoo
from zoo import command, datasets

FLAGS = flags.FlagValues()
flags.DEFINE_integer("rounds", 5, "Rounds of all configurations of a row.", 1, flag_values=FLAGS)
flags.DEFINE_float(
    "seconds", 1.5, "About how long a configuration takes in a round.", flag_values=FLAGS
)
flags.DEFINE_list("only", None, "Parts of the names of the rows to time.", flag_values=FLAGS)

POINTS = {"units": (128, 128), "kernel_initializer": "glorot_uniform"}


def ring():
    """The pair that the command takes for toys."""
    generator = zoo.MLPGenerator((2,), 16, output_activation="linear", prior="normal", **POINTS)
    critic = {"activation": "relu", "input_dropout": 0.0, "dropout": 0.0}
    return generator, zoo.MLPDiscriminator((2,), **critic, **POINTS)


def digits():
    """The pair of 2014."""
    return zoo.MLPGenerator((28, 28, 1)), zoo.MLPDiscriminator((28, 28, 1))


def narrow(*units):
    """A function that makes dense players of other widths, as those of the f-GAN paper are."""

    def make():
        generator = zoo.MLPGenerator((28, 28, 1), units=units, batch_normalization=True)
        critic = {"activation": "elu", "input_dropout": 0.0, "dropout": 0.0}
        return generator, zoo.MLPDiscriminator((28, 28, 1), units=units, **critic)

    return make


def maps():
    """A small DCGAN."""
    return zoo.DCGANGenerator(filters=32), zoo.DCGANDiscriminator(filters=32)


ROWS = {  # Name: players, trainer, data, batch size.
    "GAN, ring, batch 512": (ring, t.GAN, "ring", 512),
    "GAN, 2014 pair on MNIST, batch 100": (digits, t.GAN, "mnist", 100),
    "GAN, dense 64 on MNIST, batch 128": (narrow(64), t.GAN, "mnist", 128),
    "GAN, dense 256 on MNIST, batch 128": (narrow(256), t.GAN, "mnist", 128),
    "GAN, dense 512-512 on MNIST, batch 128": (narrow(512, 512), t.GAN, "mnist", 128),
    "GAN, DCGAN of 32 filters, batch 64": (maps, t.GAN, "mnist", 64),
    "UnrolledGAN of 5 steps, ring, batch 512": (ring, t.UnrolledGAN, "ring", 512),
    "ConsensusGAN, ring, batch 512": (ring, t.ConsensusGAN, "ring", 512),
    "FGAN, 2014 pair on MNIST, batch 100": (digits, t.FGAN, "mnist", 100),
}
EXECUTIONS = (1, 20)


def fitting(make, trainer, data, batch_size, xla, steps):
    """A function of a number of steps that trains them, and the seconds of the first call."""
    keras.utils.set_random_seed(0)
    gan = trainer(*make(), seed=0)
    gan.compile(jit_compile=xla, steps_per_execution=steps)
    batches = datasets.load(data, batch_size=batch_size, labels=False, repeat=True)

    def fit(count):
        gan.fit(batches, steps_per_epoch=count, epochs=1, verbose=0)

    start = time.perf_counter()
    fit(steps)
    return fit, time.perf_counter() - start


def measure(row):
    """`{(xla, steps in an execution): (ms a step, a round each), seconds of the first)}`."""
    functions, first, times, counts = {}, {}, {}, {}
    for steps in EXECUTIONS:
        for xla in (False, True):
            key = (xla, steps)
            functions[key], first[key] = fitting(*row, xla, steps)
            counts[key], took = steps, 0.0
            while took < FLAGS.seconds / 2:  # A call of `fit` has a cost of its own.
                counts[key] *= 2
                start = time.perf_counter()
                functions[key](counts[key])
                took = time.perf_counter() - start
            times[key] = []
    for _ in range(FLAGS.rounds):
        for key, function in functions.items():
            start = time.perf_counter()
            function(counts[key])
            times[key].append((time.perf_counter() - start) / counts[key] * 1e3)
    return {key: (np.array(times[key]), first[key]) for key in functions}


def main(arguments):
    """Prints the table."""
    command.no_arguments(arguments)
    print("| row | steps an execution | ms | ms, XLA | ratio | compilation s | pays after |")
    print("|---|---|---|---|---|---|---|")
    for name, row in ROWS.items():
        if FLAGS.only and not any(part in name for part in FLAGS.only):
            continue
        found = measure(row)
        for steps in EXECUTIONS:
            (plain, first), (compiled, later) = found[False, steps], found[True, steps]
            low, ratio, high = np.percentile(plain / compiled, (25, 50, 75))
            saved = np.median(plain - compiled) / 1e3
            pays = f"{max(0, later - first) / saved:,.0f} steps" if saved > 0 else "never"
            print(
                f"| {name} | {steps} | {np.median(plain):.2f} | {np.median(compiled):.2f} | "
                f"{ratio:.2f} [{low:.2f} ... {high:.2f}] | {later - first:.1f} | {pays} |",
                flush=True,
            )


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
