"""The card of a served model: what a client has to know and no signature says."""

import json

from zoo import exported, untrusted
from zoo.players import origins, sampling

OWN = ("default", "formats", "weights", "int8", "files", "outputs", "sha256")
FORMAT = 2  # 1 had the hashes of the files as `sha256`, and none of its own.


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


def check_about(about, own):
    """Raises a `ValueError` if what else a card should say is not JSON, or its own to say."""
    if not isinstance(about, dict):
        raise ValueError(
            "`about` is no entries of a card. Expected a dict. Received: about of class "
            f"{type(about).__name__}"
        )
    taken = sorted(({*own, *OWN} & set(about)) - {"name"})
    if taken:
        raise ValueError(
            f"`about` has entries that the card has itself. Expected other names than {taken}. "
            f"Received: about with {taken}"
        )
    try:
        json.dumps(about, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`about` is not JSON ({error}). Expected names, texts and finite numbers. Received: "
            f"{str(about)[:200]}"
        ) from error


def _ranges(traits):
    """The numbers that make sense, input by input: `[least, most]`, `None` for no bound."""
    ranges = {"latents": [None, None], "seed": [-(2**63), 2**63 - 1], "truncation": [0, None]}
    if traits.value_range is not None:
        ranges["images"] = [0.0, 1.0]
    if traits.num_classes:
        ranges["labels"] = [0, int(traits.num_classes) - 1]
    return ranges


def write(folder, content):
    """Writes the card of a version, with the hashes of all other files and its own."""
    path = folder / exported.CARD
    path.parent.mkdir(exist_ok=True)
    content = untrusted.sealed({**content, "files": exported.hashes(folder)})
    path.write_text(json.dumps(content, indent=1) + "\n")
