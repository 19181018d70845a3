"""A version of a served model: the formats, the card and what a server wants beside it."""

import dataclasses
import functools
from collections.abc import Callable

from export import (
    card,
    litert_model,
    onnx_model,
    parity,
    portable_draw,
    questions,
    saved_model,
    served,
    server_files,
    signatures,
    stored_weights,
    versions,
    warm_up,
)
from export import formats as every_format
from zoo import exported, saving
from zoo.players import sampling

PARITY = "PARITY.md"
SEEDS = 64


def save(
    model,
    directory,
    version=None,
    discriminator=None,
    value_range=sampling.AUTO,
    weights="float32",
    formats=("saved_model",),
    check=False,
    about=None,
    resumable=False,
    default="latents",
):
    """Writes a version of a served model, which answers without Keras and without this project.

    | signature | inputs | outputs |
    |---|---|---|
    | `serving_default` | `latents` float32 (n, d) | `images` float32 in [0, 1] |
    | `sample` | `seed` int64 (n) | `images` uint8 |
    | `sample_truncated` | `seed` int64 (n), `truncation` float32 (n) | `images` uint8, `valid` |
    | `sample_png` | `seed` int64 (n) | `png_bytes` string |
    | `latents` | `seed` int64 (n) | `latents` float32 (n, d) |
    | `latents_truncated` | `seed`, `truncation` | `latents` float32 (n, d), `valid` |
    | `score`, given a discriminator | `images` float32 in [0, 1] | `logits` float32 (n) |
    | `encode`, of a `zoo.VAE` | `images` float32 in [0, 1] | `latents`, `log_variance` |
    | `reconstruct`, of a `zoo.VAE` | `images` float32 in [0, 1] | `images` float32 in [0, 1] |

    A player with classes takes `labels` int32 (n) too, one with conditions `conditions` float32
    (n, k). It then answers `valid` bool (n) beside: a label that is no class, or a condition that
    is no number, is not refused, but gives a black picture (zeros), and `False`.

    With `default="sample"` (or `"sample_png"`), `serving_default` answers as that signature does,
    and what it else would is called `decode`.

    Every signature works row by row at any batch size, so a server may merge requests: row i of
    `sample` is `generator.sample(1, labels=[labels[i]], seed=seed[i])[0]`. `sample_png` is there
    for samples of shape (height, width, 1, 3 or 4). Where the generator has no value range (its
    samples are not pictures), `images` is called `samples`, everywhere, and holds float32 numbers
    as they are. The logit of a discriminator that gives a map is the mean over its patches.

    `assets.extra/card.json` beside it says what a client has to know: the prior and its size, the
    names of the classes, ranges, signatures, shapes, and the SHA-256 of every file.

    Of the formats, `"saved_model"` has every signature. `"onnx"` is `model.onnx`, from latents
    whatever the default, and `latents.onnx`, `latents_truncated.onnx`, `score.onnx` and
    `encode.onnx`: `sample` is `latents.onnx` and then `model.onnx`, with pixels `round(255 x)`, and
    `sample_truncated` likewise. `"litert"` is `model.tflite` from latents alone, as it has no
    64-bit products to draw with.

    A server of SavedModels finds `batching_params.pbtxt` and requests to warm up with in the
    version, and in the directory `models.config`, `monitoring.config`, `compose.yaml` and a
    `README.md` with the commands. The name that it knows the model by is the directory's, with `_`
    for what a URL does not take.

    With `resumable` the trainer itself comes along, in `assets.extra/trainer.keras`: both players,
    their optimizers and the moving average, from which `trainers.GAN.from_export` goes on training.

    The version is written beside and then renamed, so that a polling server never sees half a
    model; a failure leaves nothing. Of several processes at once, each gets a number of its own.

    Args:
        model: A generator (a `zoo.Generator`, or any built Keras model from latents to samples),
            a `zoo.VAE`, or a trainer: then its `ema_generator` is served where there is one, else
            its `generator`, and its `discriminator` gives `score`, unless it judges packs.
        directory: Folder of the model's versions, made as needed.
        version: Positive int below 2^63. Defaults to one more than the largest version in the
            folder.
        discriminator: The model behind `score`, if it is not the trainer's.
        value_range: `(low, high)` of the generator's pictures, `None` if its samples are none, or
            `"auto"`, as in `zoo.players.traits`.
        weights: `"float32"`, or `"float16"`: half the size, stored so and cast when used, exact
            where the weights are numbers of float16 (those of the presets are, but of the rings).
            Or `"int8"`: a quarter of the size where they have two axes, and other samples. Such a
            version is always checked, and its error is in `PARITY.md`; only NaN is refused.
        formats: Some of `"saved_model"`, `"onnx"` (`pip install tf2onnx onnx onnxruntime`) and
            `"litert"` (`pip install ai-edge-litert`, to run and to check it).
        check: bool. Asks each format for 64 seeds in a process without this project, writes
            `PARITY.md`, and leaves no version that does not answer as Python does.
        about: dict, optional. More entries for the card, as JSON: scores, a license, the data.
        resumable: bool. Keeps the trainer in the version, or the `zoo.VAE`. Its file is larger than
            all that is served, as it holds the state of the optimizers.
        default: What a SavedModel answers to a request that names no signature: `"latents"`
            (samples of latents), `"sample"` or `"sample_png"` (of seeds).

    Returns:
        The path `directory/<version>`, as `pathlib.Path`.

    Raises:
        ValueError: If the model is not a built generator, weights of it are NaN or infinite or too
            large for float16, the discriminator or the value range does not fit it, the version is
            not a positive integer that a server can read, there is no trainer to keep, or the
            default is one that the model or the formats do not have.
        FileExistsError: If the version exists.
        NotADirectoryError, PermissionError: If nothing can be written in the directory.
        OSError: If the disk is full.
        ImportError: If a format needs what is not installed; the message says how to install it.
        RuntimeError: If the answers of a checked version are not Python's.

    Example:

    ```python
    import export, zoo

    generator = zoo.DCGANGenerator((28, 28, 1), latent_dim=64)
    export.save(generator, "serving/digits")  # serving/digits/1/saved_model.pb
    ```
    """
    keep = _keeper(model) if resumable else None
    wanted = Wanted(weights, formats, check, about, default, keep)
    return write(model, directory, version, discriminator, value_range, wanted)[0]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a version is to be, beside the model that it serves.

    Attributes:
        weights, formats, check, about, default: As of `save`.
        keep: Function that writes the file of the trainer to a path, or `None`.
    """

    weights: str = "float32"
    formats: tuple = ("saved_model",)
    check: bool = False
    about: dict | None = None
    default: str = "latents"
    keep: Callable | None = None


def write(model, directory, version, discriminator, value_range, wanted):
    """As `save`, of what is `Wanted`.

    Returns:
        The path, and `{format: export.parity.Parity}` of what was checked.
    """
    weights, default, about = wanted.weights, wanted.default, wanted.about or {}
    networks = served.of(model, discriminator)
    asked = signatures.of(networks, value_range, default=default)
    stored_weights.check(weights, networks)
    card.check_about(about, card.of(networks, asked, value_range))
    check = wanted.check or weights == "int8"  # Its error is always said.
    formats = _check_formats(wanted.formats, check)
    every_format.check_default(formats, default)
    found = {}

    def fill(folder):
        if "saved_model" in formats:
            saved_model.write(folder, networks, asked, weights)
            warm_up.write(folder, server_files.served_name(directory), asked)
            (folder / server_files.BATCHING).write_text(server_files.batching())
        if "onnx" in formats:
            portable = signatures.of(networks, value_range, portable_draw.draw_rows)
            onnx_model.write(folder, networks, portable, weights)
        if "litert" in formats:
            litert_model.write(folder, networks, asked, weights)
        kept = questions.of(networks, questions.KEPT, value_range, default)
        questions.write(folder / questions.ANSWERS, kept)
        if check:
            questioned = questions.of(networks, SEEDS, value_range, default)
            found.update(_checked(folder, questioned, formats, weights))
            (folder / PARITY).write_text(parity.report(folder, found))
        if wanted.keep is not None:
            (folder / exported.TRAINER).parent.mkdir(exist_ok=True)
            wanted.keep(folder / exported.TRAINER)
        facts = {"default": default, "formats": formats, "weights": weights, **about}
        if weights == "int8":
            facts["int8"] = {name: result.shares for name, result in found.items()}
        told = {**card.of(networks, asked, value_range), "outputs": card.outputs(kept)}
        card.write(folder, {**told, **facts})
        if "saved_model" not in formats:  # What a server of SavedModels wants.
            return {}
        row = server_files.request(sampling.traits(networks.generator))
        return server_files.write(folder.parent, directory, row, default)

    return versions.write(directory, version, fill), found


def _keeper(model):
    """What writes the file of a trainer, which is looked at before anything is written."""
    if not hasattr(model, "generator"):
        raise ValueError(
            "`resumable` keeps a trainer, and there is none. Expected a trainer or a zoo.VAE as "
            f"`model`. Received: resumable=True, model={getattr(model, 'name', model)!r} of class "
            f"{type(model).__name__}"
        )
    saving.check_readable(model)
    return functools.partial(saving.save, model)


def _check_formats(formats, check):
    formats = every_format.check(formats)
    if "onnx" in formats:
        onnx_model.check()
    for name in formats if check else ():
        every_format.check_runtime(name)
    return formats


def _checked(folder, asked, formats, weights):
    """`{format: Parity}`, of formats that all may be served."""
    found = {name: parity.compare(folder, asked, format=name) for name in formats}
    if weights == "int8":  # However far off it is: that is said, and was asked for.
        found = {n: dataclasses.replace(one, allowed=one.shares) for n, one in found.items()}
    for name, result in found.items():
        same = name == "saved_model" and weights == "float32"
        if not (result.exact if same else result.good):
            raise RuntimeError(
                f"`model` answers otherwise as {name} than in Python, and nothing was written. "
                f"Expected the same pixels{'' if same else ' but for one level'}. Received: "
                f"{result}"
            )
    return found
