"""Seeded draws: the right laws, the same numbers everywhere, rows that do not depend on count."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from tensorflow.python.autograph.impl import api

from zoo import random

DRAWS = {
    "normal": lambda seed: random.normal((300, 40), seed),
    "uniform": lambda seed: random.uniform((300, 40), seed, -2.0, 5.0),
    "truncated": lambda seed: random.draw("normal", 300, 40, seed, truncation=0.7),
    "uniform prior": lambda seed: random.draw("uniform", 300, 40, seed),
}


@pytest.mark.parametrize("name", DRAWS)
def test_eager_graph_and_xla_draw_the_same_numbers(name):
    # The seed is an argument: a constant one would be folded before XLA sees it.
    def draw(step):
        return DRAWS[name](random.fold((3, 0), step, 1))

    step = tf.constant(5, "int64")
    eager = draw(step).numpy()
    np.testing.assert_array_equal(eager, tf.function(draw)(step))
    # XLA's inverse CDF rounds otherwise in the tails.
    compiled = tf.function(draw, jit_compile=True)(step)
    np.testing.assert_allclose(eager, compiled, atol=1e-3)
    inner = np.abs(eager) < 3
    np.testing.assert_allclose(eager[inner], compiled.numpy()[inner], atol=2e-5)


@pytest.mark.parametrize(
    "name, law",
    [
        ("normal", stats.norm()),
        ("uniform", stats.uniform(-2, 7)),
        ("truncated", stats.truncnorm(-0.7, 0.7)),
        ("uniform prior", stats.uniform(-np.sqrt(3), 2 * np.sqrt(3))),
    ],
)
def test_draws_follow_their_law(name, law):
    numbers = DRAWS[name]((11, 0)).numpy().ravel()
    assert stats.kstest(numbers, law.cdf).pvalue > 0.01
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.03


def test_the_normal_is_the_inverse_cdf_of_the_uniform():
    symmetric = random.uniform((10_000,), (5, 5), -1.0, 1.0).numpy().astype("float64")
    normal = random.normal((10_000,), (5, 5)).numpy()
    np.testing.assert_allclose(normal, stats.norm.ppf((symmetric + 1) / 2), rtol=2e-6)


HIGHEST, LOWEST = 1 - 2.0**-24, -(1 - 2.0**-24)  # The odd multiples of 2^-24 that come last.


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("low, high", [(0.0, 1.0), (-(3**0.5), 3**0.5), (-2.0, 5.0), (0.1, 0.3)])
def test_a_uniform_draw_is_below_its_high_end(monkeypatch, low, high, dtype):
    # One draw of 16 million is the last one, which float32 rounds up to the end.
    ends = tf.constant([HIGHEST, LOWEST, 0.3, -0.9], "float32")
    monkeypatch.setattr(random, "_draw", lambda shape, seed, transform: transform(ends))
    drawn = random.uniform((4,), (0, 0), low, high, dtype)
    assert drawn.dtype == dtype
    kind = drawn.numpy().dtype.type
    assert kind(low) <= drawn.numpy().min() and drawn.numpy().max() < kind(high)
    # The others are what they were, bit for bit.
    before = (low + high) / 2.0 + (high - low) / 2.0 * ends
    np.testing.assert_array_equal(drawn[2:], tf.cast(before, dtype)[2:])


@pytest.mark.parametrize("dtype, places", [("float16", 11), ("bfloat16", 8)])
def test_half_a_million_draws_of_half_precision_stay_below_1(dtype, places):
    drawn = random.uniform((500_000,), (4, 2), dtype=dtype).numpy().astype("float64")
    assert drawn.min() >= 0 and drawn.max() == 1 - 2.0**-places


@pytest.mark.parametrize("jit", [False, True])
def test_ten_million_normals_are_finite_and_reach_far(jit):
    # A float32 probability near 1 rounds to 1, whose quantile is infinite.
    draw = tf.function(lambda seed: random.normal((10_000_000,), seed), jit_compile=jit)
    numbers = draw(tf.constant([1, 2], "int64")).numpy()
    assert 5 < numbers.max() < 5.5 and -5.5 < numbers.min() < -5
    assert abs(numbers.mean()) < 5 / np.sqrt(1e7) and abs(numbers.std() - 1) < 5 / np.sqrt(2e7)


def test_a_row_does_not_depend_on_how_many_were_asked_for():
    many = random.draw("normal", 64, 7, (2, 0)).numpy()
    for count in (1, 2, 3, 33, 63):
        np.testing.assert_array_equal(random.draw("normal", count, 7, (2, 0)), many[:count])


def test_folding_separates_words_and_seeds():
    seeds = [(0, 0), (1, 0), (0, 1)]
    words = [(0,), (1,), (0, 0), (0, 1), (1, 0)]
    folded = {tuple(random.fold(s, *w).numpy()) for s in seeds for w in words}
    assert len(folded) == len(seeds) * len(words)


def test_one_seed_a_row_equals_single_draws():
    seeds = [5, -3, 2**40, 5]
    rows = random.from_seed("uniform", 4, 6, seeds).numpy()
    for row, seed in zip(rows, seeds, strict=True):
        np.testing.assert_array_equal(row, random.from_seed("uniform", 1, 6, seed)[0])
    np.testing.assert_array_equal(rows[0], rows[3])
    assert not np.array_equal(rows[0], rows[1])


ROW_SEEDS = np.array([0, 5, -3, 2**40, 2**63 - 1, -(2**63), *range(7)])


@pytest.mark.parametrize("prior", random.PRIORS)
@pytest.mark.parametrize("latent_dim, truncation", [(2, None), (64, None), (70, 0.7), (130, 1.9)])
def test_rows_are_single_draws_bit_for_bit_whatever_the_batch(prior, latent_dim, truncation):
    draw = tf.function(
        lambda seeds: random.draw_rows(prior, latent_dim, seeds, truncation),
        input_signature=[tf.TensorSpec((None,), "int64")],
    )
    rows = [random.draw(prior, 1, latent_dim, (int(s), 0), truncation) for s in ROW_SEEDS]
    wanted = np.concatenate(rows)
    for drawn in (draw(ROW_SEEDS), random.draw_rows(prior, latent_dim, ROW_SEEDS, truncation)):
        np.testing.assert_array_equal(drawn, wanted)
    for i in range(len(ROW_SEEDS)):
        np.testing.assert_array_equal(draw(ROW_SEEDS[i : i + 1]), wanted[i : i + 1])
    assert draw(ROW_SEEDS[:0]).shape == (0, latent_dim)


@pytest.mark.parametrize("prior", random.PRIORS)
def test_each_row_has_its_own_truncation(prior):
    limits = tf.constant([0.25, 0.5, 1.0, np.inf])
    rows = random.draw_rows(prior, 9, np.arange(4), limits).numpy()
    for seed, limit in enumerate(limits.numpy()):
        alone = random.draw(prior, 1, 9, (seed, 0), None if np.isinf(limit) else float(limit))
        np.testing.assert_array_equal(rows[seed], alone[0])
    with pytest.raises(ValueError, match="`truncation` is not positive"):
        random.draw_rows(prior, 9, np.arange(4), -1.0)


def test_no_seed_draws_fresh_numbers():
    a, b = (random.from_seed("normal", 2, 3, None).numpy() for _ in range(2))
    assert not np.array_equal(a, b)


# === Several seeds ===

SEVERAL = {
    "normal": lambda shape, seed: random.normal(shape, seed),
    "uniform": lambda shape, seed: random.uniform(shape, seed, -2.0, 5.0),
    "half precision": lambda shape, seed: random.uniform(shape, seed, dtype="float16"),
    "truncated": lambda shape, seed: random.truncated_normal(shape, seed, 0.7),
    "prior": lambda shape, seed: random.draw("normal", *shape, seed),
    "uniform prior": lambda shape, seed: random.draw("uniform", *shape, seed, truncation=1.2),
}
SEEDS = ((3, 0), (-(2**62), 1), (2**40, 7))


def _each(name, rows, columns):
    """The draws of each seed by itself, one below the other."""
    return np.concatenate([SEVERAL[name]((rows, columns), seed) for seed in SEEDS])


@pytest.mark.parametrize("name", SEVERAL)
def test_several_seeds_draw_what_each_draws(name):
    wanted = _each(name, 7, 5)
    assert len(np.unique(wanted)) > 50  # No two seeds draw the same.
    seeds = tf.constant(SEEDS, "int64")
    eager = SEVERAL[name]((21, 5), seeds)
    np.testing.assert_allclose(eager, wanted, rtol=1e-6)  # Vector and scalar code round otherwise.
    graph = tf.function(lambda seeds: SEVERAL[name]((21, 5), seeds), autograph=False)
    np.testing.assert_array_equal(graph(seeds), eager)


def test_xla_draws_several_seeds_alike():
    draw = tf.function(lambda seeds: random.normal((21, 5), seeds), jit_compile=True)
    drawn = draw(tf.constant(SEEDS, "int64"))
    np.testing.assert_allclose(drawn, _each("normal", 7, 5), atol=1e-4)


def test_several_seeds_draw_shapes_that_only_the_call_knows():
    def draw(samples, seeds):
        return random.uniform(tf.shape(samples), seeds)

    of_any = tf.TensorSpec((None, 2), "float32"), tf.TensorSpec((3, 2), "int64")
    graph = tf.function(draw, input_signature=of_any)
    for rows in (3, 9, 21):
        samples, seeds = tf.zeros((rows, 2)), tf.constant(SEEDS, "int64")
        wanted = np.concatenate([random.uniform((rows // 3, 2), seed) for seed in SEEDS])
        np.testing.assert_array_equal(draw(samples, seeds), wanted)
        np.testing.assert_array_equal(graph(samples, seeds), wanted)


@pytest.mark.parametrize("words", [(5,), (0, -1), (tf.constant(4), 2), (tf.Variable(3), 1)])
def test_folding_several_seeds_is_folding_each(words):
    folded = random.fold(SEEDS, *words)
    assert folded.dtype == "int64"
    np.testing.assert_array_equal(folded, [random.fold(seed, *words) for seed in SEEDS])
    in_graph = tf.function(lambda seeds: random.fold(seeds, *words), autograph=False)
    np.testing.assert_array_equal(in_graph(tf.constant(SEEDS, "int64")), folded)


def test_folding_several_seeds_adds_few_nodes_to_a_graph():
    def nodes(words):
        traced = tf.function(lambda seeds: random.fold(seeds, *range(words)))
        return len(traced.get_concrete_function(SEEDS).graph.get_operations())

    assert nodes(9) - nodes(1) <= 8 * 20  # Ten rounds of Philox are some 150.


def test_rows_of_any_number_of_seeds_are_traced_once():
    random.draw_rows("normal", 2, (0,))
    known = random._blocks_in_one.experimental_get_tracing_count()
    for count in (2, 3, 5, 8, 13, 21):
        assert random.draw_rows("normal", 2, np.arange(count)).shape == (count, 2)
    assert random._blocks_in_one.experimental_get_tracing_count() == known


def test_autograph_rewrites_no_draw(monkeypatch):
    converted = []
    true = api._convert_actual
    monkeypatch.setattr(api, "_convert_actual", lambda f, ctx: converted.append(f) or true(f, ctx))

    @tf.function
    def draws(seed, seeds):
        drawn = [random.normal((6,), seed), random.uniform((6,), random.fold(seeds, 1))]
        return drawn + [random.draw("uniform", 6, 1, seed), random.draw_rows("normal", 2, seed)]

    draws.get_concrete_function(tf.constant((1, 2), "int64"), SEEDS)
    names = {(f.__module__ or "") for f in converted}
    assert converted and not [name for name in names if name.startswith("zoo")]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: random.check_prior("norma"), "did you mean 'normal'.*prior='norma'"),
        (
            lambda: random.draw("normal", 1, 1, (0, 0), 0),
            "`truncation` is not positive.*truncation=0",
        ),
        (lambda: random.from_seed("normal", 3, 1, [1, 2]), "each of the 3 samples"),
        (lambda: random.from_seed("normal", 1, 1, 0.5), r"one integer.*seed=0\.5"),
    ],
)
def test_errors_name_what_was_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
