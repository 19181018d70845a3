"""Distances of test digits to the nearest sample of their own class, and of another, exactly."""

import numpy as np

from zoo.blocks import slices

BLOCK, QUERIES = 1_024, 2_048  # Products at a time: 8 MiB.
FAR = np.iinfo("int32").max  # Where there is no sample of a class.


def nearest(queries, truth, images, labelings):
    """`{name: {"own": [...], "other": [...]}}`: squared distances in grey levels, by labeling.

    Pixels count from -128, so that float32 adds up their products without rounding (at most 2^24):
    `|x - s|^2 = |x|^2 + |s|^2 - 2 x.s` is an integer, and exact.

    Args:
        queries: uint8 array `(m, ...)`, of at most 1,024 pixels.
        truth: Integers `(m,)`, their classes.
        images: uint8 array `(n, ...)`.
        labelings: Dict of integers `(n,)`; -1 leaves an image out.
    """
    classes = 1 + max(truth.max(), *(labels.max() for labels in labelings.values()))
    least = {name: np.full((classes, len(queries)), FAR, "int32") for name in labelings}
    vectors, squares = _levels(queries)
    # By class, so that a block of images has few of them.
    order = np.argsort(next(iter(labelings.values())), kind="stable")
    for rows in (order[part] for part in slices(len(images), BLOCK)):
        others, their_squares = _levels(images[rows])
        for part in slices(len(queries), QUERIES):
            products = (others @ vectors[part].T).astype("int32")
            distances = squares[None, part] + their_squares[:, None] - 2 * products
            for name, labels in labelings.items():
                _update(least[name][:, part], distances, labels[rows])
    return {name: _apart(found, truth) for name, found in least.items()}


def _levels(images):
    vectors = images.reshape(len(images), -1).astype("float32") - 128
    return vectors, (vectors**2).sum(axis=1).astype("int32")


def _update(least, distances, labels):
    for label in np.unique(labels[labels >= 0]):
        near = distances[labels == label].min(axis=0)
        np.minimum(least[label], near, out=least[label])


def _apart(least, truth):
    rows = np.arange(len(truth))
    own = least[truth, rows]
    rest = least.copy()
    rest[truth, rows] = FAR
    return {"own": own.tolist(), "other": rest.min(axis=0).tolist()}


def error(distances, among=slice(None)):
    """The share of test digits whose nearest sample is of another class."""
    own, other = (np.asarray(distances[key])[among] for key in ("own", "other"))
    return float((other < own).mean())


def both(*distances):
    """The distances to several sets as one."""
    return {
        key: np.min([np.asarray(found[key]) for found in distances], axis=0)
        for key in ("own", "other")
    }


def crossed(own, other):
    """The own class of one set against the other classes of another."""
    return {"own": own["own"], "other": other["other"]}


def worth(value, curve):
    """How many real digits have this value, by the curve `{n: value}`.

    Straight between its points in log n and log value, and beyond them as between the last two.
    """
    sizes, values = np.log(list(curve)), np.log(list(curve.values()))
    wanted = np.log(value)
    piece = int(np.clip(np.searchsorted(-values, -wanted) - 1, 0, len(sizes) - 2))
    rise = values[piece + 1] - values[piece]
    if rise == 0:  # Equal values: any size of the piece has them.
        return float(np.exp((sizes[piece] + sizes[piece + 1]) / 2))
    slope = (sizes[piece + 1] - sizes[piece]) / rise
    return float(np.exp(sizes[piece] + slope * (wanted - values[piece])))
