"""Every format of an export, on all presets and all families of players.

  python -m benchmarks.formats
  python -m benchmarks.formats --only=dcgan_mnist,resnet

A row is a preset, or a family with first weights: for each format how many pixels (or numbers,
where the samples are none) differ from Python's at 64 seeds, and by how much at most; its MB; and
the time of a batch of 1 and of 64 over that of the raw compiled function in the same round (median,
one thread each). A format that cannot hold a model says why.
"""

import functools
import pathlib
import tempfile

from absl import flags

from benchmarks import serving  # First: it says how many threads there are.

import keras  # isort: skip

import zoo
from export import bundle, formats
from zoo import command
from zoo.players import sampling

FLAGS = flags.FlagValues()
flags.DEFINE_list("only", None, "Names of some rows.", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 20, "Rounds of all ways.", 1, flag_values=FLAGS)
CELLS = {"saved_model": "serving_default", "onnx": "ONNX Runtime", "litert": "LiteRT"}


def families():
    """`{name: function of nothing to a generator}`, of families that no preset has."""
    shape = (32, 32, 3)
    return {
        "mlp_uniform": lambda: zoo.MLPGenerator(shape),
        "dcgan_10_classes": lambda: zoo.DCGANGenerator(shape, num_classes=10, filters=16),
        "resnet": lambda: zoo.ResNetGenerator(shape, filters=16),
        "resnet_10_classes": lambda: zoo.ResNetGenerator(shape, num_classes=10, filters=16),
        "r3gan": lambda: zoo.R3GANGenerator(shape, filters=16),
        "r3gan_10_classes": lambda: zoo.R3GANGenerator(shape, num_classes=10, filters=16),
        "vae": lambda: zoo.VAE((28, 28, 1)),
        "simulator": lambda: zoo.Simulator(scaled, {"scale": 2.0}, (2,), 2),
        "keras_attention": attention,
    }


def scaled(parameters, latents):
    """The function of a simulator."""
    return parameters["scale"] * latents


def attention():
    """A net of Keras's own layers."""
    latents = keras.Input((64,))
    x = keras.layers.Reshape((8, 8, 16))(keras.layers.Dense(1024)(latents))
    x = keras.layers.UpSampling2D(interpolation="bilinear")(x)
    x = keras.layers.LayerNormalization()(x)
    x = keras.layers.Reshape((256, 16))(x)
    x = x + keras.layers.MultiHeadAttention(2, 8)(x, x)
    x = keras.layers.Reshape((16, 16, 16))(x)
    x = keras.layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh")(x)
    return keras.Model(latents, x)


def write(model, folder):
    """Each format alone: `{format: (path, parity)}`, and `{format: why not}`."""
    written, refused = {}, {}
    for format in formats.FILES:
        asked = bundle.Wanted(formats=(format,), check=True)
        try:
            path, found = bundle.write(model, folder / format, None, None, sampling.AUTO, asked)
            written[format] = path, found[format]
        except (ValueError, RuntimeError) as error:
            refused[format] = " ".join(str(error).split())[:300]
    return written, refused


def show(name, model, folder):
    """Prints the rows of a model."""
    generator = getattr(model, "generator", model)
    written, refused = write(model, folder)
    paths = {format: path for format, (path, _) in written.items()}
    ratios = [
        serving.measure(serving.ways(generator, paths, batch), FLAGS.rounds)[0] for batch in (1, 64)
    ]
    for format, (path, parity) in written.items():
        seen = wanted(parity)
        size = sum(file.stat().st_size for file in formats.paths(path, format)) / 1e6
        one, many = (found[CELLS[format]][0] for found in ratios)
        print(
            f"| {name} | {format} | {seen.differing} of {seen.total}, {seen.largest:.2g} | "
            f"{size:.2f} | {one:.2f} | {many:.2f} |",
            flush=True,
        )
    for format, why in refused.items():
        print(f"| {name} | {format} | {why} | | | |", flush=True)


def wanted(parity):
    """The measure of pixels where there are some, else of the default."""
    pixels = [x for x in parity.measures if x.output == "images as pixels"]
    return (pixels or [x for x in parity.measures if x.signature == "serving_default"])[0]


def main(arguments):
    """Prints the table."""
    command.no_arguments(arguments)
    made = {name: functools.partial(zoo.from_preset, name) for name in zoo.presets.shipped()}
    made |= families()
    print("| model | format | differ, by | MB | batch 1 | batch 64 |\n|---|---|---|---|---|---|")
    for name, make in made.items():
        if FLAGS.only and name not in FLAGS.only:
            continue
        keras.utils.set_random_seed(0)
        with tempfile.TemporaryDirectory() as folder:
            show(name, make(), pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
