"""The draw that ONNX can hold: against Philox's and SciPy's numbers, and in ONNX Runtime."""

import math

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
import tf2onnx
from scipy import stats

from export import portable_draw
from zoo import random

SEEDS = np.array([0, 1, -3, 2**40 + 7, 2**63 - 1, -(2**63), *range(50)])


def test_the_quantile_is_scipys():
    p = np.concatenate([np.geomspace(2.0**-24, 1, 400), [1.0, 0.15, 2 * 0.075]])
    quantiles = portable_draw._quantile(tf.constant(p, "float64")).numpy()
    np.testing.assert_allclose(quantiles, stats.norm.ppf(p / 2), rtol=1e-14, atol=1e-15)
    tail = np.geomspace(1e-300, 1e-20, 50)  # The third branch.
    quantiles = portable_draw._quantile(tf.constant(tail, "float64")).numpy()
    np.testing.assert_allclose(quantiles, stats.norm.ppf(tail / 2), rtol=1e-14)


def test_products_of_32_bits():
    words = np.array([0, 1, 0xFFFF, 0x10000, 0xDEADBEEF, 0xFFFFFFFF])
    factor = 0xD2511F53
    high, low = portable_draw._product(tf.constant(words), factor)
    wanted = [int(word) * factor for word in words]
    np.testing.assert_array_equal(high, [product >> 32 for product in wanted])
    np.testing.assert_array_equal(low, [product & 0xFFFFFFFF for product in wanted])


@pytest.mark.parametrize("latent_dim", [2, 64, 70])
@pytest.mark.parametrize("prior, error", [("normal", 5e-7), ("uniform", 0)])
def test_latents_are_those_of_python(prior, error, latent_dim):
    drawn = portable_draw.draw_rows(prior, latent_dim, tf.constant(SEEDS)).numpy()
    wanted = random.draw_rows(prior, latent_dim, SEEDS).numpy()
    assert np.abs(drawn - wanted).max() <= error


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_seed_in_onnx_runtime():
    inputs = [tf.TensorSpec((None,), "int64", name="seed")]
    function = tf.function(
        lambda seed: portable_draw.draw_rows("normal", 13, seed), input_signature=inputs
    )
    model, _ = tf2onnx.convert.from_function(function, inputs, opset=18)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (drawn,) = session.run(None, {"seed": SEEDS})
    assert np.abs(drawn - random.draw_rows("normal", 13, SEEDS).numpy()).max() <= 5e-7


LIMITS = np.array([1e-30, 1e-3, 0.25, 0.75, 1.0, 2.5, 5.4, 6.0, 7.0, np.inf], "float32")


def test_what_is_inside_is_maths():
    """To a few units in the last place of float64; at an infinite limit all."""
    limits = np.concatenate([np.geomspace(1e-30, 1e-3, 100), np.linspace(1e-3, 9.0, 3000)])
    inside = portable_draw._inside(tf.constant(limits)).numpy()
    wanted = np.array([math.erf(limit / math.sqrt(2.0)) for limit in limits])
    below = limits < portable_draw.FARTHEST
    np.testing.assert_allclose(inside[below], wanted[below], rtol=4e-15)
    np.testing.assert_array_equal(inside.astype("float32"), wanted.astype("float32"))
    assert np.float32(portable_draw._inside(tf.constant(np.inf, "float64"))) == 1.0


def truncated_in_onnx(prior, latent_dim):
    """A function of seeds and limits, of ONNX Runtime."""
    inputs = [
        tf.TensorSpec((None,), "int64", name="seed"),
        tf.TensorSpec((None,), "float32", name="truncation"),
    ]
    function = tf.function(
        lambda seed, truncation: portable_draw.draw_rows(prior, latent_dim, seed, truncation),
        input_signature=inputs,
    )
    model, _ = tf2onnx.convert.from_function(function, inputs, opset=18)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return lambda seeds, limits: session.run(None, {"seed": seeds, "truncation": limits})[0]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("prior, error", [("normal", 5e-7), ("uniform", 0)])
def test_a_truncation_is_that_of_python(prior, error):
    """A limit a row; here and in ONNX Runtime, beside it the size of the limit."""
    seeds = np.repeat(SEEDS, len(LIMITS))
    limits = np.tile(LIMITS, len(SEEDS))
    wanted = random.draw_rows(prior, 33, seeds, tf.constant(limits)).numpy()
    assert np.all(np.abs(wanted) <= limits[:, None])
    made = {
        "TensorFlow": portable_draw.draw_rows(prior, 33, tf.constant(seeds), tf.constant(limits)),
        "ONNX Runtime": truncated_in_onnx(prior, 33)(seeds, limits),
    }
    size = np.clip(limits, 1e-3, 1.0)[:, None]
    for runtime, drawn in made.items():
        assert (np.abs(drawn - wanted) / size).max() <= error, runtime
