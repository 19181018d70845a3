"""The log of a training, as numbers."""

import numpy as np
import pytest

from trainers.runs.log import read_log


def test_what_is_no_finite_number_is_nan(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss,score\n0,1.5,NA\n1,inf,\n2,word,-2\n")
    log = read_log(tmp_path / "log.csv")
    np.testing.assert_array_equal(log["loss"], [1.5, np.nan, np.nan])
    np.testing.assert_array_equal(log["score"], [np.nan, np.nan, -2])


def test_a_resumed_log_counts_every_epoch_once(tmp_path):
    (tmp_path / "log.csv").write_text(
        "epoch,generator_loss\n0,1.0\n1,2.0\n2,9.0\nepoch,generator_loss\n2,3.0\n3,4.0\n"
    )
    log = read_log(tmp_path / "log.csv")
    assert log["epoch"].tolist() == [1, 2, 3, 4]
    assert log["generator_loss"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["", "epoch,generator_loss\n", "generator_loss\n1.0\n"])
def test_a_file_that_is_no_log(tmp_path, text):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(ValueError, match="`log_csv` is no log of a training.*log.csv with"):
        read_log(tmp_path / "log.csv")
