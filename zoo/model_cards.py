"""Model cards of the Hugging Face Hub: a README whose head is what the Hub reads.

A card is a stranger's or a user's: whatever is in it becomes text in quotes, never markup of YAML.
"""

import json
import math
import re

from zoo import licences

TASK = "unconditional-image-generation"
LARGEST = 1e300  # Of a score, which is to be a finite float.
PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")  # Halves of one letter, in JSON.


def head(card, name, pictures, library=None):
    """The metadata of a card between two lines of `---`, in YAML, with its scores.

    Each score that is a number stands in the `model-index` as its metric, with its protocol.

    Args:
        card: dict with `dataset` and `scores`, where they are known.
        name: What the model is called.
        pictures: bool. Whether it makes pictures.
        library: The library that reads the files, where the Hub knows it.

    Returns:
        str, which ends with a line break.
    """
    dataset, task = card.get("dataset"), TASK if pictures else None
    metadata = {"library_name": library, "tags": ["gan", "gan-zoo"], "pipeline_tag": task}
    if isinstance(dataset, str) and dataset in licences.ON_THE_HUB:
        metadata["datasets"] = [licences.ON_THE_HUB[dataset]]
    metrics = [
        {"type": str(score.get("name", label)), "value": value, "name": label, "args": protocol}
        for score, label, value, protocol in _scores(card)
    ]
    if metrics:
        told = {"type": str(dataset), "name": str(dataset)}
        results = [{"task": {"type": task or "other"}, "dataset": told, "metrics": metrics}]
        metadata["model-index"] = [{"name": name, "results": results}]
    lines = [f"{key}: {_yaml(value)}" for key, value in metadata.items() if value is not None]
    return "\n".join(["---", *lines, "---", ""])


def data(card):
    """A line on the data that a card names and their licence, or nothing."""
    if not card.get("dataset"):
        return ""
    licence = card.get("data_license") or licences.of(card)
    return f"It learned from `{card['dataset']}`{f' (data under {licence})' if licence else ''}.\n"


def scores(card):
    """The scores of a card as a list in Markdown, or nothing."""
    return "".join(f"- {label}: {value:.6g}\n" for _, label, value, _ in _scores(card))


def of_preset(card, address, traits, picture):
    """The README of a preset on the Hub.

    Args:
        card: Of `zoo.presets.card`.
        address: `hf://USER/NAME`, where it will lie.
        traits: Of its generator, as `zoo.players.traits` has them.
        picture: bool. Whether its samples lie beside it.

    Returns:
        str.
    """
    name = address.rpartition("/")[2]
    command = card.get("command")
    made = f"\nIt was made by\n\n```bash\n{command}\n```\n" if command else ""
    shown = "![Samples that were not chosen](samples.png)\n\n" if picture else ""
    return f"""{head(card, name, traits.value_range is not None)}
# {name}

{card.get("description") or "A generator of GAN Zoo."}

{shown}{data(card)}
```python
import zoo

generator = zoo.from_preset("{address}")
{_call(traits)}
```

{scores(card)}{made}
`card.json` has every score with its protocol, and the SHA-256 of each file.
"""


def _call(traits):
    """A line that draws samples from a generator."""
    told = ""
    if traits.num_classes:
        told = f", labels=[i % {traits.num_classes} for i in range(64)]"
    elif traits.num_conditions:
        told = f", conditions=[[0.0] * {traits.num_conditions}] * 64"
    name = "samples" if traits.value_range is None else "images"
    return f"{name} = generator.sample(64{told}, seed=0)"


def _scores(card):
    """Those that are finite numbers with a name: each, its label, its number and its protocol."""
    given = card.get("scores")
    for score in given if isinstance(given, list) else ():
        if not isinstance(score, dict):
            continue
        value, label = score.get("value"), score.get("label", score.get("name"))
        if type(value) in (int, float) and abs(value) < LARGEST and isinstance(label, str):
            yield score, label, float(value), score.get("protocol")


def _yaml(value):
    """A value as YAML on one line: JSON, but for what YAML reads otherwise.

    Numbers have a dot, without which `1e-07` is a text; letters beyond 16 bits are themselves; what
    is not finite is null.
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_yaml(str(k))}: {_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if isinstance(value, float):
        text = repr(value) if math.isfinite(value) else "null"
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return PAIR.sub(lambda found: json.loads(f'"{found[0]}"'), json.dumps(value))
