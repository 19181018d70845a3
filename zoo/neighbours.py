"""Nearest training images, which show copies (Goodfellow et al., 2014, figure 2)."""

import numpy as np

from zoo import pictures
from zoo.blocks import slices
from zoo.distances import Vectors
from zoo.validation import as_array, check_positive

BLOCK = 2**22  # Pixels of training images at a time: 32 MiB in float64.
IMAGES, QUERIES = 4096, 4096  # Distances at a time at most: 64 MiB in float32.


def nearest(samples, images, k=1):
    """The k nearest images of every sample, exactly, by the Euclidean distance of their pixels.

    Rough distances in float32 find the candidates: all whose distance could be among the smallest,
    given the bound on the rounding (`zoo.distances`). Their distances are then computed again, as
    sums of squared differences in float64. So a sample that is a training image has distance 0
    from it, which float32 alone would miss.

    Args:
        samples: Array of shape `(n, ...)`, uint8 or float.
        images: Array of shape `(m, ...)`, uint8 or float; it is read in blocks, so a memory map
            will do. uint8 counts as pixels in [0, 1]; floats are taken as they are, and beside
            uint8 they have to lie in [0, 1] too.
        k: int in [1, m].

    Returns:
        `(indices, distances)`, int64 and float64 of shape `(n, k)`, nearest first; equal distances
        in the order of the images.

    Raises:
        ValueError: If the shapes differ, there is nothing to compare, k is out of range, or the
            scalings cannot be compared.

    Example:

    ```python
    import zoo

    generator = zoo.DCGANGenerator((28, 28, 1))
    images, _ = zoo.datasets.arrays("mnist", "test")
    indices, distances = zoo.neighbours.nearest(generator.sample(4, seed=0), images)
    ```

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), figure 2.
    """
    samples, images = as_array(samples=samples), as_array(images=images)
    _check(samples, images, k)
    blocks = slices(len(samples), QUERIES)
    pairs = [_nearest(_flat(samples[rows]), images, k) for rows in blocks]
    indices, distances = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    return indices, distances


def figure(samples, neighbours):
    """A picture of rows of samples, each with a framed neighbour of its last sample at the end.

    Figure 2 of Goodfellow et al., 2014, shows training images there, four rows of them.

    Args:
        samples: uint8 array of shape `(rows, columns, height, width, channels)`.
        neighbours: uint8 array of shape `(rows, height, width, channels)`: row i belongs to
            `samples[i, -1]`.

    Returns:
        A uint8 picture of `rows` times `columns + 1` images.

    Raises:
        ValueError: If they are not uint8 images of one shape, or there is not one for each row.
    """
    samples, neighbours = as_array(samples=samples), as_array(neighbours=neighbours)
    if samples.ndim != 5 or neighbours.shape != samples.shape[:1] + samples.shape[2:]:
        raise ValueError(
            "`neighbours` do not match the rows of samples in number or shape. Expected samples "
            "(rows, columns, height, width, channels) and neighbours (rows, height, width, "
            f"channels). Received: samples of shape {samples.shape}, neighbours of shape "
            f"{neighbours.shape}"
        )
    rows = zip(samples, neighbours, strict=True)
    images = [
        np.concatenate([pictures.framed(row, pictures.PAPER), pictures.framed(neighbour[None])])
        for row, neighbour in rows
    ]
    return pictures.grid(np.concatenate(images), samples.shape[1] + 1)


def _nearest(queries, images, k):
    size = max(1, min(IMAGES, BLOCK // queries.shape[1]))
    # Around a mean the vectors are shorter, and the errors of the products with them.
    centre = _flat(images[:size]).mean(0)
    vectors = Vectors.around(centre, queries)
    indices = np.full((len(queries), k), -1)
    distances = np.full((len(queries), k), np.inf)
    for rows in slices(len(images), size):
        block = _flat(images[rows])
        others = Vectors.around(centre, block)
        squares = vectors.approximate_squares(others)
        error = vectors.rounding(vectors.squares, others.squares.max())
        reach = _reach(squares, error, distances, k) + error
        candidates = squares <= np.nextafter(reach.astype("float32"), np.float32(np.inf))[:, None]
        for row in np.flatnonzero(candidates.any(axis=1)):
            near = np.flatnonzero(candidates[row])
            exact = np.append(distances[row], np.sum((block[near] - queries[row]) ** 2, axis=1))
            numbers = np.append(indices[row], near + rows.start)
            order = np.argsort(exact, kind="stable")[:k]
            indices[row], distances[row] = numbers[order], exact[order]
    return indices, np.sqrt(distances)


def _reach(squares, error, distances, k):
    """What the k-th smallest squared distance cannot exceed, after this block."""
    if squares.shape[1] < k:
        return distances[:, k - 1]
    smallest = squares.min(axis=1) if k == 1 else np.partition(squares, k - 1, axis=1)[:, k - 1]
    return np.minimum(smallest + error, distances[:, k - 1])


def _flat(images):
    """float64 vectors; uint8 becomes pixels in [0, 1]."""
    flat = images.reshape(len(images), -1).astype("float64")
    return flat / 255.0 if images.dtype == np.uint8 else flat


def _check(samples, images, k):
    axes, sizes = samples.ndim and images.ndim, samples.size and images.size
    if not axes or not sizes or samples.shape[1:] != images.shape[1:]:
        raise ValueError(
            "`samples` and `images` have different shapes, or there are none. Expected arrays "
            "(n, ...) and (m, ...), to be compared pixel by pixel. "
            f"Received: samples of shape {samples.shape}, images of shape {images.shape}"
        )
    check_positive(k=k)
    if k > len(images):
        raise ValueError(
            f"`k` is larger than the number of images. Expected an integer in [1, {len(images)}]. "
            f"Received: k={k}"
        )
    mixed = {samples.dtype == np.uint8, images.dtype == np.uint8} == {True, False}
    for name, array in (("samples", samples), ("images", images)):
        if array.dtype == np.uint8:
            continue
        if array.dtype.kind != "f" or not np.all(np.isfinite(array)):
            raise ValueError(
                f"`{name}` holds values that are not finite numbers. Expected uint8 or finite "
                f"floats. Received: {name} of dtype {array.dtype}"
            )
        if mixed and not (array.min() >= 0 and array.max() <= 1):
            raise ValueError(
                f"`{name}` have another scale than the uint8 pixels beside them. Expected floats "
                f"in [0, 1]. Received: {name} from {array.min()} to {array.max()}"
            )
