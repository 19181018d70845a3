"""Scores with the protocol by which they were made, and the base class of measures.

Two figures of one name differ where the samples, the scaling, the extractor or the reference do.
So a score carries all of these, and two scores compare only where they agree.
"""

import dataclasses
import inspect
import json
import math

import numpy as np

from zoo import files
from zoo.validation import as_array, in_short


@dataclasses.dataclass(frozen=True)
class Score:
    """One figure, how it was made, and which way is better.

    Attributes:
        name: What was measured, such as `"frechet_distance"`.
        value: float. The figure.
        higher_is_better: bool.
        protocol: dict of JSON values: everything that the figure depends on but the samples
            themselves, such as counts, scaling, bandwidths, seeds, extractors and references with
            their hashes.
        standard_error: float, optional: of `value`, over the draw of the samples or of the test
            data, as the measure says.
        details: dict of floats: figures that come with this one.
        notes: Sentences on what a reader should know, such as a bias at so few samples.
        ranked_by: tuple of names of details, of which more is better: what ranks before the figure,
            where the figure saturates or can be had by chance.
    """

    name: str
    value: float
    higher_is_better: bool
    protocol: dict
    standard_error: float | None = None
    details: dict = dataclasses.field(default_factory=dict)
    notes: tuple = ()
    ranked_by: tuple = ()

    def __str__(self):
        error = "" if self.standard_error is None else f" ± {self.standard_error:.2g}"
        return f"{self.name} {self.value:.4g}{error}"

    def better_than(self, other):
        """Whether this score is better than another of the same protocol.

        The details of `ranked_by` are compared one after the other, then the figures.
        Not-a-number is worse than everything.

        Args:
            other: `Score`.

        Raises:
            ValueError: If name, protocol or `ranked_by` differ; it says in what.
        """
        check_comparable(self, other)
        check_same_rank(self.ranked_by, other)
        if math.isnan(self.value) or math.isnan(other.value):
            return math.isnan(other.value) and not math.isnan(self.value)
        return self._rank() > other._rank()

    def _rank(self):
        """What scores of one protocol are sorted by, the better the larger."""
        figure = self.value if self.higher_is_better else -self.value
        return (*(self.details[name] for name in self.ranked_by), figure)

    def to_json(self):
        """The score as one JSON object, a string; numbers that JSON lacks become strings."""
        return json.dumps(_plain(dataclasses.asdict(self)), indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text):
        """The score that `to_json` wrote.

        Raises:
            ValueError: If the text holds no score.
        """
        try:
            fields = json.loads(text)
            fields["value"], error = float(fields["value"]), fields["standard_error"]
            fields["standard_error"] = None if error is None else float(error)
            fields["protocol"] = dict(fields["protocol"])
            fields["details"] = {name: float(value) for name, value in fields["details"].items()}
            lists = {name: tuple(fields.get(name, ())) for name in ("notes", "ranked_by")}
            return cls(**{**fields, **lists})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                "`text` is not a score. Expected the JSON that Score.to_json writes. "
                f"Received: text={str(text)[:80]!r}"
            ) from error


class Measure:
    """What turns samples into a `Score`. Subclasses set `name` and `higher_is_better`.

    Whatever a measure compares with (test images, an extractor, known modes) is given to its
    constructor, so that one measure serves many generators and every epoch of a training.

    Attributes:
        ranked_by: Names of details that rank before the figure, as of `Score`.
        blind_to: What bad samples could have that still score well, in a few words, or `None`.
            Who chooses among generators by this measure alone is told so.
        needs_labels: bool. Whether samples are measured with the classes that were asked for.
    """

    name = None
    higher_is_better = None
    ranked_by = ()
    blind_to = None
    needs_labels = False

    def __repr__(self):
        """The call that makes it, with those of its arguments that it keeps; arrays by shape."""
        kept = {name: vars(self)[name] for name in _arguments(self) if name in vars(self)}
        given = (f"{name}={_short(value)}" for name, value in kept.items())
        return f"{type(self).__name__}({', '.join(given)})"

    def evaluate(self, samples, labels=None):
        """The score of samples.

        Args:
            samples: Array of shape `(n, ...)`: uint8 images, or whatever the measure says.
            labels: Integers of shape `(n,)`, for measures that need them.

        Returns:
            A `Score`.

        Raises:
            ValueError: If the samples cannot be measured so.
        """
        raise NotImplementedError

    def score(self, value, protocol, standard_error=None, details=None, notes=()):
        """A `Score` of this measure, with plain Python numbers in it."""
        return Score(
            self.name,
            float(value),
            self.higher_is_better,
            _plain(protocol, numbers=True),
            None if standard_error is None else float(standard_error),
            {name: float(figure) for name, figure in (details or {}).items()},
            tuple(notes),
            tuple(self.ranked_by),
        )

    def share(self, share, count, protocol, details=None, notes=()):
        """A `Score` that is a share of `count` examples, with its binomial standard error."""
        error = np.sqrt(share * (1 - share) / count)
        return self.score(share, protocol, error, details, notes)


def _arguments(measure):
    return inspect.signature(type(measure)).parameters


def _short(value):
    """A value of any size in a few words."""
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {value.shape}>"
    protocol = getattr(value, "protocol", None)  # Of an extractor.
    if isinstance(protocol, dict) and "extractor" in protocol:
        return repr(protocol["extractor"])
    return repr(value)


def fingerprint(array):
    """A short hash of an array's type, shape and values, to name it in a protocol.

    Args:
        array: Array.

    Returns:
        16 hexadecimal digits of a SHA-256.
    """
    array = np.ascontiguousarray(as_array(array=array))
    return files.sha256(f"{array.dtype.str} {array.shape}".encode(), array)[:16]


def check_comparable(a, b):
    """Refuses two scores whose figures mean different things.

    Args:
        a, b: `Score`.

    Raises:
        ValueError: If they differ in name or protocol, or are no scores; it lists every
            difference.
    """
    for name, score in (("a", a), ("b", b)):
        if not isinstance(score, Score) or not isinstance(score.protocol, dict):
            raise ValueError(
                f"`{name}` is no score. Expected a Score, as `evaluate` gives, with a dict for its "
                f"protocol. Received: {name}={in_short(score)}"
            )
    if str(a.name) != str(b.name):
        raise ValueError(
            "`a` and `b` are scores of different kinds. Expected two of one name. "
            f"Received: {a.name!r} and {b.name!r}"
        )
    differing = list(_differences(_plain(a.protocol), _plain(b.protocol)))
    if differing:
        raise ValueError(
            f"The scores `a` and `b` were made differently: their figures do not compare. Expected "
            f"two {a.name} of one protocol. Received: {'; '.join(differing)}"
        )


def check_same_rank(ranked_by, *scores):
    """Refuses scores that another rule ranked, such as those of an older version.

    Args:
        ranked_by: The rule, as of `Score`.
        *scores: Scores.

    Raises:
        ValueError: If one of them has another rule.
    """
    for score in scores:
        if tuple(score.ranked_by) != tuple(ranked_by):
            raise ValueError(
                f"`ranked_by` of two scores differs, so neither is better. Expected "
                f"{score.name} ranked by {tuple(ranked_by)}, and then by its figure. "
                f"Received: ranked_by={tuple(score.ranked_by)}"
            )


def _differences(a, b, path=""):
    """Lines that name each entry in which two nested dicts differ."""
    for key in sorted({*a, *b}, key=str):
        name = f"{path}{key}"
        if key not in a or key not in b:
            yield f"{name} is {a.get(key, 'not given')!r} and {b.get(key, 'not given')!r}"
        elif isinstance(a[key], dict) and isinstance(b[key], dict):
            yield from _differences(a[key], b[key], f"{name}.")
        elif a[key] != b[key]:
            yield f"{name} is {a[key]!r} and {b[key]!r}"


def _plain(value, numbers=False):
    """The same with Python's own types; what JSON lacks becomes a string unless `numbers`."""
    if isinstance(value, dict):
        return {str(key): _plain(entry, numbers) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, numbers) for entry in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), numbers)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value) and not numbers:
        return str(value)
    return value
