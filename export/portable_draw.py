"""`zoo.random.draw_rows` of operations that ONNX has too: a seed gives the same latent there.

ONNX has no products of unsigned integers, no inverse CDF of the normal and, in float64, no error
function. So Philox's products of 32-bit words are put together of 16-bit halves, all of them
positive int64 numbers, the inverse CDF is a rational approximation, and the error function, of
which a truncation is made, its series. Constants are made inside, where a converter sees them.

Reference:
    - [Salmon et al., 2011](https://doi.org/10.1145/2063384.2063405), section 5: Philox.
    - Wichura, 1988, Algorithm AS 241: The percentage points of the normal distribution, PPND16.
    - Abramowitz and Stegun, 1964, 7.1.6: the series of the error function.
"""

import math

import tensorflow as tf

from zoo import philox, random

HALF = 1 << 16
# AS 241: numerators and denominators of three branches, the constant term first.
CENTRAL = (
    (3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
    (1.0, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077,
     21213.794301586595867, 39307.895800092710610, 28729.085735721942674, 5226.4952788528545610),
)  # fmt: skip
MIDDLE = (
    (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550,
     3.64784832476320460504, 1.27045825245236838258, 0.241780725177450611770,
     0.0227238449892691845833, 0.000774545014278341407640),
    (1.0, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550,
     0.148103976427480074590, 0.0151986665636164571966, 0.000547593808499534494600,
     1.05075007164441684324e-9),
)  # fmt: skip
TAIL = (
    (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580,
     0.296560571828504891230, 0.0265321895265761230930, 0.00124266094738807843860,
     0.0000271155556874348757815, 2.01033439929228813265e-7),
    (1.0, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525,
     0.000786869131145613259100, 0.0000184631831751005468180, 1.42151175831644588870e-7,
     2.04426310338993978564e-15),
)  # fmt: skip


FARTHEST = 6.0  # A truncation beyond it cuts off nothing that float32 tells from 0.
TERMS = 70  # Of the series there: what follows is below the last place of float64.


def draw_rows(prior, latent_dim, seeds, truncation=None):
    """As `zoo.random.draw_rows`, to a few units in the last place; the uniform prior exactly."""
    random.check_prior(prior)
    words = _words(tf.reshape(seeds, (-1, 1)))
    zero = tf.zeros_like(words[0])
    scramble = [int(random.SCRAMBLE) & philox.WORD, int(random.SCRAMBLE) >> 32]
    key_and_stream = _philox([*words, zero, zero], [zero + word for word in scramble])
    blocks = tf.range(-(-latent_dim // philox.BLOCK), dtype="int64")[None, :]
    key, stream = key_and_stream[:2], key_and_stream[2:]
    bits = _philox([zero + blocks, zero * blocks, *stream], key)
    bits = tf.reshape(tf.stack(bits, axis=-1), (-1, blocks.shape[1] * philox.BLOCK))[:, :latent_dim]
    odd = tf.cast(2 * (bits // 256) + (1 - 2**24), "float64") * 2.0**-24
    if prior == "uniform":
        limit = tf.constant(random.UNIFORM_LIMIT, "float32")
        if truncation is not None:
            limit = tf.reshape(tf.minimum(tf.cast(truncation, "float32"), limit), (-1, 1))
        return tf.cast(odd * tf.cast(limit, "float64"), "float32")
    outside = 1.0 - tf.abs(odd)
    if truncation is not None:  # In float32, as there: another rounding is another latent.
        inside = _inside(tf.reshape(tf.cast(truncation, "float64"), (-1, 1)))
        outside = 1.0 - tf.cast(inside, "float32") * tf.cast(tf.abs(odd), "float32")
    return tf.cast(tf.sign(odd) * -_quantile(tf.cast(outside, "float64")), "float32")


def _inside(limit):
    """The probability of a normal number within (-limit, limit): erf(limit / sqrt 2).

    erf(x) = 2 / sqrt(pi) * exp(-x^2) * sum_n 2^n x^(2 n + 1) / (1 * 3 * ... (2 n + 1)): no
    difference of large numbers, so right to the last places also where it is small. Each term is
    the one before times 2 x^2 / (2 n + 1), and not a power times its coefficient: ONNX Runtime
    1.32 takes additions of the smallest coefficients out, as if they were 0 (NoopElimination).
    """
    x = tf.minimum(limit, tf.constant(FARTHEST, "float64")) / math.sqrt(2.0)
    total = tf.ones_like(x)
    for n in range(TERMS, 0, -1):
        total = 1.0 + x * x * (2.0 / (2 * n + 1)) * total
    return 2.0 / math.sqrt(math.pi) * tf.exp(-x * x) * x * total


def _words(numbers):
    """The lower and the upper 32 bits of int64 numbers, as positive ones."""
    lower = _low(numbers)
    upper = (numbers - lower) // (philox.WORD + 1)  # Without a rest, of which runtimes differ.
    return [lower, _low(upper)]


def _philox(counter, key):
    """Philox 4x32-10 of four words and two, each int64 below 2^32 and of one shape."""
    a, b, c, d = counter
    for number in range(philox.ROUNDS):
        left, right = (
            _low(word + (number * step & philox.WORD))
            for word, step in zip(key, philox.KEY_STEPS, strict=True)
        )
        (high_a, low_a), (high_c, low_c) = (
            _product(word, factor) for word, factor in zip((a, c), philox.MULTIPLIERS, strict=True)
        )
        xor = tf.bitwise.bitwise_xor
        a, b, c, d = xor(xor(high_c, b), left), low_c, xor(xor(high_a, d), right), low_a
    return [a, b, c, d]


def _product(word, factor):
    """The upper and the lower 32 bits of a product, from halves whose products stay below 2^63."""
    high, low = word // HALF, _low(word, HALF - 1)
    over, under = high * factor, low * factor  # Below 2^48 each.
    total = _low(over, HALF - 1) * HALF + under
    return over // HALF + total // (philox.WORD + 1), _low(total)


def _low(numbers, mask=philox.WORD):
    return tf.bitwise.bitwise_and(numbers, tf.constant(mask, "int64"))


def _quantile(p):
    """The normal number below which half of `p` lies, for p in (0, 1]: at most 0. AS 241."""
    half = p / 2.0
    q = half - 0.5
    near = q * _ratio(CENTRAL, 0.180625 - q * q)
    r = tf.sqrt(-tf.math.log(half))
    far = tf.where(r <= 5.0, _ratio(MIDDLE, r - 1.6), _ratio(TAIL, r - 5.0))
    return tf.where(tf.abs(q) <= 0.425, near, -far)


def _ratio(coefficients, x):
    above, below = (tf.math.polyval([tf.constant(c, "float64") for c in side[::-1]], x)
                    for side in coefficients)  # fmt: skip
    return above / below
