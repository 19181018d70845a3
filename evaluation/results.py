"""The files of an evaluation, `scores.json` and `scores.png`, which replace no others."""

import json
import math

import numpy as np

from evaluation import picture
from evaluation.memorisation import Memorisation
from zoo import files, pictures

SCORES, PICTURE = "scores.json", "scores.png"
NEAREST = (4, 5)  # Rows and columns of the picture of the samples nearest to training images.
FOLDER = "runs/scores"  # Of evaluations without a folder of their own: FOLDER/NAME.


def check_free(folder, overwrite=False):
    """Refuses a folder where an evaluation, or a training, has left its scores.

    Args:
        folder: `pathlib.Path`; it need not be there.
        overwrite: bool. Whether another evaluation may be replaced.

    Raises:
        ValueError: If it cannot be written to, or something would be lost.
    """
    files.check_writable(folder, "output_dir")
    path = folder / SCORES
    if not path.exists():
        return
    if overwrite and _is_evaluation(path):
        return
    found = "scores" if _is_evaluation(path) else "the scores of a training, which goes on by them"
    remedy = " or --overwrite" if _is_evaluation(path) else ""
    raise ValueError(
        f"`--output_dir` holds {found}. Expected --output_dir=FOLDER with another folder{remedy}. "
        f"Received: {str(path)!r}"
    )


def drawn(samples, classes, chosen, reference, in_turn):
    """The pictures of samples, and of those that lie nearest to training images.

    Args:
        samples: What was measured.
        classes: Number of their classes, or `None`.
        chosen: The measures.
        reference: `measures.Reference`.
        in_turn: bool. Whether the samples are of the classes in turn.

    Returns:
        Two uint8 pictures; `None` for the second where memorisation was not measured, or
        of too few samples to draw.
    """
    if reference.points:
        return pictures.draw(samples[:1000], None, reference.test[0][:1000]), None
    columns = min(classes or 8, 10)
    order = np.arange(min(columns**2, len(samples)))
    if classes and in_turn:
        order = (order // columns) * classes + order % columns
    shown = pictures.grid(samples[order[order < len(samples)]], columns)
    measure = next((m for m in chosen.values() if isinstance(m, Memorisation)), None)
    if measure is None or len(samples) < math.prod(NEAREST):
        return shown, None
    return shown, measure.figure(samples[:1000], *NEAREST)


def write(folder, record, scores, shown, neighbours=None):
    """Writes both files.

    Args:
        folder: `pathlib.Path`.
        record: dict, the content of `scores.json`.
        scores: List of `Score`.
        shown, neighbours: As `drawn` gives them.

    Returns:
        The two paths.
    """
    files.write_text(folder / SCORES, json.dumps(record, indent=2))
    title = f"{record['model']} against {record['dataset']}"
    picture.write(folder / PICTURE, title, scores, shown, neighbours, curves(folder))
    return folder / SCORES, folder / PICTURE


def curves(folder):
    """The scores of the training, where `trainers.Score` left them: `{name: (epochs, values)}`."""
    found = {}
    for path in sorted(folder.glob(f"*/{SCORES}")):
        scores = _read(path).get("scores")
        if isinstance(scores, dict) and scores:
            epochs = sorted(scores, key=int)
            values = [float(scores[epoch]["value"]) for epoch in epochs]
            found[scores[epochs[0]]["name"]] = ([int(epoch) for epoch in epochs], values)
    return found


def _is_evaluation(path):
    return isinstance(_read(path).get("scores"), list)


def _read(path):
    """What a JSON file holds, if it is an object."""
    try:
        found = json.loads(path.read_text())
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}
