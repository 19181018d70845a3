"""How step time and memory grow with the batch, the image, the maps and the number of replicas.

  python -m benchmarks.growth --output=docs/images/growth.png

A simultaneous step of the DCGAN of `benchmarks.speed`, each point in a process of its own. What is
not varied is a batch of 128, 28x28 pixels, 64 filters and one replica (of image sides, in colour: a
batch of 32 and 32 filters). Replicas share the cores of this machine, so their row shows
what the exchange costs. Beside the times stands the share of the machine's product of two matrices,
which falls where memory holds a step up.
"""

import sys

import numpy as np
from absl import flags

from benchmarks.speed import Worker, operations
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_string("output", None, "A PNG file for the plot.", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 3, "Rounds of all points of an axis.", 1, flag_values=FLAGS)
flags.DEFINE_float("seconds", 1.0, "How long a point takes in a round.", flag_values=FLAGS)

BASE = {
    "peer": "zoo_gan",
    "image_shape": [28, 28, 1],
    "filters": 64,
    "batch_size": 128,
    "precision": "float32",
}
AXES = {
    "batch size": [16, 32, 64, 128, 256, 512, 1024],
    "image side": [32, 64, 96, 128],
    "filters": [16, 32, 64, 128],
    "replicas": [1, 2, 4],
}


def cell(axis, value):
    """What a worker is asked for at one point of an axis."""
    found = {**BASE, "options": {"schedule": "simultaneous"}}
    if axis == "batch size":
        found["batch_size"] = value
    elif axis == "image side":
        found |= {"image_shape": [value, value, 3], "batch_size": 32, "filters": 32}
    elif axis == "filters":
        found["filters"] = value
    else:
        found["options"]["replicas"] = value
    return found


def measure(axis):
    """`[(value, ms [3 quartiles], MiB, share of the product)]` of an axis."""
    product = Worker(sys.executable, {"peer": "product", "precision": "float32"})
    product.warm(FLAGS.seconds)
    found = []
    for value in AXES[axis]:
        asked = cell(axis, value)
        worker = Worker(sys.executable, asked)
        try:
            worker.warm(FLAGS.seconds)
            product.times = []
            for _ in range(FLAGS.rounds):
                worker.time()
                product.time()
        finally:
            worker.close()
        times = np.percentile(np.array(worker.times) * 1e3, (25, 50, 75))
        useful = operations(asked, "simultaneous") * asked["batch_size"]
        peak = 2 * 2048**3 / np.median(product.times)
        share = useful / (times[1] / 1e3) / peak
        found.append((value, times, worker.peak, share))
        low, median, high = times
        print(
            f"  {axis:12}{value:6}{median:10.1f} ms [{low:.1f} ... {high:.1f}]"
            f"{worker.peak:8.0f} MiB{share:8.0%} of the product",
            flush=True,
        )
    product.close()
    return found


def draw(results, path):
    """A panel an axis: time on the left in blue, memory on the right in orange."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(results), figsize=(16, 4), layout="constrained")
    for panel, (axis, points) in zip(panels, results.items(), strict=True):
        values = [p[0] for p in points]
        panel.plot(values, [p[1][1] for p in points], "o-", color="tab:blue")
        panel.set(xlabel=axis, xscale="log", yscale="log", xticks=values)
        times = [p[1][1] for p in points]
        panel.set_xticks(values, [str(v) for v in values])
        panel.set_yticks(times, [f"{t:.0f}" for t in times])
        panel.set_ylim(min(times) / 1.5, max(times) * 2)  # All panels need room for the numbers.
        panel.set_xlim(min(values) / 1.3, max(values) * 1.3)
        panel.minorticks_off()
        panel.set_ylabel("ms a step", color="tab:blue")
        panel.grid(alpha=0.3)
        memory = panel.twinx()
        memory.plot(values, [p[2] for p in points], "s--", color="tab:orange")
        memory.set_ylabel("peak memory, MiB", color="tab:orange")
        memory.set_ylim(0, 1.15 * max(p[2] for p in points))
        for value, now, _, share in points:
            panel.annotate(
                f"{share:.0%}", (value, now[1]), (0, -14), textcoords="offset points", ha="center"
            )
    figure.suptitle("A DCGAN's simultaneous step; percent: share of the product of two matrices")
    figure.savefig(path, dpi=100)


def main(arguments):
    """Measures every axis, prints the table and draws it."""
    command.no_arguments(arguments)
    results = {}
    for axis in AXES:
        results[axis] = measure(axis)
    if FLAGS.output:
        draw(results, FLAGS.output)


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
