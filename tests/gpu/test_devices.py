"""On a GPU: XLA, TensorFlow's own kernels and the CPU train to the same weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import state

pytestmark = pytest.mark.skipif(
    not tf.config.list_physical_devices("GPU"), reason="This machine has no GPU."
)


def trained(device, jit_compile, make, dtype="float32"):
    keras.utils.set_random_seed(0)
    with tf.device(device):
        gan = make(
            zoo.DCGANGenerator((16, 16, 1), latent_dim=8, filters=8, dtype=dtype),
            zoo.DCGANDiscriminator((16, 16, 1), filters=8, batch_normalization=False, dtype=dtype),
        )
        sgd = keras.optimizers.SGD
        gan.compile(
            generator_optimizer=sgd(0.01),
            discriminator_optimizer=sgd(0.01),
            jit_compile=jit_compile,
        )
        images = np.random.default_rng(0).integers(0, 256, (64, 16, 16, 1), "uint8")
        gan.fit(images, batch_size=16, epochs=2, verbose=0)
    return state(gan.generator, gan.discriminator)


@pytest.mark.parametrize(
    "make",
    [
        trainers.GAN,
        lambda *players: trainers.GAN(*players, schedule="simultaneous"),
        lambda *players: trainers.WassersteinGANGP(*players, discriminator_steps=1),
        lambda *players: trainers.UnrolledGAN(*players, unroll_steps=2),
        lambda *players: trainers.ConsensusGAN(*players, weight=0.1),
    ],
)
def test_devices_and_compilers_agree(make):
    tf.config.experimental.enable_tensor_float_32_execution(False)
    ways = [("GPU:0", True), ("GPU:0", False), ("CPU:0", False)]
    compiled, plain, cpu = (trained(device, jit, make) for device, jit in ways)
    for a, b, c in zip(compiled, plain, cpu, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)
        np.testing.assert_allclose(a, c, atol=1e-3)


def test_auto_means_xla():
    gan = trainers.GAN(zoo.DCGANGenerator((8, 8, 1), filters=2), zoo.DCGANDiscriminator((8, 8, 1)))
    gan.compile()
    assert gan.jit_compile


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains(dtype):
    for weight in trained("GPU:0", True, trainers.GAN, dtype):
        assert np.all(np.isfinite(weight))
