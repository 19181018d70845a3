"""A version of a served model: the formats, the card and what a server wants beside it."""

from export import card, saved_model, served, server_files, signatures, versions, warm_up
from zoo.players import sampling


def save(
    model,
    directory,
    version=None,
    discriminator=None,
    value_range=sampling.AUTO,
    weights="float32",
):
    """Writes a SavedModel that answers without Keras and without this project.

    | signature | inputs | outputs |
    |---|---|---|
    | `serving_default` | `latents` float32 (n, d) | `images` float32 in [0, 1] |
    | `sample` | `seed` int64 (n) | `images` uint8 |
    | `sample_truncated` | `seed` int64 (n), `truncation` float32 (n) | `images` uint8, `valid` |
    | `sample_png` | `seed` int64 (n) | `png_bytes` string |
    | `latents` | `seed` int64 (n) | `latents` float32 (n, d) |
    | `score`, given a discriminator | `images` float32 in [0, 1] | `logits` float32 (n) |
    | `encode`, of a `zoo.VAE` | `images` float32 in [0, 1] | `latents`, `log_variance` |
    | `reconstruct`, of a `zoo.VAE` | `images` float32 in [0, 1] | `images` float32 in [0, 1] |

    A player with classes takes `labels` int32 (n) too, one with conditions `conditions` float32
    (n, k). It then answers `valid` bool (n) beside: a label that is no class, or a condition that
    is no number, is not refused, but gives a black picture (zeros), and `False`.

    Every signature works row by row at any batch size, so a server may merge requests: row i of
    `sample` is `generator.sample(1, labels=[labels[i]], seed=seed[i])[0]`. `sample_png` is there
    for samples of shape (height, width, 1, 3 or 4). Where the generator has no value range (its
    samples are not pictures), `images` is called `samples`, everywhere, and holds float32 numbers
    as they are. The logit of a discriminator that gives a map is the mean over its patches.

    `assets.extra/card.json` beside it says what a client has to know: the prior and its size, the
    names of the classes, ranges, signatures, shapes, and the SHA-256 of every file.

    A server finds `batching_params.pbtxt` and requests to warm up with in the version, and in the
    directory `models.config`, `monitoring.config`, `compose.yaml` and a `README.md` with the
    commands. The name that it knows the model by is the directory's, with `_` for what a URL does
    not take.

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
            where the weights are numbers of float16 (those of the presets are).

    Returns:
        The path `directory/<version>`, as `pathlib.Path`.

    Raises:
        ValueError: If the model is not a built generator, weights of it are NaN or infinite or too
            large for float16, the discriminator or the value range does not fit it, or the version
            is not a positive integer that a server can read.
        FileExistsError: If the version exists.
        NotADirectoryError, PermissionError: If nothing can be written in the directory.
        OSError: If the disk is full.

    Example:

    ```python
    import export, zoo

    generator = zoo.DCGANGenerator((28, 28, 1), latent_dim=64)
    export.save(generator, "serving/digits")  # serving/digits/1/saved_model.pb
    ```
    """
    networks = served.of(model, discriminator)
    asked = signatures.of(networks, value_range)
    saved_model.check_weights(weights, networks)

    def fill(folder):
        saved_model.write(folder, networks, asked, weights)
        name = server_files.served_name(directory)
        warm_up.write(folder, name, asked)
        (folder / server_files.BATCHING).write_text(server_files.batching())
        card.write(folder, card.of(networks, asked, value_range))
        row = server_files.request(sampling.traits(networks.generator))
        return server_files.write(folder.parent, directory, row)

    return versions.write(directory, version, fill)
