"""MNIST as the studies take it: read once, and refused at once where it is not on disk."""

import functools

import zoo


@functools.cache
def mnist(split):
    """`(images, labels)` of a split: uint8 `(n, 28, 28, 1)` and int32 `(n,)`.

    Raises:
        FileNotFoundError: If the package's copy is not on disk.
    """
    try:
        return zoo.datasets.arrays("mnist", split)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            "MNIST is not on disk, without which this study cannot begin. Expected the package's "
            f"own copy. Received: no file {error.filename}"
        ) from error


def needed():
    """Both splits; a study calls it before its first part, so that nothing is made in vain."""
    return mnist("train"), mnist("test")
