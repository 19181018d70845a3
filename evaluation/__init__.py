"""How good the samples are: scores that carry their protocol."""

from evaluation.score import Measure, Score

__all__ = ["Measure", "Score"]
