"""Named datasets as `tf.data`: MNIST, also stacked, Keras, TFDS, image folders, toy mixtures.

What makes batch `i` of epoch `e` is a pure function of (seed, e, i), computed inside the graph for
a whole batch at a time. So a batch costs one gather, and a run that was interrupted goes on with
exactly the batches that it would have seen.
"""

import dataclasses
import gzip
import math
import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from zoo import latents, toys
from zoo.batch_order import Order
from zoo.image_folder import ImageFolder, check_size, resize
from zoo.names import nearest
from zoo.stacked_mnist import StackedMnist
from zoo.tfds_images import TfdsImages

MNIST = Path(__file__).parent / "data" / "mnist"
SPLITS = {"train": "train", "test": "t10k"}
# Keras's image sets: number of classes, and what has to lie in KERAS_HOME/datasets.
KERAS_SETS = {
    "mnist": (10, "mnist.npz"),
    "fashion_mnist": (10, "fashion-mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz"),
    "cifar10": (10, "cifar-10-batches-py-target_archive, which is cifar-10-python.tar.gz"),
    "cifar100": (100, "cifar-100-python-target_archive, which is cifar-100-python.tar.gz"),
}
# Decoded sets up to this size are held in memory, where a batch costs one gather. Twice this (the
# set, and its copy while it becomes a tensor) still fits a laptop; CIFAR-10 is 0.15 GiB of it.
MEMORY_LIMIT = 2 * 2**30
RESIZE_BATCH = 512


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """What is known about a dataset before it is read.

    Attributes:
        name: As it was given.
        sample_shape: `(height, width, channels)` for images, `(dim,)` for toys.
        dtype: `"uint8"` or `"float32"`.
        num_classes: Number of labels, or `None`.
        count: Number of examples of the split.
    """

    name: str
    sample_shape: tuple
    dtype: str
    num_classes: int | None
    count: int


def load(
    name="mnist",
    split="train",
    batch_size=128,
    *,
    image_size=None,
    seed=0,
    shuffle=True,
    labels=True,
    drop_remainder=None,
    repeat=False,
    start_step=0,
    data_dir=None,
    examples=100_000,
    skip_unreadable=False,
):
    """A dataset by name, in batches.

    Images are uint8 of shape `(batch, height, width, channels)`, labels int32 of shape `(batch,)`;
    toy points are float32 of shape `(batch, dim)`. Sets whose decoded images fit `MEMORY_LIMIT`
    are read into memory. Larger image folders are decoded as they are needed, in the same order;
    larger TFDS sets go through TFDS's shuffle of files and a buffer of examples, and `start_step`
    then reads and skips.

    Args:
        name: `"mnist"` (embedded), `"stacked_mnist"` (three of its digits in three channels,
            `zoo.stacked_mnist`); `"keras:NAME"`; `"tfds:NAME"`, also `"tfds:NAME/CONFIG:1.0.0"`;
            the path of a folder of images (see `zoo.image_folder`); or a toy of `zoo.toys`.
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
    order = {
        "batch_size": batch_size,
        "seed": seed,
        "shuffle": shuffle,
        "drop_remainder": drop_remainder,
        "repeat": repeat,
        "start_step": start_step,
    }
    Order(math.inf, **order)  # Wrong arguments are refused before anything is read.
    source = _open(name, split, image_size, data_dir, examples, skip_unreadable)
    if (
        not isinstance(source, _Toy | StackedMnist)
        and source.count * math.prod(source.sample_shape) <= MEMORY_LIMIT
    ):
        images, known_labels = source.read()
        return from_arrays(images, known_labels if labels else None, **order)
    return source.stream(Order(source.count, **order), labels)


def arrays(
    name="mnist",
    split="train",
    *,
    image_size=None,
    labels=True,
    data_dir=None,
    examples=100_000,
    skip_unreadable=False,
):
    """A whole split as NumPy arrays in its original order, for evaluation.

    Args:
        name, split, image_size, labels, data_dir, skip_unreadable: As in `load`.
        examples: int. How many points of a toy, or stacks, to draw.

    Returns:
        `(samples, labels)`; `labels` is `None` when the set has none or they are not wanted.

    Raises:
        ValueError, FileNotFoundError: As `load`.
    """
    source = _open(name, split, image_size, data_dir, examples, skip_unreadable)
    samples, known_labels = source.read()
    return samples, known_labels if labels else None


def info(
    name="mnist",
    split="train",
    *,
    image_size=None,
    data_dir=None,
    examples=100_000,
    skip_unreadable=False,
):
    """The `DatasetInfo` of a dataset, to build players for it. Arguments and errors as `load`."""
    found = _open(name, split, image_size, data_dir, examples, skip_unreadable)
    return DatasetInfo(
        os.fspath(name), found.sample_shape, found.dtype, found.num_classes, found.count
    )


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
            f"Labels belong to images, one each. Expected {count} labels. "
            f"Received: {len(labels)} labels"
        )
    order = Order(count, batch_size, seed, shuffle, drop_remainder, repeat, start_step)
    with tf.device("cpu"):  # Batches are gathered on the host, while the accelerator trains.
        images = tf.convert_to_tensor(images)
        if labels is not None:
            labels = tf.convert_to_tensor(labels)
            labels = tf.cast(labels, tf.int32) if labels.dtype.is_integer else labels

    def batch(indices, epoch, step):
        gathered = tf.gather(images, indices)
        return gathered if labels is None else (gathered, tf.gather(labels, indices))

    return order.dataset(batch)


def _check_split(split, name):
    if split not in SPLITS:
        raise ValueError(
            f"{name} has no such split. Expected one of {list(SPLITS)}{nearest(split, SPLITS)}. "
            f"Received: split={split!r}"
        )


def _check_examples(examples):
    if not isinstance(examples, int | np.integer) or examples < 1:
        raise ValueError(
            "An epoch of what is drawn as it is needed has a size. Expected an int of at least 1. "
            f"Received: examples={examples!r}"
        )


def _open(name, split, image_size, data_dir, examples, skip_unreadable):
    """The source of a name: what it holds, `read()` for all of it, `stream()` for batches of it."""
    image_size = check_size(image_size)
    name = os.fspath(name)
    kind, _, rest = name.partition(":")
    if name in toys.TOYS:
        return _Toy(name, split, image_size, examples)
    if name == "mnist":
        _check_split(split, name)
        return _Memory(*_read_mnist(split), 10, image_size)
    if name == "stacked_mnist":
        _check_split(split, name)
        _check_examples(examples)
        digits = _Memory(*_read_mnist(split), 10, image_size)
        return StackedMnist(digits, list(SPLITS).index(split), examples)
    if kind == "keras":
        return _Memory(*_read_keras(rest, split), KERAS_SETS[rest][0], image_size)
    if kind == "tfds":
        return TfdsImages(rest, split, image_size, data_dir)
    if os.sep in name or name.startswith((".", "~")) or Path(name).is_dir():
        return ImageFolder(name, split, image_size, skip_unreadable)
    known = ["mnist", "stacked_mnist", *toys.TOYS, *(f"keras:{known}" for known in KERAS_SETS)]
    raise ValueError(
        f"Unknown dataset. Expected one of {known}, 'tfds:NAME' or the path of a folder of "
        f"images{nearest(name, known)}. Received: name={name!r}"
    )


class _Memory:
    """Images that are in memory as soon as they are found."""

    dtype = "uint8"

    def __init__(self, images, labels, num_classes, image_size):
        self.images = images if images.ndim == 4 else images[..., None]
        self.labels = labels.reshape(-1).astype("int32")
        self.num_classes, self.count, self.image_size = num_classes, len(images), image_size
        self.sample_shape = (*(image_size or images.shape[1:3]), self.images.shape[-1])

    def read(self):
        if self.images.shape[1:] == self.sample_shape:
            return self.images, self.labels
        images = np.empty((self.count, *self.sample_shape), "uint8")
        for start in range(0, self.count, RESIZE_BATCH):
            rows = slice(start, start + RESIZE_BATCH)
            images[rows] = resize(self.images[rows], self.image_size)
        return images, self.labels


class _Toy:
    """Points of a toy mixture, drawn as they are needed; a test point is never a train point."""

    dtype = "float32"
    num_classes = None

    def __init__(self, name, split, image_size, examples):
        _check_split(split, name)
        if image_size is not None:
            raise ValueError(
                f"The toy distribution {name!r} has points, not images. Expected no image_size. "
                f"Received: image_size={image_size}"
            )
        _check_examples(examples)
        self.mixture, self.count = toys.get(name), examples
        self.sample_shape, self.split = (self.mixture.dim,), list(SPLITS).index(split)

    def read(self):
        return self.mixture.sample(self.count, (0, self.split)).numpy(), None

    def stream(self, order, labels):
        def batch(indices, epoch, step):
            count = indices.shape[0] or tf.shape(indices)[0]
            seed = latents.fold((order.seed, self.split), epoch, step)
            return self.mixture.sample(count, seed)

        return order.dataset(batch)


def _read_mnist(split):
    with gzip.open(MNIST / f"{SPLITS[split]}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), "uint8", offset=16).reshape(-1, 28, 28)
    with gzip.open(MNIST / f"{SPLITS[split]}-labels-idx1-ubyte.gz") as file:
        return images, np.frombuffer(file.read(), "uint8", offset=8)


def _read_keras(name, split):
    if name not in KERAS_SETS:
        raise ValueError(
            "This is no set of images in keras.datasets. Expected one of "
            f"{[f'keras:{known}' for known in KERAS_SETS]}{nearest(name, KERAS_SETS)}. "
            f"Received: name={f'keras:{name}'!r}"
        )
    _check_split(split, f"keras:{name}")
    try:
        train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"
        raise FileNotFoundError(
            f"keras.datasets.{name} is not on disk, and could not be downloaded ({error}). "
            f"Looked in {folder} for {KERAS_SETS[name][1]}; copy that there, or run "
            f"`python -c 'import keras; keras.datasets.{name}.load_data()'` where there is a "
            f"network. Received: name={f'keras:{name}'!r}"
        ) from error
    return train if split == "train" else test
