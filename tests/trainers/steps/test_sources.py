"""Python sources: each batch is checked, and an error is the source's own."""

import numpy as np
import pytest

import trainers
from trainers.steps import streams
from zoo import MLPDiscriminator, MLPGenerator

SHAPE = (4, 4, 1)
IMAGES = np.random.default_rng(0).integers(0, 256, (6, *SHAPE), dtype=np.uint8)


@pytest.fixture(scope="module")
def gan():
    arguments = {"units": (3,), "num_classes": 3}
    return trainers.GAN(
        MLPGenerator(SHAPE, latent_dim=2, **arguments), MLPDiscriminator(SHAPE, **arguments)
    )


def _read(gan, *later, **arguments):
    feed = streams.feed(gan, iter([(IMAGES, np.arange(6) % 3), *later]), **arguments)
    with feed.reading():
        return list(feed.dataset)


@pytest.mark.parametrize(
    "batch",
    [
        (IMAGES.astype("int64"), np.arange(6)[:, None] % 3),
        (IMAGES[..., 0], [0, 1, 2, 0, 1, 2]),
        [IMAGES, np.arange(6) % 3],
        {"image": IMAGES, "label": np.arange(6) % 3, "id": list("abcdef")},
        {"pixel_values": IMAGES, "labels": np.arange(6, dtype="uint8") % 3},
        ({"img": IMAGES}, np.arange(6) % 3),
    ],
)
def test_batches_of_all_forms_are_one(gan, batch):
    _, (images, labels) = _read(gan, batch)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, [0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "batch, message",
    [
        ((IMAGES, np.full(6, 99)), "`labels` are out of range.*99"),
        ((IMAGES, np.arange(5) % 3), "Expected 6 labels.*5"),
        ((IMAGES / 255, np.arange(6) % 3), "`x` has batches of integers and of floats"),
        ((IMAGES.astype(int) + 9, np.arange(6) % 3), "integers that are no pixels"),
        ((IMAGES[:, :3], np.arange(6) % 3), "players' shape"),
        ({"image": IMAGES}, "`labels` are missing"),
    ],
)
def test_a_bad_later_batch_is_told(gan, batch, message, training):
    with pytest.raises(ValueError, match=message):
        _read(gan, batch, training=training)


def test_an_error_of_the_source_is_raised_as_it_is(gan):
    def source():
        yield IMAGES, np.arange(6) % 3
        raise FileNotFoundError("picture.png")

    feed = streams.feed(gan, source())
    with pytest.raises(FileNotFoundError, match=r"picture\.png"), feed.reading():
        list(feed.dataset)


def test_what_is_left_of_nothing_is_told():
    class Once:
        def __init__(self):
            self.left = iter([IMAGES])

        def __iter__(self):
            yield from self.left

    pair = MLPGenerator(SHAPE, units=(3,)), MLPDiscriminator(SHAPE, units=(3,))
    feed = streams.feed(trainers.GAN(*pair), Once(), epochs=2)
    with pytest.raises(ValueError, match="`steps_per_epoch` is missing.*only once"), feed.reading():
        for _ in range(2):
            list(feed.dataset)
