"""`python -m export check`: does a version that was written some time ago still answer alike?"""

import dataclasses

from export import formats, parity, questions
from zoo import exported


def check(directory):
    """Asks every format of a version, in processes without this project.

    The questions and Python's answers to them are those that were written with the version, so the
    model that it was made of is not needed.

    Args:
        directory: The version, or the folder of versions: then the largest.

    Returns:
        `{format: export.parity.Parity}`. A format that cannot be run at all has its error there.

    Raises:
        FileNotFoundError: If there is no version that `export.save` wrote.
        ValueError: If a file of it is missing or another than its card says; the message has its
            name.
        ImportError: If what runs a format is not installed.
    """
    folder = exported.latest(directory)
    said = exported.read(folder)
    asked = questions.read(folder / questions.ANSWERS)
    found = {}
    for name in formats.there(folder):
        formats.check_runtime(name)
        try:
            result = parity.compare(folder, asked, format=name)
            found[name] = dataclasses.replace(result, allowed=_allowed(said, name))
        except RuntimeError as error:
            found[name] = error
    return found


def _allowed(said, name):
    """What a card says that is off with int8 in a format: shares, or `None`. It is a stranger's."""
    shares = said.get("int8") if said.get("weights") == "int8" else None
    shares = shares.get(name) if isinstance(shares, dict) else None
    if not isinstance(shares, dict):
        return None
    return {key: share for key, share in shares.items() if type(share) is float and 0 <= share <= 1}


def is_good(result):
    """Whether a format may be served, by what `check` says of it."""
    return isinstance(result, parity.Parity) and result.good
