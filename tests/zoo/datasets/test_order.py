"""The order of examples: each once an epoch, a function of seed, epoch and step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo import datasets, random


def _values(dataset):
    return [batch.numpy().tolist() for batch in dataset]


def _flat(dataset):
    return sum(_values(dataset), [])


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
        seed = random.fold((9, 0), epoch)
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


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"batch_size": 0}, "`batch_size` is out of range.*batch_size=0"),
        ({"batch_size": 2.0}, "`batch_size` is out of range.*batch_size=2.0"),
        ({"seed": None}, "`seed` is not an integer. Expected an int. Received: seed=None"),
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
