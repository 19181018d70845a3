"""The hint that an error about an unknown name ends with."""

import difflib


def nearest(name, known):
    """`"; did you mean 'ring'?"` when known names resemble `name`, else `""`."""
    close = difflib.get_close_matches(str(name), [str(k) for k in known], n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
