"""What tests of presets share."""

import pytest

import zoo
from tests.helpers import tiny_pair


@pytest.fixture
def saved(tmp_path):
    """A preset of a conditional pair, and its players."""
    pair = tiny_pair(classes=3)
    folder = zoo.save_preset(pair[0], tmp_path / "mine" / "tiny", pair[1], {"dataset": "dots"})
    return folder, *pair
