"""Scores during training: measured every so many epochs, with the best checkpoint kept."""

import dataclasses
import json
import math
import pathlib
import warnings

import keras

from evaluation import Measure
from evaluation import Score as Result
from evaluation.score import check_same_rank
from trainers.callbacks.labels import check_label_count
from zoo import saving
from zoo.files import check_writable, write_text
from zoo.players import sampling
from zoo.validation import check_positive

SCORES, BEST, LAST = "scores.json", "best.keras", "last.keras"


class Score(keras.callbacks.Callback):
    """Measures samples after every so many epochs; keeps the best trainer, and the last.

    The value joins the epoch's logs under the measure's name, with `_standard_error` where there
    is one; epochs that are not measured have NaN there. So it is in the history, in a CSV log that
    comes after this callback, and in TensorBoard. All draws use one seed: from epoch to epoch the
    latents are the same. A score that cannot be computed later in a training (the generator makes
    NaN, say) counts as NaN, with a warning; the first one raises. The best is that of
    `Score.better_than`: where a figure saturates (modes), details of it decide first.

    With a directory, `scores.json` there has every score with its protocol, and `best.keras` and
    `last.keras` are whole trainers, as `trainers.Checkpoint` saves them; each goes on where it was.
    A run that is resumed with `initial_epoch` reads the scores and compares with the best of
    before.

    Args:
        measure: An `evaluation.Measure`, such as `evaluation.FrechetDistance(...)`.
        every: int. Measures after every so many epochs.
        count: int. Samples to measure.
        labels: Integers of shape `(count,)` or one integer, for a conditional generator. Defaults
            to the classes in turn, as many of each.
        seed: int. Of the latents.
        live: bool. Measures the generator itself, where the default is its moving average if there
            is one.
        directory: Where scores and checkpoints go, optional.
        patience: int, optional. Stops the training after so many measurements in a row without a
            better one.
        conditions: Numbers of shape `(count, num_conditions)`, or one row for all: needed where the
            generator has `num_conditions`.

    Attributes:
        scores: Dict from the number of epochs trained to the `evaluation.Score`.
        best: The number of epochs of the best score; `None` before the first.

    Raises:
        ValueError: If an argument cannot be used. When training starts: if the directory holds
            scores of another measure or version. With the first score: of another protocol.

    Example:

    ```python
    import evaluation, trainers, zoo

    x, _ = zoo.datasets.arrays("mnist")
    gan = trainers.GAN(zoo.DCGANGenerator(filters=8), zoo.DCGANDiscriminator(filters=8))
    gan.compile()
    test, _ = zoo.datasets.arrays("mnist", "test")
    measure = evaluation.SlicedWasserstein(test)
    gan.fit(x, epochs=20, callbacks=[trainers.Score(measure, every=2, directory="runs/scored")])
    ```
    """

    def __init__(
        self,
        measure,
        every=1,
        count=10_000,
        labels=None,
        seed=0,
        live=False,
        directory=None,
        patience=None,
        conditions=None,
    ):
        super().__init__()
        check_positive(every=every, count=count)
        if patience is not None:
            check_positive(patience=patience)
        if not isinstance(measure, Measure):
            raise ValueError(
                "`measure` is no measure of samples. Expected an evaluation.Measure, such as "
                f"evaluation.FrechetDistance(...). Received: measure={measure!r}"
            )
        if measure.blind_to is not None:
            warnings.warn(
                f"The best trainer is chosen by {measure.name}, which cannot tell good samples "
                f"from {measure.blind_to}. Read it beside another measure.",
                stacklevel=2,
            )
        check_label_count(labels, count)
        if directory is not None:
            check_writable(directory, "directory")
            directory = pathlib.Path(directory)
        self.measure, self.every, self.count = measure, every, count
        self.labels, self.conditions = labels, conditions
        self.seed, self.live = seed, live
        self.directory, self.patience = directory, patience
        self.scores, self.best = {}, None

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "sampler"):
            raise ValueError(
                "`model` has no `sampler` to measure. Expected a trainer of `trainers`, such as "
                f"trainers.GAN. Received: model={type(self.model).__name__}"
            )
        traits = self.model.traits
        if self.measure.needs_labels and self.labels is None and not traits.num_classes:
            raise ValueError(
                "`measure` is one of labelled samples, and the generator has no labels. Expected "
                f"a conditional generator, or another measure. Received: {self.measure.name}"
            )
        sampling.told(traits, self.count, self._labels(), self.conditions)
        self._begun = False

    def on_epoch_begin(self, epoch, logs=None):
        if not self._begun:
            self._begun = True
            self._read(epoch)

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs[self.measure.name] = math.nan
        if (epoch + 1) % self.every:
            return
        score = self._measure()
        logs[self.measure.name] = score.value
        if score.standard_error is not None:
            logs[f"{self.measure.name}_standard_error"] = score.standard_error
        better = self.best is None or score.better_than(self.scores[self.best])
        self.scores[epoch + 1] = score
        if better:
            self.best = epoch + 1
        if self.directory is not None:
            self._write(better)
        if self.patience is not None:
            later = [number for number in self.scores if number > self.best]
            if len(later) >= self.patience:
                self.model.stop_training = True

    def _labels(self):
        if self.labels is not None:
            return self.labels
        return sampling.labels_in_turn(self.count, self.model.traits.num_classes)

    def _measure(self):
        player = self.model.generator if self.live else self.model.sampler
        labels = self._labels()
        samples = sampling.sample(player, self.count, labels, self.seed, conditions=self.conditions)
        try:
            return self.measure.evaluate(samples, labels)
        except ValueError as error:
            if not self.scores:
                raise
            warnings.warn(f"No score after this epoch: {error}", stacklevel=2)
            last = self.scores[max(self.scores)]
            return dataclasses.replace(
                last, value=math.nan, standard_error=None, details={}, notes=()
            )

    def _write(self, better):
        for name in (BEST, LAST) if better else (LAST,):
            saving.save(self.model, self.directory / name)
        texts = {str(k): json.loads(score.to_json()) for k, score in self.scores.items()}
        found = json.dumps({"best": self.best, "scores": texts}, indent=2)
        write_text(self.directory / SCORES, found)

    def _read(self, epoch):
        """The scores of the epochs before this one; those after belong to another course."""
        if self.directory is None or not (self.directory / SCORES).exists():
            self.scores = {k: score for k, score in self.scores.items() if k <= epoch}
        else:
            found = json.loads((self.directory / SCORES).read_text())["scores"]
            found = {int(k): Result.from_json(json.dumps(text)) for k, text in found.items()}
            self.scores = {k: score for k, score in found.items() if k <= epoch}
        check_same_rank(self.measure.ranked_by, *self.scores.values())
        self.best = None
        for number, score in sorted(self.scores.items()):
            if self.best is None or score.better_than(self.scores[self.best]):
                self.best = number
