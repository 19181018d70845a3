"""How good the runs of a recipe are: measured as they will be loaded, and held to targets."""

import json
import math

import zoo
from evaluation import cards, measures
from trainers.callbacks.score import BEST, SCORES
from trainers.runs.resuming import CHECKPOINT
from zoo import saving
from zoo.players import sampling


def checkpoints(run):
    """The trainers in the folder of a run: `{"last": path}`, and `"best"` where it was scored."""
    files = {"last": run / CHECKPOINT, "best": run / "score" / BEST}
    return {name: path for name, path in files.items() if path.exists()}


def players(path):
    """The two players of a trainer's file; of an autoencoder only the generator."""
    config = saving.check_keras_file(path)
    both = saving.is_trainer(config)
    return saving.load(path), saving.load(path, "discriminator") if both else None


def measured(recipe, runs):
    """The epoch and the scores of the checkpoints of each run.

    What is measured is what `zoo.from_preset` will load: with `half`, weights that were rounded to
    float16. Of the first run all checkpoints are measured, of the others the one that the recipe
    selects.

    Args:
        recipe: `trainers.runs.recipes.Recipe`.
        runs: The folders of its runs.

    Returns:
        A list, for each run a dict from `"last"` or `"best"` to a dict with `epoch` and `scores`.
    """
    reference = measures.Reference(recipe.settings.dataset, **recipe.settings.source)
    by_name = {name: measures.get(name, reference) for _, name, _ in recipe.counts()}
    found = []
    for run in runs:
        files = checkpoints(run)
        wanted = files if run is runs[0] else {recipe.selection: files[recipe.selection]}
        found.append(
            {
                name: {
                    "epoch": _epoch(path, recipe),
                    "scores": _scores(path, recipe, by_name, run / "measured"),
                }
                for name, path in wanted.items()
            }
        )
    return found


def _epoch(path, recipe):
    """The number of epochs after which a checkpoint was written."""
    if path.name == CHECKPOINT:
        return recipe.settings.epochs
    return json.loads((path.parent / SCORES).read_text())["best"]


def _scores(path, recipe, by_name, directory):
    """The scores of a checkpoint as it will be loaded: through a preset in a folder."""
    preset = zoo.save_preset(players(path)[0], directory, half=recipe.half)
    generator = zoo.from_preset(preset)
    found, drawn = [], {}
    for label, name, count in recipe.counts():
        if count not in drawn:
            labels = sampling.labels_in_turn(count, generator.num_classes)
            drawn[count] = generator.sample(count, labels, seed=0, batch_size=500), labels
        score = json.loads(by_name[name].evaluate(*drawn[count]).to_json())
        score |= {"label": label, "measure": name, "count": count}
        score["tolerance"] = cards.tolerance(score["name"], score["value"])
        found.append(score)
    return found


def judged(target, trials):
    """A target with what was reached: by the worst of the seeds, where there are several.

    Args:
        target: `[label, figure, "at least" or "at most", number]`.
        trials: For each seed its list of scores.
    """
    label, figure, bound, number = target
    found = [_figure(scores, label, figure) for scores in trials]
    value = min(found) if bound == "at least" else max(found)
    reached = value >= number if bound == "at least" else value <= number
    reached = reached and all(map(math.isfinite, found))
    return {
        "score": label,
        "figure": figure,
        "bound": bound,
        "number": number,
        "found": value,
        "reached": bool(reached),
    }


def spread(recipe, trials):
    """What every seed scored, and of the targets' other figures too, where there are several.

    Args:
        recipe: `trainers.runs.recipes.Recipe`.
        trials: For each seed its list of scores.
    """
    if len(trials) < 2:
        return None
    wanted = {label: (label, "value") for label in recipe.measures}
    for label, figure, *_ in recipe.targets:
        if figure != "value":
            wanted[f"{label} {figure}"] = label, figure
    return {
        "seeds": [recipe.settings.seed, *recipe.seeds],
        "figures": {
            name: [_figure(scores, *which) for scores in trials] for name, which in wanted.items()
        },
    }


def _figure(scores, label, figure):
    score = next(score for score in scores if score["label"] == label)
    return float(score["value"] if figure == "value" else score["details"][figure])
