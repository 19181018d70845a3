"""Checks of samples: finite numbers, images of one scaling and shape, numbers on a line."""

import numpy as np

from zoo.validation import as_array


def pixels(images, name="samples"):
    """Images as float64 pixels in [0, 1], of which no other scaling is let through.

    A log-likelihood moves by `-d log s` and a distance by `s` when pixels are multiplied by s, so
    figures of other scalings look like figures and mean something else.

    Args:
        images: uint8 array of shape `(n, ...)`, or floats in [0, 1].
        name: What to call them in an error.

    Returns:
        A float64 array of the same shape.

    Raises:
        ValueError: If there is none, a pixel is not finite, or the scaling is another one.
    """
    images = as_array(**{name: images})
    check_numbers(images, name)
    if images.dtype == np.uint8:
        return images / 255.0
    low, high = images.min(), images.max()
    if images.dtype.kind != "f" or low < 0 or high > 1:
        raise ValueError(
            f"The pixels of `{name}` have another scaling. Expected uint8, or floats in [0, 1] "
            "(`sample(as_float=True)`): a log-likelihood moves and distances stretch with it. "
            f"Received: {name} of dtype {images.dtype} from {low:.4g} to {high:.4g}"
        )
    return images.astype("float64")


def check_numbers(array, name="samples"):
    """Refuses arrays without a sample, or with one that is not a finite number.

    Args:
        array: NumPy array of shape `(n, ...)`.
        name: What to call it in an error.

    Raises:
        ValueError: If it is empty, or holds something else than finite numbers.
    """
    if array.ndim == 0 or not array.size:
        raise ValueError(
            f"`{name}` holds nothing to measure. Expected at least one sample. "
            f"Received: {name} of shape {array.shape}"
        )
    if array.dtype.kind not in "fiu" or not np.all(np.isfinite(array)):
        bad = ""
        if array.dtype.kind in "fiu":
            bad = f", with others in {_count_bad(array)} of {len(array)} samples"
        raise ValueError(
            f"`{name}` holds values that are not finite numbers. Expected no NaN and no "
            f"infinity. Received: {name} of dtype {array.dtype}{bad}"
        )


def checked_pixels(images, name="samples"):
    """Images that are pixels: uint8 as it is, floats in float64; otherwise as `pixels`."""
    images = as_array(**{name: images})
    if images.dtype == np.uint8 and images.ndim and images.size:
        return images
    return pixels(images, name)


def on_a_line(samples, name="samples"):
    """Numbers of shape `(n,)` in float64, of shape `(n,)` or `(n, 1)`.

    Raises:
        ValueError: If they have another shape, there is none, or one is not finite.
    """
    samples = as_array(**{name: samples})
    check_numbers(samples, name)
    if samples.ndim > 2 or (samples.ndim == 2 and samples.shape[1] != 1):
        raise ValueError(
            f"The numbers of `{name}` are not on one line. Expected shape (n,) or (n, 1). "
            f"Received: {name} of shape {samples.shape}"
        )
    return samples.reshape(-1).astype("float64")


def check_seen_shape(images, image_shape, name="samples", seer="the extractor"):
    """Refuses images of another shape than an extractor sees.

    Args:
        images: Array of shape `(n, ...)`.
        image_shape: tuple. Shape of one image; a side is `None` where any will do.
        name: What to call the images in an error.
        seer: What to call the extractor there.

    Raises:
        ValueError: If the shapes differ.
    """
    got, wanted = images.shape[1:], tuple(image_shape)
    if len(got) != len(wanted) or any(a not in (None, b) for a, b in zip(wanted, got, strict=True)):
        sides = ", ".join("any" if side is None else str(side) for side in wanted)
        raise ValueError(
            f"The shape of `{name}` is not what {seer} sees. Expected (n, {sides}). "
            f"Received: {name} of shape {images.shape}"
        )


def check_same_shape(samples, reference, name="samples", reference_name="images"):
    """Refuses samples that are not of the reference's shape.

    Raises:
        ValueError: If the shapes differ beyond the first axis.
    """
    if samples.shape[1:] != reference.shape[1:]:
        raise ValueError(
            f"`{name}` and `{reference_name}` have different shapes. Expected examples of one "
            f"shape. Received: {reference_name} of shape {reference.shape}, {name} of shape "
            f"{samples.shape}"
        )


def _count_bad(array):
    return int(np.sum(~np.isfinite(array.reshape(len(array), -1)).all(axis=1)))
