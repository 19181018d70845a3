"""The log of a training: a line an epoch in a file, and the file as numbers."""

import csv
import math
import pathlib

import keras
import numpy as np

from zoo.files import write_text


class EpochLog(keras.callbacks.CSVLogger):
    """Writes the metrics of each epoch to a CSV file; a file that is there goes on.

    Rows of epochs that begin anew here are taken out first, and so is one that a crash cut off. It
    keeps its columns then, in their order: a metric that a file of an earlier version has and
    this trainer has not is `NA`, and a new one is left out, so that no number stands under the name
    of another.

    Args:
        path: Where to write.
    """

    def __init__(self, path):
        super().__init__(path, append=True)

    def on_train_begin(self, logs=None):
        self._begun = False
        super().on_train_begin(logs)
        if not self.append_header:
            with open(self.filename, newline="") as file:
                self.keys = next(csv.reader(file))[1:]

    def on_epoch_begin(self, epoch, logs=None):
        if self._begun:
            return
        self._begun = True
        lines = pathlib.Path(self.filename).read_text().splitlines()
        rows = list(csv.reader(lines))
        kept = [
            line
            for line, row in zip(lines[1:], rows[1:], strict=True)
            if len(row) == len(rows[0]) and _number(row[0]) < epoch
        ]
        if kept != lines[1:]:
            self.csv_file.close()
            write_text(self.filename, "".join(f"{line}\n" for line in [*lines[:1], *kept]))
            self.on_train_begin()
            self._begun = True


def read_log(log_csv):
    """Reads what `keras.callbacks.CSVLogger` wrote.

    Where an epoch stands there twice, because a resumed training repeated it, the later line
    counts. What is no finite number is nan.

    Args:
        log_csv: Path of a CSV file with a column `epoch`, counted from 0.

    Returns:
        A dict from column name to a float64 array; `epoch` is counted from 1 and increases.

    Raises:
        ValueError: If the file has no column `epoch`, or no epoch.
    """
    with open(log_csv, newline="") as file:
        reader = csv.DictReader(file, restkey="")
        columns, rows = list(reader.fieldnames or []), list(reader)
    by_epoch = {_number(row.get("epoch")): row for row in rows}
    epochs = sorted(epoch for epoch in by_epoch if math.isfinite(epoch))
    if not epochs:
        raise ValueError(
            "`log_csv` is no log of a training. Expected what keras.callbacks.CSVLogger writes: a "
            f"column `epoch`, and a line for each. Received: {log_csv} with the columns {columns} "
            f"and {len(rows)} lines"
        )
    log = {name: np.array([_number(by_epoch[epoch][name]) for epoch in epochs]) for name in columns}
    log["epoch"] += 1
    return log


def _number(cell):
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan
