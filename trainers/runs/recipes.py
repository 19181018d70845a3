"""Recipes: all that makes a preset again, one JSON file each in `trainers/recipes`.

description   one sentence
settings      flags of `python -m trainers` (`trainers.runs.settings.Settings`)
generator, discriminator, trainer, compile
              arguments beyond them (`trainers.runs.settings.Details`)
selection     "last", or "best" by settings.score
measures      names of `evaluation.measures`, each with a number of samples if it is not
              10,000: "nearest_neighbour:50000"
targets       what all seeds should reach: [[one of measures, figure, "at least" or "at most",
              number]], where the figure is "value" or one of the score's details
seeds         other seeds that are trained too, for the spread of the scores
half          whether the weights are stored in float16
device        what it was made on, where that is not the CPU cores that publish it
"""

import dataclasses
import json
import pathlib

from trainers.runs.settings import Details, Settings
from zoo.validation import nearest
from zoo.presets import sha256

FOLDER = pathlib.Path(__file__).parent.parent / "recipes"
SELECTIONS = ("last", "best")
COUNT = 10_000  # Samples of a measure that says nothing else.
BOUNDS = ("at least", "at most")
# What decides the weights; the rest of a recipe is words and measures.
DECIDES = ("settings", "generator", "discriminator", "trainer", "compile", "selection", "half")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a recipe's file says; see the head of this module.

    `fingerprint` is a hash of all that decides the weights. The card of a preset has it, so that
    it can be seen when a recipe is no longer the one that made the preset.
    """

    name: str
    description: str
    settings: Settings
    details: Details
    selection: str = "last"
    measures: tuple = ()
    targets: tuple = ()
    seeds: tuple = ()
    half: bool = True
    device: str = ""
    fingerprint: str = ""

    def counts(self):
        """The measures: `[(as it is written, name, number of samples)]`."""
        parts = [(measure, *measure.partition(":")) for measure in self.measures]
        return [(measure, name, int(count or COUNT)) for measure, name, _, count in parts]

    def with_seed(self, seed):
        """The same recipe with another seed."""
        return dataclasses.replace(
            self, settings=dataclasses.replace(self.settings, seed=int(seed))
        )


def names():
    """The names of the recipes that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name):
    """A recipe by its name, or from the JSON file of another.

    Raises:
        ValueError: If there is no such recipe (the nearest names are given), a key is unknown or a
            value has another type.
    """
    path = pathlib.Path(name)
    if path.suffix != ".json":
        path = FOLDER / f"{name}.json"
        if name not in names():
            raise ValueError(
                f"Unknown recipe. Expected one of {names()}, or a .json file"
                f"{nearest(name, names())}. Received: {name!r}"
            )
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"The recipe is no JSON: {error}. Received: {str(path)!r}") from error
    own = {field.name: field.type for field in dataclasses.fields(Recipe)}
    details = {field.name for field in dataclasses.fields(Details)}
    _check_keys(found, (own.keys() - {"name", "details", "fingerprint"}) | details, path)
    _check_keys(found.get("settings", {}), [f.name for f in dataclasses.fields(Settings)], path)
    for key in details & found.keys():
        _check_type(key, found[key], dict, path)
    for key, kind in own.items():
        if key in found and key != "settings":
            _check_type(key, found[key], list if kind is tuple else kind, path)
    if found.get("selection", "last") not in SELECTIONS:
        raise ValueError(
            f"A preset is one of two checkpoints. Expected one of {SELECTIONS}. Received: "
            f"selection={found['selection']!r} in {str(path)!r}"
        )
    if found.get("selection") == "best" and not found.get("settings", {}).get("score"):
        raise ValueError(
            "The best checkpoint is the best by a score. Expected settings.score. "
            f"Received: selection='best' without, in {str(path)!r}"
        )
    for target in found.get("targets", []):
        listed = found.get("measures", [])
        if len(target) != 4 or target[0] not in listed or target[2] not in BOUNDS:
            raise ValueError(
                f'A target is a bound. Expected [one of measures, figure, "at least" or '
                f'"at most", number]. '
                f"Received: {target} in {str(path)!r}"
            )
    return Recipe(
        name=path.stem,
        description=found.get("description", ""),
        settings=Settings(**found.get("settings", {})),
        details=Details(**{key: found[key] for key in details & found.keys()}),
        fingerprint=_fingerprint(found),
        **{
            key: tuple(found[key]) if own[key] is tuple else found[key]
            for key in found.keys() & (own.keys() - {"name", "description", "settings"})
        },
    )


def _fingerprint(found):
    decides = {key: found[key] for key in DECIDES if key in found}
    return sha256(json.dumps(decides, sort_keys=True).encode())[:16]


def _check_keys(found, known, path):
    _check_type("the recipe", found, dict, path)
    for key in found:
        if key not in known:
            raise ValueError(
                f"A recipe has no such key{nearest(key, known)}. Expected some of {sorted(known)}. "
                f"Received: {key!r} in {str(path)!r}"
            )


def _check_type(key, value, kind, path):
    if not isinstance(value, kind):
        raise ValueError(
            f"A value of the recipe has another type. Expected {key} to be a {kind.__name__}. "
            f"Received: {value!r} in {str(path)!r}"
        )
