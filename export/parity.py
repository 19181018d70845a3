"""Does the exported model answer as Python does? Asked in a process without this project."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from export import saved_model
from zoo import random, validation
from zoo.players import sampling

CLIENT = pathlib.Path(__file__).with_name("client.py")
TOLERANCE = 1e-5  # Of float samples: a few units in the last place of float32.


@dataclasses.dataclass(frozen=True)
class Parity:
    """How far a SavedModel's answers are from Python's.

    Attributes:
        count: Samples compared, at a batch of this size and at a batch of one.
        float_error: Largest absolute difference of `serving_default`.
        differing: Numbers of `sample` that differ: pixels at all, other samples by more than 1e-5.
        total: Numbers of `sample` that were compared.
        png_equal: Whether `sample_png` decodes to Python's pixels; `None` without that signature.
    """

    count: int
    float_error: float
    differing: int
    total: int
    png_equal: bool | None

    @property
    def exact(self):
        """Whether every sample is the same."""
        return self.float_error <= TOLERANCE and not self.differing and self.png_equal is not False

    def __str__(self):
        png = {True: "decodes to the same", False: "DIFFERS", None: "is not there"}[self.png_equal]
        return (
            f"serving_default differs by {self.float_error:.2g} at most, sample in "
            f"{self.differing} of {self.total} numbers, sample_png {png} "
            f"({self.count} samples, at once and the first alone)"
        )


def check(model, directory, count=64, client=CLIENT, value_range=sampling.AUTO):
    """Compares the answers of an exported model with Python's own samples.

    A separate process loads the SavedModel with TensorFlow alone: importing Keras or a package of
    this project raises there. It answers for the seeds 0 ... count - 1 (and the labels, one after
    the other) at once, and for the first seed alone.

    Args:
        model: The generator or trainer that was exported, with the weights it had then.
        directory: The version, or the folder of versions: then the largest.
        count: int. Number of seeds.
        client: Script that asks the model: `export/client.py`, or one that is called like it.
        value_range: What `save` was told.

    Returns:
        A `Parity`.

    Raises:
        FileNotFoundError: If there is no SavedModel.
        RuntimeError: If the process fails: the exported model cannot be used.
    """
    generator, _ = saved_model.served_players(model)
    validation.check_positive(count=count)
    asked = [
        question
        for rows in (count, 1)
        for question in _questions(generator, np.arange(rows), value_range)
    ]
    answers = ask(directory, [question[:2] for question in asked], client)
    pictures = sampling.traits(generator, value_range).value_range is not None
    tolerated = 0 if pictures else TOLERANCE
    float_error, differing, total, png_equal = 0.0, 0, 0, None
    for (signature, _, truth), answer in zip(asked, answers, strict=True):
        (answer,) = answer.values()
        errors = np.abs(answer.astype("float64") - truth)
        if signature == "serving_default":
            float_error = max(float_error, float(errors.max()))
        elif signature == "sample":
            differing += int((errors > tolerated).sum())
            total += errors.size
        else:
            png_equal = png_equal is not False and not errors.any()
    return Parity(count, float_error, differing, total, png_equal)


def _questions(generator, seeds, value_range):
    """What is asked for these seeds: `(signature, inputs, Python's answer)` a signature."""
    traits = sampling.traits(generator)
    named, labels = {}, sampling.labels_in_turn(len(seeds), traits.num_classes)
    if traits.condition is not None:
        if labels is None:
            labels = traits.condition.drawn(len(seeds), np.random.default_rng(0))
        labels = labels.astype(traits.condition.dtype)
        named = {traits.condition.name: labels}
    latents = random.draw_rows(traits.prior, traits.latent_dim, seeds)
    shared = {"batch_size": len(seeds), "value_range": value_range}
    images = sampling.decode(generator, latents, labels, as_float=True, **shared)
    samples = sampling.sample(generator, len(seeds), seed=seeds, **named, **shared)
    seeds = {"seed": seeds.astype("int64"), **named}
    questions = [
        ("serving_default", {"latents": latents.numpy(), **named}, images),
        ("sample", seeds, samples),
    ]
    if "sample_png" in saved_model.endpoints(generator, None, value_range):
        questions.append(("sample_png", seeds, samples))
    return questions


def ask(directory, questions, client=CLIENT):
    """Runs signatures of a SavedModel in a process of its own.

    Args:
        directory: The version, or the folder of versions: then the largest.
        questions: A list of `(signature, {input: array})`.
        client: Script that asks, as in `check`.

    Returns:
        A list of `{output: array}`, one a question; PNG bytes come as pixels.

    Raises:
        FileNotFoundError: If there is no SavedModel.
        RuntimeError: If the process fails.
    """
    path = _saved_model(directory)
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = os.path.join(folder, "asked.npz"), os.path.join(folder, "answered.npz")
        arrays = {
            f"{i}/{signature}/{name}": value
            for i, (signature, inputs) in enumerate(questions)
            for name, value in inputs.items()
        }
        np.savez(asked, **arrays)
        process = subprocess.run(
            [sys.executable, "-P", client, path, asked, answered],
            # This process may hold most of the accelerator's memory already.
            env={**os.environ, "TF_FORCE_GPU_ALLOW_GROWTH": "true"},
            capture_output=True,
            text=True,
        )
        if process.returncode:
            raise RuntimeError(
                f"`directory` does not answer in a process of its own. Expected {path} to "
                f"run with TensorFlow alone. Received:\n{process.stderr[-2000:]}"
            )
        answers = [{} for _ in questions]
        with np.load(answered) as arrays:
            for key in arrays:
                number, name = key.split("/")
                answers[int(number)][name] = arrays[key]
    return answers


def _saved_model(directory):
    directory = pathlib.Path(directory)
    versions = saved_model.versions(directory)
    path = directory / str(versions[-1]) if versions else directory
    if not (path / "saved_model.pb").is_file():
        raise FileNotFoundError(
            "`directory` has no SavedModel. Expected a folder with saved_model.pb, or one of "
            "versions. "
            f"Received: directory={str(directory)!r}"
        )
    return path
