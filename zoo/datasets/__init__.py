"""Datasets by name: MNIST, stacked MNIST, Keras, TFDS, image folders and toy mixtures.

`open` gives a `Dataset`, which has `info`, `arrays()` and `batches(...)`; `load`, `arrays` and
`info` are short names for these.
"""

import math
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from zoo import toys
from zoo.datasets import in_memory
from zoo.datasets.dataset import SPLITS, Dataset, DatasetInfo, check_split, gathered
from zoo.datasets.image_folder import ImageFolder, check_size
from zoo.datasets.order import Order
from zoo.datasets.points import Points
from zoo.datasets.stacked_mnist import StackedMnist
from zoo.datasets.tfds_images import TfdsImages
from zoo.validation import INTEGERS, check_choice, check_integer

__all__ = ["SPLITS", "Dataset", "DatasetInfo", "arrays", "from_arrays", "info", "load", "open"]


def open(
    name="mnist",
    split="train",
    *,
    image_size=None,
    data_dir=None,
    examples=100_000,
    skip_unreadable=False,
    validation_split=None,
    split_seed=0,
    bit_depth=None,
):
    """A dataset by name: its `info`, its `arrays()` and its `batches(...)`.

    Args:
        name, split, image_size, data_dir, examples, skip_unreadable, validation_split, split_seed,
            bit_depth: As in `load`.

    Raises:
        TypeError, ValueError, FileNotFoundError: As `load`.

    Example:

    ```python
    import zoo

    digits = zoo.datasets.open("mnist", "test")
    print(digits.info.sample_shape, digits.info.num_classes)
    images, labels = digits.arrays()
    for images, labels in digits.batches(64, shuffle=False).take(1):
        print(images.shape)
    ```
    """
    check_integer(1, INTEGERS - 1, examples=examples)
    image_size = check_size(image_size)
    name = _named(name)
    kind, _, rest = name.partition(":")
    names = ["mnist", "stacked_mnist", *toys.TOYS]
    names += [f"keras:{other}" for other in in_memory.KERAS_SETS]
    if name in names or kind in ("keras", "tfds"):
        _check_of_folders(name, validation_split=validation_split, bit_depth=bit_depth)
    if name in toys.TOYS:
        return Points(name, split, image_size, examples)
    if name == "mnist":
        return in_memory.mnist(split, image_size)
    if name == "stacked_mnist":
        number = check_split(split, name)
        return StackedMnist(in_memory.mnist(split, image_size), number, examples)
    if kind == "keras":
        return in_memory.keras_images(rest, split, image_size)
    if kind == "tfds":
        return TfdsImages(rest, split, image_size, data_dir)
    if os.sep in name or name.startswith((".", "~")) or (name and Path(name).exists()):
        return ImageFolder(
            name, split, image_size, skip_unreadable, validation_split, split_seed, bit_depth
        )
    # None of them: refused, with the nearest names.
    check_choice(names, ", 'tfds:NAME' or the path of a folder of images", name=name)


def load(
    name="mnist",
    split="train",
    batch_size=128,
    *,
    seed=0,
    shuffle=True,
    labels=True,
    drop_remainder=None,
    repeat=False,
    start_step=0,
    **source,
):
    """A dataset by name, in batches.

    Images are uint8 of shape `(batch, height, width, channels)`, labels int32 of shape `(batch,)`;
    toy points are float32 of shape `(batch, dim)`. Sets whose decoded images fit
    `zoo.datasets.dataset.MEMORY_LIMIT` are read into memory. Larger image folders are decoded as
    they are needed, in the same order; larger TFDS sets go through TFDS's shuffle of files and a
    buffer of examples, and `start_step` then reads and skips.

    Args:
        name: `"mnist"` (embedded), `"stacked_mnist"` (three of its digits in three channels,
            `zoo.datasets.stacked_mnist`); `"keras:NAME"`; `"tfds:NAME"`, also
            `"tfds:NAME/CONFIG:1.0.0"`; the path of a folder of images (see
            `zoo.datasets.image_folder.ImageFolder`); or a toy of `zoo.toys`.
        split: `"train"` or `"test"`; of a folder also `"validation"`; for TFDS whatever it takes,
            such as `"train[:1%]"`.
        batch_size: int, at least 1.
        image_size: int or `(height, width)` in pixels, optional: images are centre-cropped to this
            aspect ratio and resized.
        seed: int. Decides the order, and what toys draw.
        shuffle: bool. A new order each epoch; otherwise the original order (and one set of points)
            each epoch.
        labels: bool. Whether to yield `(images, labels)` when the set has labels.
        drop_remainder: bool. Whether to leave out an uneven last batch. Defaults to `True` when
            shuffling a set of at least one batch.
        repeat: bool. `False` gives one epoch, another one at each iteration; `True` gives epochs
            0, 1, 2 and so on without end.
        start_step: int. With `repeat`, the step to begin at: equals `.skip(start_step)`.
        data_dir: Where TFDS keeps its data. Defaults to TFDS's own choice.
        examples: int. What an epoch of a toy or of stacks has; they are drawn as they are needed.
        skip_unreadable: bool. Leaves out, with a warning, the files of a folder that cannot be
            read; otherwise they are an error.
        validation_split: float in (0, 1), optional. Of a folder without a split of its own the
            share that is held out as `"test"`, of every class alike.
        split_seed: int. Decides, with the names of the files, which images are held out; another
            `seed` leaves them the same.
        bit_depth: int, optional. Of a folder the bits that are used in files of 16 bits, where
            these do not say it. Defaults to the fewest that hold the largest sample.

    Returns:
        A `tf.data.Dataset` of `images` or `(images, labels)`.

    Raises:
        TypeError: If the name is neither text nor a path.
        ValueError: If the name, the split or an argument is wrong, or no example is found.
        FileNotFoundError: If the data is not on disk and cannot be downloaded; it says where it
            was looked for and how to bring it there.
    """
    # Wrong arguments are refused before anything is read.
    order = Order(math.inf, batch_size, seed, shuffle, drop_remainder, repeat, start_step)
    return open(name, split, **source).batches(labels=labels, **order.arguments())


def arrays(name="mnist", split="train", *, labels=True, **source):
    """A whole split as NumPy arrays in its original order: `open(...).arrays(labels)`."""
    return open(name, split, **source).arrays(labels)


def info(name="mnist", split="train", **source):
    """Shape, dtype, classes and count of a dataset, to build players for it: `open(...).info`."""
    return open(name, split, **source).info


def from_arrays(
    images,
    labels=None,
    batch_size=128,
    *,
    seed=0,
    shuffle=True,
    drop_remainder=None,
    repeat=False,
    start_step=0,
):
    """Batches of arrays that are held in memory.

    Batch i of epoch e is `images[index_shuffle(range(i B, (i + 1) B), (seed, e))]`. Without
    `repeat` each iteration takes its epoch from `tf.data`'s own generator, which is also moved by
    `tf.random.set_seed`.

    Args:
        images: Array of shape `(n, ...)`, of any dtype: any samples.
        labels: Array of shape `(n, ...)`, optional. Integers become int32.
        batch_size, seed, shuffle, drop_remainder, repeat, start_step: As in `load`.

    Returns:
        A `tf.data.Dataset` of `images`, or `(images, labels)` when labels are given.

    Raises:
        TypeError: If images or labels are no arrays.
        ValueError: If there are no examples, not one label an example, images of several shapes,
            or an argument is wrong.
    """
    images = _array(images=images)
    labels = None if labels is None else _array(labels=labels)
    count = len(images)
    if labels is not None and len(labels) != count:
        raise ValueError(
            f"`labels` do not match the images in number. Expected {count} labels. "
            f"Received: {len(labels)} labels"
        )
    order = Order(count, batch_size, seed, shuffle, drop_remainder, repeat, start_step)
    return gathered(images, labels, order)


def _named(name):
    """The name of a dataset as text."""
    if isinstance(name, (str, os.PathLike)):
        return os.fspath(name)
    raise TypeError(
        f"`name` is not the name of a dataset. Expected a str or a path; {_remedy(name)}. "
        f"Received: name of type {type(name).__module__}.{type(name).__name__}"
    )


def _remedy(data):
    """What to do with data that are no array and no name."""
    if isinstance(data, tf.data.Dataset):
        return "a tf.data.Dataset of batches goes into fit as it is"
    if hasattr(data, "as_dataset"):
        return "a set of TFDS goes by its name, 'tfds:NAME'"
    if hasattr(data, "features") and hasattr(data, "column_names"):
        return (
            "of a set of Hugging Face take the columns as arrays, "
            "from_arrays(np.stack([np.asarray(image) for image in data['image']]), "
            "np.asarray(data['label']))"
        )
    return "arrays go into fit, or into zoo.datasets.from_arrays(images, labels)"


def _check_of_folders(name, **arguments):
    """Refuses arguments that only a folder has."""
    for argument, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"`{argument}` has no meaning for {name!r}: it is of folders of images. "
                f"Expected None. Received: {argument}={value!r}"
            )


def _array(**argument):
    """An argument as a tensor or an array of numbers with a first axis."""
    ((name, value),) = argument.items()
    if tf.is_tensor(value) and value.shape.rank:
        return value
    if not (isinstance(value, (list, tuple)) or hasattr(value, "__array__")):
        raise TypeError(
            f"`{name}` are not an array. Expected one of shape (n, ...); {_remedy(value)}. "
            f"Received: {name} of type {type(value).__module__}.{type(value).__name__}"
        )
    try:
        array = np.asarray(value)
    except ValueError as error:  # NumPy's word is "inhomogeneous".
        raise ValueError(
            f"`{name}` have several shapes. Expected all of one shape. Received: {error}"
        ) from error
    if array.dtype.kind not in "biufc" or not array.ndim:
        hint = "; np.unique(labels, return_inverse=True)[1] numbers names" * (name == "labels")
        raise TypeError(
            f"`{name}` are not numbers. Expected an array of shape (n, ...){hint}; "
            f"{_remedy(value)}. Received: {name} of type {type(value).__module__}."
            f"{type(value).__name__} and dtype {array.dtype}"
        )
    return array
