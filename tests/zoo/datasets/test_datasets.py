"""Named datasets: what they hold, the order of their batches, and what their errors say."""

import gzip
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import datasets, latents

ROOT = Path(__file__).parents[3]
HISTOGRAM = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
SUM = 1_567_298_545  # Of all pixels of the training images.


def _values(dataset):
    return [batch.numpy().tolist() for batch in dataset]


def _flat(dataset):
    return sum(_values(dataset), [])


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


@pytest.mark.parametrize("count", [1, 2, 3, 10, 64, 101])
@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_an_epoch_visits_each_example_once(count, batch_size):
    dataset = datasets.from_arrays(np.arange(count), batch_size=batch_size, drop_remainder=False)
    batches = _values(dataset)
    assert sorted(sum(batches, [])) == list(range(count))
    assert dataset.cardinality() == len(batches) == -(-count // batch_size)
    repeated = datasets.from_arrays(
        np.arange(count), batch_size=batch_size, drop_remainder=False, repeat=True
    )
    for epoch in range(3):
        batches = _flat(repeated.skip(epoch * dataset.cardinality()).take(dataset.cardinality()))
        assert sorted(batches) == list(range(count))


def test_the_order_differs_by_epoch_and_iteration_and_follows_from_the_seed():
    samples = np.arange(1000)

    def epochs(seed, **arguments):
        dataset = datasets.from_arrays(samples, batch_size=100, seed=seed, **arguments)
        if arguments:
            flat = _flat(dataset.take(30))
            return [flat[:1000], flat[1000:2000], flat[2000:]]
        return [_flat(dataset) for _ in range(3)]

    for arguments in ({}, {"repeat": True}):
        first = epochs(0, **arguments)
        assert first == epochs(0, **arguments)
        assert all(one != other for one in first for other in epochs(1, **arguments))
        assert first[0] != first[1] != first[2] != first[0]
        # A uniform permutation correlates with 0, 1, 2... and another epoch by about 0.03.
        correlations = np.corrcoef([samples, *first])[np.triu_indices(4, 1)]
        assert np.abs(correlations).max() < 0.15


def test_batches_are_the_documented_function_of_seed_epoch_and_step():
    samples = np.random.default_rng(0).normal(size=(10, 2)).astype("float32")
    dataset = datasets.from_arrays(samples, batch_size=4, seed=9, repeat=True)
    for number, batch in enumerate(dataset.take(6)):
        epoch, step = divmod(number, 2)
        seed = latents.fold((9, 0), epoch)
        rows = tf.random.experimental.index_shuffle(tf.range(4) + 4 * step, seed, 9)
        np.testing.assert_array_equal(batch, samples[rows.numpy()])


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("drop_remainder", [True, False])
@pytest.mark.parametrize("start_step", [1, 3, 4, 11])
def test_a_start_step_equals_a_skip(shuffle, drop_remainder, start_step):
    arguments = {
        "batch_size": 3,
        "seed": 5,
        "shuffle": shuffle,
        "drop_remainder": drop_remainder,
        "repeat": True,
    }
    whole = datasets.from_arrays(np.arange(10), np.arange(10), **arguments)
    resumed = datasets.from_arrays(np.arange(10), np.arange(10), start_step=start_step, **arguments)
    expected = list(whole.skip(start_step).take(9))
    for batch, expected_batch in zip(resumed.take(9), expected, strict=True):
        np.testing.assert_array_equal(batch, expected_batch)


def test_the_remainder():
    def spec(count, **arguments):
        dataset = datasets.from_arrays(np.arange(count), batch_size=4, **arguments)
        return dataset.element_spec.shape[0], [len(batch) for batch in dataset]

    assert spec(10) == (4, [4, 4])
    assert spec(10, shuffle=False) == (None, [4, 4, 2])
    assert spec(10, drop_remainder=False) == (None, [4, 4, 2])
    assert spec(8, drop_remainder=False) == (4, [4, 4])
    assert spec(3) == (3, [3])


def test_samples_keep_their_dtype_and_integer_labels_become_int32():
    samples, labels = np.zeros((5, 3), "float64"), np.arange(5, dtype="uint8")
    dataset = datasets.from_arrays(samples, labels, 2)
    assert dataset.element_spec == (tf.TensorSpec((2, 3), "float64"), tf.TensorSpec((2,), "int32"))
    dataset = datasets.from_arrays(samples, labels / 2, 2)
    assert dataset.element_spec[1].dtype == "float64"


def test_keras_fits_a_new_epoch_each_time():
    seen = []

    class Recorder(keras.Model):
        def train_step(self, data):
            seen.append(data.numpy().tolist())
            return {"loss": 0.0}

    model = Recorder()
    model.compile(run_eagerly=True)
    dataset = datasets.from_arrays(np.arange(6.0), batch_size=2)
    model.fit(dataset, epochs=2, verbose=0, shuffle=False)  # Keras warns of its own default.
    assert len(seen) == 6 and seen[:3] != seen[3:]
    assert sorted(sum(seen[:3], [])) == sorted(sum(seen[3:], [])) == [0, 1, 2, 3, 4, 5]


def test_toys_are_drawn_as_they_are_needed():
    arguments = {"batch_size": 100, "examples": 250, "repeat": True}
    dataset = datasets.load("ring", **arguments)
    assert dataset.element_spec == tf.TensorSpec((100, 2), "float32")
    points = np.concatenate(list(dataset.take(6)))
    assert len(np.unique(points, axis=0)) == 600
    assert np.abs(np.linalg.norm(points, axis=1) - 2).max() < 0.12
    resumed = datasets.load("ring", start_step=4, **arguments)
    np.testing.assert_array_equal(np.concatenate(list(resumed.take(2))), points[400:])
    batches = list(datasets.load("normal", batch_size=100, examples=250, shuffle=False))
    assert [batch.shape for batch in batches] == [(100, 1), (100, 1), (50, 1)]
    again = datasets.load("normal", batch_size=100, examples=250, shuffle=False)
    np.testing.assert_array_equal(np.concatenate(batches), np.concatenate(list(again)))
    train, labels = datasets.arrays("grid", examples=50)
    assert train.shape == (50, 2) and labels is None
    assert not np.intersect1d(train, datasets.arrays("grid", "test", examples=50)[0]).size
    expected = datasets.DatasetInfo("mixture", (1,), "float32", None, 9)
    assert datasets.info("mixture", examples=9) == expected


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


def test_unknown_names_offer_the_nearest():
    for name, offer in (
        ("fashion_mnist", "keras:fashion_mnist"),
        ("minst", "mnist"),
        ("rnig", "ring"),
    ):
        with pytest.raises(ValueError, match=f"Unknown dataset.*did you mean.*'{offer}'.*{name}"):
            datasets.load(name)
    with pytest.raises(ValueError, match="no set of images.*Received: name='keras:imdb'"):
        datasets.load("keras:imdb")
    with pytest.raises(FileNotFoundError, match="no such folder.*missing"):
        datasets.load("./missing")


@pytest.mark.parametrize("name", ["mnist", "ring", "keras:fashion_mnist"])
def test_an_unknown_split_is_refused(name):
    with pytest.raises(ValueError, match=r"\['train', 'test'\].*mean 'train'.*split='trian'"):
        datasets.load(name, "trian")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"batch_size": 0}, "at least 1.*batch_size=0"),
        ({"batch_size": 2.0}, "at least 1.*batch_size=2.0"),
        ({"seed": None}, "Expected an int.*seed=None"),
        ({"repeat": True, "start_step": -1}, "at least 0.*start_step=-1"),
        ({"start_step": 3}, "repeat=True.*start_step=3, repeat=False"),
        ({"batch_size": 9, "drop_remainder": True}, "at most 5.*batch_size=9"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_arrays(np.arange(5), **arguments)
    if "drop_remainder" not in arguments:
        with pytest.raises(ValueError, match=message):
            datasets.load("./missing", **arguments)  # Before anything is looked for.


def test_wrong_data_is_refused():
    with pytest.raises(ValueError, match="empty.*Received: n=0"):
        datasets.from_arrays(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="Expected 5 labels. Received: 4"):
        datasets.from_arrays(np.zeros(5), np.zeros(4))
    with pytest.raises(ValueError, match="points, not images.*image_size"):
        datasets.load("ring", image_size=8)
    with pytest.raises(ValueError, match="examples=0"):
        datasets.load("ring", examples=0)
