"""Measures published presets again, and compares with what their cards say."""

import dataclasses
import json
import math
import sys

from evaluation import cards, measures
from evaluation.score import Score, check_comparable
from zoo import command, presets
from zoo.players import sampling

DRAWN = "data_hash"  # What a protocol calls the hash of a toy's data.
BESIDE = ("label", "measure", "count", "tolerance")  # What a card adds to a score.


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure of a card, and the same measured now.

    Attributes:
        score: The label of its score.
        figure: `"value"`, `"standard_error"`, or one of the details.
        said, found: What the card says, and what was measured; `None` for none.
        tolerance: How far they may be apart.
    """

    score: str
    figure: str
    said: float | None
    found: float | None
    tolerance: float

    @property
    def within(self):
        """Whether the card is right."""
        if self.said is None or self.found is None:
            return self.said is self.found
        if not (math.isfinite(self.said) and math.isfinite(self.found)):
            return repr(float(self.said)) == repr(float(self.found))
        return abs(self.found - self.said) <= self.tolerance


def verify(preset):
    """Measures a preset as its card says, and compares every figure of every score.

    Args:
        preset: As of `zoo.from_preset`.

    Returns:
        A list of `Row`: of each score its value, its standard error and the details of the card.

    Raises:
        ValueError: If a score is no longer of the card's kind, protocol or notes; it says in what.
        FileNotFoundError: If the data are not there.
    """
    card = presets.card(preset)
    reference = measures.Reference(card["dataset"], **card.get("source", {}))
    generator = presets.from_preset(preset)
    rows, drawn = [], {}
    for entry in card["scores"]:
        said = {key: value for key, value in entry.items() if key not in BESIDE}
        said = Score.from_json(json.dumps(said))
        count = entry["count"]
        if count not in drawn:
            labels = sampling.labels_in_turn(count, generator.num_classes)
            drawn[count] = generator.sample(count, labels, seed=0, batch_size=500), labels
        found = measures.get(entry["measure"], reference).evaluate(*drawn[count])
        if reference.points and DRAWN in found.protocol:
            # The same seed's draws, whose last bit is another processor's.
            said.protocol[DRAWN] = found.protocol[DRAWN]
        check_comparable(said, found)
        _check_words(said, found)
        rows += _rows(entry["label"], said, found)
    return rows


def report(names):
    """Verifies presets, prints a line a score, and lists what could not be measured.

    A preset whose data are missing does not stop the others; what its card says of itself and of
    its files is checked without them.

    Args:
        names: Presets, as of `zoo.from_preset`.

    Returns:
        int. How many scores are off, cards contradict themselves, and presets were not measured.
    """
    wrong, missing = 0, {}
    for name in names:
        try:
            faults = cards.faults(presets.folder_of(name))
        except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
            faults = [f"the card is damaged: {_line(error)}"]
        wrong += len(faults)
        for fault in faults:
            print(f"OFF {name:34}{fault}", flush=True)
        try:
            rows = verify(name)
        except command.USER_ERRORS as error:
            missing[name] = _line(error)
            print(f"--- {name:34}not measured", flush=True)
            continue
        wrong += _print(name, rows)
    if missing:
        print(f"not measured: {len(missing)} of {len(names)} presets", file=sys.stderr)
    for name, why in missing.items():
        print(f"  {name}: {why}", file=sys.stderr)
    return wrong + len(missing)


def _check_words(said, found):
    """Refuses a card whose score is of another kind, rank or notes than the one measured now."""
    for what in ("higher_is_better", "notes"):
        a, b = getattr(said, what), getattr(found, what)
        if a != b:
            raise ValueError(
                f"`{what}` of {said.name} in the card is not what is measured. Expected {b!r}. "
                f"Received: {what}={a!r}"
            )


def _rows(label, said, found):
    pairs = {"value": (said.value, found.value)}
    pairs["standard_error"] = said.standard_error, found.standard_error
    # A detail that is newer than the card is not in it.
    pairs |= {name: (figure, found.details.get(name)) for name, figure in said.details.items()}
    return [
        Row(label, figure, a, b, cards.tolerance(said.name, a or 0.0))
        for figure, (a, b) in pairs.items()
    ]


def _print(name, rows):
    """Prints a line a score and one for each other figure that is off; how many scores are off."""
    off = {row.score for row in rows if not row.within}
    for row in rows:
        if row.figure == "value" or not row.within:
            figure = row.score if row.figure == "value" else f"{row.score} {row.figure}"
            mark = "OFF" if row.score in off else "ok "
            said, found = (math.nan if x is None else x for x in (row.said, row.found))
            print(
                f"{mark} {name:34}{figure:28}{said:12.5g}{found:12.5g}  ± {row.tolerance:.2g}",
                flush=True,
            )
    return len(off)


def _line(error):
    return " ".join(str(error).split())
