"""Which of two evaluations is better, measure by measure."""

import json
import pathlib

from evaluation.score import Score, check_comparable, check_same_rank


def report(paths):
    """Prints a line for each measure that two evaluations share.

    Args:
        paths: Two files that `python -m evaluation` wrote.

    Returns:
        0.

    Raises:
        ValueError: If there are not two, one is something else, or they were made differently.
    """
    if len(paths) != 2:
        raise ValueError(
            "`--compare` takes two evaluations. Expected --compare A.json B.json. "
            f"Received: {len(paths)} of them, {paths}"
        )
    first, second = (_read(path) for path in paths)
    shared = [name for name in first if name in second]
    if not shared:
        raise ValueError(
            "The evaluations of `--compare` have no measure in common. Expected one at least. "
            f"Received: {sorted(first)} and {sorted(second)}"
        )
    for name in shared:
        check_comparable(first[name], second[name])
        check_same_rank(first[name].ranked_by, second[name])
    for name in shared:
        a, b = first[name], second[name]
        better = "first" if a.better_than(b) else "second" if b.better_than(a) else "neither"
        ranks = [f"{d} {a.details[d]:.4g} and {b.details[d]:.4g}" for d in a.ranked_by]
        by = f" (by {', '.join(ranks)})" if ranks else ""
        print(f"{name:28}{a.value:12.4g}{b.value:12.4g}  better: {better}{by}")
    return 0


def _read(path):
    """The scores of a file, by their names."""
    try:
        text = pathlib.Path(path).read_text()
        scores = [Score.from_json(json.dumps(score)) for score in json.loads(text)["scores"]]
    except OSError as error:
        raise ValueError(
            "A file of `--compare` cannot be read. Expected two files, scores.json, of this "
            f"command. Received: {str(path)!r}, {error.strerror or error}"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            "A file of `--compare` is not an evaluation. Expected a scores.json of this command. "
            f"Received: {str(path)!r}"
        ) from error
    return {score.name: score for score in scores}
