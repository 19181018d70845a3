"""The log of a training, in a file and as numbers."""

import csv

import numpy as np
import pytest

from trainers.runs.log import EpochLog, read_log


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


def _write(path, *epochs):
    log = EpochLog(path)
    log.on_train_begin()
    for epoch, values in epochs:
        log.on_epoch_end(epoch, values)
    log.on_train_end()


def test_a_log_that_goes_on_keeps_its_columns(tmp_path):
    path = tmp_path / "log.csv"
    before = {"discriminator_loss": 1.0, "js_estimate": 0.25, "generator_loss": 2.0}
    _write(path, (0, before))
    header = next(csv.reader(path.read_text().splitlines()))
    _write(path, (1, {"generator_loss": 4.0, "discriminator_loss": 3.0, "new": 9.0}))
    assert next(csv.reader(path.read_text().splitlines())) == header
    log = read_log(path)
    np.testing.assert_array_equal(log["epoch"], [1, 2])
    np.testing.assert_array_equal(log["discriminator_loss"], [1.0, 3.0])
    np.testing.assert_array_equal(log["generator_loss"], [2.0, 4.0])
    np.testing.assert_array_equal(log["js_estimate"], [0.25, np.nan])


@pytest.mark.parametrize("text", [None, ""])
def test_a_new_log_has_the_columns_of_its_metrics(tmp_path, text):
    path = tmp_path / "log.csv"
    if text is not None:
        path.write_text(text)
    _write(path, (0, {"b": 1.0, "a": 2.0}))
    assert path.read_text().splitlines()[0].split(",")[:3] == ["epoch", "a", "b"]
