"""The forms that a batch has, and arrays apart from lists of batches."""

import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf

from trainers.steps import batches

IMAGE, LABEL = np.zeros((2, 3, 3, 1)), np.zeros(2, int)


@pytest.mark.parametrize(
    "batch, labels",
    [
        (IMAGE, None),
        ((IMAGE,), None),
        ((IMAGE, LABEL), LABEL),
        ((IMAGE, LABEL, None), LABEL),
        ({"images": IMAGE}, None),
        ({"image": IMAGE, "label": LABEL, "file_name": ["a", "b"]}, LABEL),
        (({"img": IMAGE, "labels": LABEL},), LABEL),
    ],
)
def test_parts(batch, labels):
    assert batches.parts(batch)[0] is IMAGE and batches.parts(batch)[1] is labels


@pytest.mark.parametrize(
    "batch, message",
    [
        ((IMAGE, LABEL, LABEL), "third element.*do not weigh"),
        ((IMAGE, LABEL, LABEL, LABEL), "too many elements.*4"),
        ({"image": IMAGE, "coarse_label": LABEL}, r"map others.*\['coarse_label', 'image'\]"),
        ({"image": IMAGE, "img": IMAGE}, "other names"),
        ({"label": LABEL}, "other names"),
        (({"image": IMAGE, "label": LABEL}, LABEL), "labels twice"),
    ],
)
def test_other_forms_are_refused(batch, message):
    with pytest.raises(ValueError, match=message):
        batches.parts(batch)


@pytest.mark.parametrize(
    "values",
    [
        tf.ragged.constant([[1.0], [1.0, 2.0]]),
        tf.sparse.from_dense([[1.0, 0.0]]),
        scipy.sparse.csr_matrix(np.eye(2)),
        np.ma.masked_array([1.0, 2.0], [False, True]),
        [[1.0], [1.0, 2.0]],
    ],
)
def test_what_is_no_dense_array_is_refused(values):
    with pytest.raises(ValueError, match="`x` (is ragged|cannot be made one array)"):
        batches.as_array(values)


@pytest.mark.parametrize(
    "x, is_array",
    [
        (IMAGE, True),
        (list(IMAGE), True),
        (IMAGE.tolist(), True),
        (tf.constant(IMAGE), True),
        ([], True),
        ([IMAGE, IMAGE], False),
        ([(IMAGE, LABEL)], False),
        ([[IMAGE, LABEL.tolist()]], False),
        ([(IMAGE[..., 0], LABEL[:, None])], False),
        (list(IMAGE[..., 0]), True),
        (IMAGE[..., 0].tolist(), True),
        ([{"image": IMAGE}], False),
        (iter([IMAGE]), False),
    ],
)
def test_arrays_and_lists_of_batches(x, is_array):
    assert batches.is_array(x, (3, 3, 1)) is is_array
