"""Streams of batches as epochs: as many steps as were asked for, on the batches that were given."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import assert_same_weights
from trainers.steps import inputs, streams

L = keras.layers
ROWS = np.linspace(-1, 1, 20, dtype="float32")[:, None] * np.ones((1, 2), "float32")
FOURS = [ROWS[k : k + 4] for k in range(0, 20, 4)]


def _gan(normalized=False, cls=trainers.GAN, **arguments):
    hidden = [L.Dense(3), L.BatchNormalization()] if normalized else []
    generator = keras.Sequential([keras.Input((3,)), *hidden, L.Dense(2, activation="tanh")])
    discriminator = keras.Sequential([keras.Input((2,)), L.Dense(1)])
    return cls(generator, discriminator, **arguments)


@pytest.fixture(scope="module")
def gan():
    return _gan()


def _dataset(size=4):
    return tf.data.Dataset.from_tensor_slices(ROWS).batch(size)


def _once(batches):
    """A data set that can be read only once."""
    left = iter(batches)
    return tf.data.Dataset.from_generator(lambda: left, output_signature=tf.TensorSpec((None, 2)))


def _endless():
    while True:
        yield from FOURS


def _epochs(feed, count):
    return [[batch.numpy() for batch in feed.dataset] for _ in range(count)]


def _assert_epochs(found, wanted):
    assert [len(epoch) for epoch in found] == [len(epoch) for epoch in wanted]
    for epoch, other in zip(found, wanted, strict=True):
        for batch, rows in zip(epoch, other, strict=True):
            np.testing.assert_array_equal(batch, rows)


@pytest.mark.parametrize(
    "give",
    [
        lambda: _dataset(),
        lambda: _dataset().repeat(),
        lambda: FOURS,
        lambda: _endless(),
        lambda: _once(FOURS * 3),
    ],
)
def test_epochs_of_three_batches_go_on_one_after_another(gan, give):
    feed = streams.feed(gan, give(), steps=3, epochs=3)
    stream = FOURS * 2
    _assert_epochs(_epochs(feed, 3), [stream[0:3], stream[3:6], stream[6:9]])
    assert int(feed.dataset.cardinality()) == 3


@pytest.mark.parametrize("give", [_dataset, lambda: FOURS, lambda: tuple(FOURS)])
def test_a_pass_is_an_epoch(gan, give):
    feed = streams.feed(gan, give(), epochs=2)
    _assert_epochs(_epochs(feed, 2), [FOURS, FOURS])
    assert int(feed.dataset.cardinality()) == 5


@pytest.mark.parametrize(
    "give",
    [
        lambda: _once(FOURS),
        lambda: iter(FOURS),
        lambda: (batch for batch in FOURS),
        lambda: iter(_dataset()),
        lambda: _dataset().as_numpy_iterator(),
        lambda: (list(map(list, batch)) for batch in FOURS),
    ],
)
def test_what_can_be_read_once_loses_no_batch(gan, give):
    _assert_epochs(_epochs(streams.feed(gan, give()), 1), [FOURS])


def test_a_shuffled_data_set_has_the_order_of_its_own_iterations(gan):
    def make():
        return tf.data.Dataset.from_tensor_slices(ROWS).shuffle(20, seed=5).batch(4)

    keras.utils.set_random_seed(1)
    dataset = make()
    wanted = [[batch.numpy() for batch in dataset] for _ in range(2)]
    keras.utils.set_random_seed(1)
    _assert_epochs(_epochs(streams.feed(gan, make(), epochs=2), 2), wanted)


@pytest.mark.filterwarnings("ignore:Of a batch of 6 examples 1 will not")
@pytest.mark.parametrize("steps, wanted", [(None, [3, 3]), (2, [2, 2]), (4, [4, 4])])
@pytest.mark.parametrize("give", [lambda: _dataset(6), lambda: list(_dataset(6))])
def test_a_batch_of_too_few_rows_is_left_out(give, steps, wanted):
    gan = _gan(discriminator_steps=5)
    epochs = _epochs(streams.feed(gan, give(), steps, epochs=2), 2)  # Of 6, 6, 6 and 2 rows.
    assert [[len(batch) for batch in epoch] for epoch in epochs] == [[6] * n for n in wanted]


@pytest.mark.parametrize("as_dataset", [True, False])
def test_batches_of_no_rows_are_left_out(gan, as_dataset):
    source = [ROWS[:0], FOURS[0], ROWS[:0], FOURS[1]]
    feed = streams.feed(gan, _once(source) if as_dataset else iter(source))
    _assert_epochs(_epochs(feed, 1), [FOURS[:2]])


def test_batch_normalization_needs_two_rows_a_step():
    gan = _gan(normalized=True, discriminator_steps=2)
    sizes = [3, 4, 2, 5]
    epochs = _epochs(streams.feed(gan, [ROWS[:n] for n in sizes]), 1)
    assert [len(batch) for batch in epochs[0]] == [4, 5]
    evaluated = _epochs(streams.feed(gan, [ROWS[:n] for n in sizes], training=False), 1)
    assert [len(batch) for batch in evaluated[0]] == sizes


@pytest.mark.parametrize("give", [lambda: _dataset(2), lambda: _dataset(2).repeat()])
def test_a_stream_of_small_batches_alone_is_refused(give):
    with pytest.raises(ValueError, match="`batch_size` is too small for 3.*a batch of 2"):
        streams.feed(_gan(discriminator_steps=3), give(), steps=4)


@pytest.mark.parametrize("rank", [False, True])
def test_unknown_shapes_are_those_of_the_first_batch(gan, rank):
    def load(row):
        loaded = tf.numpy_function(lambda a: a, [row], tf.float32)
        return tf.ensure_shape(loaded, (None,)) if rank else loaded

    feed = streams.feed(gan, tf.data.Dataset.from_tensor_slices(ROWS).map(load).batch(4))
    assert feed.dataset.element_spec.shape == (None, 2)
    _assert_epochs(_epochs(feed, 1), [FOURS])


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_floats_of_other_sizes_are_taken(gan, dtype):
    values = tf.cast(tf.constant(ROWS), dtype)
    feed = streams.feed(gan, tf.data.Dataset.from_tensor_slices(values).batch(4))
    for batch, rows in zip(feed.dataset, FOURS, strict=True):
        samples, _ = inputs.unpack(batch, gan.traits)
        assert samples.dtype == "float32"
        np.testing.assert_array_equal(samples, tf.cast(tf.cast(rows, dtype), "float32"))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("spoil, message", [(np.nan, "NaN"), (3.0, "from -1 to 1")])
def test_a_bad_later_batch_is_told(gan, training, spoil, message):
    bad = [FOURS[0], np.full_like(FOURS[1], spoil)]
    feed = streams.feed(gan, bad, training=training)
    with pytest.raises(ValueError, match=message), feed.reading():
        list(feed.dataset)
    dataset = tf.data.Dataset.from_tensor_slices(np.concatenate(bad)).batch(4)
    feed = streams.feed(gan, dataset, training=training)
    with pytest.raises(ValueError, match=f"^`x` holds.*{message}.*Received"), feed.reading():
        list(feed.dataset)


@pytest.mark.parametrize(
    "x, message",
    [
        (_dataset().repeat(), "`steps_per_epoch` is missing.*RepeatDataset"),
        (_endless(), "`steps_per_epoch` is missing.*only once.*generator"),
        (_dataset().take(0), "`x` is empty"),
        ([FOURS[0], ROWS[:, 0]], "`x` holds batches and other things.*number 1"),
        (tf.data.Dataset.from_tensor_slices(tf.ragged.constant([[0.1, 0.2], [0.3]])).batch(2), "x"),
        (_dataset().map(lambda x: {"pic": x, "label": x}), r"other names.*\['label', 'pic'\]"),
        (_dataset().map(lambda x: x > 0), "no numbers.*bool"),
        (_dataset().map(tf.strings.as_string), "no numbers"),
    ],
)
def test_streams_that_cannot_be_played_with(gan, x, message):
    with pytest.raises(ValueError, match=message):
        streams.feed(gan, x, epochs=2)


def test_an_evaluation_begins_at_the_beginning(gan):
    for give in (lambda: _dataset().repeat(), _endless):
        feed = streams.feed(gan, give(), steps=2, epochs=2, training=False)
        _assert_epochs(_epochs(feed, 2), [FOURS[:2]] * 2)


# === Through Keras ===


class _Recorded(trainers.GAN):
    def train_step(self, data):
        self.rows.append(self.unpack(data)[0].numpy())
        return super().train_step(data)


def _rows(x, steps_per_execution, **arguments):
    gan = _gan(cls=_Recorded)
    gan.rows = []
    gan.compile(run_eagerly=True, steps_per_execution=steps_per_execution)
    gan.fit(x, verbose=0, **arguments)
    assert int(gan.steps) == len(gan.rows)
    return list(gan.rows)


@pytest.mark.parametrize(
    "per_execution, arguments, steps",
    [
        (64, {}, 4),
        (2, {"steps_per_epoch": 3}, 6),
        (2, {"shuffle": False, "initial_epoch": 1, "batch_size": 7}, 3),
    ],
)
def test_executions_of_several_steps_end_with_the_epoch(per_execution, arguments, steps):
    arguments = {"batch_size": 8, "epochs": 2, **arguments}
    rows, single = (_rows(ROWS, n, **arguments) for n in (per_execution, 1))
    assert len(rows) == steps
    _assert_epochs([rows], [single])


@pytest.mark.parametrize("give", [lambda: _dataset().repeat(), _endless])
def test_streams_too(give):
    _assert_epochs([_rows(give(), 2, epochs=2, steps_per_epoch=3)], [(FOURS * 2)[:6]])


def test_two_fits_in_long_executions_have_the_weights_of_one_in_single_steps():
    gans = []
    for per_execution, epochs in ((1, [2]), (64, [1, 1])):
        keras.utils.set_random_seed(3)
        gans.append(_gan())
        gans[-1].compile(run_eagerly=True, steps_per_execution=per_execution)
        for count in epochs:
            gans[-1].fit(ROWS, batch_size=6, epochs=count, verbose=0)
        assert int(gans[-1].steps) == 6
    assert_same_weights(*gans)


@pytest.mark.filterwarnings("ignore:Of a batch of 6 examples 1 will not")
def test_a_graph_does_nothing_where_the_data_end():
    gan = _gan(discriminator_steps=5)
    gan.compile(jit_compile=False)
    gan.fit(_dataset(6), epochs=2, verbose=0)  # The fourth batch is too small.
    assert int(gan.steps) == 6
    gan.compile(steps_per_execution=64, jit_compile=False)
    gan.fit(ROWS, batch_size=5, epochs=2, verbose=0)
    assert int(gan.steps) == 6 + 8


def test_an_epoch_that_ends_early_by_a_small_batch_is_no_warning():
    gan = _gan(discriminator_steps=3)
    gan.compile(run_eagerly=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gan.fit(_dataset(6), epochs=2, verbose=0)
    assert int(gan.steps) == 6
