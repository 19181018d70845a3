"""Usage: python -m trainers --output_dir=FOLDER [flags]

Trains a generator against a discriminator and writes samples, curves and models to the folder:

  python -m trainers --dataset=mnist --generator=dcgan --epochs=10 --output_dir=runs/mnist

Stopped with Ctrl-C or by a crash, the same command goes on where it was; with more --epochs, a
finished run goes on too.

  python -m trainers --recipe=dcgan_mnist             # trains what made a preset
  python -m trainers --recipe=dcgan_mnist --publish   # and writes the preset
  python -m trainers --list                           # prints what can be chosen
"""

import dataclasses
import pathlib
import signal

from absl import flags

from trainers.runs import listing, publish, recipes
from trainers.runs.run import train
from trainers.runs.settings import Settings
from zoo import command

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
    "Trains what makes a preset, by its name or the .json file of a recipe; it decides everything. "
    "With --publish also all.",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "publish",
    False,
    "Measures what the recipe made and writes the preset, among the shipped ones.",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "list",
    False,
    "Prints what can be chosen: trainers with their papers, objectives, the f-divergences with "
    "their formulas, penalties, perturbations and recipes.",
    flag_values=FLAGS,
)
for _field in dataclasses.fields(Settings):
    _help, _choices = _field.metadata["help"], _field.metadata["choices"]
    if _choices:
        flags.DEFINE_enum(_field.name, _field.default, _choices, _help, flag_values=FLAGS)
    else:
        _define = {
            str: flags.DEFINE_string,
            int: flags.DEFINE_integer,
            float: flags.DEFINE_float,
            bool: flags.DEFINE_bool,
        }[_field.type]
        _define(_field.name, _field.default, _help, flag_values=FLAGS)

RUNS = "runs/recipes"


def main(arguments):
    """Trains and says where everything is."""
    command.no_arguments(arguments)
    if FLAGS.list:
        print(listing.as_text())
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):  # A polite kill saves, as Ctrl-C does.
        signal.signal(number, signal.default_int_handler)
    if FLAGS.recipe is not None or FLAGS.publish:
        return _recipe()
    if FLAGS.output_dir is None:
        raise ValueError(
            "`--output_dir` is missing. Expected --output_dir=FOLDER. Received: no --output_dir"
        )
    settings = Settings(**{f.name: FLAGS[f.name].value for f in dataclasses.fields(Settings)})
    folder = FLAGS.output_dir.rstrip("/")
    try:
        gan = train(settings, folder)
    except KeyboardInterrupt:
        print(f"\nStopped. The same command goes on from {folder}/gan.keras.")
        raise
    print(
        f"""
Trained for {int(gan.steps.numpy()):,} steps. In {folder}:
  samples.png           new samples
  samples/              the same latents after every epoch, and training.gif
  report.png            losses and samples side by side
  log.csv, logs/        the numbers; tensorboard --logdir={folder}/logs
  generator.keras       the generator
  gan.keras             the whole trainer; a command with more --epochs goes on from it
Next:
  python -m zoo sample --model={folder}/generator.keras --count=64 --seed=1 --output=grid.png
  python -m export --model={folder}/gan.keras --output_dir=serving/model"""
    )
    return 0


def _recipe():
    """Trains a recipe, and publishes it if that is asked for."""
    given = [f.name for f in dataclasses.fields(Settings) if FLAGS[f.name].present]
    if given or FLAGS.recipe is None:
        raise ValueError(
            "`--recipe` decides everything. Expected --recipe=NAME, with --publish and "
            "--output_dir at most. "
            f"Received: {', '.join('--' + name for name in given) or 'no --recipe'}"
        )
    if FLAGS.recipe == "all":
        if not FLAGS.publish:
            raise ValueError(
                "`--recipe=all` is only there to publish. Expected --recipe=all --publish. "
                "Received: no --publish"
            )
        failed = publish.publish_all(recipes.names(), FLAGS.output_dir or RUNS)
        return 1 if failed else 0
    recipe = recipes.load(FLAGS.recipe)
    folder = pathlib.Path(FLAGS.output_dir or f"{RUNS}/{recipe.name}")
    if FLAGS.publish:
        card = publish.publish(recipe, folder)
        print(f"{recipe.name}: {publish.summary(card)}")
    else:
        print(f"{publish.cook(recipe, folder)} has the run of the recipe {recipe.name}")
    return 0


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
