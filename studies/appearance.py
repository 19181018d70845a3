"""What can be seen of a picture without knowing what it shows: thickness, slant, brightness."""

import numpy as np


def _grey(images):
    images = np.asarray(images)
    scale = 255.0 if images.dtype == np.uint8 else 1.0
    return images[..., 0].astype("float64") / scale


def brightness(images):
    """The mean of the pixels, in [0, 1]; images `(n, height, width, 1)`, bright on black."""
    return _grey(images).mean(axis=(1, 2))


def thickness(images):
    """The mean width of strokes, in pixels: `2 area / perimeter`.

    A stroke of width w and length l has the area w l and, where l is much larger, the perimeter
    2 l. Of grey pixels the area is their sum and the perimeter the total variation, which is the
    mean perimeter of the sets of pixels above a threshold.
    """
    x = np.pad(_grey(images), [(0, 0), (1, 1), (1, 1)])
    down, right = np.diff(x, axis=1)[:, :, :-1], np.diff(x, axis=2)[:, :-1]
    return 2 * x.sum(axis=(1, 2)) / np.maximum(np.hypot(down, right).sum(axis=(1, 2)), 1e-12)


def slant(images):
    """By how many columns to the right the ink moves a row up: `-cov(row, column) / var(row)`."""
    x = _grey(images)
    mass = np.maximum(x.sum(axis=(1, 2)), 1e-12)
    rows, columns = (np.arange(side, dtype="float64") for side in x.shape[1:])
    of_rows, of_columns = x.sum(axis=2), x.sum(axis=1)
    middle = of_rows @ rows / mass, of_columns @ columns / mass
    both = np.einsum("nij,i,j->n", x, rows, columns) / mass - middle[0] * middle[1]
    spread = of_rows @ rows**2 / mass - middle[0] ** 2
    return -both / np.maximum(spread, 1e-12)
