"""Priors and seeded draws: the one place where the zoo makes latents and noise.

Every draw is a stateless function of its seed, and the same in eager mode, in a graph and under
XLA. TensorFlow's own float draws are not: XLA takes other bits of Philox's integers for the
mantissa, and pairs them otherwise for the normal. The integers agree, so they are drawn here and
the floats are made of them one by one. A draw of `(n, d)` therefore begins with the draw of
`(m, d)` for every `m < n`: a row does not depend on how many rows were asked for.

On a replica of a `tf.distribute` strategy a draw has the rows that follow those of the replicas
before it, so that all replicas together draw what one device would.

Where a draw takes a seed, it also takes several, `(k, 2)`: the rows are then cut into k equal
parts, and each is what its seed would draw alone. So the members of an ensemble draw as one.
"""

import math

import numpy as np
import tensorflow as tf

from zoo import draw_arguments, philox, replicas
from zoo.validation import (
    INTEGERS,
    LARGEST,
    as_array,
    check_above_zero,
    check_choice,
    check_integer,
    check_number,
    in_short,
)

UNIFORM_LIMIT = math.sqrt(3.0)  # U(-sqrt 3, sqrt 3) has variance 1, as N(0, 1) has.
PHILOX = 1  # TensorFlow's number of the algorithm.
VECTOR = 64  # A multiple of the floats in any CPU's vector register.
SCRAMBLE = 0x02461E293EC8F720  # TensorFlow's key to make key and counter of a seed.
BLOCK = philox.BLOCK
# Nothing here branches on a tensor: AutoGraph would only rewrite it, which took a
# quarter of the time before a GAN's first step.
_as_written = tf.autograph.experimental.do_not_convert


def _draw(shape, seed, transform):
    """`transform` of draws from the odd multiples of 2^-24 in (-1, 1), all exact in float32.

    The vector and the scalar code of a kernel may round differently. The scalar one computes what
    is left of the array behind the last full vector, so the array is padded and nothing is left.
    """
    shape = draw_arguments.checked_shape(shape)
    draw_arguments.check_pair(seed)
    if _several(seed):
        return _draw_each(shape, seed, transform)
    count = tf.reduce_prod(tf.cast(shape, "int32"))
    key, stream = tf.unstack(_block((SCRAMBLE,), seed))
    block, skipped = tf.constant(0, "int64"), 0
    if replicas.count() > 1:
        first = tf.cast(replicas.number(), "int64") * tf.cast(count, "int64")
        block, skipped = first // BLOCK, tf.cast(first % BLOCK, "int32")
    size = -(-(skipped + count) // VECTOR) * VECTOR
    bits = _bits((size,), (key,), (block, stream))
    drawn = transform(_odd(tf.bitwise.right_shift(bits, 8)))
    return tf.reshape(drawn[skipped : skipped + count], shape)


def _odd(bits):
    """The odd multiples of 2^-24 in (-1, 1), of integers of 24 bits."""
    return tf.cast(2 * tf.cast(bits, "int32") + (1 - 2**24), "float32") * 2.0**-24


# === Several seeds ===


def _several(seed):
    return len(seed.shape if hasattr(seed, "shape") else np.shape(seed)) == 2


def _draw_each(shape, seeds, transform):
    """As `_draw`, an equal part of the rows from each seed."""
    seeds = tf.cast(seeds, "int64")
    static = tf.get_static_value(tf.convert_to_tensor(shape))
    count = int(np.prod(static)) if static is not None else tf.reduce_prod(shape)
    key, stream = _blocks(tf.constant(SCRAMBLE, "int64"), tf.unstack(seeds, axis=1))
    bits = philox.bits(count // seeds.shape[0], key, (tf.constant(0, "int64"), stream))
    bits = tf.bitwise.right_shift(bits, tf.constant(8, "int64"))
    return tf.reshape(transform(_odd(bits)), shape)


def _blocks(keys, counters):
    """One block of Philox a key and a counter: two int64 numbers each."""
    keys, (lower, upper) = _alike(keys, counters)
    return [tf.ensure_shape(x, keys.shape) for x in _blocks_in_one(keys, lower, upper)]


@tf.function(input_signature=[tf.TensorSpec((None,), "int64")] * 3, autograph=False)
def _blocks_in_one(keys, lower, upper):
    """A function of its own: its hundreds of nodes are made once, not for every fold of a graph."""
    a, b, c, d = tf.unstack(philox.bits(BLOCK, keys, (lower, upper)), axis=1)
    join = tf.bitwise.left_shift
    half = tf.constant(32, "int64")
    return a + join(b, half), c + join(d, half)


def _alike(keys, counters):
    """Keys and both counters with one shape `(k,)`."""
    counters = [tf.cast(counter, "int64") for counter in counters]
    shape = next(tf.shape(x) for x in (keys, *counters) if len(x.shape))
    return tf.broadcast_to(keys, shape), [tf.broadcast_to(x, shape) for x in counters]


# === One seed ===


def _bits(shape, key, counter):
    """Philox's integers of 32 bits; key and counter are one and two int64 numbers.

    (Integers of 32 bits, on which XLA and the plain kernels agree.)
    """
    key, counter = (tf.bitcast(tf.cast(tf.stack(x), "int64"), "uint64") for x in (key, counter))
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape, key=key, counter=counter, alg=PHILOX, dtype="uint32"
    )


def _block(key, counter):
    """One block of Philox: two int64 numbers."""
    return tf.bitcast(tf.reshape(_bits((BLOCK,), key, counter), (2, 2)), "int64")


@_as_written
def normal(shape, seed):
    """Draws float32 from N(0, 1), cut at 5.4 by the resolution of float32.

    Args:
        shape: tuple of int, or an int tensor.
        seed: Two integers, or k pairs; equal seeds give equal numbers everywhere.
    """
    return truncated_normal(shape, seed, math.inf)


@_as_written
def truncated_normal(shape, seed, limit):
    """Draws float32 from N(0, 1) on (-limit, limit) by its inverse CDF; `seed` as for `normal`."""
    if not (isinstance(limit, float) and limit == math.inf):
        check_above_zero(limit=limit)
    inside = math.erf(float(limit) / math.sqrt(2.0))

    return _draw(shape, seed, lambda x: _normal_quantile(x, inside))


def _normal_quantile(x, inside):
    """Of x in (-1, 1), uniform, a normal number; `inside` is the probability that is not cut."""
    # The nearer tail is exact in float32, where a probability near 1 would round to 1.
    return -tf.sign(x) * tf.math.ndtri((1.0 - inside * tf.abs(x)) / 2.0)


@_as_written
def uniform(shape, seed, low=0.0, high=1.0, dtype="float32"):
    """Draws from U(low, high): at least low and below high, which rounding may not make of it.

    Args:
        shape: As for `normal`.
        seed: As for `normal`.
        low, high: Numbers, both of the dtype's range.
        dtype: Any float; the draw has 24 bits, and is rounded to it.

    Raises:
        ValueError: If an argument is of another kind, or `low` is not below `high`.
    """
    dtype = _float(dtype)
    check_number(low=low, high=high)
    low, high = float(low), float(high)
    if not low < high or not high - low <= float(dtype.max):
        raise ValueError(
            f"`low` and `high` are no ends of an interval. Expected numbers of {dtype.name} with "
            f"low < high. Received: low={low}, high={high}"
        )
    drawn = _draw(shape, seed, lambda x: (low + high) / 2.0 + (high - low) / 2.0 * x)
    kind = dtype.as_numpy_dtype
    low, high = kind(low), kind(high)
    return tf.clip_by_value(tf.cast(drawn, dtype), low, np.nextafter(high, low))


def _float(dtype):
    try:
        found = tf.as_dtype(dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or not found.is_floating:
        raise ValueError(
            "`dtype` is no float. Expected the name of one, such as 'float32'. "
            f"Received: dtype={in_short(dtype)}"
        )
    return found


@_as_written
def fold(seed, *words):
    """A new seed from a seed and any number of integers: `fold(seed, step, move)`.

    Each word is a block of Philox: the seed's first number is the key, its second and the word are
    the counter.

    Args:
        seed: Two int64 numbers, or k pairs of them.
        *words: Integers or scalar integer tensors.

    Returns:
        An int64 tensor of the seed's shape, different for different words.
    """
    draw_arguments.check_pair(seed)
    seed = tf.convert_to_tensor(seed, "int64")
    several = _several(seed)
    for word in words:
        if tf.is_tensor(word) or isinstance(word, tf.Variable):
            word = tf.cast(word, "int64")
        if several:
            seed = tf.stack(_blocks(seed[:, 0], (seed[:, 1], word)), axis=1)
        else:
            seed = _block(seed[:1], (seed[1], word))
    return seed


def _uniform_prior(shape, seed, limit):
    limit = min(limit, UNIFORM_LIMIT)
    return uniform(shape, seed, -limit, limit)


PRIORS = {"normal": truncated_normal, "uniform": _uniform_prior}


def check_prior(prior):
    """Returns `prior`, or raises a `ValueError` that names the priors there are."""
    return check_choice(PRIORS, prior=prior)


@_as_written
def draw(prior, count, latent_dim, seed, truncation=None):
    """Draws latents from a prior.

    `"normal"` is N(0, I); `"uniform"` is U(-sqrt 3, sqrt 3) in each coordinate (mean 0, variance
    1; the prior of Goodfellow et al., 2014).

    Args:
        prior: `"normal"` or `"uniform"`.
        count: Number of rows.
        latent_dim: Number of columns.
        seed: Two integers: all rows come from one draw.
        truncation: Positive float, optional. No coordinate lies further than this from 0: the
            normal is cut there (Brock et al., 2019, section 3.1), the uniform narrowed.

    Returns:
        A float32 tensor of shape `(count, latent_dim)`.

    Raises:
        ValueError: If the prior is unknown or the truncation is not positive.
    """
    limit = _limit(prior, latent_dim, truncation)
    draw_arguments.check_count(count, latent_dim)
    return PRIORS[prior]((count, latent_dim), seed, limit)


def _limit(prior, latent_dim, truncation):
    """The largest coordinate of a latent, once the arguments are checked."""
    check_prior(prior)
    check_integer(1, LARGEST, latent_dim=latent_dim)
    if truncation is None:
        return math.inf
    check_above_zero(truncation=truncation)
    return float(truncation)


@_as_written
def draw_rows(prior, latent_dim, seeds, truncation=None):
    """Draws one latent a seed: row i is row 0 of `draw(prior, 1, latent_dim, (seeds[i], 0))`.

    This is what an exported model does, where a server may merge the rows of several requests.

    Args:
        prior: `"normal"` or `"uniform"`.
        latent_dim: Number of columns.
        seeds: int64 tensor of shape `(n,)`.
        truncation: As in `draw`, or a float tensor of shape `(n,)`: one a row.

    Returns:
        A float32 tensor of shape `(n, latent_dim)`.
    """
    if not tf.is_tensor(truncation):
        _limit(prior, latent_dim, truncation)
        truncation = math.inf if truncation is None else truncation
    else:
        check_prior(prior)
    if not tf.is_tensor(seeds) or tf.executing_eagerly():
        seeds = as_array("iu", 1, seeds=seeds)
        draw_arguments.check_count(len(seeds), latent_dim)
    # As many a row as `_draw` makes for one, so that the same code computes each.
    drawn = ROW_QUANTILES[prior](_odd_rows(seeds, -(-latent_dim // VECTOR) * VECTOR), truncation)
    return drawn[:, :latent_dim]


def _odd_rows(seeds, columns):
    """The numbers that `_draw` transforms, of a row a seed: float32 `(n, columns)`."""
    seeds = tf.reshape(tf.cast(seeds, "int64"), (-1,))
    key, stream = _blocks(tf.constant(SCRAMBLE, "int64"), (seeds, tf.constant(0, "int64")))
    bits = philox.bits(columns, key, (tf.zeros_like(stream), stream))
    return _odd(tf.bitwise.right_shift(bits, tf.constant(8, "int64")))


def _normal_rows(x, limit):
    if tf.is_tensor(limit):
        limit = tf.minimum(tf.cast(limit, "float64"), 10.0)  # All of it; of inf erf is NaN.
        inside = tf.math.erf(limit / math.sqrt(2.0))
        inside = tf.cast(inside, "float32")[:, None]
    else:
        inside = math.erf(limit / math.sqrt(2.0))
    return _normal_quantile(x, inside)


def _uniform_rows(x, limit):
    limit = tf.minimum(tf.cast(limit, "float32"), UNIFORM_LIMIT)
    limit = tf.reshape(limit, (-1, 1))
    return tf.clip_by_value(limit * x, -limit, tf.math.nextafter(limit, tf.zeros_like(limit)))


ROW_QUANTILES = {"normal": _normal_rows, "uniform": _uniform_rows}


def from_seed(prior, count, latent_dim, seed, truncation=None):
    """Latents from what a user calls a seed: one integer for all rows, or one integer a row.

    Args:
        prior: `"normal"` or `"uniform"`.
        count: Number of rows.
        latent_dim: Number of columns.
        seed: An integer (row r is a function of (seed, r)), a sequence of `count` integers (row r
            is row 0 of its own seed), or `None` (fresh numbers at each call).
        truncation: As in `draw`.

    Returns:
        A float32 tensor of shape `(count, latent_dim)`.

    Raises:
        ValueError: If the number of seeds is not `count`, or they are not integers.
    """
    if seed is None:
        seed = np.random.SeedSequence().generate_state(1, np.uint64).view(np.int64)[0] >> 1
    draw_arguments.check_count(count, 1)
    seeds = as_array(seed=seed)
    whole = seeds.dtype.kind in "iu"
    fits = whole and np.all((seeds >= -INTEGERS) & (seeds < INTEGERS))
    if not fits or seeds.shape not in ((), (count,)):
        raise ValueError(
            "`seed` is not an integer, or not one for each sample. Expected one integer, or "
            f"one integer for each of the {count} samples. Received: seed={in_short(seed)}"
        )
    if seeds.ndim:
        return draw_rows(prior, latent_dim, seeds.astype("int64"), truncation)
    return draw(prior, count, latent_dim, (int(seeds), 0), truncation)
