"""Images a second of a DCGAN's training on a GPU, with and without XLA.

  python -m benchmarks.gpu --batch_size=512 --filters=64

Prints each precision's share of the card's own product of two 8192x8192 matrices, timed in the same
rounds. Medians, and the quartiles in brackets.
"""

import itertools
import time

import keras
import numpy as np
import tensorflow as tf
from absl import flags

import trainers
import zoo
from benchmarks.speed import operations
from zoo import command

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
SCHEDULES = ("alternating", "simultaneous")

FLAGS = flags.FlagValues()
flags.DEFINE_integer("batch_size", 512, "Examples a step.", 1, flag_values=FLAGS)
flags.DEFINE_integer("filters", 64, "Maps of the widest layer.", 1, flag_values=FLAGS)
flags.DEFINE_integer("rounds", 7, "Rounds of all rows.", 1, flag_values=FLAGS)
flags.DEFINE_integer("steps", 50, "Steps of a row in a round.", 1, flag_values=FLAGS)
flags.DEFINE_multi_enum(
    "precision", None, PRECISIONS, "Which rows: all, and float32 without a GPU.", flag_values=FLAGS
)
flags.DEFINE_multi_enum("schedule", SCHEDULES, SCHEDULES, "Which rows.", flag_values=FLAGS)
flags.DEFINE_bool("cpu", False, "Run without a GPU, to try the command.", flag_values=FLAGS)

NET = {"image_shape": [28, 28, 1]}


def training(precision, schedule, xla):
    """A function that takes a number of steps, batches included, and waits for the last."""
    keras.utils.set_random_seed(0)
    gan = trainers.GAN(
        zoo.DCGANGenerator(filters=FLAGS.filters, dtype=precision),
        zoo.DCGANDiscriminator(filters=FLAGS.filters, batch_normalization=False, dtype=precision),
        schedule=schedule,
    )
    gan.compile(jit_compile=xla)
    data = zoo.datasets.load("mnist", batch_size=FLAGS.batch_size, labels=False, repeat=True)
    iterator = iter(data)
    gan.make_train_function()

    def run(steps):
        for _ in range(steps):
            logs = gan.train_function(iterator)
        return float(logs["generator_loss"])

    return run


def product(precision, size):
    """A function that multiplies two matrices a number of times, and waits."""
    matrix = tf.cast(tf.random.stateless_normal((size, size), (0, 0)), precision)
    multiply = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)), autograph=False)

    def run(steps):
        for _ in range(steps):
            total = multiply()
        return float(total)

    return run


def main(arguments):
    """Prints the table."""
    command.no_arguments(arguments)
    devices = tf.config.list_physical_devices("GPU")
    if not devices and not FLAGS.cpu:
        raise ValueError(
            "`--cpu` is not set, and there is no GPU. Expected one that TensorFlow sees, "
            "or --cpu to try the command. Received: a machine without"
        )
    size = 8192 if devices else 512
    rows = {
        (precision, *way): training(precision, *way)
        for precision in FLAGS.precision or PRECISIONS[: None if devices else 1]
        for way in itertools.product(FLAGS.schedule, (False, True))
    }
    products = {
        p: product(p.removeprefix("mixed_"), size) for p in dict.fromkeys(r[0] for r in rows)
    }
    times = {name: [] for name in [*rows, *products]}
    for run in [*rows.values(), *products.values()]:
        run(3)
    for _ in range(FLAGS.rounds):
        for name, run in [*rows.items(), *products.items()]:
            start = time.perf_counter()
            run(FLAGS.steps)
            times[name].append((time.perf_counter() - start) / FLAGS.steps)
    name = tf.config.experimental.get_device_details(devices[0]) if devices else "no GPU"
    print(f"{name}: DCGAN {FLAGS.filters} filters, batch {FLAGS.batch_size}")
    net = {**NET, "filters": FLAGS.filters}
    for precision, schedule, xla in rows:
        low, median, high = np.percentile(times[precision, schedule, xla], (25, 50, 75))
        rate = operations(net, schedule) * FLAGS.batch_size / median
        peak = 2 * size**3 / np.median(times[precision])
        print(
            f"  {precision:16}{schedule:14}{'XLA' if xla else 'no XLA':8}"
            f"{FLAGS.batch_size / median:10.0f} images/s "
            f"[{FLAGS.batch_size / high:.0f} ... {FLAGS.batch_size / low:.0f}]"
            f"{rate / 1e12:8.2f} TFLOP/s, {rate / peak:.0%} of {peak / 1e12:.1f}"
        )


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
