"""The draw that ONNX can hold: against Philox's and SciPy's numbers, and in ONNX Runtime."""

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


def test_what_it_cannot():
    with pytest.raises(NotImplementedError, match="no error function"):
        portable_draw.draw_rows("normal", 3, tf.constant(SEEDS), 0.7)
