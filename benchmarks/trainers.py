"""What a training step of each trainer costs, as a ratio to a plain GAN's of the same DCGAN.

  python -m benchmarks.trainers --batch_size=128 --filters=64 --rounds=5

Every round times each row once, so that a busy machine slows all of them. A ratio is one within a
round; medians over the rounds, and the quartiles in brackets.
"""

import time
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from absl import flags

import trainers as t
import zoo
from trainers.penalties import R1

FLAGS = flags.FlagValues()
flags.DEFINE_integer("batch_size", 128, "Examples a step.", flag_values=FLAGS)
flags.DEFINE_integer("filters", 64, "Maps of the widest layer.", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 5, "Rounds of all rows.", flag_values=FLAGS)
flags.DEFINE_list("only", None, "Parts of the names of the rows to time.", flag_values=FLAGS)
flags.DEFINE_bool("jit_compile", False, "Whether XLA compiles the steps.", flag_values=FLAGS)


class Row(NamedTuple):
    """One line of the table."""

    name: str
    make: object  # (generator, discriminator) -> trainer
    compared: int = 0  # The row whose time it is divided by.
    target: float = None
    normalized: bool = True  # Whether the discriminator has batch normalization.
    compiled: dict = {}  # noqa: RUF012 - Arguments of `compile`.
    step: str = "train_step"
    steps: int = 4  # In a round.
    packing: int = 1


ROWS = [
    Row("GAN", t.GAN),
    Row("GAN, no batch normalization in D", t.GAN, normalized=False, steps=8),
    Row("its discriminator_step", t.GAN, 1, normalized=False, step="discriminator_step", steps=8),
    Row("GAN, simultaneous", lambda *p: t.GAN(*p, schedule="simultaneous"), 0, 0.75, steps=8),
    Row("HistoricalAveragingGAN", t.HistoricalAveragingGAN, 0, 1.1, steps=8),
    Row("FeatureMatchingGAN", t.FeatureMatchingGAN, 0, 1.1, steps=8),
    Row(
        "GAN, R1 every 16 steps",
        t.GAN,
        1,
        1.15,
        False,
        {"discriminator_penalties": R1(every=16)},
        steps=16,
    ),
    Row(
        "WassersteinGANGP, discriminator_step",
        lambda *p: t.WassersteinGANGP(*p, discriminator_steps=1),
        2,
        2.5,
        False,
        step="discriminator_step",
    ),
    *(
        Row(f"GAN, packing={m}", lambda *p, m=m: t.GAN(*p, packing=m), steps=8, packing=m)
        for m in (2, 4)
    ),
    Row("ConsensusGAN", t.ConsensusGAN, 0, 4.0),
    Row("UnrolledGAN, 1 step", lambda *p: t.UnrolledGAN(*p, unroll_steps=1), 0, 2.5),
    Row("UnrolledGAN, 5 steps", lambda *p: t.UnrolledGAN(*p, unroll_steps=5), 0, 8.5, steps=2),
    Row("UnrolledGAN, 10 steps", lambda *p: t.UnrolledGAN(*p, unroll_steps=10), 0, 16.0, steps=1),
]


def step(row):
    """A function of a batch that takes one step of the row and waits for it."""
    keras.utils.set_random_seed(0)
    discriminator = zoo.DCGANDiscriminator(
        (28, 28, row.packing), filters=FLAGS.filters, batch_normalization=row.normalized
    )
    gan = row.make(zoo.DCGANGenerator(latent_dim=64, filters=FLAGS.filters), discriminator)
    gan.compile(**row.compiled)
    moved = gan.discriminator_optimizer.iterations

    @tf.function(jit_compile=FLAGS.jit_compile, autograph=False)
    def function(batch):
        if row.step == "train_step":
            gan.train_step(batch)
        else:
            gan.discriminator_step(*gan.unpack(batch), gan.key(0))
            gan.steps.assign_add(1)
        return moved.value

    return lambda batch: function(batch).numpy()


def milliseconds(function, batch, count):
    """Mean milliseconds of a call."""
    start = time.perf_counter()
    for _ in range(count):
        function(batch)
    return (time.perf_counter() - start) / count * 1e3


def main(arguments):
    """Prints the table."""
    zoo.command.no_arguments(arguments)
    tf.get_logger().setLevel("ERROR")  # Each row is traced, and that is meant.
    batches = zoo.datasets.load("mnist", batch_size=FLAGS.batch_size, labels=False, repeat=True)
    batch = next(iter(batches))
    needed = [
        k
        for k, row in enumerate(ROWS)
        if FLAGS.only is None or k < 3 or any(part in row.name for part in FLAGS.only)
    ]
    functions, times = {}, {k: [] for k in needed}
    for k in needed:
        functions[k] = step(ROWS[k])
        print(f"{ROWS[k].name}: first step after {milliseconds(functions[k], batch, 1):.0f} ms")
    for _ in range(FLAGS.rounds):
        for k in needed:
            functions[k](batch)  # Its weights and its code were put out of the caches.
            times[k].append(milliseconds(functions[k], batch, ROWS[k].steps))
    print(f"\nDCGAN {FLAGS.filters} filters, batch {FLAGS.batch_size}:")
    for k in needed:
        low, ratio, high = np.percentile(
            np.array(times[k]) / np.array(times[ROWS[k].compared]), (25, 50, 75)
        )
        target = "" if ROWS[k].target is None else f"at most {ROWS[k].target:g}"
        print(
            f"  {ROWS[k].name:38s} {np.median(times[k]):8.1f} ms  {ratio:6.2f} "
            f"[{low:.2f} ... {high:.2f}] of {ROWS[ROWS[k].compared].name}  {target}"
        )


if __name__ == "__main__":
    zoo.command.run(main, __doc__, FLAGS)
