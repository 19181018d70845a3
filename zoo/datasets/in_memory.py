"""Datasets that are read into memory at once: the embedded MNIST, and Keras's image sets."""

import gzip
import os
from pathlib import Path

import keras
import numpy as np

from zoo.blocks import slices
from zoo.datasets.dataset import Dataset, check_split
from zoo.datasets.image_folder import resize
from zoo.validation import check_choice

MNIST = Path(__file__).parent.parent / "data" / "mnist"
MNIST_FILES = {"train": "train", "test": "t10k"}
# Keras's image sets: number of classes, and what has to lie in KERAS_HOME/datasets.
KERAS_SETS = {
    "mnist": (10, "mnist.npz"),
    "fashion_mnist": (10, "fashion-mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte.gz"),
    "cifar10": (10, "cifar-10-batches-py-target_archive, which is cifar-10-python.tar.gz"),
    "cifar100": (100, "cifar-100-python-target_archive, which is cifar-100-python.tar.gz"),
}
RESIZE_BATCH = 512


class ArrayImages(Dataset):
    """Labelled images in memory, cropped and resized when they are read.

    Args:
        name: str.
        images: uint8 array of shape `(n, height, width)` or `(n, height, width, channels)`.
        labels: Integers of shape `(n,)` or `(n, 1)`.
        num_classes: int.
        image_size: `(height, width)`, optional.
    """

    def __init__(self, name, images, labels, num_classes, image_size):
        self.name = name
        self.images = images if images.ndim == 4 else images[..., None]
        self.labels = labels.reshape(-1).astype("int32")
        self.num_classes, self.count, self.image_size = num_classes, len(images), image_size
        self.sample_shape = (*(image_size or images.shape[1:3]), self.images.shape[-1])

    def read(self):
        if self.images.shape[1:] == self.sample_shape:
            return self.images, self.labels
        images = np.empty((self.count, *self.sample_shape), "uint8")
        for rows in slices(self.count, RESIZE_BATCH):
            images[rows] = resize(self.images[rows], self.image_size)
        return images, self.labels


def mnist(split, image_size=None):
    """The embedded MNIST.

    Raises:
        ValueError: If the split is unknown.
    """
    check_split(split, "mnist")
    with gzip.open(MNIST / f"{MNIST_FILES[split]}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), "uint8", offset=16).reshape(-1, 28, 28)
    with gzip.open(MNIST / f"{MNIST_FILES[split]}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), "uint8", offset=8)
    return ArrayImages("mnist", images, labels, 10, image_size)


def keras_images(name, split, image_size=None):
    """An image set of `keras.datasets`.

    Raises:
        ValueError: If the name or the split is unknown.
        FileNotFoundError: If it is not on disk and cannot be downloaded.
    """
    full = f"keras:{name}"
    check_choice([f"keras:{other}" for other in KERAS_SETS], name=full)
    check_split(split, full)
    try:
        train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails.
        folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"
        raise FileNotFoundError(
            f"`name` is a set that is not on disk, and could not be downloaded ({error}). "
            f"Looked in {folder} for {KERAS_SETS[name][1]}; copy that there, or run "
            f"`python -c 'import keras; keras.datasets.{name}.load_data()'` where there is a "
            f"network. Received: name={full!r}"
        ) from error
    return ArrayImages(
        full, *(train if split == "train" else test), KERAS_SETS[name][0], image_size
    )
