"""Usage: python -m export --model=FILE --output_dir=FOLDER [flags]

Writes a generator as a SavedModel for TensorFlow Serving, as ONNX or for LiteRT, and checks its
answers:

  python -m export --model=run/gan.keras --output_dir=serving/digits
  python -m export --model=dcgan_mnist --output_dir=serving/digits
  python -m export --model=dcgan_mnist --output_dir=serving/digits --formats=saved_model,onnx,litert
  python -m export --model=dcgan_mnist --output_dir=serving/digits --default=sample_png
  python -m export check serving/digits
  python -m export label serving/digits stable=1 canary=2
  python -m export layout serving/digits --for=triton --output_dir=models
  python -m export page --presets=conditional_dcgan_mnist,unrolled_ring --output_dir=web --single

The model is a preset, or the .keras file of a generator, a trainer or an autoencoder. The
discriminator of a preset or of a trainer comes along and scores pictures. A request that names no
signature is answered as --default says, from latents or from a seed. `check` asks a version
again, on this machine, and fails if its answers are not those that it was written with; of weights
in int8, if they are further off than when it was written. With --resumable the trainer comes along,
and trainers.GAN.from_export goes on from it. `layout`
copies a version into the folder that another server or a registry wants: triton, mlflow, kserve or
huggingface. `page` builds a page on which generators are played with and a small game is trained,
for a browser of 2023 or later. `label` gives versions names, by which a client asks for them.
"""

import functools
import pathlib
import shutil
import tempfile

from absl import flags

from export import (
    bundle,
    checking,
    formats,
    layouts,
    page,
    server_files,
    signatures,
    stored_weights,
    version_labels,
    versions,
)
from zoo import command, hub, licences, presets, saving
from zoo.players import sampling
from zoo.validation import check_choice

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
    "Folder of the served model's versions. Its name is the name that the server knows, with _ for "
    "what a URL does not take.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "version",
    None,
    "Version to write. Defaults to one more than the largest that is there.",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_list(
    "formats",
    ["saved_model"],
    f"Formats to write, with commas between: {', '.join(formats.FILES)}, and page, which lies in "
    "web/ beside the versions.",
    flag_values=FLAGS,
)
flags.DEFINE_list(
    "presets",
    None,
    "Of `page`: presets, or .keras files of generators, with commas between.",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "single", False, "Of `page`: everything in one file, index.html.", flag_values=FLAGS
)
flags.DEFINE_string(
    "vendor",
    None,
    "Of `page`: folder of archives that npm pack brought, for a machine without npm or network.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "weights",
    "float32",
    stored_weights.WEIGHTS,
    "How weights are stored. float16 is half the size; int8 a quarter, and other samples.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "default",
    "latents",
    list(signatures.DEFAULTS),
    "What a request is answered that names no signature: samples of latents, or of a seed, as "
    "pixels or as a PNG file.",
    flag_values=FLAGS,
)
flags.DEFINE_string("value_range", "auto", command.VALUE_RANGE, flag_values=FLAGS)
flags.DEFINE_boolean(
    "check",
    True,
    "Ask the exported model in a process that has neither Keras nor this project, compare its "
    "answers with Python's, and write nothing if they are others. Weights in int8 are always "
    "compared: how far off they are is said.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "for", None, list(layouts.TARGETS), "Of `layout`: whose folder it is to be.", flag_values=FLAGS
)
flags.DEFINE_bool(
    "resumable",
    False,
    "Keep the trainer of --model in the version, for trainers.GAN.from_export to go on from. Not "
    "of a page alone.",
    flag_values=FLAGS,
)
PAGE = "page"
WEB = "web"  # No number: a server passes over it.
TAKES = {  # The flags of each command, the first of which is that without a name.
    "export": (
        *("model", "output_dir", "version", "formats", "weights", "default", "value_range"),
        *("check", "resumable"),
    ),
    "check": (),
    "label": (),
    "layout": ("for", "output_dir"),
    PAGE: ("presets", "output_dir", "single", "vendor"),
}


def main(arguments):
    """Exports a generator, and checks its answers unless the flags say otherwise."""
    name = arguments[0] if arguments and arguments[0] in FUNCTIONS else "export"
    takes = TAKES
    if name == "export" and PAGE in FLAGS.formats:
        takes = {**TAKES, name: (*TAKES[name], "single", "vendor")}
    command.check_flags(FLAGS, takes, name)
    if name in FUNCTIONS:
        return FUNCTIONS[name](arguments[1:])
    command.no_arguments(arguments)
    _want("model", "output_dir")
    for given in FLAGS.formats:
        check_choice([*formats.FILES, PAGE], formats=given)
    wanted = [name for name in FLAGS.formats if name != PAGE]
    formats.check_default(wanted, FLAGS.default)
    if wanted or PAGE not in FLAGS.formats or FLAGS.resumable:
        formats.check(wanted)
        versions.check(FLAGS.output_dir, FLAGS.version)
    if FLAGS.resumable:
        _check_trainer(FLAGS.model)
    if PAGE in FLAGS.formats:
        folder = pathlib.Path(FLAGS.output_dir) / WEB
        said = command.parse_range(FLAGS.value_range)
        print_page(page.build([FLAGS.model], folder, FLAGS.single, FLAGS.vendor, said))
        if not wanted:
            return 0

    with tempfile.TemporaryDirectory() as spare:
        return _export(_settled(FLAGS.model, spare), wanted)


def _settled(model, spare):
    """A model that stays as it is meanwhile: one commit of the Hub, a copy of a trainer's file."""
    if str(model).startswith(hub.SCHEME):
        return presets.folder_of(model)
    return shutil.copy(model, spare) if FLAGS.resumable else model


def _export(source, wanted):
    """Writes a version in the formats that are wanted, and says what it is."""
    model, discriminator = players(source)
    keep = functools.partial(shutil.copyfile, source) if FLAGS.resumable else None
    generator = getattr(model, "generator", model)
    sampling.say_range(generator, command.parse_range(FLAGS.value_range))
    try:
        told = bundle.Wanted(FLAGS.weights, wanted, FLAGS.check, about(source), FLAGS.default, keep)
        path, found = bundle.write(
            model, FLAGS.output_dir, FLAGS.version, discriminator, sampling.AUTO, told
        )
    except RuntimeError as error:  # What runs does not answer as Python does.
        print(error)
        return 1
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    print(f"{path}: {size / 1e6:.1f} MB")
    for name, result in found.items():
        print(f"check: {'' if name == 'saved_model' else f'{name}: '}{result}")
    labels = version_labels.given(FLAGS.output_dir)
    if labels and int(path.name) not in labels.values():
        print(f"{server_files.MODELS} serves labelled versions alone, not yet this one: {labels}")
    if "saved_model" in wanted:
        row = server_files.request(sampling.traits(generator))
        print(f"\n{server_files.how_to_serve(FLAGS.output_dir, row, FLAGS.default)}")


def _want(*names):
    for name in names:
        if not FLAGS[name].value:
            kind = "PRESETS" if name == "presets" else "PATH"
            raise ValueError(
                f"`--{name}` is missing. Expected --{name}={kind}. Received: no --{name}"
            )


def build_page(arguments):
    """Builds a page of presets."""
    command.no_arguments(arguments)
    _want("presets", "output_dir")
    print_page(page.build(FLAGS.presets, FLAGS.output_dir, FLAGS.single, FLAGS.vendor))
    return 0


def print_page(index):
    """Says where a page is, and what it weighs."""
    parts = [index, *(index.parent / page.ASSETS).glob("*.js")]
    size = sum(path.stat().st_size for path in parts if path.is_file())
    print(f"{index}: {size / 1e6:.1f} MB; open it in a browser, or put its folder on a server")


def check(arguments):
    """Asks a version again: the exit status is 1 if it does not answer as it was written to."""
    if len(arguments) != 1:
        raise ValueError(
            "`check` takes one folder. Expected python -m export check FOLDER. Received: "
            f"{' '.join(arguments) or 'nothing'}"
        )
    found = checking.check(arguments[0])
    for name, result in found.items():
        good = checking.is_good(result)
        print(f"{name}: {'good' if good else 'WRONG'}: {' '.join(str(result).split())}")
    return 0 if all(map(checking.is_good, found.values())) else 1


def label(arguments):
    """Labels versions, and prints the settings of the server that have them."""
    folder, *given = arguments or [None]
    pairs = [pair.partition("=") for pair in given]
    names = [name for name, _, _ in pairs]
    told = pairs and len(set(names)) == len(names)
    if not told or not all(name and value.isdecimal() for name, _, value in pairs):
        raise ValueError(
            "`label` takes a folder and versions by their labels. Expected python -m export label "
            f"FOLDER stable=1 canary=2. Received: {' '.join(arguments) or 'nothing'}"
        )
    print(version_labels.give(folder, {name: int(value) for name, _, value in pairs}).read_text())
    return 0


def lay_out(arguments):
    """Writes a version in another reader's layout, and says where."""
    if len(arguments) != 1 or None in (FLAGS["for"].value, FLAGS.output_dir):
        raise ValueError(
            "`layout` takes a folder and two flags. Expected python -m export layout FOLDER "
            f"--for={'|'.join(layouts.TARGETS)} --output_dir=FOLDER. Received: "
            f"{' '.join(arguments) or 'no folder'}, --for={FLAGS['for'].value}, "
            f"--output_dir={FLAGS.output_dir}"
        )
    print(layouts.layout(arguments[0], FLAGS["for"].value, FLAGS.output_dir))
    return 0


def players(model):
    """What is exported of a preset or of a file, and the discriminator that is there, or `None`.

    Args:
        model: As of `zoo.load`.

    Returns:
        The generator, or the autoencoder of a file of one; and the discriminator, which is `None`
        too where it judges packs.

    Raises:
        FileNotFoundError, ValueError: As `zoo.load`.
    """
    generator = saving.load(model)
    if pathlib.Path(model).suffix != ".keras":
        both = presets.WEIGHTS["discriminator"] in presets.card(model)["files"]
    else:
        config = saving.check_keras_file(model)
        if saving.held_class(config) == "zoo>VAE":
            return saving.load_model(model, compile=False), None
        both = saving.is_trainer(config)
    discriminator = saving.load(model, "discriminator") if both else None
    # What sees packs has no score of a sample, and a service's samples come one by one.
    if both and sampling.sample_shape(discriminator) != sampling.traits(generator).image_shape:
        discriminator = None
    return generator, discriminator


def _check_trainer(model):
    """Raises a `ValueError` if a file holds no trainer."""
    path = pathlib.Path(model)
    config = saving.check_keras_file(path) if path.suffix == ".keras" else {}
    if not saving.is_trainer(config) and saving.held_class(config) != "zoo>VAE":
        raise ValueError(
            "`--resumable` keeps a trainer, and there is none in the model. Expected the .keras "
            f"file of a trainer or of a zoo.VAE. Received: --resumable, --model={model}"
        )


def about(model):
    """What the card of a preset says of it, for the card of its export; `{}` of a file."""
    if pathlib.Path(model).suffix == ".keras":
        return {}
    card = presets.card(model)
    told = {name: card.get(name) for name in ("description", "dataset", "scores")}
    return {"preset": card.get("name"), **told, "data_license": licences.of(card)}


FUNCTIONS = {"check": check, "label": label, "layout": lay_out, PAGE: build_page}


def script():
    """The command, as an installed script starts it."""
    command.run(main, __doc__, FLAGS)


if __name__ == "__main__":
    script()
