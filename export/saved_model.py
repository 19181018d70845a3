"""SavedModels that TensorFlow Serving answers with: latents or seeds in, pictures out."""

import json
import os
import pathlib

import keras
import tensorflow as tf

from zoo import files, finite, pixels, players, random, validation
from zoo.players import conditions, origins, sampling

CARD = "assets.extra/card.json"  # A server passes over this folder.
PNG_CHANNELS = (1, 3, 4)  # Grey, RGB, RGB with opacity: what viewers agree on.


def save(model, directory, version=None, discriminator=None, value_range=sampling.AUTO):
    """Writes a SavedModel that answers without Keras and without this project.

    | signature | inputs | outputs |
    |---|---|---|
    | `serving_default` | `latents` float32 (n, d) | `images` float32 in [0, 1] |
    | `sample` | `seed` int64 (n) | `images` uint8 |
    | `sample_png` | `seed` int64 (n) | `png_bytes` string |
    | `score`, given a discriminator | `images` float32 in [0, 1] | `logits` float32 (n) |

    A player with classes takes `labels` int32 (n) too; a label outside of them is not refused but
    gives a sample of no class. One with conditions takes `conditions` float32 (n, k).

    Every signature works row by row at any batch size, so a server may merge requests: row i of
    `sample` is `generator.sample(1, labels=[labels[i]], seed=seed[i])[0]`. `sample_png` is there
    for samples of shape (height, width, 1, 3 or 4). Where the generator has no value range (its
    samples are not pictures), `images` is called `samples`, everywhere, and holds float32 numbers
    as they are. The logit of a discriminator that gives a map is the mean over its patches.

    `assets.extra/card.json` beside it says what a client has to know: the prior and its size, the
    names of the classes, the value range of the generator, shapes.

    The version is written beside and then renamed, so that a polling server never sees half a
    model; a failure leaves nothing.

    Args:
        model: A generator (a `zoo.Generator`, or any built Keras model from latents to samples),
            a `zoo.VAE`, or a trainer: then its `ema_generator` is served where there is one, else
            its `generator`, and its `discriminator` gives `score`, unless it judges packs.
        directory: Folder of the model's versions, made as needed.
        version: Positive int. Defaults to one more than the largest version in the folder.
        discriminator: The model behind `score`, if it is not the trainer's.
        value_range: `(low, high)` of the generator's pictures, `None` if its samples are none, or
            `"auto"`, as in `zoo.players.traits`.

    Returns:
        The path `directory/<version>`, as `pathlib.Path`.

    Raises:
        ValueError: If the model is not a built generator, weights of it are NaN or infinite, the
            discriminator or the value range does not fit it, or the version is not a positive
            integer.
        FileExistsError: If the version exists.
        NotADirectoryError, PermissionError: If nothing can be written in the directory.

    Example:

    ```python
    import export, zoo

    generator = zoo.DCGANGenerator((28, 28, 1), latent_dim=64)
    export.save(generator, "serving/digits")  # serving/digits/1/saved_model.pb
    ```
    """
    generator, discriminator = served_players(model, discriminator)
    finite.check_weights(generator, "generator")
    signatures = endpoints(generator, discriminator, value_range)
    directory = _check_directory(directory)
    path = directory / str(_check_version(directory, version))

    archive = keras.export.ExportArchive()
    archive.track(generator)
    if discriminator is not None:
        archive.track(discriminator)
    for name, (function, inputs) in signatures.items():
        archive.add_endpoint(name, function, inputs)
    _write(archive, path, card(generator, value_range))
    return path


def card(generator, value_range=sampling.AUTO):
    """What a client of a served generator has to know, in the words of JSON."""
    traits = sampling.traits(generator, value_range)
    names = origins.of(generator).class_names
    return {
        "name": generator.name,
        "prior": traits.prior,
        "latent_dim": int(traits.latent_dim),
        "num_classes": traits.num_classes and int(traits.num_classes),
        "class_names": names and list(names),
        "num_conditions": traits.num_conditions and int(traits.num_conditions),
        "sample_shape": list(map(int, traits.image_shape)),
        "value_range": traits.value_range and list(map(float, traits.value_range)),
    }


def served_players(model, discriminator=None):
    """The generator that is served and the discriminator that scores, or `None`.

    Args:
        model: A generator or a trainer, as in `save`.
        discriminator: Takes the place of the trainer's.

    Raises:
        ValueError: If there is no generator, or the discriminator cannot see what it makes.
    """
    generator = model
    if hasattr(model, "generator"):
        average = getattr(model, "ema_generator", None)
        generator = model.generator if average is None else average
        if discriminator is None and getattr(model, "packing", 1) == 1:  # Of packs, no score.
            discriminator = getattr(model, "discriminator", None)
    wired = isinstance(generator, keras.Model) and not isinstance(generator, players.Discriminator)
    if not wired or (generator.built and not hasattr(generator, "input_shape")):
        raise ValueError(
            "`model` is not a generator that can be served. Expected a zoo.Generator, a Sequential "
            "or functional Keras model from latents to samples, or a trainer (of a file: "
            "zoo.load(path)). "
            f"Received: model={getattr(model, 'name', model)!r} of class {type(model).__name__}"
        )
    if not getattr(generator, "exportable", True):
        raise ValueError(
            "`model` is not made of TensorFlow operations alone, as a served model has to be. "
            "Expected a simulator whose function is one of TensorFlow. "
            f"Received: model={generator.name!r}, which calls NumPy"
        )
    shape = sampling.traits(generator).image_shape
    seen = shape if discriminator is None else _seen_shape(discriminator)
    if seen != shape:
        raise ValueError(
            "`discriminator` cannot see what the generator makes. Expected a built Sequential or "
            f"functional model for samples of shape {shape}. Received: a discriminator of {seen}"
        )
    return generator, discriminator


def _seen_shape(discriminator):
    try:
        return sampling.sample_shape(discriminator)
    except (AttributeError, ValueError):
        return f"no known shape, of class {type(discriminator).__name__}"


def endpoints(generator, discriminator, value_range=sampling.AUTO):
    """The signatures that `save` writes: `{name: (function, input specs)}`, the default first."""
    traits = sampling.traits(generator, value_range)
    patches = None if discriminator is None else sampling.patches(discriminator)
    pictures = traits.value_range is not None
    output = "images" if pictures else "samples"
    labels = conditions.spec(traits.condition)
    seed = tf.TensorSpec((None,), "int64", name="seed")
    latents = tf.TensorSpec((None, traits.latent_dim), "float32", name="latents")

    def decode(latents, labels=None):
        samples = sampling.generate(generator, latents, labels, training=False)
        if pictures:
            return pixels.to_unit(samples, traits.value_range)
        return tf.cast(samples, "float32")

    def draw(seed, labels=None):
        rows = random.draw_rows(traits.prior, traits.latent_dim, seed)
        samples = decode(rows, labels)
        return pixels.to_pixels(samples) if pictures else samples

    def encode(seed, labels=None):
        return tf.map_fn(tf.io.encode_png, draw(seed, labels), fn_output_signature="string")

    def score(samples, labels=None):
        if pictures:
            low, high = traits.value_range
            samples = samples * (high - low) + low
        logits, _ = sampling.discriminate(discriminator, samples, labels, training=False)
        return sampling.per_example(logits, patches)

    signatures = {
        "serving_default": (_named(output, decode), [latents, *labels]),
        "sample": (_named(output, draw), [seed, *labels]),
    }
    if pictures and len(traits.image_shape) == 3 and traits.image_shape[-1] in PNG_CHANNELS:
        signatures["sample_png"] = (_named("png_bytes", encode), [seed, *labels])
    if discriminator is not None:
        samples = tf.TensorSpec((None, *traits.image_shape), "float32", name=output)
        told = conditions.spec(conditions.of(discriminator))
        signatures["score"] = (_named("logits", score), [samples, *told])
    return signatures


def _named(output, function):
    """The function with its result under a name, as signatures want it.

    No rows are answered as one row that is cut off: oneDNN's convolutions give an empty batch the
    shape of their input.
    """

    def call(*inputs):
        rows = tf.shape(inputs[0])[0]
        spare = tf.cast(rows == 0, "int32")
        padded = [tf.concat([x, tf.zeros([spare, *x.shape[1:]], x.dtype)], axis=0) for x in inputs]
        return {output: function(*padded)[:rows]}

    return call


def versions(directory):
    """The versions of a served model: the integers among the names in its folder, sorted."""
    directory = pathlib.Path(directory)
    names = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
    return sorted(int(name) for name in names if name.isdecimal())


def _check_version(directory, version):
    existing = versions(directory)
    if version is None:
        return max(existing, default=0) + 1
    validation.check_positive(version=version)
    if version in existing:
        raise FileExistsError(
            "`version` exists, and what is being served is never changed. Expected a version other "
            f"than {existing}, or version=None for the next. "
            f"Received: version={version}, directory={str(directory)!r}"
        )
    return int(version)


def _check_directory(directory):
    directory = validation.as_path(directory=directory)
    existing = directory
    while not os.path.lexists(existing):
        existing = existing.parent
    if not existing.is_dir():
        raise NotADirectoryError(
            f"`directory` cannot be made: {str(existing)!r} is not a folder. Expected a folder, or "
            f"a path where one can be made. Received: directory={str(directory)!r}"
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(
            f"`directory` cannot be made: {str(existing)!r} is not yours to write in. Expected a "
            f"folder with write permission. Received: directory={str(directory)!r}"
        )
    return directory


def _write(archive, path, card):
    """Writes all of it beside `path` and renames it; a server passes over the hidden name."""
    directory = path.parent
    fresh = not directory.exists()
    try:
        with files.working_folder(directory, ".version-") as temporary:
            written = temporary / "model"
            written.mkdir()
            archive.write_out(str(written), verbose=False)
            (written / "assets.extra").mkdir()
            (written / CARD).write_text(json.dumps(card, indent=1) + "\n")
            os.rename(written, path)
    except BaseException:
        if fresh and directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()
        raise
