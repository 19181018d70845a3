"""What may be measured: images whose scaling is known, and finite numbers."""

import numpy as np


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
    images = np.asarray(images)
    check_numbers(images, name)
    if images.dtype == np.uint8:
        return images / 255.0
    low, high = images.min(), images.max()
    if images.dtype.kind != "f" or low < 0 or high > 1:
        raise ValueError(
            "These pixels have another scaling, by which a log-likelihood moves and distances "
            "stretch. Expected uint8, or floats in [0, 1] (`sample(as_float=True)`). Received: "
            f"{name} of dtype {images.dtype} from {low:.4g} to {high:.4g}"
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
            f"There is nothing to measure. Expected at least one sample. Received: {name} of shape "
            f"{array.shape}"
        )
    if array.dtype.kind not in "fiu" or not np.all(np.isfinite(array)):
        bad = ""
        if array.dtype.kind in "fiu":
            bad = f", with others in {_count_bad(array)} of {len(array)} samples"
        raise ValueError(
            "A sample is made of finite numbers. Expected no NaN and no infinity. "
            f"Received: {name} of dtype {array.dtype}{bad}"
        )


def check_same_shape(samples, reference, name="samples", reference_name="images"):
    """Refuses samples that are not of the reference's shape.

    Raises:
        ValueError: If the shapes differ beyond the first axis.
    """
    if samples.shape[1:] != reference.shape[1:]:
        raise ValueError(
            "Samples are compared with data of their own shape. Expected "
            f"{reference_name} and {name} of one shape. Received: {reference_name} of shape "
            f"{reference.shape}, {name} of shape {samples.shape}"
        )


def _count_bad(array):
    return int(np.sum(~np.isfinite(array.reshape(len(array), -1)).all(axis=1)))
