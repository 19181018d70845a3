"""Philox of many keys: its authors' known answers, and TensorFlow's kernel key by key."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import MODES
from zoo import philox

# Random123's `kat_vectors`, philox4x32 with 10 rounds: words of the counter, of the key, answers.
KNOWN = {
    "zeros": ("0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    "ones": (
        " ".join(["ffffffff"] * 4),
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    "pi": (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
}
LAST = -1  # 2^64 - 1: the next block carries into the upper half.


def _halves(words):
    """Pairs of words of 32 bits as int64 numbers, the lower word first."""
    words = [int(word, 16) for word in words.split()]
    joined = [low + (high << 32) for low, high in zip(words[::2], words[1::2], strict=True)]
    return np.array(joined, "uint64").view("int64")


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers_of_the_authors(name):
    counter, key, wanted = KNOWN[name]
    low, high = _halves(counter)
    drawn = philox.bits(4, tf.constant(_halves(key)), (tf.constant([low]), tf.constant([high])))
    assert " ".join(f"{number:08x}" for number in drawn.numpy()[0]) == wanted


def _places():
    """Keys and counters of all 64 bits, with counters that carry from word to word."""
    rng = np.random.default_rng(0)
    keys, low, high = rng.integers(-(2**63), 2**63 - 1, (3, 8))
    low[:5] = LAST, LAST, LAST - 1, 2**32 - 1, 2**63 - 1
    high[:2] = LAST, 2**32 - 1
    return [tf.constant(x, "int64") for x in (keys, low, high)]


def _tensorflow(count, keys, low, high):
    """TensorFlow's own kernel, a call a key."""
    rows = []
    for key, *counter in zip(keys.numpy(), low.numpy(), high.numpy(), strict=True):
        key, counter = (tf.constant(np.array(x, "int64").view("uint64")) for x in ([key], counter))
        rows.append(
            tf.raw_ops.StatelessRandomUniformFullIntV2(
                shape=(count,), key=key, counter=counter, alg=1, dtype="uint32"
            )
        )
    return np.array(rows, "int64")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [1, 4, 26])
def test_the_bits_are_those_of_tensorflow(count, mode):
    places = _places()
    bits = MODES[mode](lambda keys, low, high: philox.bits(count, keys, (low, high)))
    np.testing.assert_array_equal(bits(*places), _tensorflow(count, *places))


def test_a_counter_may_be_one_integer_for_all():
    keys, low, _ = _places()
    alone = philox.bits(9, keys, (low, 7))
    np.testing.assert_array_equal(alone, philox.bits(9, keys, (low, tf.fill(keys.shape, 7))))
    np.testing.assert_array_equal(
        philox.bits(9, keys, (0, low)), _tensorflow(9, keys, tf.zeros_like(low), low)
    )
