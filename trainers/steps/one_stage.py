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


def applies(trainer):
    """Whether a compiled trainer's two gradients can be had in one stage.

    That is: nothing is differentiated once more, the discriminator is known to treat examples
    apart, changing the other samples moves no logit, and both losses are functions of the logits
    alone. The losses are asked themselves, so that a subclass may change any of its methods.
    """
    return (
        not trainer.second_order
        and not trainer.generator_terms
        and not trainer.discriminator_terms
        and trainer.discriminator.compute_dtype != "float16"  # Its range is too small to divide.
        and coupling.treats_examples_apart(trainer.discriminator)
        and _sees_samples_apart(trainer)
        and _losses_are_of_logits(trainer)
    )


def _batch(trainer, rng):
    """Samples and labels that stand for a batch."""
    shape = (coupling.ROWS, *trainer.traits.image_shape)
    classes = trainer.traits.num_classes
    labels = None if classes is None else tf.constant(rng.integers(0, classes, shape[:1]), "int32")
    return rng.normal(size=shape).astype("float32"), labels


def _sees_samples_apart(trainer):
    """Whether the views of a generated sample, and of real ones, depend on no other sample."""
    rng = np.random.default_rng(0)
    samples, labels = _batch(trainer, rng)
    real = tf.constant(samples[::-1])

    def logits(fake):
        with keras.StatelessScope():
            views = trainer.views(real, tf.constant(fake), labels, training=True)
        shapes = {tuple(view.logits.shape) for view in views}
        if shapes != {(len(fake),)}:
            raise ValueError("not one logit a sample")
        return [views[1].logits.numpy()[:1], views[0].logits.numpy()]

    return coupling.moves_row(logits, samples, rng) is False


def _losses_are_of_logits(trainer):
    """Whether both players' losses have no other derivative than by the logits."""
    rng = np.random.default_rng(0)
    samples, labels = _batch(trainer, rng)
    key = trainer.key(0)
    weights = [*trainer.generator.trainable_variables, *trainer.discriminator.trainable_variables]
    try:
        with keras.StatelessScope():  # A loss may track what it makes.
            view = trainer.view(tf.constant(samples), labels, training=True)
            real, fake = view.detached(), view.detached()
            others = [x for v in (real, fake) for x in (v.samples, v.features)]
            others = [x for x in others if x is not None]
            with tf.GradientTape(persistent=True) as tape:
                tape.watch([*others, real.logits, fake.logits])
                d_loss = trainer.discriminator_losses(real, fake, key)
                g_loss = trainer.surrogate_losses(trainer.generator_losses(real, fake), key)
                at = (real.samples, fake.samples, labels, key)
                d_loss += trainer.penalty("discriminator", *at)
                g_loss += trainer.penalty("generator", *at)
    except Exception:  # A user's own loss may want a batch of its own kind.
        return False
    elsewhere = [tape.gradient(loss, [*others, *weights]) for loss in (d_loss, g_loss)]
    return all(gradient is None for gradient in tf.nest.flatten(elsewhere))


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
