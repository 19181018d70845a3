"""Bytes as text that a script may hold: gzip, then 13 bits in two of 91 printable letters.

A page that was opened from a disk may load scripts, but no bytes. Base64 makes a third more of
them, this 23 %: 91^2 is just above 2^13. The letters are those of ASCII from `!` on, without the
three that a script in a page cannot hold as they are: `"`, `<` and the backslash.
"""

import gzip
import json

import numpy as np

LETTERS = np.array([code for code in range(33, 127) if chr(code) not in '"<\\'], "uint8")
BITS = 13
BEGINS = 'ganZooAssets["'  # Every script of a part.


def text_of(content):
    """Bytes as letters: `static/assets.mjs` has the way back."""
    bits = np.unpackbits(np.frombuffer(content, "uint8"))
    bits = np.pad(bits, (0, -len(bits) % BITS)).reshape(-1, BITS)
    numbers = bits @ (1 << np.arange(BITS)[::-1])
    pairs = np.stack(np.divmod(numbers, len(LETTERS)), axis=1)
    return LETTERS[pairs].tobytes().decode("ascii")


def bytes_of(text, size):
    """The `size` bytes of which `text_of` made letters."""
    places = np.searchsorted(LETTERS, np.frombuffer(text.encode("ascii"), "uint8"))
    numbers = places.reshape(-1, 2) @ np.array([len(LETTERS), 1])
    bits = numbers[:, None] >> np.arange(BITS)[::-1] & 1
    return np.packbits(bits.astype("uint8").reshape(-1)[: 8 * size]).tobytes()


def script(name, content, split=False):
    """A script that gives the page a part of this name.

    Args:
        name: The part's name.
        content: bytes.
        split: bool. Lays the even bytes before the odd ones: of float16 weights those are alike.
    """
    if split:
        content = content[::2] + content[1::2]
    packed = gzip.compress(content, 9, mtime=0)
    head = json.dumps({"size": len(packed), "split": split})[:-1]
    return f'{BEGINS}{name}"] = {head}, "text": "{text_of(packed)}"}};\n'


def content_of(script):
    """The bytes of a part, of its script: what the page will make of it."""
    part = json.loads(script[script.index(" = ") + 3 : script.rindex(";")])
    content = gzip.decompress(bytes_of(part["text"], part["size"]))
    if not part["split"]:
        return content
    whole = bytearray(len(content))
    half = (len(content) + 1) // 2
    whole[::2], whole[1::2] = content[:half], content[half:]
    return bytes(whole)
