"""The card of a served model: what a client has to know and no signature says."""

import json

from zoo import files, untrusted
from zoo.players import origins, sampling

CARD = "assets.extra/card.json"  # A server passes over this folder.
FORMAT = 2  # 1 had the hashes of the files as `sha256`, and none of its own.
UNLISTED = {CARD}


def of(served, signatures, value_range=sampling.AUTO):
    """The card of a served model, in the words of JSON."""
    generator = served.generator
    traits = sampling.traits(generator, value_range)
    names = origins.of(generator).class_names
    return {
        "format": FORMAT,
        "name": generator.name,
        "prior": traits.prior,
        "latent_dim": int(traits.latent_dim),
        "num_classes": traits.num_classes and int(traits.num_classes),
        "class_names": names and list(names),
        "num_conditions": traits.num_conditions and int(traits.num_conditions),
        "sample_shape": list(map(int, traits.image_shape)),
        "value_range": traits.value_range and list(map(float, traits.value_range)),
        "ranges": _ranges(traits),
        "signatures": {
            name: {
                spec.name: {"dtype": spec.dtype.name, "shape": [None, *map(int, spec.shape[1:])]}
                for spec in signature.inputs
            }
            for name, signature in signatures.items()
        },
        "parameters": sum(int(v.shape.num_elements()) for v in served.variables),
    }


def outputs(questions):
    """What each signature answers, in the words of JSON, of `export.questions.of`."""
    return {
        question.signature: {
            name: {"dtype": "string", "shape": [None]}
            if name == "png_bytes"
            else {"dtype": value.dtype.name, "shape": [None, *value.shape[1:]]}
            for name, value in question.truth.items()
        }
        for question in questions
    }


def _ranges(traits):
    """The numbers that make sense, input by input: `[least, most]`, `None` for no bound."""
    ranges = {"latents": [None, None], "seed": [-(2**63), 2**63 - 1], "truncation": [0, None]}
    if traits.value_range is not None:
        ranges["images"] = [0.0, 1.0]
    if traits.num_classes:
        ranges["labels"] = [0, int(traits.num_classes) - 1]
    return ranges


def hashes(folder):
    """The SHA-256 of every file of a version but the card: `{path within it: hash}`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    return {
        name: files.sha256(path.read_bytes())
        for name, path in zip(names, paths, strict=True)
        if name not in UNLISTED
    }


def write(folder, content):
    """Writes the card of a version, with the hashes of all other files and its own."""
    path = folder / CARD
    path.parent.mkdir(exist_ok=True)
    content = untrusted.sealed({**content, "files": hashes(folder)})
    path.write_text(json.dumps(content, indent=1) + "\n")


def read(folder):
    """The card of a version.

    Raises:
        FileNotFoundError: If it has none.
        ValueError: If the card is damaged, or a file is missing or another one than it says.
    """
    path = folder / CARD
    if not path.is_file():
        raise FileNotFoundError(
            f"`directory` has no card. Expected a version that `export.save` wrote. Received: no "
            f"{CARD} in {str(folder)!r}"
        )
    try:
        content = untrusted.parse_json(path.read_text(), CARD)
        if content.get("format") != 1:
            untrusted.check_seal(content, CARD)
        listed = dict(content["sha256" if content.get("format") == 1 else "files"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"`directory` has a damaged card ({error}). Expected JSON with the hash of every file. "
            f"Received: {str(path)!r}"
        ) from error
    found = hashes(folder)
    for name, wanted in listed.items():
        if found.get(name) != wanted:
            what = "another one" if name in found else "missing"
            raise ValueError(
                f"`directory` is damaged: {name} is {what}. Expected the SHA-256 of its card, "
                f"{wanted}. Received: {found.get(name)} in {str(folder)!r}"
            )
    return content
