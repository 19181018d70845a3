"""`PyDataset`s: order, workers, and the methods that Keras calls at an epoch's ends."""

import keras
import numpy as np
import pytest

import trainers
from trainers.steps import py_datasets, streams

L = keras.layers
ROWS = np.linspace(-1, 1, 10, dtype="float32")[:, None] * np.ones((1, 2), "float32")


class Numbers(keras.utils.PyDataset):
    """Five batches of two rows, or an endless number of them."""

    def __init__(self, endless=False, **kwargs):
        super().__init__(**kwargs)
        self.endless = endless
        self.calls = []

    @property
    def num_batches(self):
        return None if self.endless else 5

    def __getitem__(self, k):
        k %= 5
        return (ROWS[2 * k : 2 * k + 2],)

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


@pytest.fixture(scope="module")
def gan():
    generator = keras.Sequential([keras.Input((3,)), L.Dense(2, activation="tanh")])
    discriminator = keras.Sequential([keras.Input((2,)), L.Dense(1)])
    return trainers.GAN(generator, discriminator)


def _first_values(epoch):
    return [float(np.ravel(batch)[0]) for batch in epoch]


IN_ORDER = ROWS[::2, 0].tolist()


@pytest.mark.parametrize(
    "arguments", [{}, {"workers": 3}, {"workers": 2, "use_multiprocessing": True}]
)
def test_the_order_is_kept(gan, arguments):
    epochs = py_datasets.Passes(Numbers(**arguments, max_queue_size=2), False, gan)
    assert _first_values(batch[0] for batch in epochs) == IN_ORDER


def test_the_order_of_a_pass_follows_from_seed_and_step(gan):
    orders = []
    for steps in (0, 0, 5):
        gan.steps.assign(steps)
        orders.append(_first_values(b[0] for b in py_datasets.Passes(Numbers(), True, gan)))
    gan.steps.assign(0)
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == IN_ORDER != orders[0]


def test_later_passes_of_an_epoch_are_numbered(gan):
    """They begin while steps are taken, of which the order must not depend."""
    orders = []
    for moved in (0, 3):
        gan.steps.assign(7)
        passes = py_datasets.Passes(Numbers(), True, gan, goes_on=True)
        order = _first_values(b[0] for b in passes)
        gan.steps.assign(7 + moved)
        orders.append([order, _first_values(b[0] for b in passes)])
    gan.steps.assign(0)
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[0][1]


@pytest.mark.parametrize("endless, steps", [(False, None), (False, 3), (True, 3)])
def test_every_epoch_has_its_begin_and_end(gan, endless, steps):
    dataset = Numbers(endless)
    feed = streams.feed(gan, dataset, steps, epochs=2)
    epochs = [_first_values(feed.dataset) for _ in range(2)]
    stream = IN_ORDER * 2
    count = steps or 5
    assert epochs == [stream[:count], stream[count : 2 * count]]
    assert dataset.calls == ["begin", "end"] * 2


def test_an_endless_one_wants_steps(gan):
    with pytest.raises(ValueError, match="`steps_per_epoch` is missing"):
        streams.feed(gan, Numbers(endless=True))
