"""Usage: python -m trainers --output_dir=FOLDER [flags]

Trains a generator against a discriminator and writes samples, curves and models to the folder:

  python -m trainers --dataset=mnist --generator=dcgan --epochs=10 --output_dir=runs/mnist
  python -m trainers --generator=r3gan --filters=64 --steps=20000 --output_dir=runs/r3gan
  python -m trainers --dataset=ring --discriminator_penalty=r1:0.1 --output_dir=runs/ring

Stopped with Ctrl-C or by a crash, the same command goes on where it was; with more --epochs (or
--steps), a finished run goes on too.

  python -m trainers --list                           # what can be chosen
  python -m trainers --recipe=dcgan_mnist             # trains a preset again
  python -m trainers --recipe=dcgan_mnist --publish   # and writes the preset
  python -m trainers --recipe=dcgan_mnist --epochs=1 --output_dir=runs/short

A recipe is a file with all the flags, and more, of a training that made a preset. Other flags
prevail, as in the last line; what they make is another run, which cannot be published.

Where a training goes wrong (NaN, a player that has won, samples that are all alike) it says so and
what helps; health.jsonl has what was seen. --health=stop ends it with the exit status 3.

Where no flag says otherwise, players play the game of their paper. resnet: hinge, 5 discriminator
steps, Adam(0.0002, 0, 0.9). r3gan: relativistic_pairing with R1 and R2 of weight 0.05, Adam(0.0002,
0, 0.9), a moving average of 0.999. The others: non_saturating, Adam(0.0002, 0.5), of DCGAN. With
another --trainer than gan: what its paper says.
"""

import pathlib
import signal
import sys

from absl import flags

from trainers.runs import command_line, listing, publish, recipes
from trainers.runs.health import Unhealthy
from trainers.runs.resuming import CHECKPOINT
from trainers.runs.run import train
from zoo import command
from zoo.finite import Diverged

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "output_dir",
    None,
    "The folder of the run. Default with --recipe: runs/recipes/NAME.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "recipe",
    None,
    "Trains what makes a preset, by its name or the .json file of a recipe. Other flags prevail. "
    "With --publish also all.",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "publish",
    False,
    "Measures what the recipe made and writes the preset, among the shipped ones.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "publish_dir",
    None,
    "With --publish: the folder that gets the preset as FOLDER/NAME. An installed package needs "
    "it.",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "list",
    False,
    "Prints what can be chosen: trainers with their papers, objectives, the f-divergences with "
    "their formulas, penalties, perturbations and recipes.",
    flag_values=FLAGS,
)
command_line.define(FLAGS)

RUNS = "runs/recipes"
UNHEALTHY = 3  # The exit status of a training that went wrong by itself.


def main(arguments):
    """Trains and says where everything is."""
    command.no_arguments(arguments)
    if FLAGS.list:
        print(listing.as_text())
        return 0
    # A polite kill and a closed terminal save, as Ctrl-C does.
    command.stop_politely(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    given = command_line.given(FLAGS)
    if FLAGS.publish_dir is not None and not FLAGS.publish:
        raise ValueError(
            "`--publish_dir` is for presets. Expected --publish beside it. "
            f"Received: --publish_dir={FLAGS.publish_dir} alone"
        )
    if FLAGS.recipe is not None or FLAGS.publish:
        return _recipe(given)
    return _train(*command_line.run_of(given))


def _train(settings, details, origin=None):
    """One training, in the folder that `--output_dir` names."""
    if FLAGS.output_dir is None:
        raise ValueError(
            "`--output_dir` is missing. Expected --output_dir=FOLDER. Received: no --output_dir"
        )
    folder = FLAGS.output_dir.rstrip("/")
    try:
        gan = train(settings, folder, details=details, origin=origin)
    except KeyboardInterrupt:
        file = pathlib.Path(folder, CHECKPOINT)
        goes_on = f"the same command goes on from {file}" if file.exists() else "nothing was saved"
        raise KeyboardInterrupt(goes_on) from None
    except (Unhealthy, Diverged) as error:
        print("error:", error, file=sys.stderr)
        return UNHEALTHY
    print(
        f"""
Trained for {int(gan.steps.numpy()):,} steps. In {folder}:
  samples.png           new samples
  samples/              the same latents as the training went on, and training.gif
  report.png            losses and samples side by side
  log.csv, logs/        the numbers; tensorboard --logdir={folder}/logs
  generator.keras       the generator
  gan.keras             the whole trainer; a command with more --epochs goes on from it
Next:
  python -m zoo sample --model={folder}/generator.keras --count=64 --seed=1 --output=grid.png
  python -m export --model={folder}/gan.keras --output_dir=serving/model"""
    )
    return 0


def _recipe(given):
    """Trains a recipe, and publishes it if that is asked for."""
    words = ", ".join(f"--{name}={value}" for name, value in given.items())
    if FLAGS.recipe is None:
        raise ValueError(
            "`--publish` is of a recipe. Expected --recipe=NAME. Received: no --recipe"
        )
    if FLAGS.recipe == "all":
        if not FLAGS.publish or given:
            raise ValueError(
                "`--recipe=all` is only there to publish. Expected --recipe=all --publish. "
                f"Received: {words or 'no --publish'}"
            )
        failed = publish.publish_all(recipes.names(), FLAGS.output_dir or RUNS, FLAGS.publish_dir)
        return 1 if failed else 0
    recipe = recipes.load(FLAGS.recipe)
    settings, details = command_line.run_of(given, recipe.settings, recipe.details)
    if (settings, details) != (recipe.settings, recipe.details):
        return _train_another(recipe, settings, details, words)
    folder = pathlib.Path(FLAGS.output_dir or f"{RUNS}/{recipe.name}")
    if FLAGS.publish:
        card = publish.publish(recipe, folder, FLAGS.publish_dir)
        print(f"{recipe.name}: {publish.summary(card)}")
    else:
        print(f"{publish.cook(recipe, folder)} has the run of the recipe {recipe.name}")
    return 0


def _train_another(recipe, settings, details, words):
    """Trains what a recipe is with other flags: a run of its own, and no preset."""
    if FLAGS.publish:
        raise ValueError(
            "`--publish` is of a recipe as it stands. Expected no other flags than --recipe and "
            f"--output_dir, or a .json file of another recipe. Received: {words}"
        )
    if FLAGS.output_dir is None:
        raise ValueError(
            "`--output_dir` is missing: with other flags a recipe is another run. Expected "
            f"--output_dir=FOLDER. Received: {words}"
        )
    origin = {"recipe": recipe.name, "changed": words}
    return _train(settings, details, origin)


def script():
    """The command, as an installed script starts it."""
    command.run(main, __doc__, FLAGS)


if __name__ == "__main__":
    script()
