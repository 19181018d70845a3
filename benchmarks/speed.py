"""A DCGAN's training step here and as a user would write it: ratios of one run.

  python -m benchmarks.speed --torch=.bench/bin/python --rounds=5
  python -m benchmarks.speed --nets=mnist64 --batches=128 --precisions=float32

Each configuration lives in a process of its own. Every round lets each of them take a few steps
while the others wait, in an order that changes, beside the product of two matrices in TensorFlow;
so a busy machine slows all of them. Medians over the rounds, and the quartiles in brackets. All
train the same two networks, with batch normalization in the generator alone, by Adam.
"""

import itertools
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
from absl import flags

from benchmarks import bars
from zoo import command
from zoo.dcgan import pyramid

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "torch", None, "A Python that has PyTorch; none: no such rows.", flag_values=FLAGS
)
flags.DEFINE_list("nets", ["mnist64", "mnist128", "cifar64"], "Networks.", flag_values=FLAGS)
flags.DEFINE_list("batches", ["64", "128", "512"], "Batch sizes.", flag_values=FLAGS)
flags.DEFINE_list("precisions", ["float32", "bfloat16"], "Precisions.", flag_values=FLAGS)
flags.DEFINE_list("only", None, "Parts of the names of the rows to time.", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 5, "Rounds of all rows of a cell.", 1, flag_values=FLAGS)
flags.DEFINE_float("seconds", 2.0, "How long a row takes in a round, about.", flag_values=FLAGS)
flags.DEFINE_string("output", None, "A JSON file for all figures.", flag_values=FLAGS)
flags.DEFINE_string("picture", None, "A PNG file for the ratios.", flag_values=FLAGS)

NETS = {
    "mnist64": {"image_shape": [28, 28, 1], "filters": 64},
    "mnist128": {"image_shape": [28, 28, 1], "filters": 128},
    "cifar64": {"image_shape": [32, 32, 3], "filters": 64},
}
# Name: the file of `peers`, its options, and the passes of its algorithm (`operations`).
ROWS = {
    "zoo": ("zoo_gan", {}, "alternating"),
    "zoo, simultaneous": ("zoo_gan", {"schedule": "simultaneous"}, "simultaneous"),
    "keras.io style": ("keras_example", {}, "alternating"),
    "tf.function loop": ("loop", {}, "simultaneous"),
    "PyTorch": ("pytorch", {}, "reused"),
    "PyTorch, compiled": ("pytorch", {"compile": True}, "reused"),
}
PEERS = [name for name in ROWS if not name.startswith("zoo")]
HERE = pathlib.Path(__file__).parent


def operations(net, algorithm):
    """Floating-point operations an example of the convolutions and products that one step needs.

    A layer of m multiplications and additions costs 2 m forward, 2 m for the derivative by its
    weights and 2 m by its input. Real images need no derivative, and one backward pass of the
    generated images through the discriminator serves both players where examples are apart.
    """
    side, _, channels = net["image_shape"]
    filters, (stages, base, _) = net["filters"], pyramid(net["image_shape"])
    maps = [channels, *(filters * 2**stage for stage in range(stages))]
    convolutions = [(side // 2 ** (k + 1)) ** 2 * 25 * maps[k] * maps[k + 1] for k in range(stages)]
    first = convolutions[0]
    judge = sum(convolutions) + base * base * maps[-1]
    dense = 100 * base * base * maps[-1]
    make = sum(convolutions) + dense
    backward_make = 2 * make - dense  # Latents need no derivative.
    passes = {
        # A generated batch for each player; the discriminator's derivatives twice.
        "alternating": (2, 3, 2 * (2 * judge - first) + judge),
        # One generated batch, which is judged again after the discriminator's step.
        "reused": (1, 3, 2 * (2 * judge - first) + judge),
        # One generated batch, one look, one way back.
        "simultaneous": (1, 2, (2 * judge - first) + 2 * judge),
    }
    makes, judges, backward_judge = passes[algorithm]
    return 2 * (makes * make + backward_make + judges * judge + backward_judge)


class Worker:
    """One configuration in its process."""

    def __init__(self, python, cell):
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            [python, HERE / "peers" / "worker.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.first_step = self.ask(cell)["first_step"]
        self.steps, self.times, self.peak = 1, [], 0

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"A peer has died. Received: {question} of {self.process.args}")
        return json.loads(answer)

    def warm(self, seconds):
        self.ask(1)
        self.steps = max(1, round(seconds / self.ask(2)["seconds"]))

    def time(self):
        found = self.ask(self.steps)
        self.times.append(found["seconds"])
        self.peak = found["peak_mib"]

    def close(self):
        self.process.communicate()


def measure(net, batch, precision):
    """The figures of one cell: `{row: {"seconds": [...], ...}}`."""
    rows = {
        name: row
        for name, row in ROWS.items()
        if (FLAGS.torch or row[0] != "pytorch")
        and (FLAGS.only is None or any(part in name for part in FLAGS.only))
    }
    workers = {"product": Worker(sys.executable, {"peer": "product", "precision": precision})}
    for name, (peer, options, _) in rows.items():
        python = FLAGS.torch if peer == "pytorch" else sys.executable
        cell = {**NETS[net], "batch_size": batch, "precision": precision}
        workers[name] = Worker(python, {**cell, "peer": peer, "options": options})
    try:
        for worker in workers.values():
            worker.warm(FLAGS.seconds)
        order = np.random.default_rng(0)
        for _ in range(FLAGS.rounds):
            for name in order.permutation(list(workers)):
                workers[name].time()
    finally:
        for worker in workers.values():
            worker.close()
    return {
        name: {"seconds": w.times, "first_step": w.first_step, "peak_mib": w.peak}
        for name, w in workers.items()
    }


def show(net, batch, precision, found):
    """Prints the table of a cell."""
    peak = 2 * 2048**3 / np.median(found["product"]["seconds"])
    peers = [name for name in PEERS if name in found]
    best = min(peers, key=lambda n: np.median(found[n]["seconds"])) if peers else None
    print(f"\n{net}, batch {batch}, {precision}; product {peak / 1e9:.0f} GFLOP/s")
    head = ("ms a step", "images/s", f"speed / {best}", "of the product", "MiB", "first step s")
    print(f"  {'':20}{head[0]:>24}{head[1]:>10}{head[2]:>30}{head[3]:>16}{head[4]:>8}{head[5]:>14}")
    for name, figures in found.items():
        if name == "product":
            continue
        low, median, high = np.percentile(np.array(figures["seconds"]) * 1e3, (25, 50, 75))
        ratio = ""
        if best:
            ratios = np.array(found[best]["seconds"]) / np.array(figures["seconds"])
            ratio = "{1:.2f} [{0:.2f} ... {2:.2f}]".format(*np.percentile(ratios, (25, 50, 75)))
        useful = operations(NETS[net], ROWS[name][2]) * batch
        shares = useful / np.array(figures["seconds"]) * np.array(found["product"]["seconds"])
        share = np.median(shares) / (2 * 2048**3)
        times = f"{median:.1f} [{low:.1f} ... {high:.1f}]"
        print(
            f"  {name:20}{times:>24}{batch / median * 1e3:10.0f}{ratio:>30}{share:16.0%}"
            f"{figures['peak_mib']:8.0f}{figures['first_step']:14.1f}",
            flush=True,
        )


def main(arguments):
    """Measures and prints every cell."""
    command.no_arguments(arguments)
    unknown = set(FLAGS.nets) - set(NETS)
    if unknown:
        raise ValueError(
            f"`--nets` are unknown. Expected some of {sorted(NETS)}. Received: {sorted(unknown)}"
        )
    results = []
    for net, batch, precision in itertools.product(
        FLAGS.nets, map(int, FLAGS.batches), FLAGS.precisions
    ):
        found = measure(net, batch, precision)
        show(net, batch, precision, found)
        results.append({"net": net, "batch": batch, "precision": precision, "rows": found})
        if FLAGS.output:
            pathlib.Path(FLAGS.output).write_text(json.dumps(results, indent=1))
    if FLAGS.picture:
        bars.draw(results, FLAGS.picture)


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
