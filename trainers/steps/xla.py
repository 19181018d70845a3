"""When XLA compiles a step that was compiled with `jit_compile="auto"`.

On a GPU always: that is Keras's rule. On a CPU, by `python -m benchmarks.xla` on two cores, the
steps of dense players with many weights are 1.2 to 1.4 times as fast, because XLA makes one pass
over the weights of what an optimizer does in ten; the compilation pays after 150 to 1,500 steps.
Below some 250,000 weights there is nothing to win, and oneDNN's convolutions are faster than XLA's.

What is a user's own may hold an operation that XLA lacks, so it is never chosen for that.
"""

import keras
import tensorflow as tf

from zoo.players.recorded import Recorded

WEIGHTS = 250_000  # From as many on it pays.
OURS = ("keras", "trainers", "zoo")
UNFIT = (
    keras.layers.Lambda,
    *(getattr(keras.layers, name) for name in dir(keras.layers) if "Conv" in name),
)
# What a layer may hold that runs in the step.
HELD = ("activation", "recurrent_activation", "activity_regularizer", "function")
# What objects of a game may hold: looked into, however deep.
OPENED = (
    Recorded,
    keras.optimizers.Optimizer,
    keras.optimizers.schedules.LearningRateSchedule,
)


def choose(trainer, compilation):
    """What Keras should be told: `jit_compile` itself, or `True` where "auto" pays on a CPU.

    Args:
        trainer: A `trainers.GAN`.
        compilation: Its `trainers.steps.compilation.Compilation`.
    """
    jit_compile = compilation.keras["jit_compile"]
    objects = [*compilation.objects, getattr(trainer, "stopping_rule", None)]
    pays = (
        jit_compile == "auto"
        and not compilation.keras["run_eagerly"]
        and not tf.config.get_visible_devices("GPU")
        and trainer.distribute_strategy.num_replicas_in_sync == 1
        and of_ours(trainer)
        and all(_is_fit(layer) for layer in trainer._flatten_layers(include_self=False))
        and all(_is_ours_throughout(operation) for operation in _operations(trainer))
        and all(_is_ours_throughout(thing) for thing in objects if thing is not None)
        and sum(_size(player) for player in (trainer.generator, trainer.discriminator)) >= WEIGHTS
    )
    return True if pays else jit_compile


def _size(player):
    """Weights that are trained; a moving average is none, and comes after the first `compile`."""
    return sum(int(tf.size(weight)) for weight in player.trainable_weights)


def _operations(trainer):
    """The operations of `keras.ops` in the players' graphs, and functions they were given."""
    for layer in trainer._flatten_layers(include_self=False):
        for node in getattr(layer, "operations", []):
            if not isinstance(node, keras.Layer):
                yield node
                for call in node._inbound_nodes:
                    arguments = (call.arguments.args, call.arguments.kwargs)
                    yield from filter(callable, tf.nest.flatten(arguments))


def of_ours(thing):
    """Whether a function, or the class of an object, is of Keras or of this library."""
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return module.split(".")[0] in OURS


def _is_fit(layer):
    held = [v for name, v in vars(layer).items() if _runs(name) and callable(v)]
    return (
        of_ours(layer)
        and not isinstance(layer, UNFIT)
        and layer.compute_dtype == "float32"
        and layer.supports_jit
        and all(of_ours(thing) for thing in held)
    )


def _runs(name):
    name = name.lstrip("_")
    return name in HELD or name.endswith(("_constraint", "_regularizer"))


def _is_ours_throughout(thing):
    """Whether an object of the game and all that it holds is of Keras or of this library."""
    if not of_ours(thing):
        return False
    inner = [v for v in vars(thing).values() if isinstance(v, OPENED)]
    functions = [v for v in vars(thing).values() if callable(v) and not isinstance(v, OPENED)]
    return all(map(_is_ours_throughout, inner)) and all(map(of_ours, functions))
