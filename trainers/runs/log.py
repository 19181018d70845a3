"""The log of a training, as numbers."""

import csv
import math

import numpy as np


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
