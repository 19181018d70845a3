"""Shapes, seeds and counts of draws, as numbers and as tensors."""

import numpy as np
import pytest
import tensorflow as tf

from zoo import draw_arguments, random

SHAPES = (None, 3, -1, "x", (2, -1), (1.5,), (True,), {}, np.ones((2, 2), int), tf.ones(2))
SEEDS = (None, 3, (1,), (1, 2, 3), (1.5, 2), ("a", "b"), (2**63, 0), np.ones(2), [[1, 2], [3]])


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape(shape):
    with pytest.raises(ValueError, match="^`shape` is .*Expected.*Received: shape="):
        random.normal(shape, (0, 1))


@pytest.mark.parametrize("shape", [(10**9,), (10**6, 10**6), (2**40,), (10**30,)])
def test_a_shape_beyond_memory(shape):
    with pytest.raises(ValueError, match="^`shape` (needs more memory|is too large)"):
        random.normal(shape, (0, 1))


def test_a_draw_has_at_most_so_many_numbers_as_32_bits_count(monkeypatch):
    monkeypatch.setattr(draw_arguments, "check_memory", lambda *args, **kwargs: None)
    with pytest.raises(ValueError, match=r"^`shape` is too large for one draw.*\(2147483648,\)"):
        draw_arguments.checked_shape((2**31,))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_pair(seed):
    for draw in (
        lambda: random.normal((2,), seed),
        lambda: random.uniform((2,), seed),
        lambda: random.fold(seed, 1),
    ):
        with pytest.raises(ValueError, match="^`seed` is .*Expected.*Received: seed"):
            draw()


def test_shapes_and_seeds_of_every_kind_draw_the_same():
    wanted = random.normal((2, 3), (4, 5)).numpy()
    for shape in ([2, 3], np.array([2, 3]), tf.constant([2, 3]), (tf.constant(2), 3)):
        for seed in ([4, 5], np.array([4, 5]), tf.constant([4, 5]), (tf.constant(4, "int64"), 5)):
            np.testing.assert_array_equal(random.normal(shape, seed), wanted)
    assert random.normal((), (4, 5)).shape == () and random.normal((0, 2), (4, 5)).shape == (0, 2)


def test_counts():
    draw_arguments.check_count(tf.constant(3), 2)
    for count in (-1, 1.5, None, True, "x", tf.ones(2), tf.constant(1.5)):
        with pytest.raises(ValueError, match="^`count` is .*Expected.*Received: count"):
            draw_arguments.check_count(count, 2)
    with pytest.raises(ValueError, match="^`count` needs more memory"):
        random.draw("normal", 10**12, 2, (0, 0))
