"""A rhythm of steps: beats at multiples, also after a resumption and with executions of several."""

import types

import pytest
import tensorflow as tf

from trainers.callbacks.rhythm import Rhythm


def _beats(every, first, batches):
    rhythm = Rhythm(every)
    rhythm.begin(types.SimpleNamespace(steps=tf.constant(first)))
    return [rhythm.step for batch in batches if rhythm.reaches(batch)]


def test_beats_are_multiples_of_all_steps():
    assert _beats(3, 0, range(10)) == [3, 6, 9]
    assert _beats(3, 4, range(6)) == [6, 9]  # Resumed after four steps.
    assert _beats(3, 6, range(3)) == [9]  # Resumed at a beat, which is not repeated.
    assert _beats(1, 2, range(3)) == [3, 4, 5]


def test_an_execution_reaches_over_a_beat():
    """Of executions of four steps only the last batch is reported."""
    assert _beats(6, 0, [3, 7, 11, 15]) == [8, 12]
    assert _beats(2, 0, [3, 7]) == [4, 8]


def test_what_counts_no_steps():
    with pytest.raises(ValueError, match="`every_steps` needs a model.*model=SimpleNamespace"):
        Rhythm(3).begin(types.SimpleNamespace())
    with pytest.raises(ValueError, match="every_steps=0"):
        Rhythm(0)
