"""What is no data is refused by whatever learns it, with what to give in its place."""

import functools

import keras
import numpy as np
import pytest

import zoo
from zoo.players import given


class Callable:
    """Data that can be called too."""

    def __call__(self):
        return self

    def __iter__(self):
        return iter(())


@pytest.mark.parametrize(
    "x, message",
    [
        (np.zeros, r"`x` is a function, .*zeros\(...\).*x=zeros$"),
        (functools.partial(np.zeros, 3), "`x` is a function, .*x=partial$"),
        (Callable, "`x` is a class, .*x=Callable$"),
    ],
)
def test_makers_of_data_are_no_data(x, message):
    with pytest.raises(ValueError, match=message):
        given.refuse_makers(x)


@pytest.mark.parametrize("x", [None, [1], np.zeros(3), Callable(), iter(())])
def test_data_are_no_makers(x):
    given.refuse_makers(x)


@pytest.mark.parametrize("low, high", [(-1, 3), (0, 256)])
def test_integers_beyond_bytes_are_no_pixels(low, high):
    given.check_pixels(0, 255)
    with pytest.raises(ValueError, match=f"0 to 255. Received: values from {low} to {high}"):
        given.check_pixels(low, high)


def test_masks_are_warned_of_at_the_users_line():
    with pytest.warns(UserWarning, match="255 . x for masks, or floats from -1 to 1") as caught:
        given.warn_of_masks(0, 1, (-1.0, 1.0))
    assert caught[0].filename == __file__
    for fine in ((0, 0), (1, 1), (0, 2)):  # A warning would be an error here.
        given.warn_of_masks(*fine, (-1.0, 1.0))


def small(**kwargs):
    return zoo.DCGANDiscriminator((8, 8, 1), filters=2, units=(), **kwargs)


PIXELS = np.arange(128).reshape(2, 8, 8, 1)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "bool"])
@pytest.mark.parametrize("call", ["__call__", "predict", "predict_on_batch"])
def test_a_discriminator_refuses_pixels_and_says_how_to_scale_them(dtype, call):
    discriminator = small()
    message = f"inputs.* holds integers.*pixels / 127.5 - 1 .*Received: inputs of dtype {dtype}"
    with pytest.raises(ValueError, match=message):
        getattr(discriminator, call)(PIXELS.astype(dtype))


def test_a_conditional_discriminator_refuses_them_too_and_takes_integer_labels():
    discriminator = small(num_classes=3)
    labels = np.array([0, 2])
    assert discriminator({"images": PIXELS / 127.5 - 1, "labels": labels})["logits"].shape == (2,)
    with pytest.raises(ValueError, match="`inputs` holds integers"):
        discriminator({"images": PIXELS.astype("uint8"), "labels": labels})


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_what_it_takes(dtype):
    discriminator = small()
    scaled = (PIXELS / 127.5 - 1).astype(dtype)
    assert np.isfinite(discriminator(scaled)["logits"]).all()
    assert discriminator(keras.Input((8, 8, 1)))["logits"].shape == (None,)


def test_points_and_tokens_may_be_integers():
    points = zoo.MLPDiscriminator((2,), units=(4,))
    whole = np.array([[1, 2], [3, 4]])
    floats = whole.astype("float32")
    np.testing.assert_array_equal(points(whole)["logits"], points(floats)["logits"])
    tokens = keras.Input((8, 8, 1), dtype="int32")
    logits = keras.layers.Dense(1)(keras.layers.Flatten()(keras.ops.cast(tokens, "float32")))
    outputs = {"logits": keras.layers.Flatten()(logits), "features": logits}
    assert zoo.Discriminator(tokens, outputs)(PIXELS)["logits"].shape == (2, 1)
