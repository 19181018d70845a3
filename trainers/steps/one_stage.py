"""The one-stage step: two gradients from one backward pass of the samples (Shen et al., 2021).

Both losses depend on the generated samples x_i through the logits v_i alone, and where the
discriminator treats examples apart, v_i depends on no other sample. So the two derivatives by x_i
have one direction: `dL_G/dx_i = (dL_G/dv_i) / (dL_D/dv_i) dL_D/dx_i`. The backward pass that the
discriminator needs anyway ends at the samples, is multiplied by one number an example, and goes on
through the generator.

Reference:
    - [Shen et al., 2021](https://arxiv.org/abs/2103.00430), Training generative adversarial
      networks in one stage, section 3.
"""

import keras
import numpy as np
import tensorflow as tf

from trainers.steps import coupling

# A derivative below this counts as this much: too little to move a weight, enough to divide by.
SMALLEST = 1e-20
FLOAT, HALF = 1e-3, 0.05  # How far two ways to one gradient may be apart, as a share of it.


def applies(trainer):
    """Whether a compiled trainer's two gradients can be had in one stage.

    That is: nothing is differentiated once more, no player adds losses of its own, and the
    discriminator is known to treat examples apart. Then the trainer is asked itself, so that a
    subclass may change any of its methods: with other weights, a small batch has to give both
    players the gradients of the general way.
    """
    return (
        not trainer.second_order
        and not trainer.generator_terms
        and not trainer.discriminator_terms
        and trainer.patches == 1  # Of a map each logit has a ratio of its own.
        and not trainer.regularized
        and trainer.discriminator.compute_dtype != "float16"  # Its range is too small to divide.
        and coupling.treats_examples_apart(trainer.discriminator)
        and _agrees(trainer)
    )


def _agrees(trainer):
    """Whether both ways lead to the same gradients, by one try of each."""
    rng = np.random.default_rng(0)
    shape = (coupling.ROWS, *trainer.traits.image_shape)
    real = tf.constant(rng.normal(size=shape), "float32")
    told = trainer.traits.condition
    labels = None if told is None else tf.constant(told.drawn(shape[0], rng))
    players = (trainer.generator, trainer.discriminator)
    try:
        with coupling.other_weights(*players, rng=rng):
            ways = []
            for way in (trainer.two_gradients, lambda *batch: gradients(trainer, *batch)):
                with keras.StatelessScope():  # Nothing is tracked, no seed moves.
                    ways.append(way(real, labels, trainer.key(0)))
    except Exception:  # A user's own loss may want a batch of its own kind.
        return False
    half = {"float16", "bfloat16"} & {
        layer.compute_dtype for player in players for layer in player._flatten_layers()
    }
    return all(_near(a, b, HALF if half else FLOAT) for a, b in zip(*ways, strict=True))


def _near(a, b, tolerance):
    """Whether two lists of gradients differ by no more than rounding."""
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None or y is not None]
    if any(x is None or y is None for x, y in pairs):
        return False
    a, b = (
        np.concatenate([np.ravel(tf.cast(tf.convert_to_tensor(x), "float64")) for x in column])
        for column in zip(*pairs, strict=True)
    )
    return bool(np.linalg.norm(a - b) <= tolerance * np.linalg.norm(a))


def gradients(trainer, real, labels, key):
    """As `GAN.simultaneous_gradients`."""
    d_variables = trainer.discriminator.trainable_variables
    g_variables = trainer.generator.trainable_variables
    with tf.GradientTape() as generator_tape:
        fake = trainer.fake_for_generator(real, labels, key)
        real, fake = trainer.perturbed(real, fake, key)
    with tf.GradientTape() as discriminator_tape:
        discriminator_tape.watch(fake)
        views = trainer.views(real, fake, labels, training=True)
    logits = [view.logits for view in views]
    with tf.GradientTape(persistent=True) as loss_tape:
        loss_tape.watch(logits)
        watched = [view._replace(logits=v) for view, v in zip(views, logits, strict=True)]
        d_losses = trainer.discriminator_losses(*watched, key)
        g_losses = trainer.generator_losses(*watched)
        d_loss = trainer.discriminator_optimizer.scale_loss(tf.reduce_mean(d_losses))
        g_loss = trainer.generator_optimizer.scale_loss(tf.reduce_mean(g_losses))
    zero = tf.UnconnectedGradients.ZERO
    by_real, by_fake = loss_tape.gradient(d_loss, logits, unconnected_gradients=zero)
    g_by_fake = loss_tape.gradient(g_loss, logits[1])
    divisor = tf.where(tf.abs(by_fake) < SMALLEST, SMALLEST, by_fake)
    *d_gradients, by_sample = discriminator_tape.gradient(
        logits, [*d_variables, fake], output_gradients=[by_real, divisor]
    )
    ratio = tf.reshape(g_by_fake / divisor, (-1, *(1 for _ in fake.shape[1:])))
    g_gradients = generator_tape.gradient(
        fake, g_variables, output_gradients=by_sample * tf.cast(ratio, by_sample.dtype)
    )
    trainer.track_discriminator(d_losses, *views)
    trainer.trackers["generator_loss"].update_state(g_losses)
    return d_gradients, g_gradients
