"""Philox of many keys at once: the integers that TensorFlow draws for each key by itself.

TensorFlow's kernel takes one key a call. A thousand members of an ensemble have a thousand keys,
and their draws are those that each would have alone.

Reference:
    - [Salmon et al., 2011](https://doi.org/10.1145/2063384.2063405), Parallel random numbers: as
      easy as 1, 2, 3, section 5.
"""

import tensorflow as tf

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
WORD = 0xFFFFFFFF  # A word has 32 bits, and is kept in the lower half of an int64.
BLOCK = 4  # Numbers of a block, which the counter counts.


def bits(count, keys, counters):
    """Philox 4x32-10: integers of 32 bits.

    Args:
        count: int. Numbers a key.
        keys: int64 tensor `(k,)`.
        counters: Two int64 tensors `(k,)` or integers: the lower and the upper half of the counter
            of the first block.

    Returns:
        int64 tensor `(k, count)` of numbers in [0, 2^32): row i is what TensorFlow's
        `StatelessRandomUniformFullIntV2` gives for `keys[i]` and the i-th counter.
    """
    blocks = -(-count // BLOCK)
    key = _words(tf.reshape(tf.cast(keys, "int64"), (-1, 1)))
    carried, words = tf.range(blocks, dtype="int64")[None, :], []
    for half in counters:
        for word in _words(tf.reshape(tf.cast(half, "int64"), (-1, 1))):
            total = word + carried
            words.append(_lower(total))
            carried = _upper(total)
    words = [tf.broadcast_to(word, (key[0].shape[0], blocks)) for word in words]
    if blocks == 1:
        for _ in range(ROUNDS):
            words, key = _round(words, key)
    else:  # Unrolled, XLA would compute each word of each block by a chain of its own.
        words, key = tf.while_loop(
            lambda words, key: True, _round, (words, key), maximum_iterations=ROUNDS
        )
    return tf.reshape(tf.stack(words, -1), (-1, blocks * BLOCK))[:, :count]


def _round(words, key):
    """One round: two products of 64 bits, whose halves are mixed with the other words."""
    first, second = words[0] * MULTIPLIERS[0], words[2] * MULTIPLIERS[1]
    xor = tf.bitwise.bitwise_xor
    mixed = [
        xor(xor(_upper(second), words[1]), key[0]),
        _lower(second),
        xor(xor(_upper(first), words[3]), key[1]),
        _lower(first),
    ]
    return mixed, [_lower(k + step) for k, step in zip(key, KEY_STEPS, strict=True)]


def _words(x):
    return [_lower(x), _upper(x)]


def _lower(x):
    return tf.bitwise.bitwise_and(x, tf.constant(WORD, "int64"))


def _upper(x):
    return _lower(tf.bitwise.right_shift(x, tf.constant(32, "int64")))
