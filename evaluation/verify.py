"""Measures published presets again, and compares with what their cards say."""

import json

from evaluation import measures
from evaluation.score import Score, check_comparable
from zoo import presets, sampling

DRAWN = "data_hash"  # What a protocol calls the hash of a toy's data.


def verify(preset):
    """Measures a preset as its card says, and compares.

    Args:
        preset: As of `zoo.from_preset`.

    Returns:
        A list of `(name, the card's value, the value found, tolerance, whether it is within)`.

    Raises:
        ValueError: If a protocol is no longer the card's; it says in what.
    """
    card = presets.card(preset)
    reference = measures.Reference(card["dataset"], **card.get("source", {}))
    generator = presets.from_preset(preset)
    rows = []
    for entry in card["scores"]:
        said = {
            key: entry[key]
            for key in entry
            if key not in ("label", "measure", "count", "tolerance")
        }
        said = Score.from_json(json.dumps(said))
        labels = sampling.labels_in_turn(entry["count"], generator.num_classes)
        samples = generator.sample(entry["count"], labels, seed=0, batch_size=500)
        found = measures.get(entry["measure"], reference).evaluate(samples, labels)
        if reference.points and DRAWN in found.protocol:
            # The same seed's draws, whose last bit is another processor's.
            said.protocol[DRAWN] = found.protocol[DRAWN]
        check_comparable(said, found)
        off = abs(found.value - said.value)
        rows.append(
            (entry["label"], said.value, found.value, entry["tolerance"], off <= entry["tolerance"])
        )
    return rows


def report(names):
    """Verifies presets and prints a line a score.

    Args:
        names: Presets, as of `zoo.from_preset`.

    Returns:
        int. How many scores are off.
    """
    wrong = 0
    for name in names:
        for score, said, found, tolerance, within in verify(name):
            wrong += not within
            print(
                f"{'ok ' if within else 'OFF'} {name:34}{score:28}{said:12.5g}{found:12.5g}"
                f"  ± {tolerance:.2g}",
                flush=True,
            )
    return wrong
