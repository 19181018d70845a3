"""From recipes to presets: trained, measured, and written with a card."""

import importlib.metadata
import json
import os
import pathlib
import sys
import time

import zoo
from trainers.runs import scoring
from trainers.runs.recipes import load
from trainers.runs.resuming import CHECKPOINT
from trainers.runs.run import train
from zoo import presets
from zoo.files import check_writable, write_text

PACKAGES = ("tensorflow", "keras", "numpy")
SECONDS = "seconds.json"
SOURCE, PROJECT = pathlib.Path(zoo.__file__).parent.parent, "pyproject.toml"


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
    begun, before, file = time.monotonic(), _seconds(run), run / CHECKPOINT
    written = file.stat().st_mtime if file.exists() else None
    try:
        train(recipe.settings, run, verbose, recipe.details)
    finally:
        if file.exists() and file.stat().st_mtime != written:  # Something was learned.
            now = before + time.monotonic() - begun
            write_text(run / SECONDS, json.dumps({"seconds": round(now, 1)}))
    return run


def publish(recipe, folder, directory=None, verbose=None):
    """Trains all seeds of a recipe, measures them, and writes the preset.

    What is measured is what `zoo.from_preset` will load: with `half`, weights that were rounded to
    float16. The best checkpoint is measured beside the last, whichever is published.

    Args:
        recipe: `trainers.runs.recipes.Recipe`.
        folder: Where its runs are; training goes on with what is there.
        directory: The folder that gets the preset as `directory/NAME`. Defaults to the shipped
            presets, in a checkout of the source.
        verbose: As Keras's.

    Returns:
        The card.

    Raises:
        ValueError: As `destination`, and as `cook`.
    """
    directory = destination(directory) / recipe.name
    seeds = (recipe.settings.seed, *recipe.seeds)
    runs = [cook(recipe.with_seed(seed), folder, verbose) for seed in seeds]
    card = _card(recipe, scoring.measured(recipe, runs), _seconds(runs[0]))
    generator, discriminator = scoring.players(scoring.checkpoints(runs[0])[recipe.selection])
    zoo.save_preset(generator, directory, discriminator, card, recipe.half)
    return presets.card(directory)


def destination(directory=None):
    """Where presets are published: a folder that was named, or the shipped ones of a checkout.

    Raises:
        ValueError: If none is named and this is an installed package, whose files an upgrade
            replaces, or the folder cannot be written to.
    """
    if directory is None and not (SOURCE / PROJECT).is_file():
        raise ValueError(
            "`--publish_dir` is missing: the package is installed, and its presets are not to be "
            "changed. Expected --publish_dir=FOLDER, or a checkout of the source. "
            f"Received: no --publish_dir, with the package in {str(SOURCE)!r}"
        )
    directory = pathlib.Path(presets.SHIPPED if directory is None else directory)
    check_writable(directory, "--publish_dir")
    return directory


def _card(recipe, trials, seconds):
    """What a preset's card says of how it was made; `zoo.save_preset` adds what it is."""
    settings = recipe.settings
    selected = [trial[recipe.selection] for trial in trials]
    scores = [checkpoint["scores"] for checkpoint in selected]
    return {
        "description": recipe.description,
        "dataset": settings.dataset,
        "source": {name: value for name, value in settings.source.items() if value},
        "trainer": settings.trainer,
        "objective": settings.objective,
        "scores": scores[0],
        "targets": [scoring.judged(target, scores) for target in recipe.targets],
        "spread": scoring.spread(recipe, scores),
        "selection": f"{recipe.selection} of {', '.join(trials[0])}",
        "checkpoints": trials[0],
        "command": f"python -m trainers --recipe={recipe.name} --publish",
        "recipe": recipe.fingerprint,
        "training": {
            "device": recipe.device or _cores(),
            "seconds": round(seconds),
            "epochs": selected[0]["epoch"],
            "batch_size": settings.batch_size,
            "seed": settings.seed,
        },
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def publish_all(names, folder, directory=None, verbose=None):
    """Publishes recipes one after another; what is done is skipped.

    Args:
        names: Names of recipes.
        folder: Runs go to `folder/NAME`.
        directory: As of `publish`.
        verbose: As Keras's.

    Returns:
        The names of those that could not be made, because their data are missing, say. The others
        do not wait for them.

    Raises:
        ValueError: As `destination`.
    """
    failed, directory = [], destination(directory)
    for name in names:
        if (directory / name / presets.CARD).exists():
            print(f"{name}: there already", flush=True)
            continue
        try:
            card = publish(load(name), pathlib.Path(folder) / name, directory, verbose)
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


def _cores():
    """The processor cores that this process may use, in words."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{count} CPU core{'s' if count > 1 else ''}"


def _seconds(run):
    path = run / SECONDS
    return json.loads(path.read_text())["seconds"] if path.exists() else 0.0
