"""The log of a training: a line an epoch in a file, and the file as numbers."""

import csv
import math

import keras
import numpy as np


class EpochLog(keras.callbacks.CSVLogger):
    """Writes the metrics of each epoch to a CSV file; a file that is there goes on.

    It keeps its columns then, in their order: a metric that a file of an earlier version has and
    this trainer has not is `NA`, and a new one is left out, so that no number stands under the name
    of another.

    Args:
        path: Where to write.
    """

    def __init__(self, path):
        super().__init__(path, append=True)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if not self.append_header:
            with open(self.filename, newline="") as file:
                self.keys = next(csv.reader(file))[1:]


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
