"""What a batch of a data set looks like: an array, a pair, or a dict with the usual names."""

import collections.abc

import keras
import numpy as np
import tensorflow as tf

SAMPLES = ("image", "images", "img", "pixel_values")  # Of TensorFlow Datasets and Hugging Face.
LABELS = ("label", "labels", "condition", "conditions")
UNUSED = ("id", "file_name", "image/filename", "image_id")  # They say which example it is.


def parts(batch):
    """The samples and the labels of a batch, or of its spec; `None` stands for no labels.

    Args:
        batch: Samples, `(samples,)`, `(samples, labels)`, or a dict with one of the names of
            `SAMPLES` and at most one of `LABELS`. A list of more than three is samples.

    Raises:
        ValueError: If it is something else, or has weights of the examples.
    """
    if isinstance(batch, collections.abc.Mapping):
        return _named(batch)
    if isinstance(batch, list) and len(batch) > 3:
        return batch, None
    if isinstance(batch, tuple) and len(batch) > 3:
        raise ValueError(
            "`x` has batches of too many elements. Expected batches of images, or (images, "
            f"labels). Received: {len(batch)} elements"
        )
    samples, labels, weights = keras.utils.unpack_x_y_sample_weight(batch)
    if weights is not None:
        raise ValueError(
            "`x` has a third element in each batch, and adversarial losses do not weigh examples. "
            "Expected batches of images, or (images, labels). Received: three elements"
        )
    if isinstance(samples, collections.abc.Mapping):
        samples, named = _named(samples)
        if named is not None and labels is not None:
            raise ValueError(
                "`x` has labels twice in each batch. Expected a dict with labels, or (images, "
                "labels). Received: a dict with labels, and labels beside it"
            )
        labels = named if labels is None else labels
    return samples, labels


def _named(batch):
    samples = [name for name in batch if name in SAMPLES]
    labels = [name for name in batch if name in LABELS]
    others = set(batch) - {*samples, *labels, *UNUSED}
    if len(samples) != 1 or len(labels) > 1 or others:
        raise ValueError(
            "`x` has batches with other names than those of images and labels. Expected one of "
            f"{', '.join(SAMPLES)}, and at most one of {', '.join(LABELS)}; map others to "
            "(images, labels): dataset.map(lambda batch: (batch['...'], batch['...'])). "
            f"Received: a dict with the keys {sorted(map(str, batch))}"
        )
    return batch[samples[0]], batch[labels[0]] if labels else None


def is_empty(batch):
    """Whether a batch has no rows."""
    samples, _ = parts(batch)
    return hasattr(samples, "__len__") and len(samples) == 0


def as_array(values, name="x"):
    """A dense NumPy array of what is array-like.

    Raises:
        ValueError: If it is ragged, sparse, masked, or of several shapes.
    """
    sparse = isinstance(values, (tf.RaggedTensor, tf.SparseTensor)) or hasattr(values, "toarray")
    if sparse or np.ma.is_masked(values):
        raise ValueError(
            f"`{name}` is ragged, sparse or masked. Expected a dense array, every value of which "
            "is data: see to_tensor, tf.sparse.to_dense, toarray or filled. "
            f"Received: {name} of type {type(values).__name__}"
        )
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"`{name}` cannot be made one array. Expected examples of one shape. "
            f"Received: {name} of type {type(values).__name__} ({error})"
        ) from error
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def is_array(x, image_shape):
    """Whether `x` holds examples, and not batches of them."""
    if isinstance(x, (list, tuple)):
        return not any(_is_batch(element, image_shape) for element in x[:1])
    dense = hasattr(x, "__array__") and not isinstance(x, collections.abc.Iterator)
    return dense or hasattr(x, "toarray") or isinstance(x, (tf.RaggedTensor, tf.SparseTensor))


def are_batches(x, traits):
    """Whether each of several things is a batch, and not `[samples, labels]`."""
    several = len(x) > 1 and all(_is_batch(element, traits.image_shape) for element in x)
    return several and not (len(x) == 2 and traits.condition is not None)


def check_list(x, image_shape):
    """Raises a `ValueError` if not every element of a list is a batch."""
    others = [k for k, element in enumerate(x) if not _is_batch(element, image_shape)]
    if others:
        raise ValueError(
            "`x` holds batches and other things. Expected images and labels apart, fit(x, y), or a "
            "list of batches, each of images or (images, labels). "
            f"Received: {len(x)} elements, number {others[0]} of which is no batch"
        )


def _is_batch(element, image_shape):
    if isinstance(element, collections.abc.Mapping):
        return True
    examples = {image_shape, image_shape[:-1]} if image_shape[-1] == 1 else {image_shape}
    try:
        pair = isinstance(element, (tuple, list)) and len(element) in (1, 2)
        if pair and np.shape(element) not in examples:
            return _is_batch(element[0], image_shape)
        shape = np.shape(element)
    except ValueError:  # Its parts are of several shapes.
        return pair and _is_batch(element[0], image_shape)
    return shape not in examples and shape[1:] in examples
