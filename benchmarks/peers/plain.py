"""The DCGAN pair in Keras's own layers, as a user would write it, and the data of all peers."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def players(cell):
    """Generator and discriminator of the same layers and weights as zoo's DCGAN.

    Batch normalization is in the generator alone.
    """
    side, _, channels = cell["image_shape"]
    stages = 3 if side == 32 else 2
    base, maps = side // 2**stages, cell["filters"] * 2 ** (stages - 1)
    keras.config.set_dtype_policy(policy(cell))
    start = keras.initializers.RandomNormal(stddev=0.02)
    normal = {"kernel_initializer": start}
    generator = [
        keras.Input((100,)),
        layers.Dense(base * base * maps, use_bias=False, **normal),
        layers.Reshape((base, base, maps)),
    ]
    for stage in range(stages):
        generator += [layers.BatchNormalization(momentum=0.9, epsilon=1e-5), layers.ReLU()]
        last = stage == stages - 1
        maps = channels if last else maps // 2
        generator.append(layers.Conv2DTranspose(maps, 5, 2, "same", use_bias=last, **normal))
    generator.append(layers.Activation("tanh", dtype="float32"))
    discriminator = [keras.Input(cell["image_shape"])]
    for stage in range(stages):
        maps = cell["filters"] * 2**stage
        discriminator += [layers.Conv2D(maps, 5, 2, "same", **normal), layers.LeakyReLU(0.2)]
    discriminator += [layers.Flatten(), layers.Dense(1, dtype="float32", **normal)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def policy(cell):
    return {"bfloat16": "mixed_bfloat16"}.get(cell["precision"], cell["precision"])


def images(cell, count=4096):
    """Random uint8 images: a step takes the same time on them as on pictures."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *cell["image_shape"]), "uint8")


def batches(cell):
    """float32 batches in [-1, 1] without end, made as the Keras examples make them."""
    data = tf.data.Dataset.from_tensor_slices(images(cell)).shuffle(4096).repeat()
    data = data.batch(cell["batch_size"], drop_remainder=True)
    return data.map(lambda x: tf.cast(x, "float32") / 127.5 - 1.0).prefetch(2)
