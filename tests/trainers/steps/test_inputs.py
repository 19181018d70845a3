"""What fit takes, and what it refuses before any work starts."""

import functools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import tiny_data, tiny_mlp_pair, tiny_pair
from trainers.steps import data_checks
from zoo import players


class _PyDataset(keras.utils.PyDataset):
    def __init__(self, images, labels, **kwargs):
        super().__init__(**kwargs)
        self.arrays = images, labels

    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(16 * index, 16 * (index + 1))
        return tuple(array[rows] for array in self.arrays)


def _generator(images, labels):
    for start in range(0, 64, 16):
        yield images[start : start + 16], labels[start : start + 16]


def _gan(classes=3, pair=tiny_pair, **arguments):
    gan = trainers.GAN(*pair(classes), **arguments)
    gan.compile()
    return gan


@pytest.mark.parametrize(
    "give",
    [
        lambda x, y: (x, y),
        lambda x, y: (x[..., 0], y[:, None]),  # As keras.datasets has grey images, and labels
        lambda x, y: (tf.constant(x), tf.constant(y)),
        lambda x, y: (x.astype("int64"), y.astype("uint8")),
        lambda x, y: (x / 127.5 - 1, y),
        lambda x, y: (tf.data.Dataset.from_tensor_slices((x, y)).batch(16), None),
        lambda x, y: (tf.data.Dataset.from_tensor_slices((x / 127.5 - 1, y)).batch(16), None),
        lambda x, y: (_PyDataset(x, y), None),
        lambda x, y: (_generator(x, y), None),
    ],
)
def test_fit_takes_what_keras_takes(give):
    gan = _gan()
    x, y = give(*tiny_data())
    gan.fit(x, y, batch_size=16, steps_per_epoch=4, verbose=0)
    assert int(gan.steps) == 4


def test_labels_are_ignored_without_classes():
    gan = _gan(None)
    gan.fit(*tiny_data(), batch_size=32, verbose=0)
    assert int(gan.steps) == 2


def test_arrays_validation_and_epochs():
    gan = _gan()
    images, labels = tiny_data(count=70)
    history = gan.fit(
        images, labels, batch_size=16, epochs=2, validation_data=tiny_data(count=20), verbose=0
    ).history
    assert int(gan.steps) == 2 * 4  # The 6 images left over wait for another epoch.
    assert len(history["val_js_estimate"]) == 2
    gan.fit(images, labels, batch_size=16, epochs=2, steps_per_epoch=3, verbose=0)
    assert int(gan.steps) == 8 + 6


@pytest.mark.parametrize("pair, shape", [(tiny_pair, (8, 8, 1)), (tiny_mlp_pair, (4, 4, 1))])
def test_integer_images_are_scaled_to_the_generators_range(pair, shape):
    gan = _gan(None, pair)
    low, high = gan.traits.value_range
    image = tf.constant(np.array([0, 51, 255], "uint8").reshape(3, 1, 1, 1))
    image = tf.broadcast_to(image, (3, *shape))
    samples, labels = gan.unpack(image)
    assert labels is None and samples.dtype == tf.float32
    wanted = np.array([low, low + 0.2 * (high - low), high])
    np.testing.assert_allclose(samples[:, 0, 0, 0], wanted, atol=1e-6)


X, Y = tiny_data()
FLOATS = X / 127.5 - 1


def _with(value):
    spoiled = FLOATS.copy()
    spoiled[5, 0, 0, 0] = value
    return spoiled


def _dataset(*arrays, size=16):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(size)


@pytest.mark.parametrize(
    "x, y, message",
    [
        (_with(1.5), Y, r"values from -1 to 1.*Received: values from -1 to 1\.5"),
        (_with(np.nan), Y, "`x` holds NaN or infinity.*1 bad values"),
        (_with(np.inf), Y, "`x` holds NaN or infinity.*1 bad values"),
        (X.astype("int32") + 1, Y, "0 to 255.*to 256"),
        (X[:, :6], Y, r"\(8, 8, 1\).*\(6, 8, 1\)"),
        (X[:0], Y[:0], r"`x` is empty.*\(0, 8, 8, 1\)"),
        (X.astype(str), Y, "`x` holds no numbers.*<U"),
        (X, None, "`labels` are missing.*Expected fit.*samples alone"),
        (X, np.eye(3)[Y], "`labels` look one-hot.*argmax"),
        (X, Y + 1, "out of range.*from 1 to 3"),
        (X, Y - 1, "out of range.*from -1 to 1"),
        (X, Y.astype("float32"), "integers.*float32"),
        (X, Y[:-1], "Expected 64 labels.*63"),
        (_dataset(X, Y), Y, "`y` is given beside a data set"),
        (_dataset(X, np.eye(3, dtype="float32")[Y]), None, "one-hot"),
        (_dataset(X, Y + 3), None, "out of range.*from 3 to 5"),
        (_dataset(X), None, "`labels` are missing.*Expected fit.*samples alone"),
        (_dataset(_with(np.nan), Y), None, "NaN or infinity"),
        (_dataset(X, Y, np.ones(64)), None, "`x` has a third element.*do not weigh examples"),
        (_dataset(X, Y).take(0), None, "empty"),
        (tf.data.Dataset.from_tensor_slices((X, Y)), None, "`x` is not batched.*dataset.batch"),
        (_PyDataset(X, Y + 7), None, "out of range"),
        (_generator(X, Y + 7), None, "out of range"),
    ],
)
def test_bad_data_is_refused_before_any_work(x, y, message):
    gan = _gan()
    with pytest.raises(ValueError, match=message):
        gan.fit(x, y, batch_size=16, verbose=0)
    assert int(gan.steps) == 0


def test_evaluate_checks_too():
    with pytest.raises(ValueError, match="NaN"):
        _gan().evaluate(_with(np.nan), Y, verbose=0)
    with pytest.raises(ValueError, match="NaN"):
        _gan().fit(X, Y, validation_data=(_with(np.nan), Y), verbose=0)


@pytest.mark.parametrize("value, message", [(np.nan, "NaN, infinity"), (2.0, "-1 to 1")])
def test_a_bad_later_batch_stops_the_training(value, message):
    later = FLOATS.astype("float32").copy()
    later[40] = value
    with pytest.raises(ValueError, match=message):
        _gan(None).fit(tf.data.Dataset.from_tensor_slices(later).batch(16), verbose=0)


@pytest.mark.parametrize("stream", [False, True])
def test_pictures_of_half_the_range_are_warned_of(stream):
    """The most common scaling of pictures, / 255, beside a tanh."""
    x = np.linspace(0, 1, X.size).reshape(X.shape)
    data = tf.data.Dataset.from_tensor_slices(x).batch(len(x)) if stream else x
    with pytest.warns(UserWarning, match=r"`x` holds pictures from 0 to 1, .*2 \* x - 1"):
        _gan(None).fit(data, batch_size=None if stream else 16, verbose=0)


@pytest.mark.parametrize(
    "value_range, end, scaled",
    [
        ((0, 255), [keras.layers.Rescaling(255.0)], r"255 \* x\."),
        (None, [keras.layers.Rescaling(255.0)], r"255 \* x\."),
        (None, [keras.layers.Rescaling(255.0, -55.0)], r"255 \* x - 55\."),
        (None, [keras.layers.Rescaling(127.5, 27.5)], None),
    ],
)
def test_pictures_of_another_scale_are_warned_of(value_range, end, scaled):
    """Floats from 0 to 1 beside a generator of bytes, seen in its layers or said."""
    layers = [keras.Input((2,)), keras.layers.Dense(64, "sigmoid"), *end]
    generator = keras.Sequential([*layers, keras.layers.Reshape((8, 8, 1))])
    discriminator = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    said = {} if value_range is None else {"value_range": value_range}
    gan = trainers.GAN(generator, discriminator, **said)
    bottom, top = gan.traits.value_range
    x = np.linspace(0, 1, X.size).reshape(X.shape)
    if scaled is None:  # Not from 0 to 1 either.
        x, scaled = bottom + 5 * x, f"floats from {bottom:g} to {top:g}"
    with pytest.warns(UserWarning, match=f"`x` holds pictures from .* or {scaled}"):
        data_checks.check_samples(gan.traits, x)


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0.0, 1.0), (0.0, 255.0)])
def test_which_part_of_a_range_is_another_scale(value_range):
    bottom, top = value_range
    traits = players.Traits(2, (8, 8, 1), span=value_range, value_range=value_range)

    def warned(low, high):
        x = bottom + (top - bottom) * np.linspace(low, high, X.size).reshape(X.shape)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            data_checks.check_samples(traits, x.clip(bottom, top))
        return bool(caught)

    assert all(warned(*part) for part in [(0.5, 1), (0.5, 0.9), (0, 0.05), (0.95, 1), (0.5, 0.51)])
    dim_or_black = [(0, 1), (0, 0.3), (0.4, 1), (0.2, 0.7), (0.5, 0.7), (0, 0), (0.5, 0.5)]
    assert not any(warned(*part) for part in dim_or_black)


def _batched(parts):
    return tf.data.Dataset.from_tensor_slices(np.concatenate(parts)).batch(16)


@pytest.mark.parametrize("stream", [list, iter, _batched, np.concatenate])
def test_masks_of_0_and_1_are_warned_of_once(stream):
    masks = (X > 127).astype("uint8")
    data = stream(np.split(masks, 4))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _gan(None).fit(data, verbose=0, batch_size=16 if stream is np.concatenate else None)
    (message,) = (str(w.message) for w in caught if "`x`" in str(w.message))
    assert "0 or 1 alone" in message and "255 * x" in message and "floats from -1 to 1" in message
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for fine in (255 * masks, 2.0 * masks - 1.0, np.zeros_like(masks)):
            data_checks.check_samples(_gan(None).traits, fine)


@pytest.mark.parametrize(
    "x, message",
    [
        (_generator, r"`x` is a function, .*: _generator\(...\), with steps.*x=_generator"),
        (functools.partial(_generator, X, Y), "`x` is a function, .*partial"),
        (_PyDataset, r"`x` is a class, .*_PyDataset\(...\)"),
    ],
)
def test_a_function_that_was_not_called(x, message):
    gan = _gan()
    with pytest.raises(ValueError, match=message):
        gan.fit(x, verbose=0)
    with pytest.raises(ValueError, match=message):
        gan.fit(X, Y, validation_data=x, verbose=0)
    assert int(gan.steps) == 0


@pytest.mark.parametrize("wrong", ["hello", keras.callbacks.CSVLogger])
def test_what_is_no_callback(wrong):
    with pytest.raises(ValueError, match="`callbacks` holds what is no callback.*Received"):
        _gan().fit(X, Y, callbacks=[wrong], verbose=0)


def test_labels_beyond_int32_are_out_of_range():
    labels = Y.astype("int64")
    labels[40:] = 2**32 + 1
    with pytest.raises(ValueError, match="^`labels` are out of range.*from 0 to 4294967297"):
        _gan().fit(tf.data.Dataset.from_tensor_slices((X, labels)).batch(16), verbose=0)


def test_a_bad_later_label_stops_the_training():
    labels = Y.copy()
    labels[40] = 3
    with pytest.raises(ValueError, match="`labels` are out of range"):
        _gan().fit(_dataset(X, labels), verbose=0)


@pytest.mark.parametrize(
    "fit, message",
    [
        (lambda gan: gan.fit(X, Y, batch_size=1), "'normalization_0'.*a batch of 1"),
        (lambda gan: gan.fit(X[:1], Y[:1]), "a batch of 1"),
        (lambda gan: gan.fit(X[:33], Y[:33], batch_size=16, shuffle=False), "a batch of 1"),
        (lambda gan: gan.fit(_dataset(X, Y, size=1)), "a batch of 1"),
        (lambda gan: gan.fit(X, Y, batch_size=16, sample_weight=[1]), "sample_weight"),
        (lambda gan: gan.fit(X, Y, validation_split=0.1), r"validation_split=0\.1"),
    ],
)
def test_batches_that_cannot_work(fit, message):
    gan = _gan()
    with pytest.raises(ValueError, match=message):
        fit(gan)
    assert int(gan.steps) == 0


def test_discriminator_steps_need_their_parts():
    gan = _gan(discriminator_steps=5)
    with pytest.raises(ValueError, match="`batch_size` is too small.*own part.*a batch of 4"):
        gan.fit(X, Y, batch_size=4)
    with pytest.raises(ValueError, match="at least 10 examples.*a batch of 9 for 5"):
        gan.fit(X, Y, batch_size=9)


def test_integers_need_a_value_range():
    traits = players.Traits(2, (3,))
    with pytest.raises(ValueError, match="neither tanh nor sigmoid.*uint8"):
        data_checks.check_samples(traits, np.zeros((4, 3), "uint8"))


# === What the methods take ===


@pytest.fixture(scope="module")
def points():
    """A compiled trainer of points."""
    layer = keras.layers.Dense
    pair = [
        keras.Sequential([keras.Input((3,)), layer(2, activation="tanh")]),
        keras.Sequential([keras.Input((2,)), layer(1)]),
    ]
    gan = trainers.GAN(*pair)
    gan.compile(run_eagerly=True)
    return gan


POINTS = np.linspace(-1, 1, 12, dtype="float32").reshape(6, 2)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda gan: gan.fit(), "`x` is missing"),
        (lambda gan: gan.evaluate(), "`x` is missing"),
        (lambda gan: gan.fit(3), "`x` is not a kind of data that is known.*int"),
        (lambda gan: gan.fit(POINTS, batch_size=0), "`batch_size`"),
        (lambda gan: gan.fit(POINTS, steps_per_epoch=0), "`steps_per_epoch`"),
        (lambda gan: gan.fit(POINTS, sample_weight=np.ones(6)), "`sample_weight`.*ndarray"),
        (lambda gan: gan.fit(POINTS, class_weight={0: 1.0}), "`class_weight`.*dict"),
        (lambda gan: gan.evaluate(POINTS, sample_weight=np.ones(6)), "`sample_weight`"),
        (lambda gan: gan.fit(POINTS, validation_data=(POINTS, None, np.ones(6))), "of 3 parts"),
        (lambda gan: gan.fit(POINTS.astype(object)), "no numbers.*dtype object"),
        (lambda gan: gan.fit((POINTS, np.zeros(6))), "`x` holds batches and other things"),
        (lambda gan: gan.fit([POINTS], np.zeros(6)), "`y` is given beside a data set"),
        (lambda gan: gan.fit(POINTS.astype("float64") * 1e300), "NaN or infinity.*12 bad"),
        (lambda gan: gan.train_on_batch(POINTS * np.nan), "NaN"),
        (lambda gan: gan.train_on_batch(POINTS, class_weight={0: 1.0}), "`class_weight`"),
        (lambda gan: gan.test_on_batch(POINTS[:, :1]), r"players' shape.*\(1,\)"),
        (lambda gan: gan.predict(), "`x` is not what a generator.*NoneType"),
        (lambda gan: gan.predict(POINTS), r"latents of shape \(n, 3\).*`sample`.*\(6, 2\)"),
    ],
)
def test_one_sentence_says_what_is_wanted(points, call, message):
    with pytest.raises(ValueError, match=message):
        call(points)
    assert int(points.steps) == 0


def test_predict_wants_labels_of_a_conditional_generator():
    gan = trainers.GAN(*tiny_mlp_pair(3))
    with pytest.raises(ValueError, match="a dict of `latents`.*and `labels`"):
        gan.predict(np.zeros((2, 5)))
    latents = {"latents": np.zeros((2, 5)), "labels": np.array([0, 1])}
    assert gan.predict(latents, verbose=0).shape == (2, 4, 4, 1)


def test_all_ways_of_an_evaluation_are_one(points):
    dataset = tf.data.Dataset.from_tensor_slices(POINTS).batch(2)
    wanted = points.evaluate(POINTS, batch_size=2, verbose=0)
    ways = [
        points.evaluate(dataset, verbose=0),
        points.evaluate(dataset.repeat(), steps=3, verbose=0),
        points.evaluate(iter(dataset), verbose=0),
        points.evaluate({"image": POINTS}, batch_size=2, verbose=0),
    ]
    assert ways == [wanted] * 4
    first = points.evaluate(POINTS[:4], batch_size=2, verbose=0)
    assert points.evaluate(POINTS, batch_size=2, steps=2, verbose=0) == first


def test_single_batches():
    gan = trainers.GAN(*tiny_mlp_pair())
    gan.compile(run_eagerly=True)
    images = tiny_data((4, 4, 1), count=4)[0]
    tested = gan.test_on_batch(images, return_dict=True)
    assert tested == gan.evaluate(images, batch_size=4, verbose=0, return_dict=True)
    gan.train_on_batch(images)
    assert int(gan.steps) == 1


def test_every_epoch_is_evaluated_on_the_same_of_what_can_be_read_once(points):
    points.optimizer.learning_rate = 0.0
    batches = (POINTS[k : k + 2] for k in (0, 2, 4))
    history = points.fit(POINTS, epochs=2, validation_data=batches, verbose=0).history
    wanted = points.evaluate(POINTS, batch_size=2, verbose=0, return_dict=True)
    points.steps.assign(0)
    for name, value in wanted.items():
        assert history[f"val_{name}"] == [pytest.approx(value, rel=1e-6)] * 2
