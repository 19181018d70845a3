"""What a finished training leaves: the generator, new samples, and the report."""

import json

from trainers import objectives
from trainers.callbacks.labels import class_grid
from trainers.callbacks.score import BEST, SCORES
from trainers.runs import report
from zoo import pictures, saving


def write(gan, settings, folder, real=None, scorer=None, marks=()):
    """Writes `generator.keras`, `samples.png` and `report.png`.

    Args:
        gan: The trainer.
        settings: `Settings`.
        folder: `pathlib.Path` of the run, where its `log.csv` is.
        real: Real points that samples are drawn over, optional.
        scorer: The run's `trainers.Score`, optional.
        marks: What the report marks: pairs of an epoch and a word.
    """
    saving.save(gan.sampler, folder / "generator.keras")
    labels, columns = class_grid(sample_count(gan), gan.traits.num_classes)
    samples = gan.sample(sample_count(gan), labels=labels, seed=1)
    picture = pictures.draw(samples, columns, real)
    pictures.save_png(picture, folder / "samples.png")
    best = None
    if scorer is not None and (scorer.directory / BEST).exists():
        generator = saving.load(scorer.directory / BEST)
        of_best = generator.sample(sample_count(gan), labels=labels, seed=1)
        drawn = pictures.draw(of_best, columns, real)
        # Not of the curve, which another detail of the score may decide.
        epoch = json.loads((scorer.directory / SCORES).read_text())["best"]
        best = report.Best(scorer.measure.name, epoch, drawn)
    report.write(
        folder / "report.png",
        folder / "log.csv",
        pictures.grid(samples, columns) if samples.ndim == 4 else picture,
        f"{type(gan).__name__} on {settings.dataset}",
        f"{_game(gan, settings)}, batch {settings.batch_size}, {int(gan.steps.numpy()):,} steps, "
        f"seed {settings.seed}, {settings.precision}",
        classic=isinstance(getattr(gan, "objective", None), objectives.Minimax),
        score=best,
        marks=marks,
    )


def sample_count(gan):
    """Samples in a picture: 100 images with labels (ten rows of ten digits), 64, 1,000 points."""
    if len(gan.traits.image_shape) != 3:
        return 1000
    return 100 if gan.traits.num_classes else 64


def _game(gan, settings):
    """The players, and what they play, in a few words."""
    count = f"{gan.generator.count_params():,}"
    if not hasattr(gan, "discriminator"):
        return f"a generator of {count} parameters and its encoder"
    return (
        f"{settings.generator} players of {count} and {gan.discriminator.count_params():,} "
        f"parameters, {_objective_name(gan)}, {gan.schedule}"
    )


def _objective_name(gan):
    if isinstance(gan.objective, objectives.FDivergence):
        return gan.objective.divergence.name
    return next(n for n, cls in objectives.OBJECTIVES.items() if type(gan.objective) is cls)
