"""Does the exported model answer as Python does? Asked in a process without this project."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from export import formats, questions, served, signatures
from zoo import exported, validation
from zoo.players import sampling

STRANGER = pathlib.Path(__file__).with_name("stranger.py")
TOLERANCE = 1e-5  # Of float answers, and of their size: a few units in the last place of float32.
ROUGH = 1e-2  # Of those of a format that computes or stores otherwise.
SHARE = 1e-3  # Of its pixels, those that may be more than one level off.
WORSE = 1.5  # By what they may be more, of other samples than when int8 was measured.


@dataclasses.dataclass(frozen=True)
class Measure:
    """How far the answers of one output of a signature are from Python's.

    Attributes:
        signature, output: Their names.
        total: Numbers compared.
        differing: Those that differ: pixels at all, other numbers by more than 1e-5 of their size.
        beyond: Those that differ more: pixels by more than one level, other numbers by 1e-2.
        largest: The largest difference: in levels of pixels, else of floats beside max(1, size).
            Infinite where an answer is NaN or of another shape.
    """

    signature: str
    output: str
    total: int
    differing: int
    beyond: int
    largest: float


@dataclasses.dataclass(frozen=True)
class Parity:
    """How far the answers of an exported model are from Python's.

    Attributes:
        format: `"saved_model"`, `"onnx"` or `"litert"`.
        count: Samples compared, at a batch of this size and at a batch of one.
        measures: A `Measure` for every output of every signature that the format has; those of
            float pictures are there a second time as pixels, named `images as pixels`.
        allowed: Of weights in int8, the shares that differed when the version was written, as
            `shares` has them.
    """

    format: str
    count: int
    measures: tuple
    allowed: dict | None = None

    def _of(self, signature):
        return [measure for measure in self.measures if measure.signature == signature]

    @property
    def decoder(self):
        """The name of the signature of latents."""
        return signatures.decoder({measure.signature for measure in self.measures})

    @property
    def float_error(self):
        """Largest difference of the samples of latents."""
        return self._of(self.decoder)[0].largest

    @property
    def differing(self):
        """Numbers of `sample` that differ."""
        return sum(measure.differing for measure in self._of("sample"))

    @property
    def total(self):
        """Numbers of `sample` that were compared."""
        return sum(measure.total for measure in self._of("sample") if measure.output != "valid")

    @property
    def png_equal(self):
        """Whether `sample_png` decodes to Python's pixels; `None` without that signature."""
        found = self._of("sample_png")
        return not any(measure.differing for measure in found) if found else None

    @property
    def exact(self):
        """Whether every answer is the same: pixels, and other numbers to 1e-5 of their size."""
        return bool(self.measures) and not any(measure.differing for measure in self.measures)

    @property
    def good(self):
        """Whether it may be served: nothing beyond a level but for one pixel in a thousand.

        Of weights in int8: not much more than when the version was written.
        """
        return self.finite and all(
            measure.beyond <= self._allowed(name) * measure.total for name, measure in self._named()
        )

    @property
    def finite(self):
        """Whether there are answers, of the right shapes, without NaN."""
        return bool(self.measures) and all(np.isfinite(m.largest) for m in self.measures)

    @property
    def shares(self):
        """`{"signature/output": share}` of the numbers that are off by more than they should.

        Only of what is made with weights: latents and what is valid are the same in any of them.
        """
        return {
            name: measure.beyond / measure.total
            for name, measure in self._named()
            if measure.output != "valid" and not measure.signature.startswith("latents")
        }

    def _named(self):
        return [(f"{one.signature}/{one.output}", one) for one in self.measures]

    def _allowed(self, name):
        known = None if self.allowed is None else self.allowed.get(name)
        return SHARE if known is None else SHARE + min(WORSE * known, (1.0 + known) / 2)

    def __str__(self):
        other = "DIFFERS" if self.allowed is None else "to as many others"
        png = {True: "decodes to the same", False: other, None: "is not there"}[self.png_equal]
        worst = max(self.measures, key=lambda measure: measure.beyond / measure.total)
        wrong = f", {worst.signature} is WRONG in {worst.beyond} of {worst.total} numbers"
        pixels = [m for m in self.measures if m.output == "images as pixels"]
        pixels = "".join(
            f" ({m.differing} of {m.total} pixels, by {m.largest:.0f} levels at most)"
            for m in pixels[:1]
            if m.differing
        )
        return (
            f"{self.decoder} differs by {self.float_error:.2g} at most{pixels}, sample in "
            f"{self.differing} of {self.total} numbers, sample_png {png} "
            f"({self.count} samples, at once and the first alone)"
            f"{'' if self.good else wrong}"
        )


def check(
    model,
    directory,
    count=64,
    stranger=STRANGER,
    value_range=sampling.AUTO,
    discriminator=None,
    format="saved_model",
    default="latents",
):
    """Compares the answers of an exported model with Python's own.

    A separate process loads it with its runtime alone: importing Keras or a package of this project
    raises there. It answers for the seeds 0 ... count - 1 (and the labels, one after the other) at
    once, and for the first seed alone. An answer that is NaN differs from everything.

    Args:
        model: The generator or trainer that was exported, with the weights it had then.
        directory: The version, or the folder of versions: then the largest.
        count: int. Number of seeds.
        stranger: Script that asks the model: `export/stranger.py`, or one that is called like it.
        value_range, discriminator, default: What `save` was told.
        format: The format that is asked.

    Returns:
        A `Parity`.

    Raises:
        FileNotFoundError: If there is no exported model of this format.
        RuntimeError: If the process fails: the exported model cannot be used.
    """
    networks = served.of(model, discriminator)
    validation.check_positive(count=count)
    asked = questions.of(networks, count, value_range, default)
    return compare(directory, asked, stranger, format)


def compare(directory, asked, stranger=STRANGER, format="saved_model"):
    """As `check`, with the questions and Python's answers given."""
    path = find(directory, format)
    decoder = signatures.decoder({question.signature for question in asked})
    asked = [question for question in asked if formats.answers(path, question.signature, decoder)]
    answers = ask(directory, [(q.signature, q.inputs) for q in asked], stranger, format)
    return measured(format, asked, answers)


def measured(format, asked, answers):
    """The `Parity` of answers, `{output: array}` each, to questions."""
    found = {}
    for question, answer in zip(asked, answers, strict=True):
        for measure in _measures(question, answer):
            key = (measure.signature, measure.output)
            found[key] = _joined(found[key], measure) if key in found else measure
    count = max((len(next(iter(question.inputs.values()))) for question in asked), default=0)
    return Parity(format, count, tuple(found.values()))


def report(folder, found):
    """The text of `PARITY.md`: every format of a version, what was asked, and how far it is off.

    Args:
        folder: Folder of the version, for the sizes.
        found: `{format: Parity}`.
    """
    lines = [
        "# How far the answers are from Python's",
        "",
        "Asked in processes without Keras and without the library that wrote this. Pixels are "
        "levels of 0 ... 255; other numbers differ beyond 1e-5 of their size, and their largest "
        "difference is beside max(1, size).",
        "",
        "| format | MB | signature | output | seeds | differ | of | largest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, parity in found.items():
        size = sum(path.stat().st_size for path in formats.paths(folder, name)) / 1e6
        for measure in parity.measures:
            lines.append(
                f"| {name} | {size:.2f} | {measure.signature} | {measure.output} | 0 ... "
                f"{parity.count - 1} | {measure.differing} | {measure.total} | "
                f"{measure.largest:.2g} |"
            )
    return "\n".join(lines) + "\n"


def _measures(question, answer):
    for name, truth in question.truth.items():
        given = answer.get(name)
        yield _measure(question.signature, name, truth, given)
        if name == "images" and truth.dtype.kind == "f":
            pixels = None if given is None else _pixels(given)
            yield _measure(question.signature, "images as pixels", _pixels(truth), pixels)


def _pixels(images):
    """The levels of pictures in [0, 1], of NaN NaN."""
    return np.round(np.asarray(images, "float64") * 255.0)


def _measure(signature, output, truth, given):
    pixels = output == "images as pixels" or truth.dtype.kind in "ub"
    if given is None or given.shape != truth.shape:
        errors = np.full(max(truth.size, 1), np.inf)
    else:
        errors = np.abs(given.astype("float64") - truth.astype("float64"))
        errors = errors if pixels else errors / np.maximum(1.0, np.abs(truth))
        errors = np.where(np.isfinite(errors), errors, np.inf)  # `max` and `>` pass over NaN.
    same, near = (
        (0, 1) if pixels and output != "valid" else (0, 0) if pixels else (TOLERANCE, ROUGH)
    )
    return Measure(
        signature,
        output,
        errors.size,
        int((errors > same).sum()),
        int((errors > near).sum()),
        float(errors.max(initial=0.0)),
    )


def _joined(one, other):
    sums = {
        name: getattr(one, name) + getattr(other, name) for name in ("total", "differing", "beyond")
    }
    return dataclasses.replace(one, **sums, largest=max(one.largest, other.largest))


def ask(directory, asked, stranger=STRANGER, format="saved_model"):
    """Runs signatures of an exported model in a process of its own.

    Args:
        directory: The version, or the folder of versions: then the largest.
        asked: A list of `(signature, {input: array})`.
        stranger: Script that asks, as in `check`.
        format: The format that is asked.

    Returns:
        A list of `{output: array}`, one a question; PNG bytes come as pixels.

    Raises:
        FileNotFoundError: If there is no exported model of this format.
        RuntimeError: If the process fails.
    """
    path = find(directory, format)
    with tempfile.TemporaryDirectory() as folder:
        given, answered = os.path.join(folder, "asked.npz"), os.path.join(folder, "answered.npz")
        arrays = {
            f"{i}/{signature}/{name}": value
            for i, (signature, inputs) in enumerate(asked)
            for name, value in inputs.items()
        }
        np.savez(given, **arrays)
        process = subprocess.run(
            [sys.executable, "-P", stranger, path, given, answered],
            # This process may hold most of the accelerator's memory already.
            env={**os.environ, "TF_FORCE_GPU_ALLOW_GROWTH": "true"},
            capture_output=True,
            text=True,
        )
        if process.returncode:
            raise RuntimeError(
                f"`directory` does not answer in a process of its own. Expected {path} to run with "
                f"{formats.RUNTIMES[format]} alone. Received:\n{process.stderr[-2000:]}"
            )
        answers = [{} for _ in asked]
        with np.load(answered) as arrays:
            for key in arrays:
                number, name = key.split("/")
                answers[int(number)][name] = arrays[key]
    return answers


def find(directory, format="saved_model"):
    """The path of an exported model: the folder of a SavedModel, or a file.

    Raises:
        FileNotFoundError: If there is none.
    """
    folder = exported.latest(directory)
    name = formats.FILES[format]
    if not (folder / name).is_file():
        kind = "SavedModel" if format == "saved_model" else f"model of the format {format!r}"
        raise FileNotFoundError(
            f"`directory` has no {kind}. Expected a folder with {name}, or one of versions. "
            f"Received: directory={str(directory)!r}"
        )
    return folder if format == "saved_model" else folder / name
