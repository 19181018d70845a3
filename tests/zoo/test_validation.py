"""Checks of arguments: what passes, and messages that name the argument first."""

import numpy as np
import pytest

from zoo import validation


def test_what_is_right_passes():
    assert validation.check_choice({"mnist": 1, "ring": 2}, name="ring") == "ring"
    assert validation.check_image_shape([8, np.int64(8), 1]) == (8, 8, 1)
    validation.check_positive(count=1, size=np.int32(5))
    validation.check_integer(0, steps=0)
    validation.check_integer(2, steps=2, rows=3)
    validation.check_above_zero(scale=1e-9)
    validation.check_not_negative(weight=0.0, tolerance=1)
    validation.check_seed(-3)
    validation.check_seed(np.int64(3))
    validation.check_sizes(units=(3, 4), filters=5, levels=None)
    validation.check_rate(dropout=0.0, input_dropout=0.999)
    assert validation.parameter_names(lambda a, *b, c=1, **d: 0) == ["a", "c"]
    assert validation.nearest("rings", ["ring", "grid"]) == "; did you mean 'ring'"
    assert validation.nearest("zzz", ["ring", "grid"]) == ""
    assert validation.nearest("gird", ["grid", "grids"]) == "; did you mean 'grid' or 'grids'"


def test_labels_become_flat_int32():
    labels = validation.check_labels(np.array([[2], [0]], "uint8"), 3, count=2)
    assert labels.tolist() == [2, 0] and labels.dtype == np.int32
    assert validation.check_labels([0, 0], 1).tolist() == [0, 0]
    assert validation.check_labels(np.zeros((2, 1), int), 1).shape == (2,)  # Not one-hot.
    assert validation.check_labels(None, None) is None


@pytest.mark.parametrize(
    "check, message",
    [
        (
            lambda: validation.check_choice(["a", "ring"], ", or a function", name="rnig"),
            r"`name` is unknown. Expected one of \['a', 'ring'\], or a function; did you mean "
            r"'ring'. Received: name='rnig'",
        ),
        (
            lambda: validation.check_choice({"ring": 1}, name=["ring"]),
            r"`name` is unknown.*name=\['ring'\]",
        ),
        (
            lambda: validation.check_positive(count=1, size=0),
            "`size` is out of range. Expected a positive integer. Received: size=0",
        ),
        (lambda: validation.check_positive(count=True), "`count` is out.*count=True"),
        (lambda: validation.check_positive(count=2.0), "`count` is out.*count=2.0"),
        (
            lambda: validation.check_integer(2, steps=1),
            "`steps` is out of range. Expected an integer of at least 2. Received: steps=1",
        ),
        (
            lambda: validation.check_above_zero(scale=float("nan")),
            "`scale` is not positive. Expected a number above 0. Received: scale=nan",
        ),
        (lambda: validation.check_sizes(units=(3, None)), "`units` is out.*units=None"),
        (lambda: validation.check_sizes(units=(3, 0.5)), "`units` is out.*units=0.5"),
        (
            lambda: validation.check_not_negative(weight=-0.5),
            "`weight` is negative. Expected a number of at least 0. Received: weight=-0.5",
        ),
        (lambda: validation.check_not_negative(weight=np.nan), "`weight` is negative.*weight=nan"),
        (
            lambda: validation.check_seed([1, 2]),
            r"`seed` is not an integer. Expected an int. Received: seed=\[1, 2\]",
        ),
        (lambda: validation.check_seed(True), "`seed` is not an integer.*seed=True"),
        (lambda: validation.check_rate(dropout=1.0), r"`dropout` is out.*\[0, 1\).*dropout=1.0"),
        (
            lambda: validation.check_image_shape((8, 8), "; for points an MLP"),
            r"`image_shape` does not have three sizes. Expected \(height, width, "
            r"channels\); for points an MLP. Received: image_shape=\(8, 8\)",
        ),
        (lambda: validation.check_image_shape((8, 8, 0)), "`image_shape` is out.*image_shape=0"),
        (lambda: validation.check_labels([0], None), "`labels` are given, and.*has none"),
        (lambda: validation.check_labels(None, 3), "`labels` are missing.*labels=None"),
        (lambda: validation.check_labels(np.eye(3), 3), r"`labels` look one-hot.*\(3, 3\)"),
        (lambda: validation.check_labels([0.5], 3), "`labels` are not class numbers.*float64"),
        (lambda: validation.check_labels([-1, 2], 3), "`labels` are out of range.*from -1 to 2"),
        (
            lambda: validation.check_labels([0], 3, 2),
            "`labels` do not match.*Expected 2 labels. Received: 1 labels",
        ),
    ],
)
def test_messages_name_the_argument(check, message):
    with pytest.raises(ValueError, match=message):
        check()
