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
        count: int, or scalar int tensor. Numbers a key.
        keys: int64 tensor `(k,)`.
        counters: Two int64 tensors `(k,)` or integers: the lower and the upper half of the counter
            of the first block.

    Returns:
        int64 tensor `(k, count)` of numbers in [0, 2^32): row i is what TensorFlow's
        `StatelessRandomUniformFullIntV2` gives for `keys[i]` and the i-th counter.
    """
    blocks = -(-count // BLOCK)
    key = tf.stack(_words(tf.reshape(tf.cast(keys, "int64"), (-1, 1))))
    rows = tf.shape(key)[1] if key.shape[1] is None else key.shape[1]
    carried, words = tf.range(blocks, dtype="int64")[None, :], []
    for half in counters:
        for word in _words(tf.reshape(tf.cast(half, "int64"), (-1, 1))):
            total = word + carried
            words.append(tf.broadcast_to(_lower(total), (rows, blocks)))
            carried = _upper(total)
    even, odd = (tf.cast(tf.stack(words[k::2]), "uint64") for k in (0, 1))
    if isinstance(blocks, int) and blocks == 1:
        for number in range(ROUNDS):
            even, odd = _round(number, key, even, odd)
    else:  # Unrolled, XLA would compute each word of each block by a chain of its own.
        _, even, odd = tf.while_loop(
            lambda number, even, odd: True,
            lambda number, even, odd: (number + 1, *_round(number, key, even, odd)),
            (tf.constant(0, "int64"), even, odd),
            maximum_iterations=ROUNDS,
        )
    words = tf.cast(tf.stack([even[0], odd[0], even[1], odd[1]], -1), "int64")
    return tf.reshape(words, (-1, blocks * BLOCK))[:, :count]


def _round(number, key, even, odd):
    """One round: two products of 64 bits, whose halves are mixed with the other words.

    Args:
        number: int64 scalar.
        key: int64 `(2, k, 1)`.
        even: uint64 `(2, k, blocks)`: the first and the third word of each block.
        odd: Likewise the second and the fourth.
    """
    xor = tf.bitwise.bitwise_xor
    products = tf.reverse(even * tf.constant(MULTIPLIERS, "uint64", (2, 1, 1)), [0])
    upper = tf.bitwise.right_shift(products, tf.constant(32, "uint64"))
    lower = tf.bitwise.bitwise_and(products, tf.constant(WORD, "uint64"))
    key = tf.cast(_lower(key + number * tf.constant(KEY_STEPS, "int64", (2, 1, 1))), "uint64")
    return xor(xor(upper, odd), key), lower


def _words(x):
    return [_lower(x), _upper(x)]


def _lower(x):
    return tf.bitwise.bitwise_and(x, tf.constant(WORD, "int64"))


def _upper(x):
    return _lower(tf.bitwise.right_shift(x, tf.constant(32, "int64")))
