"""Extractors: classifiers that turn images into features and class probabilities.

A distance between features means nothing without the network that made them, and two networks of
one name differ as soon as a weight does. So an extractor has a hash, and it stands in the protocol
of every score.
"""

import os
from pathlib import Path

import keras
import numpy as np

from evaluation.classifier import FEATURES
from evaluation.moments import check_statistics
from evaluation.samples import check_numbers, check_seen_shape, pixels
from evaluation.score import fingerprint
from zoo import saving, untrusted
from zoo.blocks import slices
from zoo.files import sha256
from zoo.validation import as_array, check_choice, check_model, check_positive, nearest

PRESETS = Path(__file__).parent / "presets"
STATISTICS, SPLITS = "statistics.npz", ("train", "test")
MOMENTS = ("mean", "covariance", "count")
INCEPTION_SIDE = 299


class Extractor:
    """A classifier seen from two places: a named hidden layer, and its probabilities.

    Args:
        model: A Keras model from images in [0, 255], float32 of shape `(n, height, width,
            channels)`, to logits `(n, classes)`.
        layer: Name of the layer whose output `(n, d)` are the features.
        name: str. What to call it in a protocol.
        batch_size: int. Images at a time; it does not change the result.
        card: dict, optional: where the classifier comes from and how good it is.
        statistics: dict, optional: of `"train"` and `"test"`: `(mean, covariance, count)` of the
            features of real images; or a function that reads it when it is asked for.

    Attributes:
        image_shape: tuple. Shape of one image; a side is `None` where any will do.
        protocol: dict of `extractor` (the name), `layer` and `hash` (of the weights).

    Raises:
        ValueError: If the model has no such layer, or one without a row of numbers an image, or
            if it ends in a softmax, which is taken here.

    Example:

    ```python
    import evaluation, zoo

    images, _ = zoo.datasets.arrays("mnist", "test")
    extractor = evaluation.extractors.load("mnist")
    features = extractor.features(images[:500])            # (500, 128), float32
    probabilities = extractor.probabilities(images[:500])  # (500, 10), float32
    ```
    """

    def __init__(
        self, model, layer=FEATURES, name=None, batch_size=500, card=None, statistics=None
    ):
        check_model(model=model)
        check_positive(batch_size=batch_size)
        names = [each.name for each in model.layers]
        if layer not in names:
            raise ValueError(
                f"`layer` is not in the model. Expected the name of one"
                f"{nearest(layer, names)}. Received: layer={layer!r}"
            )
        output = model.get_layer(layer).output
        if len(output.shape) != 2:
            raise ValueError(
                "`layer` does not give one vector per image. Expected one with an output of "
                f"shape (batch, d). Received: layer={layer!r} with {tuple(output.shape)}"
            )
        if getattr(model.layers[-1], "activation", None) is keras.activations.softmax:
            raise ValueError(
                "`model` gives probabilities, of which the softmax would be taken once more. "
                "Expected one that gives logits. Received: a model whose last layer, "
                f"{model.layers[-1].name!r}, has the activation softmax"
            )
        outputs = {"features": output, "probabilities": keras.ops.softmax(model.outputs[0])}
        self.model = keras.Model(model.inputs[0], outputs)
        self.image_shape = tuple(model.inputs[0].shape[1:])
        self.num_features, self.num_classes = output.shape[-1], model.outputs[0].shape[-1]
        self.batch_size, self.card, self._statistics = batch_size, card, statistics or {}
        self.protocol = {
            "extractor": model.name if name is None else name,
            "layer": layer,
            "hash": weights_hash(model),
        }

    @property
    def statistics(self):
        """Of `"train"` and `"test"`: `(mean, covariance, count)` of the features of real images."""
        if callable(self._statistics):
            self._statistics = self._statistics()
        return self._statistics

    def features(self, images):
        """Features of images: float32 of shape `(n, num_features)`.

        Args:
            images: uint8 array of shape `(n, height, width, channels)`, or floats in [0, 1].

        Raises:
            ValueError: If the images have another shape or scaling, or there are none.
        """
        return self.both(images)[0]

    def probabilities(self, images):
        """Class probabilities of images: float32 of shape `(n, num_classes)`; as `features`."""
        return self.both(images)[1]

    def both(self, images):
        """`(features, probabilities)` of images, from one pass; as `features`."""
        images = as_array(images=images)
        check_numbers(images, "images")
        seer = f"the extractor {self.protocol['extractor']!r}"
        check_seen_shape(images, self.image_shape, "images", seer)
        outputs = [
            self.model.predict_on_batch((255 * pixels(images[rows], "images")).astype("f4"))
            for rows in slices(len(images), self.batch_size)
        ]
        return tuple(
            np.concatenate([np.asarray(batch[name], "float32") for batch in outputs])
            for name in ("features", "probabilities")
        )


def load(name="mnist"):
    """A shipped extractor: a small classifier that was trained here.

    Args:
        name: `"mnist"`, `"fashion_mnist"` or `"cifar10"`.

    Returns:
        An `Extractor` with 128 features, its `card` (with the test accuracy) and `statistics`.

    Raises:
        ValueError: If the name is unknown, or the file is not the one that the card describes.
    """
    shipped = [path.parent.name for path in PRESETS.glob("*/card.json")]
    check_choice(shipped, ", or an Extractor that you make of another classifier", name=name)
    folder = PRESETS / name
    card = untrusted.parse_json((folder / "card.json").read_text(), str(folder / "card.json"))
    untrusted.check_seal(card, str(folder / "card.json"))
    saving.check_keras_file(folder / "classifier.keras", expected="a classifier")
    extractor = Extractor(
        saving.load_model(folder / "classifier.keras", "a classifier"),
        name=name,
        card=card,
        statistics=lambda: read_statistics(folder / STATISTICS, card.get("files", {})),
    )
    if card["hash"] != extractor.protocol["hash"]:
        raise ValueError(
            "The weights of `name` are not those that were measured. Expected the hash of its "
            f"card, {card['hash']}. Received: name={name!r} with {extractor.protocol['hash']} in "
            f"{str(folder)!r}"
        )
    return extractor


def named(name, layer=FEATURES):
    """An extractor as a command names it.

    Args:
        name: As of `load`, `"inception_v3"`, or the path of a `.keras` file with a classifier, as
            of `Extractor`.
        layer: As of `Extractor`, for a file.

    Raises:
        ValueError: As of `load` and `Extractor`.
        FileNotFoundError: If there is no such file.
    """
    if isinstance(name, str) and name == "inception_v3":
        return inception_v3()
    if not isinstance(name, (str, os.PathLike)) or not str(name).endswith(".keras"):
        return load(name)
    saving.check_keras_file(name, expected="a classifier")
    model = saving.load_model(name, "a classifier", compile=False)
    return Extractor(model, layer, name=Path(name).stem)


def inception_v3(weights="imagenet"):
    """Keras's InceptionV3, which sees images of any size in colour or grey.

    Images are resized to 299x299 without antialiasing (bilinear), grey is repeated three times; the
    features are the 2,048 means of the last maps. It is not the network of published FIDs, whose
    weights and resizing differ: scores from it are called `keras_inception_v3` and compare with
    nothing else.

    Args:
        weights: As `keras.applications.InceptionV3`: `"imagenet"` (downloaded on first use), the
            path of a file, or `None`.

    Returns:
        An `Extractor` with 2,048 features and 1,000 classes.
    """
    network = keras.applications.InceptionV3(weights=weights, classifier_activation=None)
    images = keras.Input((None, None, None), name="images")
    shape = (INCEPTION_SIDE, INCEPTION_SIDE)
    x = keras.layers.Resizing(*shape, interpolation="bilinear", name="resize")(images)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(x)
    x = _Colour(name="colour")(x)
    inner = keras.Model(
        network.inputs[0], [network.outputs[0], network.get_layer("avg_pool").output]
    )
    logits, means = inner(x)
    means = keras.layers.Identity(name="avg_pool")(means)
    model = keras.Model(images, [logits, means])
    return Extractor(model, "avg_pool", "keras_inception_v3", batch_size=50)


def weights_hash(model):
    """A short hash of all weights of a model, in their order."""
    return fingerprint(np.concatenate([np.ravel(w).astype("<f4") for w in model.get_weights()]))


def read_statistics(path, hashes=None):
    """The `statistics` of an `Extractor` from the `.npz` file of a preset.

    Args:
        path: The file.
        hashes: dict, optional. The SHA-256 that its card says of it, by its name.

    Raises:
        ValueError: If it is not the file of the card, or none with statistics.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"`statistics` are not there. Expected a .npz file. Received: {str(path)!r}"
        )
    content = Path(path).read_bytes()
    wanted = (hashes or {}).get(Path(path).name)
    if wanted is not None and sha256(content) != wanted:
        raise ValueError(
            "`statistics` are not those that were measured. Expected the SHA-256 of the card, "
            f"{wanted}. Received: {sha256(content)} of {str(path)!r}"
        )
    arrays = untrusted.read_arrays(content, str(path))
    wanted = {split: [f"{split}_{what}" for what in MOMENTS] for split in SPLITS}
    if missing := sorted({*sum(wanted.values(), [])} - {*arrays}):
        raise ValueError(
            f"`statistics` lack arrays. Expected {wanted}. Received: no {missing} in {str(path)!r}"
        )
    return {
        split: check_statistics([arrays[name] for name in names]) for split, names in wanted.items()
    }


@keras.saving.register_keras_serializable(package="zoo")
class _Colour(keras.layers.Layer):
    """Grey images with their channel three times; others as they are."""

    def call(self, images):
        repeated = keras.ops.broadcast_to(images, (*keras.ops.shape(images)[:3], 3))
        repeated.set_shape((*images.shape[:3], 3))
        return repeated

    def compute_output_shape(self, input_shape):
        return (*input_shape[:3], 3)
