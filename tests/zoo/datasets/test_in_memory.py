"""The embedded MNIST and Keras's image sets: what they hold, and what is said without them."""

import gzip
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import tensorflow as tf

from zoo import datasets

ROOT = Path(__file__).parents[3]


HISTOGRAM = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


SUM = 1_567_298_545  # Of all pixels of the training images.


def test_mnist_is_all_there():
    images, labels = datasets.arrays()
    assert images.shape == (60_000, 28, 28, 1) and images.dtype == np.uint8
    assert labels.shape == (60_000,) and labels.dtype == np.int32
    np.testing.assert_array_equal(np.bincount(labels), HISTOGRAM)
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert images.sum(dtype="int64") == SUM
    assert round(SUM / images.size / 255, 4) == 0.1307  # The mean that papers subtract.
    test_images, test_labels = datasets.arrays(split="test")
    assert test_images.shape == (10_000, 28, 28, 1) and test_labels[:3].tolist() == [7, 2, 1]
    expected = datasets.DatasetInfo("mnist", (28, 28, 1), "uint8", 10, 10_000)
    assert datasets.info(split="test") == expected


def test_mnist_in_batches():
    dataset = datasets.load()
    images, labels = dataset.element_spec
    assert images == tf.TensorSpec((128, 28, 28, 1), "uint8")
    assert labels == tf.TensorSpec((128,), "int32")
    assert dataset.cardinality() == 468
    assert datasets.load(split="test", labels=False).element_spec.shape == (128, 28, 28, 1)
    images, labels = next(iter(datasets.load(split="test")))
    all_images, all_labels = datasets.arrays(split="test")
    for image, label in zip(images.numpy()[:5], labels.numpy()[:5], strict=True):
        found = np.flatnonzero((all_images == image).all(axis=(1, 2, 3)))
        assert all_labels[found[0]] == label
    (small,) = datasets.load(split="test", image_size=8, labels=False, shuffle=False).take(1)
    assert small.shape == (128, 8, 8, 1)
    np.testing.assert_array_equal(small, datasets.arrays(split="test", image_size=8)[0][:128])


def _write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes()))


def test_keras_sets_come_through_keras(tmp_path):
    folder = tmp_path / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    for prefix, count in (("train", 12), ("t10k", 5)):
        images = np.full((count, 28, 28), count, "uint8")
        _write_idx(folder / f"{prefix}-images-idx3-ubyte.gz", images)
        _write_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", np.arange(count, dtype="uint8") % 10)
    script = """
        import pytest
        from zoo import datasets
        images, labels = datasets.arrays("keras:fashion_mnist", "test")
        assert images.shape == (5, 28, 28, 1) and (images == 5).all()
        assert labels.tolist() == [0, 1, 2, 3, 4] and labels.dtype == "int32"
        (batch, _), = datasets.load("keras:fashion_mnist", batch_size=12)
        assert batch.shape == (12, 28, 28, 1) and (batch.numpy() == 12).all()
        info = datasets.info("keras:fashion_mnist")
        assert (info.num_classes, info.count, info.sample_shape) == (10, 12, (28, 28, 1))
        with pytest.raises(FileNotFoundError) as error:
            import urllib.request, urllib.error, keras.src.utils.file_utils as file_utils
            def refuse(*_):
                raise urllib.error.URLError("no network")
            file_utils.urlretrieve = refuse
            datasets.load("keras:cifar10")
        print(error.value)
    """
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = str(ROOT)
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    assert f"Looked in {tmp_path / 'datasets'} for cifar-10" in process.stdout
    assert "load_data()" in process.stdout and "Received: name='keras:cifar10'" in process.stdout
