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
sha256        of all else in the file (`zoo.untrusted.sealed`), optional: another one is refused
"""

import dataclasses
import json
import math
import pathlib

from trainers.runs import objects
from trainers.runs.settings import Details, Settings
from zoo import untrusted
from zoo.files import sha256
from zoo.validation import check_choice, check_seed, nearest

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
        split = [(measure, *measure.partition(":")) for measure in self.measures]
        return [(measure, name, int(count or COUNT)) for measure, name, _, count in split]

    def with_seed(self, seed):
        """The same recipe with another seed."""
        return dataclasses.replace(
            self, settings=dataclasses.replace(self.settings, seed=int(seed))
        )


def names():
    """The names of the recipes that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(recipe):
    """A recipe by its name, or from the JSON file of another.

    Raises:
        ValueError: If there is no such recipe (the nearest names are given), a key is unknown or a
            value has another type.
    """
    path = pathlib.Path(recipe)
    if path.suffix != ".json":
        check_choice(names(), ", or a .json file", recipe=recipe)
        path = FOLDER / f"{recipe}.json"
    try:
        found = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(
            f"`recipe` is no JSON: {error}. Expected a file such as dcgan_mnist.json of "
            f"{FOLDER.parent.name}/{FOLDER.name}. Received: recipe={str(path)!r}"
        ) from error
    try:
        return _made(path.stem, found)
    except ValueError as error:
        raise ValueError(f"{error} in {str(path)!r}") from error


def _made(name, found):
    """The recipe that a file's JSON holds.

    Raises:
        ValueError: If it holds none. The message is to be completed by where.
    """
    own = {field.name: field.type for field in dataclasses.fields(Recipe)}
    details = {field.name for field in dataclasses.fields(Details)}
    _check_type("recipe", found, dict)
    untrusted.check_seal(found, "`recipe`")
    found = {key: value for key, value in found.items() if key != untrusted.SEAL}
    _check_keys(found, (own.keys() - {"name", "details", "fingerprint"}) | details)
    if "settings" not in found:
        raise ValueError(
            "`recipe` has no settings, and says nothing of a training. Expected the key "
            f"'settings'. Received: the keys {sorted(found)}"
        )
    _check_type("settings", found["settings"], dict)
    _check_keys(found.get("settings", {}), [f.name for f in dataclasses.fields(Settings)])
    for key in details & found.keys():
        _check_type(key, found[key], dict)
    for key, kind in own.items():
        if key in found and key != "settings":
            _check_type(key, found[key], list if kind is tuple else kind)
    check_choice(SELECTIONS, selection=found.get("selection", "last"))
    if found.get("settings", {}).get("steps") is not None:
        raise ValueError(
            "`steps` is no length of a recipe, whose card counts epochs. Expected settings.epochs. "
            f"Received: steps={found['settings']['steps']}"
        )
    if found.get("selection") == "best" and not found.get("settings", {}).get("score"):
        raise ValueError(
            "`selection` is the best by no score. Expected settings.score. "
            "Received: selection='best' without"
        )
    _check_items(found)
    for target in found.get("targets", []):
        listed = found.get("measures", [])
        fits = isinstance(target, list) and [type(part) for part in target[:3]] == [str] * 3
        fits = fits and len(target) == 4 and _is_number(target[3])
        if not fits or target[0] not in listed or target[2] not in BOUNDS:
            raise ValueError(
                "`targets` holds what is no bound. Expected [one of measures, figure, "
                f'"at least" or "at most", number]. Received: {target}'
            )
    settings = Settings(**found.get("settings", {}))
    settings.check()
    return Recipe(
        name=name,
        description=found.get("description", ""),
        settings=settings,
        details=Details(**{key: found[key] for key in details & found.keys()}),
        fingerprint=_fingerprint(found),
        **{
            key: tuple(found[key]) if own[key] is tuple else found[key]
            for key in found.keys() & (own.keys() - {"name", "description", "settings"})
        },
    )


def _check_items(found):
    """Raises a `ValueError` if a list holds what is of another kind, or objects cannot be made."""
    for measure in found.get("measures", []):
        name, _, count = measure.partition(":") if isinstance(measure, str) else (None, "", "")
        if not name or count and not (count.isdigit() and int(count)):
            raise ValueError(
                "`measures` holds what is no measure. Expected a name, or one with its number of "
                f"samples, as 'modes:400'. Received: {measure!r}"
            )
    for seed in found.get("seeds", []):
        check_seed(seed)
    for value in found.get("compile", {}).values():
        objects.resolve(value)


def _is_number(value):
    return type(value) in (int, float) and math.isfinite(value)


def _fingerprint(found):
    decides = {key: found[key] for key in DECIDES if key in found}
    return sha256(json.dumps(decides, sort_keys=True).encode())[:16]


def _check_keys(found, keys):
    for key in found:
        if key not in keys:
            raise ValueError(
                f"`{key}` is no key of a recipe{nearest(key, keys)}. Expected some of "
                f"{sorted(keys)}. Received: {key!r}"
            )


def _check_type(key, value, kind):
    if not isinstance(value, kind):
        raise ValueError(
            f"`{key}` has another type. Expected a {kind.__name__}. Received: {key}={value!r}"
        )
