"""Six pairs of plain Keras nets as people write them, small, with a logit where they put a sigmoid.

Reference:
    - keras_gan: the `gan.py` of eriklindernoren's Keras-GAN.
    - dcgan, conditional, wgan_gp: the examples "DCGAN to generate face images", "Conditional GAN"
      and "WGAN-GP overriding Model.train_step" of keras.io.
"""

import keras
import numpy as np

L = keras.layers
WIDTH = 8


def keras_gan(head=None):
    """Dense layers, of which the last is reshaped to a grey picture after its tanh."""
    generator, discriminator = [keras.Input((10,))], [keras.Input((28, 28, 1)), L.Flatten()]
    for width in (WIDTH, 2 * WIDTH):
        generator += [L.Dense(width), L.LeakyReLU(0.2), L.BatchNormalization(momentum=0.8)]
        discriminator += [L.Dense(width), L.LeakyReLU(0.2)]
    generator += [L.Dense(28 * 28, activation="tanh"), L.Reshape((28, 28, 1))]
    discriminator.append(L.Dense(1, activation=head))
    return keras.Sequential(generator), keras.Sequential(discriminator)


def dcgan(head=None):
    """Transposed convolutions up to a sigmoid of colours."""
    generator = [keras.Input((10,)), L.Dense(4 * 4 * WIDTH), L.Reshape((4, 4, WIDTH))]
    discriminator = [keras.Input((16, 16, 3))]
    for _ in range(2):
        generator += [L.Conv2DTranspose(WIDTH, 4, 2, "same"), L.LeakyReLU(0.2)]
        discriminator += [L.Conv2D(WIDTH, 4, 2, "same"), L.LeakyReLU(0.2)]
    generator.append(L.Conv2D(3, 5, padding="same", activation="sigmoid"))
    discriminator += [L.Flatten(), L.Dropout(0.2), L.Dense(1, activation=head)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def conditional():
    """Labels enter as ten more numbers of the latent, and as ten more channels of the picture."""
    generator = [keras.Input((10 + 10,)), L.Dense(7 * 7 * WIDTH), L.Reshape((7, 7, WIDTH))]
    for _ in range(2):
        generator += [L.Conv2DTranspose(WIDTH, 4, 2, "same"), L.LeakyReLU(0.2)]
    generator.append(L.Conv2D(1, 7, padding="same", activation="sigmoid"))
    discriminator = [keras.Input((28, 28, 1 + 10)), L.Conv2D(WIDTH, 3, 2, "same"), L.LeakyReLU(0.2)]
    discriminator += [L.GlobalMaxPooling2D(), L.Dense(1)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def wgan_gp():
    """Upsampling to 32 pixels, a tanh as a layer, then a cropping to 28."""
    generator = [keras.Input((10,)), L.Dense(4 * 4 * WIDTH, use_bias=False)]
    generator += [L.BatchNormalization(), L.LeakyReLU(0.2), L.Reshape((4, 4, WIDTH))]
    for filters in (WIDTH, WIDTH, 1):
        generator += [L.UpSampling2D(), L.Conv2D(filters, 3, padding="same", use_bias=False)]
        generator.append(L.BatchNormalization())
        generator.append(L.Activation("tanh") if filters == 1 else L.LeakyReLU(0.2))
    generator.append(L.Cropping2D((2, 2)))
    discriminator = [keras.Input((28, 28, 1)), L.ZeroPadding2D((2, 2))]
    for _ in range(2):
        discriminator += [L.Conv2D(WIDTH, 5, 2, "same"), L.LeakyReLU(0.2), L.Dropout(0.3)]
    discriminator += [L.Flatten(), L.Dense(1)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def lstm():
    """A signal of twelve steps by two recurrent nets."""
    generator = [keras.Input((10,)), L.RepeatVector(12), L.LSTM(WIDTH, return_sequences=True)]
    generator.append(L.TimeDistributed(L.Dense(1)))
    discriminator = [keras.Input((12, 1)), L.LSTM(WIDTH), L.Dense(1)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def volume():
    """A solid of 8 x 8 x 8 cells between 0 and 1."""
    generator = [keras.Input((10,)), L.Dense(4**3 * 2), L.Reshape((4, 4, 4, 2))]
    generator.append(L.Conv3DTranspose(1, 4, 2, "same", activation="sigmoid"))
    discriminator = [keras.Input((8, 8, 8, 1)), L.Conv3D(WIDTH, 4, 2, "same"), L.LeakyReLU(0.2)]
    discriminator += [L.Flatten(), L.Dense(1)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


NETS = {net.__name__: net for net in (keras_gan, dcgan, conditional, wgan_gp, lstm, volume)}
PICTURES = {"keras_gan", "dcgan", "conditional", "wgan_gp"}


def samples(net, count=20):
    """Real samples of the kind that a net makes: uint8 pictures, or floats."""
    rng = np.random.default_rng(0)
    shape = {"lstm": (12, 1), "volume": (8, 8, 8, 1), "dcgan": (16, 16, 3)}.get(net, (28, 28, 1))
    if net in PICTURES:
        return rng.integers(0, 256, (count, *shape)).astype("uint8")
    return rng.uniform(0, 1, (count, *shape)).astype("float32")
