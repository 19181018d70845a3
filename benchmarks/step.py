"""Milliseconds of a DCGAN training step on MNIST, and the share that feeding it takes.

  python -m benchmarks.step --batch_size=128 --filters=64 --rounds=5

Every round times each configuration once, so that a busy machine slows all of them; medians over
the rounds, and the quartiles in brackets. The product of two 2048x2048 matrices, timed in the same
rounds, says how fast the machine was.
"""

import time

import keras
import numpy as np
import tensorflow as tf
from absl import flags

import trainers
import zoo

FLAGS = flags.FlagValues()
flags.DEFINE_integer("batch_size", 128, "Examples a step.", flag_values=FLAGS)
flags.DEFINE_integer("filters", 64, "Maps of the widest layer.", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 5, "Rounds of all configurations.", flag_values=FLAGS)
flags.DEFINE_integer("steps", 8, "Steps timed in a round.", flag_values=FLAGS)

# float16 without XLA is left out: this CPU code of TensorFlow takes most of a minute a step.
CONFIGURATIONS = [
    ("float32", "alternating", False),
    ("float32", "alternating", True),
    ("float32", "simultaneous", False),
    ("float32", "simultaneous", True),
    ("mixed_bfloat16", "alternating", False),
    ("mixed_bfloat16", "alternating", True),
    ("mixed_bfloat16", "simultaneous", False),
    ("mixed_bfloat16", "simultaneous", True),
    ("mixed_float16", "alternating", True),
]


def step(precision, schedule, xla):
    """A function of a batch that takes one training step and waits for it."""
    keras.utils.set_random_seed(0)
    gan = trainers.GAN(
        zoo.DCGANGenerator(latent_dim=64, filters=FLAGS.filters, dtype=precision),
        zoo.DCGANDiscriminator(filters=FLAGS.filters, dtype=precision),
        schedule=schedule,
    )
    gan.compile()
    function = tf.function(gan.train_step, jit_compile=xla, autograph=False)
    return lambda batch: function(batch)["generator_loss"].numpy()


def feeding(batches):
    """Milliseconds of processor time that one batch takes, measured alone."""
    iterator = iter(batches)
    for _ in range(50):
        next(iterator)
    start = time.process_time()
    for _ in range(500):
        next(iterator)
    return (time.process_time() - start) / 500 * 1e3


def product():
    """A function that multiplies two 2048x2048 float32 matrices."""
    matrix = tf.random.stateless_normal((2048, 2048), (0, 0))
    multiply = tf.function(lambda: tf.matmul(matrix, matrix), autograph=False)
    return lambda: multiply().numpy()


def milliseconds(function, count):
    """Mean milliseconds of a call."""
    start = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - start) / count * 1e3


def main(arguments):
    """Prints the table."""
    zoo.command.no_arguments(arguments)
    tf.get_logger().setLevel("ERROR")  # Each configuration is traced, and that is meant.
    batches = zoo.datasets.load("mnist", batch_size=FLAGS.batch_size, labels=False, repeat=True)
    batch = next(iter(batches))
    functions = {"2048x2048 product": product()}
    for configuration in CONFIGURATIONS:
        precision, schedule, xla = configuration
        name = f"{precision}, {schedule}, {'XLA' if xla else 'no XLA'}"
        play = step(*configuration)
        functions[name] = lambda play=play: play(batch)
        start = time.perf_counter()
        functions[name]()
        print(f"{name}: first step after {time.perf_counter() - start:.1f} s", flush=True)
    times = {name: [] for name in functions}
    for _ in range(FLAGS.rounds):
        for name, function in functions.items():
            function()
            times[name].append(milliseconds(function, FLAGS.steps))
    print(f"\nDCGAN {FLAGS.filters} filters, batch {FLAGS.batch_size}, ms:")
    for name, values in times.items():
        low, median, high = np.percentile(values, (25, 50, 75))
        print(f"  {name:42s} {median:7.1f}  [{low:.1f} ... {high:.1f}]")
    fed = feeding(batches)
    plain = np.median(times["float32, alternating, no XLA"])
    print(f"feeding a batch: {fed:.2f} ms of processor time, {100 * fed / plain:.2f} % of a step")


if __name__ == "__main__":
    zoo.command.run(main, __doc__, FLAGS)
