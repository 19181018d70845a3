"""What the page holds of a generator: its default signature in ONNX, and what is known of it."""

import dataclasses

import numpy as np

from export import portable_draw, served, signatures, unfolded
from zoo import files
from zoo.players import origins, sampling

DRAWABLE = (1, 3, 4)
LONGEST = 160  # Letters of a description.
SPREAD = 512  # Points that say how far a generator of points reaches.


@dataclasses.dataclass(frozen=True)
class Model:
    """A generator on the page.

    Attributes:
        facts: What the page's script has to know of it: a dict in the words of JSON.
        onnx: bytes, from latents (and labels) to images or samples.
    """

    facts: dict
    onnx: bytes


def of(name, generator, about=None):
    """The `Model` of a generator.

    Args:
        name: What the page calls it: letters, digits and `_`.
        generator: As of `export.save`.
        about: dict of a preset's card, for its words; its `title`, by default the name; `preset`:
            what `zoo.from_preset` knows it by, or `None`.

    Raises:
        ValueError: If it makes neither pictures nor points in the plane, or takes conditions that
            are numbers.
        ImportError: If the converter to ONNX is not installed.
    """
    networks = served.of(generator)
    generator = networks.generator
    traits = sampling.traits(generator)
    _check(name, traits)
    about = about or {}
    onnx = _onnx(networks)
    pictures = traits.value_range is not None
    classes = traits.num_classes and int(traits.num_classes)
    names = origins.of(generator).class_names or about.get("class_names") or ()
    facts = {
        "name": name,
        "title": about.get("title", name).replace("_", " "),
        "told": _told(about),
        "preset": about.get("preset"),
        "prior": traits.prior,
        "latent_dim": int(traits.latent_dim),
        "num_classes": classes,
        "class_names": list(names) if classes and len(names) == classes else None,
        "shape": list(map(int, traits.image_shape)),
        "pictures": pictures,
        "reach": None if pictures else _reach(generator),
        "license": about.get("data_license"),
        "sha256": files.sha256(onnx),
    }
    return Model(facts, onnx)


def _check(name, traits):
    shape = tuple(traits.image_shape)
    pictures = traits.value_range is not None and len(shape) == 3 and shape[-1] in DRAWABLE
    if not pictures and (traits.value_range is not None or shape != (2,)):
        raise ValueError(
            f"`{name}` cannot be drawn on a page. Expected pictures (height, width, 1, 3 or 4), or "
            f"points of shape (2,). Received: samples of shape {shape}"
        )
    if traits.num_conditions:
        raise ValueError(
            f"`{name}` takes conditions that are numbers, for which the page has no controls. "
            f"Expected labels, or nothing. Received: num_conditions={traits.num_conditions}"
        )


def _onnx(networks):
    asked = signatures.of(networks, draw_rows=portable_draw.draw_rows)
    variables = networks.generator.variables
    return unfolded.convert(variables, asked[signatures.DEFAULT], "float16", exactly=True)


def _told(about):
    """What the card of a preset says of how it learned, in a line or two."""
    told = about.get("description") or ""
    if len(told) > LONGEST:
        told = f"{told[:LONGEST].rsplit(' ', 1)[0]} …"
    learned = [f"{key}: {about[key]}" for key in ("trainer", "objective") if about.get(key)]
    return " ".join(filter(None, [told, f"({', '.join(learned)})" if learned else ""]))


def _reach(generator):
    points = sampling.sample(generator, SPREAD, seed=0)
    return 1.3 * float(np.quantile(np.abs(points), 0.995))
