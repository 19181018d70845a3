"""A folder of image files as examples, and the crop-and-resize rule of all image sets.

The layouts of a folder that are read: `folder/*.png` (no labels), `folder/CLASS/*.png` (labels in
the sorted order of the class names), and either of them below `folder/train/` and `folder/test/`.
"""

import itertools
import os
import warnings
from concurrent import futures
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from zoo.datasets.dataset import SPLITS, Dataset

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")
WORKERS = min(8, os.cpu_count() or 1)  # Pillow decodes outside the GIL.
CHUNK = 64  # Files a task: small ones decode faster than a task is handed over.
NAMED = 3  # An error about many files names this many.
EXIF_ORIENTATION = 0x0112


def check_size(image_size):
    """Returns `(height, width)` for an int or a pair, `None` for `None`.

    Raises:
        ValueError: If `image_size` is neither, or not positive.
    """
    if image_size is None:
        return None
    pair = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
    integers = all(isinstance(side, int | np.integer) for side in pair)
    if len(pair) != 2 or not integers or min(pair) < 1:
        raise ValueError(
            "`image_size` is not a size in pixels. Expected a positive int, or two of them, the "
            f"height and the width in pixels. Received: image_size={image_size!r}"
        )
    return int(pair[0]), int(pair[1])


def resize(images, image_size):
    """Cuts the largest centred window of the target's aspect ratio, and resizes it.

    The resize is bicubic and antialiased, rounded and clipped to uint8. Images which have the size
    already come back unchanged.

    Args:
        images: uint8 tensor of shape `(..., height, width, channels)`, three or four dimensions.
        image_size: `(height, width)`, two ints.

    Returns:
        A uint8 tensor of shape `(..., *image_size, channels)`.
    """
    images = tf.convert_to_tensor(images)
    # Of one rank: a trace that is shared by images and batches would know none.
    if len(images.shape) == 3:
        return _resize(images[None], image_size)[0]
    return _resize(images, image_size)


@tf.function(reduce_retracing=True)
def _resize(images, image_size):
    target_height, target_width = image_size
    shape = tf.shape(images)
    height, width = shape[-3], shape[-2]
    crop_height = tf.clip_by_value(width * target_height // target_width, 1, height)
    crop_width = tf.clip_by_value(height * target_width // target_height, 1, width)
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    window = images[..., top : top + crop_height, left : left + crop_width, :]
    resized = tf.image.resize(window, image_size, method="bicubic", antialias=True)
    return tf.saturate_cast(tf.round(resized), tf.uint8)


class ImageFolder(Dataset):
    """The images of one split of a folder: found and measured when constructed, decoded later.

    All images of a folder get the same channels: one when every file is grey, else three. An
    alpha channel is laid over white, CMYK becomes RGB, 16-bit grey keeps its high byte, and a JPEG
    is turned upright as its EXIF data says. Of an animated GIF the first frame counts.

    Args:
        path: The folder.
        split: `"train"` or `"test"`: which of the two levels to read. A folder without them is
            all `"train"`.
        image_size: `(height, width)`, optional. See `resize`; needed when the files differ in
            size.
        skip_unreadable: bool. Decodes all files once at the start and leaves out, with a warning,
            those that cannot be read; otherwise they are an error.

    Attributes:
        paths: The files, sorted.
        labels: int32 array of shape `(n,)`, or `None` without class folders.
        classes: The class names, or `None`.
        count, num_classes, sample_shape: As in `zoo.datasets.DatasetInfo`.

    Raises:
        FileNotFoundError: If the folder does not exist.
        ValueError: If the split is unknown, no image is found, files cannot be read, or the sizes
            differ and `image_size` is missing.
    """

    def __init__(self, path, split="train", image_size=None, skip_unreadable=False):
        self.name, self.path = os.fspath(path), Path(path).expanduser()
        if not self.path.is_dir():
            raise FileNotFoundError(
                "`name` is a folder that does not exist. Looked in "
                f"{self.path.absolute()}; put the images there, or name another folder. "
                f"Received: name={str(path)!r}"
            )
        self.image_size = image_size
        self._find_files(split)
        if skip_unreadable:
            self._drop_unreadable()
        self.count = len(self.paths)
        self.num_classes = self.classes and len(self.classes)
        self._measure()

    def _find_files(self, split):
        levels = [level for level in SPLITS if (self.path / level).is_dir()]
        if split not in (levels or SPLITS[:1]):
            raise ValueError(
                f"`split` is unknown in the image folder {self.path}. Expected one of "
                f"{levels or ['train']}; a split is a folder train/ or test/ in it, and without "
                f"them all images are 'train'. Received: split={split!r}"
            )
        root = self.path / split if levels else self.path
        # Over both levels, so that a class which the test images lack does not shift the labels.
        parents = [self.path / level for level in levels] or [self.path]
        classes = sorted({folder.name for parent in parents for folder in _subfolders(parent)})
        loose = sorted(file for file in root.iterdir() if _is_image(file))
        by_class = [_images_below(root / name) for name in classes]
        in_classes = sum(by_class, [])
        if loose and in_classes:
            raise ValueError(
                "`name` is a folder that holds both images and class folders. Expected one or the "
                f"other in {root}. Received: {len(loose)} images beside {len(classes)} folders, "
                f"such as {loose[0].name} and {classes[0]}/"
            )
        if not loose and not in_classes:
            raise ValueError(
                f"`name` is a folder without images. Expected files *{', *'.join(SUFFIXES)} in "
                f"{root}, or in class folders there. Received: name={str(self.path)!r}"
            )
        self.paths = [str(file) for file in loose or in_classes]
        self.classes = None if loose else classes
        counts = [len(files) for files in by_class]
        self.labels = None if loose else np.repeat(np.arange(len(classes), dtype="int32"), counts)

    def _drop_unreadable(self):
        _, failures = _tried(lambda path: _decode(path, 1) is None, self.paths, self.paths)
        if not failures:
            return
        message = f"{_counted(failures, self.paths)} and are left out: {_listed(failures)}"
        if len(failures) == len(self.paths):
            raise ValueError(
                f"`name` is a folder where {_counted(failures, self.paths)}. Expected JPEG, PNG, "
                f"BMP or GIF files. Received: {_listed(failures)}"
            )
        warnings.warn(message, stacklevel=5)
        lost = {name for name, _ in failures}
        kept = [i for i, path in enumerate(self.paths) if path not in lost]
        self.paths = [self.paths[i] for i in kept]
        self.labels = None if self.labels is None else self.labels[kept]

    def _measure(self):
        headers = _each(_header, self.paths)
        channels = 1 if all(grey for grey, _ in headers) else 3
        sizes = [size for _, size in headers]
        if self.image_size is None:
            other = next((i for i, size in enumerate(sizes) if size != sizes[0]), None)
            if other is not None:
                (height, width), (other_height, other_width) = sizes[0], sizes[other]
                raise ValueError(
                    "`image_size` is missing: the images of the folder have several sizes. "
                    "Expected one size, or an image_size to crop and resize all to. Received: "
                    f"{self.paths[0]} of {height}x{width} and {self.paths[other]} of "
                    f"{other_height}x{other_width}"
                )
        self.sample_shape = (*(self.image_size or sizes[0]), channels)

    def read(self):
        """All images and labels, decoded in parallel.

        Returns:
            A uint8 array of shape `(n, *sample_shape)`, and `labels`.

        Raises:
            ValueError: If files cannot be decoded; it names and counts them.
        """
        return self._decoded(range(self.count), threads=True), self.labels

    def stream(self, order, labels):
        """Batches in this order, decoded when they are needed."""

        def batch(indices, epoch, step):
            images = tf.numpy_function(self._decoded, [indices], tf.uint8, stateful=False)
            images = tf.ensure_shape(images, (indices.shape[0], *self.sample_shape))
            if self.labels is None or not labels:
                return images
            return images, tf.gather(self.labels, indices)

        return order.dataset(batch, workers=WORKERS)

    def _decoded(self, indices, threads=False):
        images = np.empty((len(indices), *self.sample_shape), "uint8")

        def decode(row):
            image = _decode(self.paths[indices[row]], self.sample_shape[-1])
            if self.image_size and image.shape[:2] != self.image_size:
                image = resize(image, self.image_size)
            images[row] = image

        _each(decode, range(len(indices)), [self.paths[i] for i in indices], threads)
        return images


def _subfolders(folder):
    hidden = (".", "__")  # .thumbnails, __MACOSX
    return [f for f in folder.iterdir() if f.is_dir() and not f.name.startswith(hidden)]


def _is_image(file):
    # Archives made on a Mac hold a "._a.jpg" of metadata beside each "a.jpg".
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()


def _images_below(folder):
    return sorted(file for file in folder.rglob("*") if _is_image(file))


def _each(function, items, names=None, threads=True):
    """`function` of all items; an error that names and counts the ones it could not read."""
    results, failures = _tried(function, items, names or items, threads)
    if failures:
        raise ValueError(
            f"`name` is a folder where {_counted(failures, items)}. Expected JPEG, PNG, BMP or GIF "
            "files; mend or remove these, or ask for skip_unreadable=True. Received: "
            f"{_listed(failures)}"
        )
    return results


def _tried(function, items, names, threads=True):
    """`function` of all items, and `(name, error)` of those that it could not read."""
    failures = []

    def attempt(task):
        name, item = task
        try:
            return function(item)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            failures.append((name, error))  # Pillow raises any of these for a damaged file.

    tasks = list(zip(names, items, strict=True))
    chunks = [tasks[start : start + CHUNK] for start in range(0, len(tasks), CHUNK)]
    with futures.ThreadPoolExecutor(WORKERS) as pool:
        done = (pool.map if threads else map)(lambda chunk: list(map(attempt, chunk)), chunks)
        return list(itertools.chain.from_iterable(done)), failures


def _counted(failures, items):
    return f"{len(failures)} of {len(items)} image files cannot be read"


def _listed(failures):
    listed = "; ".join(sorted(f"{name} ({error})" for name, error in failures)[:NAMED])
    more = f" and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
    return listed + more


def _turned(image):
    # Asking a PNG for its EXIF data would decode all of it.
    return image.format == "JPEG" and image.getexif().get(EXIF_ORIENTATION, 1) > 1


def _header(path):
    with Image.open(path) as image:
        width, height = image.size
        if _turned(image) and image.getexif()[EXIF_ORIENTATION] >= 5:
            width, height = height, width
        return image.mode in ("1", "L", "LA") or image.mode.startswith("I"), (height, width)


def _decode(path, channels):
    with Image.open(path) as image:
        if _turned(image):
            image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):
            # convert("L") would clip the 16 bits at 255.
            image = Image.fromarray((np.asarray(image) >> 8).astype("uint8"))
        elif image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)
