"""The classifier: its layers, what augmentation does to a pixel, and that it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from evaluation import classifier


def test_layers_and_sizes():
    model = classifier.build((28, 28, 1), 10)
    assert model.get_layer("features").output.shape == (None, 128)
    kernels = 9 * (1 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128)
    assert model.count_params() == kernels + 4 * 2 * (32 + 64 + 128) + 128 * 10 + 10
    assert classifier.build((32, 32, 3), 7, filters=4)(np.zeros((2, 32, 32, 3))).shape == (2, 7)


def test_an_image_is_moved_whole_and_mirrored():
    images = np.random.default_rng(0).integers(0, 256, (600, 9, 9, 2)).astype("uint8")
    moved = classifier._moved(images, 2, True, np.array([3, 4])).numpy()
    inner = images[:, 2:-2, 2:-2].astype("float32")
    seen = set()
    for k in range(len(images)):
        for flipped in (False, True):
            wanted = inner[k, :, ::-1] if flipped else inner[k]
            for down in range(-2, 3):
                for right in range(-2, 3):
                    rows, columns = slice(2 + down, 7 + down), slice(2 + right, 7 + right)
                    if np.array_equal(moved[k, rows, columns], wanted):
                        seen.add((down, right, flipped))
                        break
    assert len(seen) == 50  # Every move, each way round, and every image was found in one of them.
    again = classifier._moved(images, 2, True, np.array([3, 4])).numpy()
    np.testing.assert_array_equal(moved, again)
    still = classifier._moved(images, 0, False, np.array([3, 4])).numpy()
    np.testing.assert_array_equal(still, images)


def test_borders_are_repeated():
    image = np.arange(25, dtype="float32").reshape(1, 5, 5, 1)
    seeds = [np.array([0, s]) for s in range(40)]
    moved = [classifier._moved(image, 1, False, seed).numpy()[0, ..., 0] for seed in seeds]
    padded = np.pad(image[0, ..., 0], 1, mode="edge")
    shifts = [padded[y : y + 5, x : x + 5] for y in range(3) for x in range(3)]
    found = {next(i for i, s in enumerate(shifts) if np.array_equal(s, m)) for m in moved}
    assert found == set(range(9))


def _stripes(count, seed):
    """Horizontal or vertical stripes under noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    stripes = np.where(np.arange(12) // 2 % 2, 160, 90) * np.ones((12, 1))
    images = np.where(labels[:, None, None], stripes, stripes.T)
    noisy = images + rng.normal(0, 25, images.shape)
    return noisy.clip(0, 255).astype("uint8")[..., None], labels


def test_it_learns_and_is_seeded():
    images, labels = _stripes(640, 0)
    test = _stripes(200, 1)
    model = classifier.train(images, labels, 2, epochs=3, filters=4)
    assert classifier.accuracy(model, *test) > 0.95
    again = classifier.train(images, labels, 2, epochs=3, filters=4)
    for got, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-4)
    other = classifier.train(images, labels, 2, epochs=1, filters=4, seed=1)
    assert not np.allclose(other.get_weights()[0], model.get_weights()[0], atol=1e-3)
    assert not hasattr(model, "optimizer") or model.optimizer is None


def test_accuracy_counts_all_of_an_uneven_batch():
    inputs = keras.Input((1, 1, 3))
    model = keras.Model(inputs, keras.layers.Flatten()(inputs))
    images = np.eye(3)[np.arange(7) % 3].reshape(7, 1, 1, 3)
    labels = np.array([0, 1, 2, 0, 1, 2, 1])
    assert classifier.accuracy(model, tf.constant(images), labels, 3) == pytest.approx(6 / 7)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"images": np.zeros((6, 8, 8, 1))}, "`images` is no array|`images` are not what"),
        ({"labels": [0, 1]}, "`labels` do not match"),
        ({"epochs": 0}, "`epochs` is out of range"),
        ({"epochs": (1, 10**9)}, "`epochs` is out of range"),
        ({"filters": 10**9}, "`filters` is out of range"),
        ({"shift": -1}, "`shift` is out of range"),
        ({"flip": "x"}, "`flip` is neither"),
        ({"seed": -1}, "`seed` is out of range"),
    ],
)
def test_what_teaches_nothing(change, message):
    given = {"images": np.zeros((6, 8, 8, 1), "uint8"), "labels": np.arange(6) % 2}
    with pytest.raises(ValueError, match=f"^({message}).*Expected.*Received"):
        classifier.train(**{**given, "num_classes": 2, **change})
