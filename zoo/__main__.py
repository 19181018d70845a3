"""Usage: python -m zoo sample|walk|invert|neighbours|list|card --model=FILE [flags]

Looks at a generator and writes what it sees as one picture:

  python -m zoo sample --model=run/generator.keras --count=64 --seed=0 --output=grid.png
  python -m zoo walk --model=run/generator.keras --rows=8 --steps=10 --mode=spherical
  python -m zoo invert --model=run/generator.keras --dataset=mnist --count=16
  python -m zoo neighbours --model=run/generator.keras --dataset=mnist --rows=4
  python -m zoo list
  python -m zoo card --model=dcgan_mnist

sample      draws samples.
walk        walks between pairs of latents, a pair a row, and writes an animation beside.
invert      reconstructs images that the generator has not seen, and prints the errors.
neighbours  draws rows of samples, and in a frame the training image nearest to each row's last.
list        lists the presets with their scores.
card        prints the card of a preset: its scores with their protocols, and its recipe.

The model is a preset, or the .keras file of a generator or of a trainer. The same seed gives the
same picture.
"""

import types

from absl import flags

from zoo import command, commands
from zoo.latents.inversion import STEPS

FUNCTIONS = {
    "sample": commands.sample,
    "walk": commands.walk,
    "invert": commands.invert,
    "neighbours": commands.neighbours,
    "list": commands.list_presets,
    "card": commands.card,
}

SHARED = {"model": None, "seed": 0, "labels": None, "conditions": None, "value_range": "auto"}
# The flags of every subcommand, with their defaults.
OPTIONS = {
    "sample": {
        **SHARED,
        "output": "samples.png",
        "count": 64,
        "columns": None,
        "truncation": None,
    },
    "walk": {
        **SHARED,
        "output": "walk.png",
        "rows": 8,
        "steps": 10,
        "mode": "linear",
        "corners": False,
        "animation": None,
        "truncation": None,
    },
    "invert": {
        **SHARED,
        "output": "inversion.png",
        "dataset": None,
        "skip_unreadable": False,
        "split": "test",
        "count": 16,
        "starts": 8,
        "steps": STEPS,
    },
    "neighbours": {
        **SHARED,
        "output": "neighbours.png",
        "dataset": None,
        "skip_unreadable": False,
        "split": "train",
        "rows": 4,
        "columns": 5,
        "truncation": None,
    },
    "list": {},
    "card": {"model": None},
}


def _default(flag, *names):
    """The defaults of a flag in these subcommands, for its help."""
    *others, last = [str(OPTIONS[name][flag]) for name in names]
    return f"{', '.join(others)} or {last}" if others else last


FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "model",
    None,
    "A preset, or the .keras file of a generator or of a trainer.",
    flag_values=FLAGS,
)
flags.DEFINE_integer("seed", SHARED["seed"], "Seed of the latents.", flag_values=FLAGS)
flags.DEFINE_string("value_range", SHARED["value_range"], command.VALUE_RANGE, flag_values=FLAGS)
flags.DEFINE_string(
    "output",
    None,
    "The PNG file to write. Defaults to "
    f"{_default('output', 'sample', 'walk', 'invert', 'neighbours')}.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "labels",
    None,
    "For a conditional generator: labels, as 0,1,2 or all, or by the names of the class folders "
    "that it learned, as ape,cow, repeated until there are enough. A "
    "column of sample, or a row of walk and neighbours, then shows one label. Defaults to all; "
    "for invert to the labels of the dataset.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "conditions",
    None,
    "For a generator with num_conditions: rows of numbers, as 0.5,1;0.7,2, repeated until there "
    "are enough. A column of sample, or a row of walk and neighbours, then shows one of them.",
    flag_values=FLAGS,
)
flags.DEFINE_float(
    "truncation",
    None,
    "Of all but invert: keeps latents within this distance of 0: fewer odd samples, less variety.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "count",
    None,
    f"Number of samples of sample (default: {_default('count', 'sample')}), of images to invert "
    f"(default: {_default('count', 'invert')}).",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "rows",
    None,
    f"Rows of walk (default: {_default('rows', 'walk')}) and of neighbours "
    f"(default: {_default('rows', 'neighbours')}).",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "columns",
    None,
    "Samples a row: of sample (default: about a square) and of neighbours "
    f"(default: {_default('columns', 'neighbours')}).",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "steps",
    None,
    f"Latents of a walk, both ends included (default: {_default('steps', 'walk')}); gradients of "
    f"invert for each start (default: {_default('steps', 'invert')}).",
    lower_bound=0,
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "mode",
    None,
    ["linear", "spherical"],
    "Of walk: a straight line, or an arc; for the normal prior only. Default: "
    f"{_default('mode', 'walk')}.",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "corners",
    OPTIONS["walk"]["corners"],
    "Of walk: one grid between four latents instead of a pair a row, with the first of the labels; "
    "the animation goes round it.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "animation",
    None,
    "Of walk: the .gif, .webp or .apng file to write. Defaults to --output with .gif.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "dataset",
    None,
    "Of invert and neighbours: mnist (embedded), keras:NAME, tfds:NAME or a folder of images. They "
    "are cropped and resized to the generator's size. Default: what the model learned, as its card "
    "or its run says.",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "skip_unreadable",
    OPTIONS["invert"]["skip_unreadable"],
    "Of invert and neighbours: leaves out the files of a folder that cannot be read.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "split",
    None,
    "Of invert and neighbours: which part of the dataset. Defaults to "
    f"{_default('split', 'invert')} for invert, and to {_default('split', 'neighbours')} for "
    "neighbours.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "starts",
    None,
    f"Of invert: latents to start from (default: {_default('starts', 'invert')}).",
    lower_bound=1,
    flag_values=FLAGS,
)


def options_of(name):
    """The flags of a subcommand, each as it was given or its default.

    Raises:
        ValueError: If a flag was given that belongs to other subcommands only.
    """
    own = OPTIONS[name]
    command.check_flags(FLAGS, OPTIONS, name)
    given = {flag: FLAGS[flag].value for flag in own}
    return types.SimpleNamespace(
        **{flag: own[flag] if value is None else value for flag, value in given.items()}
    )


def main(arguments):
    """Runs the subcommand that the first argument names."""
    function = command.choose(arguments, FUNCTIONS)
    function(options_of(arguments[0]))


def script():
    """The command, as an installed script starts it."""
    command.run(main, __doc__, FLAGS)


if __name__ == "__main__":
    script()
