"""The start of a server, measured in a process of its own."""

import json
import pathlib
import subprocess
import sys

import pytest

import export
from export import warm_up
from tests.helpers import tiny_pair

SCRIPT = pathlib.Path(__file__).parents[2] / "benchmarks" / "cold_load.py"
TIMES = {"load", "first", "later", "first_batch", "later_batch"}


@pytest.mark.parametrize("warm", [0, 1])
def test_what_is_replayed_and_timed(tmp_path, warm):
    version = export.save(tiny_pair(classes=3)[0], tmp_path)
    told = subprocess.run(
        [sys.executable, "-P", SCRIPT, version, str(warm)], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr[-2000:]
    found = json.loads(told.stdout)
    assert set(found) == {*TIMES, "warm_up", "records"}
    assert all(found[name] > 0 for name in TIMES)
    assert found["later"] < found["load"]
    signatures = 6  # With the PNG files, without scores.
    assert found["records"] == warm * signatures * len(warm_up.BATCHES)
    assert (found["warm_up"] > 0) == bool(warm)
