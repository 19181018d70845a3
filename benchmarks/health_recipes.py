"""What the health monitor names in the recipes that made the presets: false alarms, if anything.

  python -m benchmarks.health_recipes --steps=3000
  python -m benchmarks.health_recipes --only=dcgan_mnist,wgan_mnist

Each recipe is trained by its command, with its own nets, data, rates and schedules that end with
the run, for so many steps and without its scores. All of them made a preset, so all are healthy.
"""

import collections
import math
import pathlib
import subprocess
import sys
import tempfile
import time

from absl import flags

from trainers.callbacks.health_monitor import read_record
from trainers.runs import recipes
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_integer("steps", 3000, "Of each run.", lower_bound=1, flag_values=FLAGS)
flags.DEFINE_list("only", None, "Names of some recipes.", flag_values=FLAGS)
NEVER = 10**6
SMALL = "_cpu"  # Recipes of two processor cores stand in for those of an accelerator.


def names():
    """The recipes, each once."""
    every = sorted(file.stem for file in recipes.FOLDER.glob("*.json"))
    return [name for name in every if name + SMALL not in every]


def run(name, folder):
    """Trains for some steps, and returns the looks and the seconds."""
    begun = time.perf_counter()
    settings = recipes.load(name).settings
    steps = math.ceil(FLAGS.steps / settings.steps_per_execution) * settings.steps_per_execution
    arguments = [f"--recipe={name}", f"--steps={steps}", f"--output_dir={folder}"]
    arguments += [f"--sample_every={NEVER}"]
    arguments += [f"--score_every={NEVER}"] if settings.score else []
    ended = subprocess.run(
        [sys.executable, "-m", "trainers", *arguments], capture_output=True, text=True
    )
    if ended.returncode:
        raise RuntimeError(f"{name} ended with {ended.returncode}: {ended.stderr[-2000:]}")
    return read_record(folder / "health.jsonl"), time.perf_counter() - begun


def main(arguments):
    """Runs them and prints a table."""
    command.no_arguments(arguments)
    alarmed, chosen = [], FLAGS.only or names()
    with tempfile.TemporaryDirectory() as root:
        for name in chosen:
            looks, seconds = run(name, pathlib.Path(root, name))
            named = collections.Counter(x for look in looks for x in look.get("troubles", ()))
            said = ", ".join(f"{trouble} in {count}" for trouble, count in named.items())
            print(f"{name:36} {len(looks):2} looks  {said or '-'}  ({seconds:.0f} s)", flush=True)
            alarmed += [name] if named else []
    print(f"something was named in {len(alarmed)} of {len(chosen)}: {', '.join(alarmed) or '-'}")
    return 0


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
