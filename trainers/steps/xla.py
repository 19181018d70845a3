"""When XLA compiles a step that was compiled with `jit_compile="auto"`.

On a GPU always: that is Keras's rule. On a CPU, by `python -m benchmarks.xla` on two cores, the
steps of dense players with many weights are 1.2 to 1.4 times as fast, because XLA makes one pass
over the weights of what an optimizer does in ten; the compilation pays after 150 to 1,500 steps.
Below some 250,000 weights there is nothing to win, and oneDNN's convolutions are faster than XLA's.
"""

import keras
import tensorflow as tf

WEIGHTS = 250_000  # From as many on it pays.
OURS = ("keras", "trainers", "zoo")
UNFIT = (
    keras.layers.Lambda,
    *(getattr(keras.layers, name) for name in dir(keras.layers) if "Conv" in name),
)


def choose(trainer, jit_compile, run_eagerly, objects):
    """What Keras should be told: `jit_compile` itself, or `True` where "auto" pays on a CPU.

    Args:
        trainer: A `trainers.GAN`.
        jit_compile: As of `compile`.
        run_eagerly: As of `compile`.
        objects: The objective, penalties and perturbations. What is not of this library may hold
            an operation that XLA lacks, and so may a layer.
    """
    pays = (
        jit_compile == "auto"
        and not run_eagerly
        and not tf.config.get_visible_devices("GPU")
        and trainer.distribute_strategy.num_replicas_in_sync == 1
        and all(_of_ours(thing) for thing in (trainer, *objects))
        and all(_is_fit(layer) for layer in trainer._flatten_layers(include_self=False))
        and sum(_size(player) for player in (trainer.generator, trainer.discriminator)) >= WEIGHTS
    )
    return True if pays else jit_compile


def _size(player):
    """Weights that are trained; a moving average is none, and comes after the first `compile`."""
    return sum(int(tf.size(weight)) for weight in player.trainable_weights)


def _of_ours(thing):
    return type(thing).__module__.split(".")[0] in OURS


def _is_fit(layer):
    return _of_ours(layer) and not isinstance(layer, UNFIT) and layer.compute_dtype == "float32"
