"""A hand-written `tf.function` as in TensorFlow's DCGAN tutorial, in plain Keras layers."""

import keras
import tensorflow as tf
from plain import batches, players


def make(cell):
    keras.utils.set_random_seed(0)
    generator, discriminator = players(cell)
    g_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
    d_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
    g_optimizer.build(generator.trainable_variables)
    d_optimizer.build(discriminator.trainable_variables)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def train_step(images):
        """Both gradients at one point, as the tutorial does: one generated batch for both."""
        noise = tf.random.normal((cell["batch_size"], 100))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            generated = generator(noise, training=True)
            real = discriminator(images, training=True)
            fake = discriminator(generated, training=True)
            g_loss = cross_entropy(tf.ones_like(fake), fake)
            d_loss = cross_entropy(tf.ones_like(real), real)
            d_loss += cross_entropy(tf.zeros_like(fake), fake)
        g_gradients = g_tape.gradient(g_loss, generator.trainable_variables)
        d_gradients = d_tape.gradient(d_loss, discriminator.trainable_variables)
        g_optimizer.apply(g_gradients, generator.trainable_variables)
        d_optimizer.apply(d_gradients, discriminator.trainable_variables)
        return g_loss, d_loss

    iterator = iter(batches(cell))

    def run(steps):
        for _ in range(steps):
            losses = train_step(next(iterator))
        return [float(loss) for loss in losses]

    return run
