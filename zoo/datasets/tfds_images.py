"""The images of TensorFlow Datasets (TFDS)."""

import socket
import urllib.parse
import urllib.request

import numpy as np
import tensorflow as tf

from zoo.datasets.dataset import Dataset
from zoo.datasets.image_folder import WORKERS, resize
from zoo.validation import nearest

READ_BATCH = 256
SHUFFLE_BUFFER = 10_000  # Examples, for sets which do not fit in memory.
CONNECT_SECONDS = 5


class TfdsImages(Dataset):
    """The images of one split of a TFDS set, downloaded and prepared if they are not yet.

    Args:
        name: `"mnist"`, `"NAME/CONFIG"`, `"NAME:1.0.0"`: what `tfds.builder` takes.
        split: What TFDS takes: `"train"`, `"test[:10%]"`.
        image_size: `(height, width)`, optional. See `resize`; needed when the set does not declare
            the size of its images.
        data_dir: Where the data is kept. Defaults to TFDS's own choice.

    Raises:
        FileNotFoundError: If the set is not prepared and cannot be downloaded.
        ValueError: If the name or split is unknown, the split is empty, or the set has no uint8
            images of known size.
    """

    def __init__(self, name, split="train", image_size=None, data_dir=None):
        import tensorflow_datasets as tfds

        self.name = f"tfds:{name}"
        self.builder = _builder(tfds, name, data_dir)
        self.split, self.image_size = split, image_size
        self._choose_features(tfds, name)
        try:
            self.count = self.builder.info.splits[split].num_examples
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"`split` is unknown in tfds:{name}. Expected one of "
                f"{sorted(self.builder.info.splits)}, or a slice of one. Received: split={split!r}"
            ) from error
        if not self.count:
            raise ValueError(
                f"`split` has no example of tfds:{name}. Expected at least one. "
                f"Received: split={split!r}"
            )

    def _choose_features(self, tfds, name):
        features = dict(self.builder.info.features)
        images = [key for key, f in features.items() if isinstance(f, tfds.features.Image)]
        classes = [key for key, f in features.items() if isinstance(f, tfds.features.ClassLabel)]
        # Some sets have several; the usual names go first.
        self.image_key = min(images, key=lambda key: key != "image", default=None)
        self.label_key = min(classes, key=lambda key: key != "label", default=None)
        image = features.get(self.image_key)
        if image is None or image.np_dtype != np.uint8 or image.shape[-1] is None:
            raise ValueError(
                f"`name` is not a set of uint8 images: tfds:{name}. Expected an Image among its "
                f"features. Received: {self.builder.info.features}"
            )
        if self.image_size is None and None in image.shape:
            raise ValueError(
                f"`image_size` is missing: tfds:{name} does not say how large its images are. "
                "Expected a size to crop and resize all to. Received: image_size=None, images of "
                f"{image.shape}"
            )
        self.sample_shape = (*(self.image_size or image.shape[:2]), image.shape[-1])
        if self.label_key:
            self.num_classes = features[self.label_key].num_classes
            names = tuple(features[self.label_key].names or ())
            # TFDS calls classes without names "0", "1", "2".
            self.class_names = names if any(not name.isdigit() for name in names) else None

    def _examples(self, seed=None):
        import tensorflow_datasets as tfds

        config = tfds.ReadConfig(shuffle_seed=seed, try_autocache=False)
        if seed is None:
            config.interleave_cycle_length = 1  # Otherwise the shards would be mixed.
        keys = {key: True for key in (self.image_key, self.label_key) if key}
        examples = self.builder.as_dataset(
            split=self.split,
            shuffle_files=seed is not None,
            decoders=tfds.decode.PartialDecoding(keys),
            read_config=config,
        )

        def select(example):
            image = example[self.image_key]
            image = resize(image, self.image_size) if self.image_size else image
            label = example[self.label_key] if self.label_key else 0
            return tf.ensure_shape(image, self.sample_shape), tf.cast(label, tf.int32)

        return examples.map(select, num_parallel_calls=WORKERS, deterministic=True)

    def read(self):
        """All images, and labels or `None`, in their original order."""
        images = np.empty((self.count, *self.sample_shape), "uint8")
        labels = np.empty(self.count, "int32")
        batches = self._examples().batch(READ_BATCH).as_numpy_iterator()
        for number, (image, label) in enumerate(batches):
            rows = slice(number * READ_BATCH, number * READ_BATCH + len(image))
            images[rows], labels[rows] = image, label
        return images, labels if self.label_key else None

    def stream(self, order, labels):
        """Batches through a shuffle of the files and a buffer; reads what `start_step` skips."""
        dataset = self._examples(int(order.seed) if order.shuffle else None)
        if not (labels and self.label_key):
            dataset = dataset.map(lambda image, label: image)
        if order.shuffle:
            dataset = dataset.shuffle(SHUFFLE_BUFFER, seed=order.seed)
        dataset = dataset.batch(order.batch_size, drop_remainder=order.drops)
        if order.repeat:
            return dataset.repeat().skip(order.start_step).prefetch(2)
        return dataset.apply(tf.data.experimental.assert_cardinality(order.steps)).prefetch(2)


def _builder(tfds, name, data_dir):
    try:
        builder = tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except (ValueError, AssertionError) as error:
        raise ValueError(
            f"`name` is unknown to TFDS: {str(error).splitlines()[0]} Expected a name of "
            f"tfds.list_builders(){nearest(name, tfds.list_builders())}, or one prepared in "
            f"{data_dir or tfds.core.constants.DATA_DIR}. Received: name={f'tfds:{name}'!r}"
        ) from error
    if builder.is_prepared():
        return builder
    try:
        _connect(builder)
        builder.download_and_prepare()
    except Exception as error:  # Each builder has its own ways to fail.
        raise FileNotFoundError(
            f"`name` is a TFDS set that is not on disk, and could not be downloaded and prepared "
            f"({type(error).__name__}: {error}). Looked in {builder.data_dir}; copy it there, or "
            f"run `tfds build {name} --data_dir={builder.data_dir_root}` where there is a "
            f"network. Received: name={f'tfds:{name}'!r}"
        ) from error
    return builder


def _connect(builder):
    # TFDS retries for minutes when there is no network; one connection tells at once.
    url = next(iter(builder.url_infos), None)
    if url and not urllib.request.getproxies():
        parts = urllib.parse.urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
        socket.create_connection((parts.hostname, port), CONNECT_SECONDS).close()
