"""Datasets by name and as objects: the same either way, and what their errors say."""

import numpy as np
import pytest
import tensorflow as tf

from zoo import datasets
from zoo.datasets import dataset


def test_an_open_dataset_says_reads_and_batches_what_the_short_names_do():
    opened = datasets.open("mnist", "test", image_size=8)
    assert isinstance(opened, datasets.Dataset)
    assert opened.info == datasets.info("mnist", "test", image_size=8)
    assert opened.info == datasets.DatasetInfo("mnist", (8, 8, 1), "uint8", 10, 10_000)
    images, labels = opened.arrays()
    for got, expected in zip(
        (images, labels), datasets.arrays("mnist", "test", image_size=8), strict=True
    ):
        np.testing.assert_array_equal(got, expected)
    assert opened.arrays(labels=False)[1] is None
    how = {"seed": 3, "repeat": True, "start_step": 2}
    ours = opened.batches(64, **how).take(2)
    theirs = datasets.load("mnist", "test", 64, image_size=8, **how).take(2)
    for batch, expected in zip(ours, theirs, strict=True):
        for a, b in zip(batch, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    assert opened.batches(64, labels=False).element_spec.shape == (64, 8, 8, 1)


@pytest.mark.parametrize("name, seen", [("ring", (2,)), ("stacked_mnist", (28, 28, 3))])
def test_an_open_dataset_that_is_drawn(name, seen):
    opened = datasets.open(name, examples=20)
    assert opened.drawn and opened.info.count == 20 and opened.info.sample_shape == seen
    assert len(opened.arrays()[0]) == 20
    batches = list(opened.batches(8, shuffle=False, labels=False))
    assert [batch.shape for batch in batches] == [(8, *seen), (8, *seen), (4, *seen)]


class Countdown(datasets.Dataset):
    """Numbers that go down; as a stream they are marked by a sign."""

    name, sample_shape, dtype, count = "countdown", (1,), "float32", 6

    def read(self):
        return np.arange(6.0)[::-1, None], None

    def stream(self, order, labels):
        return order.dataset(lambda indices, epoch, step: -tf.cast(5 - indices, "float64")[:, None])


def test_a_dataset_of_ones_own(monkeypatch):
    own = Countdown()
    assert own.info == datasets.DatasetInfo("countdown", (1,), "float32", None, 6)
    held = [batch.numpy().ravel().tolist() for batch in own.batches(4, shuffle=False)]
    assert held == [[5, 4, 3, 2], [1, 0]]
    monkeypatch.setattr(dataset, "MEMORY_LIMIT", 0)
    streamed = [batch.numpy().ravel().tolist() for batch in own.batches(4, shuffle=False)]
    assert streamed == [[-5, -4, -3, -2], [-1, 0]]
    with pytest.raises(NotImplementedError, match="Dataset has to define read"):
        datasets.Dataset().read()


def test_samples_keep_their_dtype_and_integer_labels_become_int32():
    samples, labels = np.zeros((5, 3), "float64"), np.arange(5, dtype="uint8")
    dataset = datasets.from_arrays(samples, labels, 2)
    assert dataset.element_spec == (tf.TensorSpec((2, 3), "float64"), tf.TensorSpec((2,), "int32"))
    dataset = datasets.from_arrays(samples, labels / 2, 2)
    assert dataset.element_spec[1].dtype == "float64"


def test_unknown_names_offer_the_nearest():
    for name, offer in (
        ("fashion_mnist", "keras:fashion_mnist"),
        ("minst", "mnist"),
        ("rnig", "ring"),
    ):
        with pytest.raises(ValueError, match=f"`name` is unknown.*did you mean.*'{offer}'.*{name}"):
            datasets.load(name)
    with pytest.raises(
        ValueError, match="`name` is unknown.*'keras:mnist'.*Received: name='keras:imdb'"
    ):
        datasets.load("keras:imdb")
    with pytest.raises(FileNotFoundError, match="`name` is a folder that does not exist.*missing"):
        datasets.load("./missing")


@pytest.mark.parametrize("name", ["mnist", "ring", "keras:fashion_mnist"])
def test_an_unknown_split_is_refused(name):
    with pytest.raises(ValueError, match=r"\['test', 'train'\].*mean 'train'.*split='trian'"):
        datasets.load(name, "trian")


def test_wrong_data_is_refused():
    with pytest.raises(ValueError, match="empty.*Received: n=0"):
        datasets.from_arrays(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="Expected 5 labels. Received: 4"):
        datasets.from_arrays(np.zeros(5), np.zeros(4))


class Columns:
    """What a set of Hugging Face looks like from outside."""

    features, column_names = {"image": None}, ["image"]

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return {"image": None}


class Builder:
    """What a builder of TFDS looks like from outside."""

    def as_dataset(self):
        return None


@pytest.mark.parametrize(
    "data, remedy",
    [
        (np.zeros((3, 2)), "from_arrays"),
        (None, "from_arrays"),
        (Columns(), r"Hugging Face.*from_arrays\(np.stack"),
        (Builder(), "tfds:NAME"),
        (tf.data.Dataset.range(3), "goes into fit as it is"),
        (tf.data.Dataset.range(3).repeat(), "goes into fit as it is"),
    ],
)
def test_data_that_are_no_name_have_a_remedy(data, remedy):
    with pytest.raises(TypeError, match=f"`name` is not the name of.*{remedy}.*Received: name of"):
        datasets.open(data)
    if not isinstance(data, np.ndarray):
        with pytest.raises(TypeError, match=f"`images` are not .*{remedy}.*Received: images of"):
            datasets.from_arrays(data)


def test_from_arrays_takes_lists_and_tensors_and_refuses_what_is_no_array():
    (pair,) = datasets.from_arrays([[1.0], [2.0]], [3, 4], 2, shuffle=False)
    assert pair[0].numpy().tolist() == [[1.0], [2.0]] and pair[1].dtype == tf.int32
    (batch,) = datasets.from_arrays(tf.constant([[1.0], [2.0]]), None, 2, shuffle=False)
    assert batch.numpy().tolist() == [[1.0], [2.0]]
    with pytest.raises(ValueError, match="`images` have several shapes.*Received"):
        datasets.from_arrays([np.zeros((2, 2)), np.zeros((3, 2))])
    with pytest.raises(TypeError, match="`images` are not an array.*type builtins.dict"):
        datasets.from_arrays({"image": np.zeros(3)})
    with pytest.raises(TypeError, match="`labels` are not numbers.*np.unique.*labels of type"):
        datasets.from_arrays(np.zeros((2, 3)), ["cat", "dog"])
    with pytest.raises(TypeError, match="`images` are not an array.*Received: images of type"):
        datasets.from_arrays(3.0)
