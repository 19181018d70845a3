"""Blocks of rows cover all of them once, in order."""

import pytest

from zoo.blocks import slices


@pytest.mark.parametrize("count, size", [(0, 3), (1, 3), (3, 3), (10, 3), (10, 1), (4, 100)])
def test_every_row_is_in_one_block(count, size):
    rows = range(count)
    blocks = [rows[block] for block in slices(count, size)]
    assert [row for block in blocks for row in block] == list(rows)
    assert all(len(block) == size for block in blocks[:-1])
    assert all(0 < len(block) <= size for block in blocks)
