"""Usage: python -m export --model=FILE --output_dir=FOLDER [flags]

Writes a generator as a SavedModel for TensorFlow Serving, and checks its answers:

  python -m export --model=run/gan.keras --output_dir=serving/digits
  python -m export --model=dcgan_mnist --output_dir=serving/digits

The model is a preset, or the .keras file of a generator or of a trainer. The discriminator of a
preset or of a trainer comes along and scores pictures.
"""

import json
import pathlib
import shlex

import numpy as np
from absl import flags

import export
from export import parity
from zoo import command, presets, saving
from zoo.players import conditions, sampling

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
        result = parity.check(generator, path)
        print(f"check: {result}")
        if not result.exact:
            print(f"The answers are not Python's. Do not serve {path}.")
            return 1
    print(how_to_serve(generator, FLAGS.output_dir))


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


def how_to_serve(generator, directory):
    """The lines that start a server on the folder of versions, and a request to send it."""
    folder = pathlib.Path(directory).resolve()
    told = conditions.of(generator)
    zero = {} if told is None else {told.name: np.zeros(told.shape, told.dtype).tolist()}
    row = json.dumps({"seed": 1, **zero})
    body = f'{{"signature_name": "sample", "instances": [{row}]}}'
    mount = shlex.quote(f"{folder}:/models/{folder.name}")
    return f"""
Serve it, with Docker or with an installed server:
  docker run -p 8501:8501 -v {mount} -e MODEL_NAME={folder.name} tensorflow/serving
  tensorflow_model_server --rest_api_port=8501 --model_name={folder.name} \\
    --model_base_path={shlex.quote(str(folder))}
Ask it for a picture:
  curl -d '{body}' http://localhost:8501/v1/models/{folder.name}:predict"""


def script():
    """The command, as an installed script starts it."""
    command.run(main, __doc__, FLAGS)


if __name__ == "__main__":
    script()
