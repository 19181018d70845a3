"""Datasets by name: MNIST, stacked MNIST, Keras, TFDS, image folders and toy mixtures.

`open` gives a `Dataset`, which has `info`, `arrays()` and `batches(...)`; `load`, `arrays` and
`info` are short names for these.
"""

import math
import os
from pathlib import Path

from zoo import toys
from zoo.datasets import in_memory
from zoo.datasets.dataset import SPLITS, Dataset, DatasetInfo, check_split, gathered
from zoo.datasets.image_folder import ImageFolder, check_size
from zoo.datasets.order import Order
from zoo.datasets.points import Points
from zoo.datasets.stacked_mnist import StackedMnist
from zoo.datasets.tfds_images import TfdsImages
from zoo.validation import check_choice, check_positive

__all__ = ["SPLITS", "Dataset", "DatasetInfo", "arrays", "from_arrays", "info", "load", "open"]


def open(
    name="mnist",
    split="train",
    *,
    image_size=None,
    data_dir=None,
    examples=100_000,
    skip_unreadable=False,
):
    """A dataset by name: its `info`, its `arrays()` and its `batches(...)`.

    Args:
        name, split, image_size, data_dir, examples, skip_unreadable: As in `load`.

    Raises:
        ValueError, FileNotFoundError: As `load`.

    Example:

    ```python
    digits = zoo.datasets.open("mnist", "test")
    print(digits.info.sample_shape, digits.info.num_classes)
    images, labels = digits.arrays()
    for images, labels in digits.batches(64, shuffle=False).take(1):
        print(images.shape)
    ```
    """
    image_size = check_size(image_size)
    name = os.fspath(name)
    kind, _, rest = name.partition(":")
    if name in toys.TOYS:
        return Points(name, split, image_size, examples)
    if name == "mnist":
        return in_memory.mnist(split, image_size)
    if name == "stacked_mnist":
        number = check_split(split, name)
        check_positive(examples=examples)
        return StackedMnist(in_memory.mnist(split, image_size), number, examples)
    if kind == "keras":
        return in_memory.keras_images(rest, split, image_size)
    if kind == "tfds":
        return TfdsImages(rest, split, image_size, data_dir)
    if os.sep in name or name.startswith((".", "~")) or Path(name).is_dir():
        return ImageFolder(name, split, image_size, skip_unreadable)
    names = ["mnist", "stacked_mnist", *toys.TOYS]
    names += [f"keras:{other}" for other in in_memory.KERAS_SETS]
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
            `zoo.datasets.image_folder`); or a toy of `zoo.toys`.
        split: `"train"` or `"test"`; for TFDS whatever it takes, such as `"train[:1%]"`.
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

    Returns:
        A `tf.data.Dataset` of `images` or `(images, labels)`.

    Raises:
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
        ValueError: If there are no examples, not one label an example, or an argument is wrong.
    """
    count = len(images)
    if labels is not None and len(labels) != count:
        raise ValueError(
            f"`labels` do not match the images in number. Expected {count} labels. "
            f"Received: {len(labels)} labels"
        )
    order = Order(count, batch_size, seed, shuffle, drop_remainder, repeat, start_step)
    return gathered(images, labels, order)
