"""Model cards of the Hugging Face Hub: a README whose head is what the Hub reads.

A card is a stranger's or a user's: whatever is in it becomes text in quotes, never markup of YAML.
"""

import json
import math

from zoo import licences

TASK = "unconditional-image-generation"


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
    dataset = card.get("dataset")
    metadata = {"library_name": library, "tags": ["gan", "gan-zoo"]}
    metadata["pipeline_tag"] = TASK if pictures else None
    if dataset in licences.ON_THE_HUB:
        metadata["datasets"] = [licences.ON_THE_HUB[dataset]]
    metrics = [
        {"type": score.get("name", label), "value": score["value"], "name": label, "args": protocol}
        for score, label, protocol in _scores(card)
    ]
    if metrics:
        data = {"type": str(dataset), "name": str(dataset)}
        results = [{"task": {"type": TASK}, "dataset": data, "metrics": metrics}]
        metadata["model-index"] = [{"name": name, "results": results}]
    # JSON is YAML, and quotes what a text may hold.
    lines = [f"{key}: {json.dumps(value)}" for key, value in metadata.items() if value is not None]
    return "\n".join(["---", *lines, "---", ""])


def data(card):
    """A line on the data that a card names and their licence, or nothing."""
    if not card.get("dataset"):
        return ""
    licence = card.get("data_license") or licences.of(card)
    return f"It learned from `{card['dataset']}`{f' (data under {licence})' if licence else ''}.\n"


def scores(card):
    """The scores of a card as a list in Markdown, or nothing."""
    return "".join(f"- {label}: {score['value']:.6g}\n" for score, label, _ in _scores(card))


def of_preset(card, address, pictures):
    """The README of a preset on the Hub.

    Args:
        card: Of `zoo.presets.card`.
        address: `hf://USER/NAME`, where it will lie.
        pictures: bool. Whether it makes pictures.

    Returns:
        str.
    """
    name = address.rpartition("/")[2]
    command = card.get("command")
    made = f"\nIt was made by\n\n```bash\n{command}\n```\n" if command else ""
    picture = "![Samples that were not chosen](samples.png)\n\n" if pictures else ""
    return f"""{head(card, name, pictures)}
# {name}

{card.get("description") or "A generator of GAN Zoo."}

{picture}{data(card)}
```python
import zoo

generator = zoo.from_preset("{address}")
images = generator.sample(64, seed=0)
```

{scores(card)}{made}
`card.json` has every score with its protocol, and the SHA-256 of each file.
"""


def _scores(card):
    """Those that are finite numbers with a name, each with its label and its protocol."""
    given = card.get("scores")
    for score in given if isinstance(given, list) else ():
        value = score.get("value") if isinstance(score, dict) else None
        if not isinstance(value, int | float) or not math.isfinite(value):
            continue
        label = score.get("label", score.get("name"))
        if isinstance(label, str):
            yield score, label, score.get("protocol")
