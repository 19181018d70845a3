"""Runs that are killed again and again: whether they end with the weights of one that is not.

  python -m benchmarks.kills --kills=100

The command of a small run on the ring, which saves every 50 steps, is killed by SIGKILL at random
moments, most of them while it saves, and started again, until it has been killed so often; then it
may end. Its weights, its log and its looks at the health are those of the undisturbed run, or not.
"""

import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import keras
import numpy as np
from absl import flags

from trainers.callbacks.health_monitor import read_record
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_integer("kills", 100, "How often.", lower_bound=1, flag_values=FLAGS)
flags.DEFINE_integer("steps", 30_000, "Of the run.", lower_bound=1, flag_values=FLAGS)
flags.DEFINE_integer("seed", 0, "Of the moments.", flag_values=FLAGS)
RUN = [sys.executable, "-m", "trainers", "--dataset=ring", "--latent_dim=2", "--units=8"]
RUN += ["--batch_size=500", "--jit_compile=false", "--checkpoint_every_steps=50", "--pieces=2"]
RUN += ["--sample_every=100", "--steps_per_execution=10"]
LIFE = 1.5  # Seconds after the first sign of life, at most.


def started(folder):
    """The process, and the log that it writes its errors to."""
    log = open(folder.with_suffix(".txt"), "a")
    arguments = [*RUN, f"--steps={FLAGS.steps}", f"--output_dir={folder}"]
    return subprocess.Popen(arguments, stdout=log, stderr=log), log


def killed(folder, chance):
    """Starts, waits until it has written something and a while longer, and kills it."""
    process, log = started(folder)
    with log:
        checkpoint = folder / "gan.keras"
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
        while process.poll() is None:
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns != before:
                break
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, LIFE))
        process.send_signal(signal.SIGKILL)
        code = process.wait()
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"it does not go on: {folder.with_suffix('.txt').read_text()[-2000:]}")
    return code != 0


def main(arguments):
    """Runs both and compares."""
    command.no_arguments(arguments)
    chance = random.Random(FLAGS.seed)
    with tempfile.TemporaryDirectory() as root:
        whole, torn = (pathlib.Path(root, name) for name in ("whole", "torn"))
        process, log = started(whole)
        process.wait()
        log.close()
        survived = 0
        while survived < FLAGS.kills and killed(torn, chance):
            survived += 1
            if survived % 10 == 0:
                steps = int(keras.saving.load_model(torn / "gan.keras").steps)
                print(f"{survived} kills, {steps:,} steps", flush=True)
        process, log = started(torn)
        code = process.wait()
        log.close()
        pair = [keras.saving.load_model(folder / "gan.keras") for folder in (whole, torn)]
        weights = [model.get_weights() for model in pair]
        same = all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))
        logs = [(folder / "log.csv").read_text() for folder in (whole, torn)]
        looks = [read_record(folder / "health.jsonl") for folder in (whole, torn)]
        numbers = [[(x["step"], x["troubles"]) for x in seen] for seen in looks]
        left = sorted(
            p.name for p in torn.iterdir() if p not in {torn / q.name for q in whole.iterdir()}
        )
        print(f"{survived} kills survived; it ended with {code} at {int(pair[1].steps):,} steps")
        print(f"weights equal bit for bit: {same}; log equal: {logs[0] == logs[1]}")
        print(f"looks equal: {numbers[0] == numbers[1]}; files left over: {left}")
    return 0 if same else 1


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
