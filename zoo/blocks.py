"""Blocks of rows, for arrays that are too large to be worked on at once."""


def slices(count, size):
    """Slices of `size` rows, the last one of what is left, that cover `count` rows in order."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
