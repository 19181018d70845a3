"""The data of an ensemble: each member's rows, in the order in which a GAN alone has them."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.trainers.test_ensemble import MEMBERS, SEED, points
from trainers.ensembles import data
from zoo.players.sampling import traits

ROWS, BATCH = 10, 4
SEEDS = np.arange(SEED, SEED + MEMBERS)


def _traits(shape=(2,), activation="linear", **told):
    return traits(zoo.MLPGenerator(shape, 2, (3,), output_activation=activation, **told))


PLAIN, LABELS = _traits(), _traits(num_classes=3)
CONDITIONS, ONE = _traits(num_conditions=2), _traits(num_conditions=1)
PICTURES = _traits((2, 2, 1), "tanh")


def _checked(x, y=None, of=PLAIN, batch_size=BATCH, shuffle=True):
    return data.checked(of, MEMBERS, x, y, batch_size, shuffle)


def _numbers(*shape, high=3):
    return np.random.default_rng(1).integers(0, high, shape)


# === Order ===


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("start", [0, 3])
def test_batches_are_those_of_a_gan_alone(shuffle, start):
    rows = ROWS if shuffle else 2 * BATCH
    own = _checked(points(rows=rows), shuffle=shuffle)
    assert own.rows == rows and own.steps == 2 and own.batch_size == BATCH
    indices = own.indices(SEEDS, start, 5)
    assert indices.dtype == "int32" and indices.shape == (5, MEMBERS, BATCH)
    for k, seed in enumerate(SEEDS):
        alone = zoo.datasets.from_arrays(
            np.arange(rows),
            batch_size=BATCH,
            seed=int(seed),
            shuffle=shuffle,
            repeat=True,
            start_step=start,
        )
        np.testing.assert_array_equal(indices[:, k], list(alone.take(5).as_numpy_iterator()))


def test_an_epoch_takes_each_row_once_and_every_epoch_anew():
    own = _checked(points(rows=8))
    indices = own.indices(SEEDS, 0, 6).numpy()
    epochs = indices.reshape(3, 2, MEMBERS, BATCH).transpose(0, 2, 1, 3).reshape(9, 8)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(8), (9, 1)))
    assert len(np.unique(epochs, axis=0)) == 9  # Of each member and each epoch.


def test_the_order_does_not_depend_on_how_it_is_asked_for():
    own = _checked(points(rows=ROWS))
    whole = own.indices(SEEDS, 0, 7).numpy()
    parts = [own.indices(SEEDS[1:], start, steps) for start, steps in ((0, 3), (3, 1), (4, 3))]
    np.testing.assert_array_equal(np.concatenate(parts), whole[:, 1:])


def test_all_rows_in_order_need_no_indices():
    assert _checked(points(rows=BATCH), shuffle=False).indices(SEEDS, 0, 2) is None
    assert _checked(points(rows=BATCH)).indices(SEEDS, 0, 2) is not None


# === What is taken ===


def test_members_have_their_rows_or_share_them():
    x, y = points(rows=ROWS), _numbers(MEMBERS, ROWS)
    own = _checked(x, y, LABELS)
    assert own.own and own.labels.dtype == "int32"
    for part, array in zip(own.of([2, 0]), (x, y), strict=True):
        np.testing.assert_array_equal(part, array[[2, 0]])
    shared = _checked(x[0], y[0], LABELS)
    assert not shared.own and shared.rows == ROWS
    for part, array in zip(shared.of([2, 0]), (x[0], y[0]), strict=True):
        np.testing.assert_array_equal(part, array)
    assert len(_checked(x, y).of([0])) == 1  # Of players that are told nothing.


@pytest.mark.parametrize(
    "of, y, wanted",
    [
        (CONDITIONS, points(rows=ROWS).astype("float64"), (MEMBERS, ROWS, 2)),
        (ONE, points(rows=ROWS)[..., 0], (MEMBERS, ROWS, 1)),
        (LABELS, _numbers(MEMBERS, ROWS, 1), (MEMBERS, ROWS)),
    ],
)
def test_what_members_are_told(of, y, wanted):
    told = _checked(points(rows=ROWS), y, of).labels
    assert told.shape == wanted and told.dtype == ("int32" if of is LABELS else "float32")
    np.testing.assert_allclose(told.ravel(), y.ravel(), rtol=1e-6)


@pytest.mark.parametrize("given, wanted", [(None, ROWS), (4, 4), (100, ROWS)])
def test_a_batch_is_no_larger_than_the_data(given, wanted):
    assert _checked(points(rows=ROWS), batch_size=given).batch_size == wanted


def test_pictures_stay_bytes():
    pictures = _numbers(MEMBERS, ROWS, 2, 2, 1, high=256).astype("uint8")
    assert _checked(pictures, of=PICTURES).samples.dtype == np.uint8
    (lists,) = _checked(pictures.tolist(), of=PICTURES).of([1])
    np.testing.assert_array_equal(lists, pictures[[1]])


# === Refusals ===

X = points(rows=ROWS)
BAD = X.copy()
BAD[[1, 2], 3, 0] = np.nan, np.inf
REFUSED = {
    "a data set": (
        lambda: _checked(tf.data.Dataset.from_tensor_slices(X)),
        r"`x` is no array.*Expected samples \(members, n",
    ),
    "a generator": (lambda: _checked(iter(X)), "`x` is no array"),
    "shape": (
        lambda: _checked(X[..., :1]),
        r"`x` has another shape.*members=3 and image_shape=\(2,\).*x of shape \(3, 10, 1\)",
    ),
    "no rows": (lambda: _checked(X[:, :0]), r"`x` has another shape.*x of shape \(3, 0, 2\)"),
    "members": (
        lambda: _checked(X[:2]),
        r"`x` has another number of members.*Expected 3.*x of shape \(2, 10, 2\)",
    ),
    "NaN": (
        lambda: _checked(BAD),
        "`x` holds NaN or infinity.*bad values in the data of 2 members, first member 1",
    ),
    "NaN for all": (lambda: _checked(BAD[1]), "`x` holds NaN or infinity"),
    "no labels": (lambda: _checked(X, None, LABELS), "`labels` are missing"),
    "labels of all": (
        lambda: _checked(X, _numbers(ROWS), LABELS),
        r"`y` does not go with x.*Expected shape \(3, 10\).*y of shape \(10,\)",
    ),
    "number of labels": (
        lambda: _checked(X, _numbers(MEMBERS, 9), LABELS),
        r"`y` does not go with x.*y of shape \(3, 9\)",
    ),
    "range of labels": (
        lambda: _checked(X, _numbers(MEMBERS, ROWS) + 1, LABELS),
        "`labels` are out of range",
    ),
    "NaN among conditions": (lambda: _checked(X, BAD, CONDITIONS), "`conditions` hold NaN"),
    "floats for pictures": (
        lambda: _checked(2.0 + np.zeros((MEMBERS, ROWS, 2, 2, 1)), of=PICTURES),
        "`x` holds floats outside",
    ),
    "order": (
        lambda: _checked(X, shuffle=False),
        "`batch_size` does not divide.*Expected a divisor of 10, or shuffle=True.*batch_size=4",
    ),
    "batch size": (lambda: _checked(X, batch_size=0), "`batch_size` is.*positive"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_are_refused(name):
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        call()
