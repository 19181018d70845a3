"""Usage: python -m export --model=FILE --output_dir=FOLDER [flags]

Writes a generator as a SavedModel for TensorFlow Serving, and checks its answers:

  python -m export --model=run/gan.keras --output_dir=serving/digits
  python -m export --model=dcgan_mnist --output_dir=serving/digits

The model is a preset, or the .keras file of a generator or of a trainer. The discriminator of a
preset or of a trainer comes along and scores pictures.
"""

import pathlib

from absl import flags

import export
from export import parity, server_files
from zoo import command, presets, saving
from zoo.players import sampling

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "model",
    None,
    "A preset, or the .keras file of a generator or of a trainer.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "output_dir",
    None,
    "Folder of the served model's versions. Its name is the name that the server knows.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "version",
    None,
    "Version to write. Defaults to one more than the largest that is there.",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_string("value_range", "auto", command.VALUE_RANGE, flag_values=FLAGS)
flags.DEFINE_boolean(
    "check",
    True,
    "Ask the exported model in a process that has neither Keras nor this project, and compare its "
    "answers with Python's.",
    flag_values=FLAGS,
)


def main(arguments):
    """Exports a generator, and checks its answers unless the flags say otherwise."""
    command.no_arguments(arguments)
    for name in ("model", "output_dir"):
        if FLAGS[name].value is None:
            raise ValueError(
                f"`--{name}` is missing. Expected --{name}=PATH. Received: no --{name}"
            )

    generator, discriminator = players(FLAGS.model)
    sampling.say_range(generator, command.parse_range(FLAGS.value_range))
    path = export.save(generator, FLAGS.output_dir, FLAGS.version, discriminator)
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    print(f"{path}: {size / 1e6:.1f} MB")
    if FLAGS.check:
        result = parity.check(generator, path, discriminator=discriminator)
        print(f"check: {result}")
        if not result.exact:
            print(f"The answers are not Python's. Do not serve {path}.")
            return 1
    row = server_files.request(sampling.traits(generator))
    print(f"\n{server_files.how_to_serve(FLAGS.output_dir, row)}")


def players(model):
    """The generator of a preset or of a file, and the discriminator that is there too, or `None`.

    Args:
        model: As of `zoo.load`.

    Raises:
        FileNotFoundError, ValueError: As `zoo.load`.
    """
    generator = saving.load(model)
    if pathlib.Path(model).suffix == ".keras":
        both = saving.is_trainer(saving.check_keras_file(model))
    else:
        both = presets.WEIGHTS["discriminator"] in presets.card(model)["files"]
    return generator, saving.load(model, "discriminator") if both else None


def script():
    """The command, as an installed script starts it."""
    command.run(main, __doc__, FLAGS)


if __name__ == "__main__":
    script()
