"""Features of samples, in which distributions of images are compared.

Distances of pixels see shifts and brightness before content; those of a classifier's features see
content (Heusel et al., 2017). Points in a space of their own, such as toy data, are features
already.
"""

import numpy as np

from evaluation.samples import check_numbers, check_same_shape, check_seen_shape
from zoo import random
from zoo.blocks import slices
from zoo.validation import as_array, check_positive, in_short


def extract(extractor, samples, batch_size=500, at_least=1, name="samples"):
    """Features of samples.

    Args:
        extractor: `None` where samples are features already; else an object with
            `features(images) -> (n, d)`, `image_shape` (a side is `None` where any will do) and
            `protocol`, such as `evaluation.extractors.Extractor`.
        samples: Floats of shape `(n, d)` without an extractor, else images of its shape.
        batch_size: int >= 1. Images at a time; it does not change the result.
        at_least: int >= 1. How many samples there have to be.
        name: What to call them in an error.

    Returns:
        An array of finite floats of shape `(n, d)`.

    Raises:
        ValueError: If there are too few, a number is not finite, or samples or features have
            another shape.
    """
    return np.concatenate(list(batches(extractor, samples, batch_size, at_least, name)))


def batches(extractor, samples, batch_size=500, at_least=1, name="samples"):
    """The features of `extract` batch by batch, for what need not have all of them in memory."""
    return _rows(extractor, "features", samples, batch_size, at_least, name)


def probabilities(extractor, samples, batch_size=500, at_least=1, name="samples"):
    """Class probabilities of samples, which are such themselves without an extractor.

    Args:
        extractor: As for `extract`, with `probabilities(images) -> (n, classes)`.
        samples: Probabilities of shape `(n, classes)` without an extractor, else images.
        batch_size, at_least, name: As for `extract`.

    Returns:
        A float64 array of shape `(n, classes)` whose rows sum to 1.

    Raises:
        ValueError: As `extract`, and if a row is not a distribution.
    """
    rows = _rows(extractor, "probabilities", samples, batch_size, at_least, name)
    probabilities = np.concatenate(list(rows)).astype("float64")
    sums = probabilities.sum(axis=1, keepdims=True)
    # A float32 softmax is off by a rounding for each class; logits are off by more.
    if probabilities.min() < 0 or np.max(np.abs(sums - 1)) > 1e-3:
        raise ValueError(
            f"A row of `{name}` is not a distribution over classes. Expected numbers in [0, 1] "
            f"that sum to 1 (the softmax of logits). Received: {name} from "
            f"{probabilities.min():.4g} to {probabilities.max():.4g}, with sums from "
            f"{sums.min():.4g} to {sums.max():.4g}"
        )
    return probabilities / sums


def features_like(
    reference, extractor, samples, at_least=1, name="samples", reference_name="reference"
):
    """Features of samples, in float64 and as many of them as the reference's have."""
    rows = extract(extractor, samples, at_least=at_least, name=name).astype("float64")
    check_same_shape(rows, reference, name, reference_name)
    return rows


def protocol(extractor):
    """The entries of a protocol that say what the features are."""
    return {"extractor": "none" if extractor is None else dict(extractor.protocol)}


def shuffled(samples, seed, stream=0):
    """A random order of samples that follows from their values and a seed, not from their order.

    Args:
        samples: Array of shape `(n, ...)`.
        seed: int.
        stream: int. Different streams give independent orders.

    Returns:
        Indices of shape `(n,)`. The samples that they pick are the same, in the same order,
        however the samples were ordered.
    """
    return canonical(samples)[permutation(len(samples), seed, stream)]


def canonical(samples):
    """Indices that sort samples by their bytes: one order of any set of samples."""
    rows = [np.ascontiguousarray(row).tobytes() for row in np.asarray(samples)]
    return np.array(sorted(range(len(rows)), key=rows.__getitem__))


def permutation(count, seed, stream=0):
    """A random order of `range(count)`, a function of the seed and the stream."""
    return np.argsort(random.uniform((count,), (seed, stream)).numpy(), kind="stable")


def _rows(extractor, what, samples, batch_size, at_least, name):
    """Checks at once, and a generator of the batches."""
    check_positive(batch_size=batch_size)
    samples = as_array(**{name: samples})
    check_numbers(samples, name)
    check_extractor(extractor)
    if extractor is None:
        _check_rows(samples, what, name)
    else:
        check_seen_shape(samples, extractor.image_shape, name)
    if len(samples) < at_least:
        raise ValueError(
            f"There are too few examples in `{name}`. Expected at least {at_least}. "
            f"Received: {name} of shape {samples.shape}"
        )
    taken = (samples[rows] for rows in slices(len(samples), batch_size))
    return taken if extractor is None else (_run(extractor, what, batch) for batch in taken)


def check_extractor(extractor, needed=False):
    """Raises a `ValueError` unless it is an extractor; `None` is one where none is needed."""
    parts = ("num_classes", "probabilities") if needed else ("image_shape", "protocol")
    missing = extractor is None and not needed
    if not missing and not all(hasattr(extractor, part) for part in parts):
        other = "" if needed else ", or None for what are features already"
        raise ValueError(
            f"`extractor` is none. Expected one of evaluation.extractors{other}. "
            f"Received: extractor={in_short(extractor)}"
        )


def _run(extractor, what, images):
    rows = np.asarray(getattr(extractor, what)(images))
    if (
        rows.ndim != 2
        or len(rows) != len(images)
        or rows.dtype.kind != "f"
        or not np.all(np.isfinite(rows))
    ):
        bad = "" if rows.dtype.kind != "f" else f", {np.sum(~np.isfinite(rows))} not finite"
        raise ValueError(
            f"`extractor` does not give {what}. Expected finite floats of shape "
            f"({len(images)}, d). Received: {what} of shape {rows.shape} and dtype "
            f"{rows.dtype}{bad}"
        )
    return rows


def _check_rows(samples, what, name):
    if samples.ndim != 2 or samples.dtype.kind != "f":
        raise ValueError(
            f"`{name}` has to be {what} without an extractor. Expected floats of shape (n, d), "
            f"or an extractor for images. Received: {name} of shape {samples.shape} and dtype "
            f"{samples.dtype}"
        )
