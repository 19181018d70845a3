"""From recipes to presets: trained, measured as they will be loaded, and written with a card."""

import importlib.metadata
import json
import math
import os
import pathlib
import sys
import time

import zoo
from evaluation import measures
from trainers.runs.recipes import load
from trainers.runs.run import train
from zoo import presets, saving

PACKAGES = ("tensorflow", "keras", "numpy")
SECONDS = "seconds.json"
# How far a score may be off when it is measured again, as a share of it. Where a classifier is
# trained on the samples, rounding grows.
TOLERANCE = {"classifier_accuracy": 0.02}
EXACT, LEAST = 0.01, 1e-3


def cook(recipe, folder, verbose=None):
    """Trains a recipe in `folder/seed_S`, or goes on with it.

    Args:
        recipe: `trainers.runs.recipes.Recipe`.
        folder: Where its runs are.
        verbose: As Keras's.

    Returns:
        The folder of the run. `seconds.json` there has the time that training took, over all
        interruptions.

    Raises:
        ValueError: As `trainers.runs.run.train`.
    """
    run = pathlib.Path(folder) / f"seed_{recipe.settings.seed}"
    begun, before, file = time.monotonic(), _seconds(run), run / "gan.keras"
    written = file.stat().st_mtime if file.exists() else None
    try:
        train(recipe.settings, run, verbose, recipe.details)
    finally:
        if file.exists() and file.stat().st_mtime != written:  # Something was learned.
            now = before + time.monotonic() - begun
            (run / SECONDS).write_text(json.dumps({"seconds": round(now, 1)}))
    return run


def publish(recipe, folder, directory=None, verbose=None):
    """Trains all seeds of a recipe, measures them, and writes the preset.

    What is measured is what `zoo.from_preset` will load: with `half`, weights that were rounded to
    float16. The best checkpoint is measured beside the last, whichever is published.

    Args:
        recipe: `trainers.runs.recipes.Recipe`.
        folder: Where its runs are; training goes on with what is there.
        directory: Where the preset goes. Defaults to the shipped presets.
        verbose: As Keras's.

    Returns:
        The card.
    """
    runs = [
        cook(recipe.with_seed(s), folder, verbose) for s in (recipe.settings.seed, *recipe.seeds)
    ]
    source = {
        "image_size": recipe.settings.image_size,
        "data_dir": recipe.settings.data_dir,
        "skip_unreadable": recipe.settings.skip_unreadable,
    }
    reference = measures.Reference(recipe.settings.dataset, **source)
    known = {name: measures.get(name, reference) for _, name, _ in recipe.counts()}
    trials = []
    for run in runs:
        files = _files(run)
        wanted = files if run is runs[0] else {recipe.selection: files[recipe.selection]}
        trials.append(
            {
                name: {"epoch": _epoch(path, recipe), "scores": _measured(path, recipe, known, run)}
                for name, path in wanted.items()
            }
        )
    checkpoints, selected = trials[0], [trial[recipe.selection] for trial in trials]
    generator, discriminator = _players(_files(runs[0])[recipe.selection])
    card = {
        "description": recipe.description,
        "dataset": recipe.settings.dataset,
        "source": {name: value for name, value in source.items() if value},
        "trainer": recipe.settings.trainer,
        "objective": recipe.settings.objective,
        "scores": selected[0]["scores"],
        "targets": [
            _judged(target, [trial["scores"] for trial in selected]) for target in recipe.targets
        ],
        "spread": _spread(recipe, [trial["scores"] for trial in selected]),
        "selection": f"{recipe.selection} of {', '.join(checkpoints)}",
        "checkpoints": checkpoints,
        "command": f"python -m trainers --recipe={recipe.name} --publish",
        "recipe": recipe.fingerprint,
        "training": {
            "device": recipe.device or _cores(),
            "seconds": round(_seconds(runs[0])),
            "epochs": selected[0]["epoch"],
            "batch_size": recipe.settings.batch_size,
            "seed": recipe.settings.seed,
        },
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
    directory = pathlib.Path(directory or presets.SHIPPED) / recipe.name
    zoo.save_preset(generator, directory, discriminator, card, recipe.half)
    return presets.card(directory)


def publish_all(names, folder, verbose=None):
    """Publishes recipes one after another; what is done is skipped.

    Args:
        names: Names of recipes.
        folder: Runs go to `folder/NAME`.
        verbose: As Keras's.

    Returns:
        The names of those that could not be made, because their data are missing, say. The others
        do not wait for them.
    """
    failed = []
    for name in names:
        if (presets.SHIPPED / name / presets.CARD).exists():
            print(f"{name}: there already", flush=True)
            continue
        try:
            card = publish(load(name), pathlib.Path(folder) / name, verbose=verbose)
        except (ValueError, OSError) as error:
            failed.append(name)
            print(f"{name}: not made: {error}", file=sys.stderr, flush=True)
        else:
            print(f"{name}: {summary(card)}", flush=True)
    return failed


def summary(card):
    """The scores of a card, and whether its targets were reached, in one line."""
    scores = ", ".join(f"{score['label']} {score['value']:.4g}" for score in card["scores"])
    missed = [f"{t['score']} {t['figure']}" for t in card["targets"] if not t["reached"]]
    return scores + (f"; missed: {', '.join(missed)}" if missed else "")


def _files(run):
    files = {"last": run / "gan.keras", "best": run / "score" / "best.keras"}
    return {name: path for name, path in files.items() if path.exists()}


def _players(path):
    """The two players of a trainer's file; of an autoencoder only the generator."""
    config = saving.check_keras_file(path)
    both = saving.is_trainer(config)
    return saving.load(path), saving.load(path, "discriminator") if both else None


def _measured(path, recipe, known, run):
    """The scores of a checkpoint as it will be loaded: through a preset in the run's folder."""
    preset = zoo.save_preset(_players(path)[0], run / "measured", half=recipe.half)
    generator = zoo.from_preset(preset)
    found, drawn = [], {}
    for label, name, count in recipe.counts():
        if count not in drawn:
            labels = measures.labels_of(count, generator.num_classes)
            drawn[count] = generator.sample(count, labels, seed=0, batch_size=500), labels
        score = json.loads(known[name].evaluate(*drawn[count]).to_json())
        score |= {"label": label, "measure": name, "count": count}
        share = TOLERANCE.get(score["name"], EXACT)
        score["tolerance"] = max(share * abs(float(score["value"])), LEAST)
        found.append(score)
    return found


def _epoch(path, recipe):
    """The number of epochs after which a checkpoint was written."""
    if path.name == "gan.keras":
        return recipe.settings.epochs
    return json.loads((path.parent / "scores.json").read_text())["best"]


def _judged(target, trials):
    """A target with what was reached: by the worst of the seeds, where there are several."""
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


def _figure(scores, label, figure):
    score = next(score for score in scores if score["label"] == label)
    return float(score["value"] if figure == "value" else score["details"][figure])


def _spread(recipe, trials):
    """What every seed scored, and of the targets' other figures too, where there are several."""
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


def _cores():
    """The processor cores that this process may use, in words."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{count} CPU core{'s' if count > 1 else ''}"


def _seconds(run):
    path = run / SECONDS
    return json.loads(path.read_text())["seconds"] if path.exists() else 0.0
