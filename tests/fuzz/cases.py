"""One case of each kind: it is right or refused, or a `Fault`."""

import json
import pathlib
import tempfile

import zoo
from tests.fuzz import files, judge
from trainers.runs import recipes
from zoo import saving


def called(call, arguments):
    """A call with these arguments."""
    verdict, result = judge.outcome(call.function, **arguments)
    if verdict == "right" and not call.holds(result, arguments):
        raise judge.Fault(f"another result than was asked for: {str(result)[:200]}")
    return verdict


def read(format, change, place, bit):
    """A file with a change: what is read is what was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = files.case(format, change, place, bit, folder)
        verdict, result = judge.outcome(files.FORMATS[format][2], path)
    if change == "swapped" and "/" not in files.FORMATS[format][1]:
        return verdict  # Another whole file of its kind is that file.
    if verdict == "right" and result is not None and result != files.whole(format):
        raise judge.Fault(f"another content than was written: {str(result)[:200]}")
    return verdict


def configured(archive, tree, path, value, missing):
    """A `.keras` file whose config says something else, without a seal."""
    changed = json.dumps(files.replaced(tree, path, value, missing))
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder, archive)
        files.rezipped(files.corpus() / archive, target, saving.CONFIG, changed)
        return judge.outcome(_sampled, target)[0]


def _sampled(path):
    """What is read is a generator that draws, or it is not read."""
    return zoo.load(path)


def recipe():
    """A recipe, as JSON without its seal."""
    tree = json.loads((files.corpus() / "recipe.json").read_text())
    return {key: value for key, value in tree.items() if key != "sha256"}


def cooked(file, tree, path, value, missing):
    """A recipe that says something else: it is refused, or there are players and a trainer."""
    file.write_text(json.dumps(files.replaced(tree, path, value, missing)))
    return judge.outcome(_made, file)[0]


def _made(file):
    found = recipes.load(file)
    found.counts()
    return found
