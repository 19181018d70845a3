"""What can be checked of a preset's card without measuring: it agrees with itself and its files."""

import json
import math
import pathlib

import h5py

from zoo import presets
from zoo.files import sha256

# How far a figure may be off when it is measured again, as a share of it. Where a classifier is
# trained on the samples, rounding grows.
TOLERANCE = {"classifier_accuracy": 0.02}
EXACT, LEAST = 0.01, 1e-3


def tolerance(name, value):
    """How far a figure of a score of this name may be off when it is measured again."""
    return max(TOLERANCE.get(name, EXACT) * abs(float(value)), LEAST)


def faults(folder):
    """Where a card contradicts itself or the files beside it.

    The files are those of its hashes, their bytes and the players' parameters those that it says;
    a score says one number of samples and the tolerance of its kind; the checkpoint that was
    selected has the scores of the preset; targets and spread follow from the scores.

    Args:
        folder: The folder of a preset.

    Returns:
        A list of sentences, empty for a card that may be true.
    """
    folder = pathlib.Path(folder)
    card = presets.card(folder)
    found = [*_files(folder, card), *_scores(card)]
    if not any(fault.startswith("files") for fault in found):
        found += _players(folder, card)
    if "checkpoints" in card:
        found += [*_selection(card), *_spread(card), *_targets(card)]
    return found


def _differs(what, said, is_so):
    """A sentence where the card says something else; nested values compare as JSON."""
    if _as_json(said) != _as_json(is_so):
        yield f"{what}: the card says {said!r}, it is {is_so!r}"


def _as_json(value):
    return json.dumps(value, sort_keys=True)


def _files(folder, card):
    yield from _differs("name", card["name"], folder.name)
    paths = {path.name: path for path in folder.iterdir() if path.name != presets.CARD}
    hashes = {name: sha256(path.read_bytes()) for name, path in paths.items()}
    yield from _differs("files", card["files"], hashes)
    size = sum(path.stat().st_size for path in paths.values())
    yield from _differs("bytes", card["bytes"], size)


def _players(folder, card):
    configs = json.loads((folder / presets.CONFIG).read_text())
    yield from _differs("class", card["class"], configs["generator"]["class_name"])
    counts = {name: _numbers(folder / presets.WEIGHTS[name]) for name in configs}
    yield from _differs("parameters", card["parameters"], counts)


def _numbers(path):
    """How many weights a file holds; the state of a layer's random draws is none."""
    sizes = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: sizes.update({name: getattr(item, "size", 0)}))
    return int(sum(size for name, size in sizes.items() if "seed_generator" not in name))


def _scores(card):
    for score in card["scores"]:
        label, measure, count = score["label"], score["measure"], score["count"]
        name, _, number = label.partition(":")
        yield from _differs(f"{label}, its measure", name, measure)
        if number:
            yield from _differs(f"{label}, its samples", number, str(count))
        yield from _differs(f"{label}, samples", count, score["protocol"].get("samples", count))
        usual = tolerance(score["name"], score["value"])
        if not math.isclose(score["tolerance"], usual, rel_tol=1e-9):
            yield from _differs(f"{label}, tolerance", score["tolerance"], usual)


def _selection(card):
    name, _, names = card["selection"].partition(" of ")
    yield from _differs("checkpoints", sorted(card["checkpoints"]), sorted(names.split(", ")))
    selected = card["checkpoints"].get(name, {"scores": None, "epoch": None})
    yield from _differs(f"scores of the {name} checkpoint", selected["scores"], card["scores"])
    yield from _differs("epochs", card["training"]["epochs"], selected["epoch"])


def _spread(card):
    if card["spread"] is None:
        return
    seeds = card["spread"]["seeds"]
    yield from _differs("spread, the first seed", seeds[0], card["training"]["seed"])
    for name, figures in card["spread"]["figures"].items():
        yield from _differs(f"spread, seeds of {name}", len(figures), len(seeds))
        yield from _differs(f"spread, {name}", figures[0], _figure(card, *_split(card, name)))


def _targets(card):
    for target in card["targets"]:
        label, figure = target["score"], target["figure"]
        name = label if figure == "value" else f"{label} {figure}"
        found = [_figure(card, label, figure)]
        if card["spread"] is not None:
            found = card["spread"]["figures"].get(name, found)
        at_least = target["bound"] == "at least"
        worst = min(found) if at_least else max(found)
        yield from _differs(f"target of {name}, found", target["found"], worst)
        reached = worst >= target["number"] if at_least else worst <= target["number"]
        yield from _differs(f"target of {name}, reached", target["reached"], reached)


def _split(card, name):
    """The label and the figure of an entry of the spread."""
    label = max((s["label"] for s in card["scores"] if name.startswith(s["label"])), key=len)
    return label, name.removeprefix(label).strip() or "value"


def _figure(card, label, figure):
    score = next(score for score in card["scores"] if score["label"] == label)
    return score["value"] if figure == "value" else score["details"].get(figure)
