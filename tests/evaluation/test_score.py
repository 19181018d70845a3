"""Scores: which ones compare, what JSON keeps, and what a fingerprint sees."""

import dataclasses
import json
import math

import numpy as np
import pytest

from evaluation.score import Measure, Score, check_comparable, fingerprint

PROTOCOL = {"samples": 10_000, "scaling": "[0, 1]", "extractor": {"name": "cnn", "hash": "ab"}}


def score(value=1.0, higher=True, **changes):
    fields = {"name": "likelihood", "protocol": PROTOCOL} | changes
    return Score(value=value, higher_is_better=higher, **fields)


def test_a_score_reads_as_a_figure_with_its_error():
    assert str(score(267.6085)) == "likelihood 267.6"
    assert str(score(267.6085, standard_error=1.9493)) == "likelihood 267.6 ± 1.9"
    assert str(score(math.nan)) == "likelihood nan"


def test_a_score_does_not_change():
    with pytest.raises(AttributeError):
        score().value = 2.0


@pytest.mark.parametrize("higher", [True, False])
def test_better_than(higher):
    small, large = score(1.0, higher), score(2.0, higher)
    assert large.better_than(small) is higher
    assert small.better_than(large) is not higher
    assert not small.better_than(small)


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("value", [-math.inf, -1.0, 0.0, math.inf])
def test_nan_is_worse_than_everything(higher, value):
    nan, number = score(math.nan, higher), score(value, higher)
    assert number.better_than(nan)
    assert not nan.better_than(number)
    assert not nan.better_than(nan)


def test_infinities_compare():
    assert score(math.inf).better_than(score(1e300))
    assert score(-math.inf, higher=False).better_than(score(-1e300, higher=False))


def test_other_names_do_not_compare():
    with pytest.raises(ValueError, match="different kinds.*'likelihood' and 'distance'"):
        score().better_than(score(name="distance"))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"samples": 50}, "Received: samples is 10000 and 50$"),
        ({"scaling": None}, r"Received: scaling is '\[0, 1\]' and None$"),
        ({"seed": 3}, "Received: seed is 'not given' and 3$"),
        ({"extractor": {"name": "cnn", "hash": "cd"}}, "extractor.hash is 'ab' and 'cd'$"),
        ({"extractor": {"name": "cnn"}}, "extractor.hash is 'ab' and 'not given'$"),
        ({"extractor": "cnn"}, "extractor is {'name': 'cnn', 'hash': 'ab'} and 'cnn'$"),
        (
            {"samples": 50, "scaling": "[-1, 1]"},
            r"samples is 10000 and 50; scaling is '\[0, 1\]' and '\[-1, 1\]'$",
        ),
    ],
)
def test_other_protocols_do_not_compare(changes, message):
    other = score(protocol=PROTOCOL | changes)
    with pytest.raises(ValueError, match="scores `a` and `b` were made differently.*" + message):
        score().better_than(other)
    with pytest.raises(ValueError, match="two likelihood of one protocol"):
        check_comparable(other, score())


def test_what_is_no_protocol_does_not_matter():
    other = score(0.5, standard_error=0.1, details={"bandwidth": 0.2}, notes=("few",))
    assert score().better_than(other)
    # The same figures in other types, of which one has been through a file.
    typed = {"samples": np.int64(10_000), "shape": (28, 28), "grid": np.array([0.5, 1.0])}
    plain = {"samples": 10_000, "shape": [28, 28], "grid": [0.5, 1.0]}
    check_comparable(score(protocol=typed), score(protocol=plain))


@pytest.mark.parametrize("value", [1.5, -0.0, 1e-300, 1 / 3, math.inf, -math.inf, math.nan])
def test_json_brings_everything_back(value):
    fields = {
        "standard_error": math.inf,
        "details": {"real": 0.1, "least": -math.inf},
        "notes": ("few samples", "old ± new"),
    }
    text = score(value, higher=False, **fields).to_json()
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    after = Score.from_json(text)
    if math.isnan(value):  # Which equals nothing, itself included.
        assert math.isnan(after.value)
        after = dataclasses.replace(after, value=0.0)
        value = 0.0
    assert after == score(value, higher=False, **fields)
    assert math.copysign(1, after.value) == math.copysign(1, value)
    assert Score.from_json(after.to_json()) == after


def test_json_of_a_score_without_extras():
    after = Score.from_json(score().to_json())
    assert after == score()
    assert after.standard_error is None and after.details == {} and after.notes == ()


def test_infinities_of_a_protocol_compare_after_json():
    before = score(protocol={"cut": math.inf, "sigmas": (0.1, math.nan), "n": np.float32(0.5)})
    check_comparable(before, Score.from_json(before.to_json()))
    check_comparable(before, before)


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", "not json", '{"value": "high"}'])
def test_what_is_no_score(text):
    with pytest.raises(ValueError, match="`text` is not a score.*Received: text="):
        Score.from_json(text)
    fields = json.loads(score().to_json())
    for broken in ({"value": "high"}, {"details": 3}, {"other": 1}, {"details": {"a": "b"}}):
        with pytest.raises(ValueError, match="`text` is not a score"):
            Score.from_json(json.dumps(fields | broken))


class Mean(Measure):
    name = "mean"
    higher_is_better = True

    def evaluate(self, samples, labels=None):
        value = np.mean(samples, dtype="float32")
        return self.score(
            value,
            {"n": np.int64(3), "shape": samples.shape, "cut": np.float64(np.inf), "sub": {1: "a"}},
            standard_error=np.float64(0.5),
            details={"largest": np.max(samples)},
            notes=["small"],
        )


def test_a_measures_score_is_of_plain_numbers():
    found = Mean().evaluate(np.array([1, 2, 3], "uint8"))
    assert found == Score(
        "mean",
        2.0,
        True,
        {"n": 3, "shape": [3], "cut": math.inf, "sub": {"1": "a"}},
        0.5,
        {"largest": 3.0},
        ("small",),
    )
    assert type(found.value) is type(found.standard_error) is float
    assert type(found.details["largest"]) is float
    assert type(found.protocol["n"]) is int and type(found.protocol["cut"]) is float
    assert Measure.score(Mean(), 1, {}).standard_error is None
    with pytest.raises(NotImplementedError):
        Measure().evaluate(np.zeros(1))


def test_a_fingerprint_sees_type_shape_and_values():
    array = np.arange(12, dtype="uint8").reshape(3, 4)
    other = array.copy()
    other[2, 3] += 1
    seen = {
        fingerprint(a)
        for a in (
            array,
            array.astype("int8"),
            array.astype("float32"),
            array.astype(">i2"),
            array.astype("<i2"),
            array.reshape(4, 3),
            array.reshape(12),
            array[::-1],
            array.T,
            other,
            array[:0],
        )
    }
    assert len(seen) == 11
    assert all(len(digits) == 16 and int(digits, 16) >= 0 for digits in seen)


def test_a_fingerprint_does_not_see_memory():
    array = np.arange(24, dtype="float32").reshape(4, 6)
    assert fingerprint(np.asfortranarray(array)) == fingerprint(array)
    assert fingerprint(np.repeat(array, 2, 0)[::2]) == fingerprint(array)
    assert fingerprint(array.tolist()) == fingerprint(array.astype("float64"))
    assert fingerprint(np.arange(3, dtype="uint8")) == "d2856dd6eae8f0d0"
