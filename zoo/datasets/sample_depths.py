"""How samples beyond 8 bits become pixels, decided for all files of a folder at once.

One scale for all keeps what is dark beside what is bright. It is what the files say, what the user
says, or read off the largest sample: cameras and scanners put 10, 12 or 14 bits into files of 16.
"""

from zoo.datasets.many_files import CHUNK, each, tried
from zoo.datasets.picture_files import FULL, Scale, extrema
from zoo.validation import check_integer

DEPTHS = (8, 10, 12, 14, FULL, 24, 32)
LIMITS = (8, 32)


def check_depth(bit_depth):
    """Raises a `ValueError` unless it is `None` or an int from 8 to 32."""
    if bit_depth is None:
        return
    check_integer(LIMITS[0], bit_depth=bit_depth)
    if bit_depth > LIMITS[1]:
        raise ValueError(
            f"`bit_depth` is out of range. Expected an int from {LIMITS[0]} to {LIMITS[1]}, the "
            f"bits that samples use. Received: bit_depth={bit_depth}"
        )


def scales(headers, bit_depth=None):
    """The `Scale` of each kind of `Header` whose files do not say it, and what was taken.

    Args:
        headers: Dict from paths to headers, of all splits.
        bit_depth: int, optional. What the user says.

    Returns:
        A dict from kinds to scales, and sentences about what the files did not say.

    Raises:
        ValueError: If files cannot be read, or Pillow cuts off the bits that they use.
    """
    unsaid = {kind: [] for kind in ("integer", "wide", "float", "cut")}
    for path, found in headers.items():
        if found.kind and not found.depth:
            unsaid[found.kind].append(path)
    chosen, said = {}, []
    integers = unsaid["wide"] + unsaid["integer"]
    if integers:
        scale, sentence = _of_integers(integers, bit_depth, stop=not unsaid["wide"])
        chosen |= {"integer": scale, "wide": scale}
        said += sentence
    if unsaid["float"]:
        chosen["float"], sentence = _of_floats(unsaid["float"], bit_depth)
        said += sentence
    if unsaid["cut"] and bit_depth != FULL:
        _check_cut(unsaid["cut"])
    return chosen, said


def _of_integers(paths, bit_depth, stop):
    if bit_depth:
        return Scale(bit_depth), []
    low, high = _span(paths, stop)
    if low < 0:
        return Scale(low=low, high=high), [
            f"`bit_depth` has no meaning for the negative samples of {paths[0]} and its like: "
            f"{low} and {high}, the least and the largest of all, became black and white"
        ]
    bits = next(bits for bits in DEPTHS if high < 2**bits)
    if bits == FULL:
        return Scale(bits), []
    return Scale(bits), [
        f"`bit_depth` is taken to be {bits}: the largest sample of {len(paths)} files beyond 8 "
        f"bits, such as {paths[0]}, is {high}, and they do not say how many bits they use. Give "
        "bit_depth=16 where they are merely dark"
    ]


def _of_floats(paths, bit_depth):
    if bit_depth:
        return Scale(low=0.0, high=2.0**bit_depth - 1), []
    low, high = _span(paths)
    white = next((white for white in (1.0, 255.0) if low >= 0 and high <= white), None)
    scale = Scale(low=low, high=high) if white is None else Scale(low=0.0, high=white)
    return scale, [
        f"`bit_depth` is unsaid in {len(paths)} files of floats, such as {paths[0]}, from {low:g} "
        f"to {high:g}: {scale.low:g} became black and {scale.high:g} white"
    ]


def _check_cut(paths):
    high = _span(paths, stop=True)[1]
    if high < 2**14:
        raise ValueError(
            f"`name` is a folder of {len(paths)} colour files of 16 bits that use few of them, and "
            "Pillow reads the highest 8 only. Expected files converted to 8 bits a colour, or "
            f"bit_depth=16 where they are merely dark. Received: samples up to {high}, such as "
            f"in {paths[0]}"
        )


def _span(paths, stop=False):
    """The least and the largest sample; with `stop`, until it is clear that 16 bits are used."""
    found = _read(paths[:CHUNK] if stop else paths)
    if stop and max(high for _, high in found) < 2 ** DEPTHS[3]:
        found = _read(paths)
    return min(low for low, _ in found), max(high for _, high in found)


def _read(paths):
    """The extrema of the files that can be read; decoding names the others, unless all are."""
    found = [pair for pair in tried(extrema, paths, paths)[0] if pair is not None]
    return found or each(extrema, paths)
