"""One backward pass of the generated batch for both players.

Both losses depend on the generated samples x_i through the logits v_i alone, and where the
discriminator treats examples apart, v_i depends on no other sample. So the two derivatives by x_i
have one direction: `dL_G/dx_i = (dL_G/dv_i) / (dL_D/dv_i) dL_D/dx_i`. The backward pass that the
discriminator needs anyway ends at the samples, is multiplied by one number an example, and goes on
through the generator.
"""

import keras
import tensorflow as tf

from trainers.steps import gradient_estimators
from zoo.layers.minibatch_discrimination import MinibatchDiscrimination
from zoo.layers.virtual_batch_normalization import VirtualBatchNormalization

COUPLING = (
    keras.layers.BatchNormalization,
    keras.layers.Lambda,
    MinibatchDiscrimination,
    VirtualBatchNormalization,
)
# A derivative below this counts as this much: too little to move a weight, enough to divide by.
SMALLEST = 1e-20


def treats_examples_apart(discriminator):
    """Whether no logit depends on another example, as far as the layers are known to say."""
    if isinstance(discriminator, keras.Sequential):
        nodes = discriminator.layers
    else:
        nodes = getattr(discriminator, "operations", None)
    if nodes is None:  # A model with a `call` of its own.
        return False
    for node in nodes:
        if isinstance(node, keras.Model):
            if not treats_examples_apart(node):
                return False
        elif not isinstance(node, keras.Layer) or isinstance(node, COUPLING):
            return False
        elif type(node).__module__.split(".")[0] not in ("keras", "zoo"):
            return False
        elif any(isinstance(part, COUPLING) for part in node._flatten_layers()):
            return False
    return True


def applies(trainer, cls, methods):
    """Whether the two losses of a trainer are made of logits, by `methods` of `cls` itself."""
    return (
        all(getattr(type(trainer), name) is getattr(cls, name) for name in methods)
        and not trainer.penalties("discriminator")
        and not trainer.penalties("generator")
        and not gradient_estimators.estimates(trainer.generator)
        and trainer.discriminator.compute_dtype != "float16"  # Its range is too small to divide.
        and treats_examples_apart(trainer.discriminator)
    )


def gradients(trainer, real, labels, turn):
    """As `GAN.simultaneous_gradients`."""
    d_variables = trainer.discriminator.trainable_variables
    g_variables = trainer.generator.trainable_variables
    with tf.GradientTape() as make:
        fake = trainer.moving_fake(real, labels, turn)
        real, fake = trainer.perturbed(real, fake, turn)
    with tf.GradientTape() as judge:
        judge.watch(fake)
        views = trainer.views(real, fake, labels, training=True)
    logits = [view.logits for view in views]
    with tf.GradientTape(persistent=True) as lose:
        lose.watch(logits)
        seen = [view._replace(logits=v) for view, v in zip(views, logits, strict=True)]
        d_losses = trainer.discriminator_losses(*seen, turn)
        g_losses = trainer.generator_losses(*seen)
        d_loss = trainer.discriminator_optimizer.scale_loss(tf.reduce_mean(d_losses))
        g_loss = trainer.generator_optimizer.scale_loss(tf.reduce_mean(g_losses))
    zero = tf.UnconnectedGradients.ZERO
    by_real, by_fake = lose.gradient(d_loss, logits, unconnected_gradients=zero)
    wanted = lose.gradient(g_loss, logits[1])
    divisor = tf.where(tf.abs(by_fake) < SMALLEST, SMALLEST, by_fake)
    *d_gradients, by_sample = judge.gradient(
        logits, [*d_variables, fake], output_gradients=[by_real, divisor]
    )
    ratio = tf.reshape(wanted / divisor, (-1, *(1 for _ in fake.shape[1:])))
    g_gradients = make.gradient(
        fake, g_variables, output_gradients=by_sample * tf.cast(ratio, by_sample.dtype)
    )
    trainer.track_discriminator(d_losses, *views)
    trainer.trackers["generator_loss"].update_state(g_losses)
    return d_gradients, g_gradients
