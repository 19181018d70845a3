"""Many files at once: what is done to each, and one error about those that cannot be read."""

import itertools
import os
from concurrent import futures

from zoo.datasets.picture_files import UNREADABLE

WORKERS = min(8, os.cpu_count() or 1)  # Pillow decodes outside the GIL.
CHUNK = 64  # Files a task: small ones decode faster than a task is handed over.
NAMED = 3  # An error about many files names this many.


def each(function, items, names=None, threads=True):
    """`function` of all items; an error that names and counts the ones it could not read."""
    results, failures = tried(function, items, names or items, threads)
    if failures:
        raise ValueError(
            f"`name` is a folder where {counted(failures, items)}. Expected images that "
            "Pillow decodes; mend or remove these, or ask for skip_unreadable=True. Received: "
            f"{listed(failures)}"
        )
    return results


def tried(function, items, names, threads=True):
    """`function` of all items, and `(name, error)` of those that it could not read."""
    failures = []

    def attempt(task):
        name, item = task
        try:
            return function(item)
        except UNREADABLE as error:
            failures.append((name, error))

    tasks = list(zip(names, items, strict=True))
    chunks = [tasks[start : start + CHUNK] for start in range(0, len(tasks), CHUNK)]
    with futures.ThreadPoolExecutor(WORKERS) as pool:
        done = (pool.map if threads else map)(lambda chunk: list(map(attempt, chunk)), chunks)
        return list(itertools.chain.from_iterable(done)), failures


def counted(failures, items):
    return f"{len(failures)} of {len(items)} image files cannot be read"


def listed(failures):
    listed = "; ".join(sorted(f"{name} ({error})" for name, error in failures)[:NAMED])
    more = f" and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
    return listed + more
