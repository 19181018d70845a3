"""What a look of the health monitor costs beside the steps between two of them.

  python -m benchmarks.health_cost

A DCGAN of 32 filters on MNIST, batch 64: twenty steps and a look in turn, medians of each.
"""

import statistics
import time

import keras

import trainers
import zoo
from trainers.callbacks.health_monitor import HealthMonitor
from zoo import command

ROUNDS, STEPS, BATCH = 8, 20, 64


def main(arguments):
    """Measures and prints."""
    command.no_arguments(arguments)
    keras.utils.set_random_seed(0)
    (x, _), (unseen, _) = (zoo.datasets.arrays("mnist", split) for split in ("train", "test"))
    gan = trainers.GAN(zoo.DCGANGenerator(filters=32), zoo.DCGANDiscriminator(filters=32))
    gan.compile()
    monitor = HealthMonitor(x, unseen)
    monitor.set_model(gan)
    monitor.on_train_begin()
    seconds = {"a step": [], "a look": []}
    for turn in range(ROUNDS + 1):
        begun = time.perf_counter()
        gan.fit(x, batch_size=BATCH, steps_per_epoch=STEPS, verbose=0)
        between = time.perf_counter()
        monitor.look()
        if turn:  # The first compiles.
            seconds["a step"].append((between - begun) / STEPS)
            seconds["a look"].append(time.perf_counter() - between)
    step, look = (statistics.median(values) for values in seconds.values())
    for name, values in seconds.items():
        low, *_, high = sorted(values)
        print(f"{name}: {statistics.median(values):.3f} s ({low:.3f} to {high:.3f})")
    every = monitor.rhythm.every_steps
    print(f"a look every {every} steps costs {look / (every * step):.2%} of the training")
    return 0


if __name__ == "__main__":
    command.run(main, __doc__)
