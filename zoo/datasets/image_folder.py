"""A folder of image files as examples, and the crop-and-resize rule of all image sets.

The layouts of a folder that are read: `folder/*.png` (no labels), `folder/CLASS/*.png` (labels in
the sorted order of the class names), and either of them below `folder/train/`, `folder/val/` and
`folder/test/`. `zoo.datasets.folder_files` finds the files, `zoo.datasets.picture_files` reads one.
"""

import logging
import math
import os
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from zoo.datasets import folder_files
from zoo.datasets.dataset import Dataset
from zoo.datasets.many_files import WORKERS, counted, each, listed, tried
from zoo.datasets.picture_files import EXIF_ORIENTATION, check, decode, header
from zoo.datasets.sample_depths import check_depth, scales
from zoo.validation import check_seed

__all__ = ["EXIF_ORIENTATION", "ImageFolder", "check_size", "resize"]

LOG = logging.getLogger(__name__)
PARALLEL_BYTES = 2**30  # Of batches that are decoded at the same time.


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

    Every file that Pillow decodes is an image (`zoo.datasets.picture_files`); what is left out is
    said, and mere text and what systems put into folders less loudly. All images of a folder get
    the same channels: one when every file is grey, else three. A picture is turned upright as its
    EXIF data say, colours with a profile and CMYK become sRGB, an alpha channel is laid over white,
    and of several frames the first counts.

    Samples of 16 bits keep the highest 8 of the bits that are used: as many as the file says, or
    `bit_depth`, or the fewest of 8, 10, 12, 14 and 16 (24, 32) that hold the largest sample of all
    splits. Floats in [0, 1] and in [0, 255] span these; of other floats and of negative integers
    the smallest and the largest of all splits become 0 and 255. What was taken so is said.

    Args:
        path: The folder.
        split: `"train"`, `"validation"` or `"test"`: which of the levels train/, val/ (also
            valid/, validation/) and test/ to read. A folder without them is all `"train"`.
        image_size: `(height, width)`, optional. See `resize`; needed when the files differ in
            size.
        skip_unreadable: bool. Decodes all files once at the start and leaves out, with a warning,
            those that cannot be read; otherwise they are an error.
        validation_split: float in (0, 1), optional. The share of a folder without other levels
            that is its `"test"` split, of every class alike: `folder_files.held_out`.
        split_seed: int. Decides which images that are.
        bit_depth: int from 8 to 32, optional. The bits that samples beyond 8 bits use.

    Attributes:
        paths: The files, sorted.
        labels: int32 array of shape `(n,)`, or `None` without class folders.
        class_names: The class names, or `None`.
        count, num_classes, sample_shape: As in `zoo.datasets.DatasetInfo`.

    Raises:
        FileNotFoundError, NotADirectoryError, PermissionError: If there is no such folder, or it
            may not be listed.
        ValueError: If the split is unknown, no image is found, files cannot be read, the sizes
            differ and `image_size` is missing, or an argument is wrong.
    """

    def __init__(
        self,
        path,
        split="train",
        image_size=None,
        skip_unreadable=False,
        validation_split=None,
        split_seed=0,
        bit_depth=None,
    ):
        self.name, self.path = os.fspath(path), Path(path).expanduser()
        self.image_size = image_size
        _check_share(validation_split, split_seed)
        check_depth(bit_depth)
        files = folder_files.FolderFiles(self.path)
        splits = _splits(files, validation_split, split_seed)
        chosen = folder_files.split_name(split, splits, self.path)
        self.paths, self.labels = splits[chosen].paths, splits[chosen].labels
        if not self.paths:
            files.refuse_empty(files.levels[chosen])
        lost = self._drop_unreadable() if skip_unreadable else set()
        self.class_names = None if self.labels is None else files.class_names
        self.num_classes = self.class_names and len(self.class_names)
        self.count = len(self.paths)
        own = dict(zip(self.paths, each(header, self.paths), strict=True))
        others = {p for s in files.splits.values() for p in s.paths} - own.keys() - lost
        others = sorted(others)
        others = {p: h for p, h in zip(others, tried(header, others, others)[0], strict=True) if h}
        self._measure(own, others)
        self.scales, taken = scales({**own, **others}, bit_depth)
        resized = _say_resized(self.path, own, image_size) if image_size else ()
        for message in (*_say_left_out(files), *taken, *resized):
            warnings.warn(message, stacklevel=3)

    @property
    def classes(self):
        """The class names, or `None`."""
        return self.class_names

    def _drop_unreadable(self):
        """Leaves out the files that cannot be read, and returns them."""
        _, failures = tried(check, self.paths, self.paths)
        if not failures:
            return set()
        message = f"{counted(failures, self.paths)} and are left out: {listed(failures)}"
        if len(failures) == len(self.paths):
            raise ValueError(
                f"`name` is a folder where {counted(failures, self.paths)}. Expected images that "
                f"Pillow decodes. Received: {listed(failures)}"
            )
        warnings.warn(message, stacklevel=4)
        lost = {name for name, _ in failures}
        kept = [i for i, path in enumerate(self.paths) if path not in lost]
        self.paths = [self.paths[i] for i in kept]
        self.labels = None if self.labels is None else self.labels[kept]
        return lost

    def _measure(self, own, others):
        """The shape of a sample; the channels are those of all splits."""
        channels = 1 if all(h.grey for h in (*own.values(), *others.values())) else 3
        sizes = [h.size for h in own.values()]
        different = next((i for i, size in enumerate(sizes) if size != sizes[0]), None)
        if self.image_size is None and different is not None:
            (height, width), (other_height, other_width) = sizes[0], sizes[different]
            raise ValueError(
                "`image_size` is missing: the images of the folder have several sizes. "
                "Expected one size, or an image_size to crop and resize all to. Received: "
                f"{self.paths[0]} of {height}x{width} and {self.paths[different]} of "
                f"{other_height}x{other_width}"
            )
        self.sample_shape = (*(self.image_size or sizes[0]), channels)
        if frames := [path for path, h in own.items() if h.frames]:
            LOG.warning(
                "%d images of %s have several frames, of which the first is read (such as %s)",
                len(frames),
                self.path,
                frames[0],
            )

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

        largest = max(1, PARALLEL_BYTES // (order.batch_size * math.prod(self.sample_shape)))
        return order.dataset(batch, workers=min(WORKERS, largest))

    def _decoded(self, indices, threads=False):
        images = np.empty((len(indices), *self.sample_shape), "uint8")

        def fill(row):
            image = decode(self.paths[indices[row]], self.sample_shape[-1], self.scales)
            if self.image_size and image.shape[:2] != self.image_size:
                image = resize(image, self.image_size)
            images[row] = image

        each(fill, range(len(indices)), [self.paths[i] for i in indices], threads)
        return images


def _check_share(share, seed):
    check_seed(seed)
    if share is None:
        return
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
        raise ValueError(
            "`validation_split` is out of range. Expected a share of the images in (0, 1), such as "
            f"0.1, or None. Received: validation_split={share!r}"
        )


def _splits(files, share, seed):
    """The `Files` of each split, of which a share may be held out."""
    if share is None:
        return files.splits
    given = sorted(set(files.splits) - {"train"})
    if given or "train" not in files.splits:
        raise ValueError(
            "`validation_split` is given, and the folder has a split of its own. Expected "
            f"validation_split=None, or a folder without {', '.join(given)}. Received: "
            f"validation_split={share}, name={str(files.path)!r} with "
            f"{', '.join(f'{level.name}/' for level in files.levels.values())}"
        )
    whole = files.splits["train"]
    apart = folder_files.held_out(whole, files.levels.get("train", files.path), share, seed)
    test = whole.taken(apart)
    return {"train": whole.taken(~apart), "validation": test, "test": test}


def _say_left_out(files):
    """Warns of files that are no images; of mere text beside them only the log says it."""
    if files.left_out:
        message = (
            f"{len(files.left_out)} files of {files.path} are not read, for Pillow decodes none of "
            f"their kind: {folder_files.counted(files.left_out)}"
        )
        if folder_files.lost(files.left_out):
            yield message
        else:
            LOG.warning(message)
    for note in files.notes:
        yield f"In {files.path} {note}"


def _say_resized(path, headers, image_size):
    """Warns of images that are enlarged; that sizes differ only the log says."""
    sizes = {h.size for h in headers.values()}
    if len(sizes) > 1:
        small, large = (f(sizes, key=math.prod) for f in (min, max))
        LOG.warning(
            f"The images of {path} have {len(sizes)} sizes, from {small[0]}x{small[1]} to "
            f"{large[0]}x{large[1]}: each is cropped at its centre and resized to "
            f"{image_size[0]}x{image_size[1]}"
        )
    height, width = image_size
    fewer = [p for p, h in headers.items() if h.size[0] < height or h.size[1] < width]
    if fewer:
        first = headers[fewer[0]].size
        yield (
            f"`image_size` is larger than {len(fewer)} of {len(headers)} images, which are "
            f"enlarged to {height}x{width} and stay blurred: {fewer[0]} of {first[0]}x{first[1]}"
        )
