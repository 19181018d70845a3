"""Whether the faster schedule costs quality: Fréchet distances after equal numbers of images.

  python -m benchmarks.quality --epochs=2 --seeds=3

Trains the same DCGAN on MNIST by alternating and by simultaneous steps and measures 10,000 samples
of each against the test set, in the features of the classifier that comes with the project.
"""

import time

import keras
import numpy as np
from absl import flags

import evaluation
import trainers
import zoo
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_integer("epochs", 2, "Passes over MNIST.", 1, flag_values=FLAGS)
flags.DEFINE_integer("seeds", 3, "Trainings of each schedule.", 1, flag_values=FLAGS)
flags.DEFINE_integer("filters", 24, "Maps of the widest layer.", 1, flag_values=FLAGS)
flags.DEFINE_integer("batch_size", 64, "Examples a step.", 1, flag_values=FLAGS)


def trained(schedule, seed):
    """The generator's moving average, and the seconds of its training."""
    keras.utils.set_random_seed(seed)
    gan = trainers.GAN(
        zoo.DCGANGenerator(filters=FLAGS.filters),
        zoo.DCGANDiscriminator(filters=FLAGS.filters, batch_normalization=False),
        schedule=schedule,
        seed=seed,
    )
    gan.compile(ema_decay=0.999)
    images, _ = zoo.datasets.arrays("mnist")
    start = time.perf_counter()
    gan.fit(images, batch_size=FLAGS.batch_size, epochs=FLAGS.epochs, verbose=0)
    return gan, time.perf_counter() - start


def main(arguments):
    """Prints a line a training, and the means."""
    command.no_arguments(arguments)
    extractor = evaluation.extractors.load("mnist")
    frechet = evaluation.FrechetDistance(
        statistics=extractor.statistics["test"], extractor=extractor
    )
    found = {"alternating": [], "simultaneous": []}
    for seed in range(FLAGS.seeds):
        for schedule in found:
            gan, seconds = trained(schedule, seed)
            value = frechet.evaluate(gan.sample(10_000, seed=0)).value
            found[schedule].append((value, seconds))
            print(
                f"{schedule:14}seed {seed}: Fréchet distance {value:.3f}, {seconds:.0f} s",
                flush=True,
            )
    for schedule, figures in found.items():
        (mean, seconds), (deviation, _) = np.mean(figures, 0), np.std(figures, 0, ddof=1)
        print(f"{schedule:14}mean {mean:.3f}, deviation {deviation:.3f}, {seconds:.0f} s")


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
