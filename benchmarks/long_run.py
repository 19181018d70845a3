"""What grows in a long run: memory, open files, traces; and in a process that loads many presets.

  python -m benchmarks.long_run --steps=20000
  python -m benchmarks.long_run --presets=200
  python -m benchmarks.long_run --trainers=50

A small GAN of points with every callback, which saves, scores, looks and draws every hundred
steps; memory is what the process holds when the garbage is collected, read ten times. Growth is
counted after the first fifth.
"""

import contextlib
import ctypes
import gc
import os
import pathlib
import tempfile

import keras
import numpy as np
from absl import flags

import evaluation
import trainers
import zoo
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_integer("steps", 0, "Of a run.", lower_bound=0, flag_values=FLAGS)
flags.DEFINE_integer("presets", 0, "To load.", lower_bound=0, flag_values=FLAGS)
flags.DEFINE_integer("trainers", 0, "To make, train, forget.", lower_bound=0, flag_values=FLAGS)
READINGS, SAVES, WARM = 10, 100, 0.2


def memory():
    """MB that the process holds, and its open files."""
    for _ in range(3):
        gc.collect()
    with contextlib.suppress(OSError):  # Where free pages can be given back.
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir("/proc/self/fd"))


def told(what, count, readings, traces=()):
    """Prints what grew after the first fifth."""
    start = int(len(readings) * WARM)
    (first, files), (last, files_last) = readings[start], readings[-1]
    series = " ".join(f"{mb:.0f}" for mb, _ in readings)
    print(f"{what}: {count:,}; MB held: {series}")
    print(f"after the first fifth {last - first:+.1f} MB of {first:.0f}: {last / first - 1:+.2%}")
    print(f"open files {files} -> {files_last}" + (f"; traces {traces}" if traces else ""))


def pair():
    """Small players of points."""
    sizes = {"image_shape": (2,), "units": (32, 32)}
    return zoo.MLPGenerator(**sizes, output_activation="linear"), zoo.MLPDiscriminator(**sizes)


class Reads(keras.callbacks.Callback):
    """Reads the memory at the end of some epochs, and how often the step has been traced."""

    def __init__(self, every, gan):
        super().__init__()
        self.every, self.readings, self.traces, self.count = every, [], [], 0
        step = gan.train_step

        def traced(data):  # A compiled step runs as Python when it is traced, and only then.
            self.count += 1
            return step(data)

        gan.train_step = traced

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self.readings.append(memory())
            self.traces.append(self.count)


def run(folder):
    """Trains with all callbacks."""
    (x, _), (unseen, _) = (zoo.datasets.arrays("ring", split) for split in ("train", "test"))
    gan = trainers.GAN(*pair())
    gan.compile()
    epochs = FLAGS.steps // SAVES
    reads = Reads(max(1, epochs // READINGS), gan)
    measure = evaluation.measures.get("modes", evaluation.measures.Reference("ring"))
    checkpoint = trainers.Checkpoint(folder / "gan.keras", every_steps=SAVES)
    callbacks = [
        reads,
        checkpoint,
        trainers.SampleGrid(folder / "samples", count=64, every_steps=SAVES),
        trainers.HealthMonitor(x, unseen, every_steps=SAVES, path=folder / "health.jsonl"),
        trainers.Score(measure, count=500, directory=folder / "score"),
        keras.callbacks.CSVLogger(str(folder / "log.csv")),
        keras.callbacks.EarlyStopping("generator_loss", patience=10**6, mode="min"),
    ]
    gan.fit(x, batch_size=64, epochs=epochs, steps_per_epoch=SAVES, callbacks=callbacks, verbose=0)
    told("steps", FLAGS.steps, reads.readings, reads.traces)


def load():
    """Loads every shipped preset in turn, and draws of each."""
    names = [card["name"] for card in zoo.list_presets()]
    readings = []
    for turn in range(FLAGS.presets):
        generator = zoo.from_preset(names[turn % len(names)])
        generator.sample(2, [0, 1] if generator.num_classes else None, seed=0)
        if (turn + 1) % max(1, FLAGS.presets // READINGS) == 0:
            readings.append(memory())
    told("presets", FLAGS.presets, readings)


def make():
    """Makes trainers, trains each for two steps, and forgets them."""
    x = np.random.default_rng(0).uniform(size=(128, 2)).astype("float32")
    readings = []
    for turn in range(FLAGS.trainers):
        gan = trainers.GAN(*pair())
        gan.compile()
        gan.fit(x, batch_size=64, verbose=0)
        del gan
        if (turn + 1) % max(1, FLAGS.trainers // READINGS) == 0:
            readings.append(memory())
    told("trainers", FLAGS.trainers, readings)


def main(arguments):
    """Does what the flags name."""
    command.no_arguments(arguments)
    if not (FLAGS.steps or FLAGS.presets or FLAGS.trainers):
        raise ValueError(
            "`--steps`, `--presets` and `--trainers` are missing. Expected one of them or more. "
            "Received: none"
        )
    if 0 < FLAGS.steps < SAVES * READINGS:
        raise ValueError(
            f"`--steps` is too small to be read {READINGS} times. Expected at least "
            f"{SAVES * READINGS}. Received: --steps={FLAGS.steps}"
        )
    if FLAGS.steps:
        with tempfile.TemporaryDirectory() as root:
            run(pathlib.Path(root))
    if FLAGS.presets:
        load()
    if FLAGS.trainers:
        make()
    return 0


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
