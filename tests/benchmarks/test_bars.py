"""The picture of the benchmark: ratios by hand, and a picture of what is there."""

import numpy as np
import pytest
from PIL import Image

from benchmarks import bars

ROWS = {
    "keras.io style": {"seconds": [1.0, 2.0, 3.0]},
    "zoo, simultaneous": {"seconds": [0.5, 0.5, 1.0]},
    "PyTorch": {"seconds": [2.0, 2.0, 2.0]},
    "PyTorch, compiled": {"seconds": [1.0, 1.0, 8.0]},
}


def test_ratios_are_within_a_round():
    # 2, 4 and 3 times as fast.
    assert bars.ratios(ROWS, ["zoo, simultaneous"]) == pytest.approx([2.5, 3.0, 3.5])
    # The compiled one has the smaller median.
    assert bars.ratios(ROWS, ["PyTorch", "PyTorch, compiled"])[1] == pytest.approx(1.0)
    assert bars.ratios(ROWS, ["tf.function loop"]) is None
    assert bars.ratios({"zoo": ROWS["PyTorch"]}, ["zoo"]) is None


def test_a_panel_a_precision(tmp_path):
    cell = {"net": "mnist64", "batch": 64, "precision": "float32", "rows": ROWS}
    bars.draw([cell, {**cell, "batch": 128}], tmp_path / "one.png")
    bars.draw([cell, {**cell, "precision": "bfloat16"}], tmp_path / "two.png")
    one, two = (np.array(Image.open(tmp_path / f"{name}.png")) for name in ("one", "two"))
    assert two.shape[0] == 2 * one.shape[0] and one.std() > 0
