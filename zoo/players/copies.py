"""A second player like a given one, made from its config as a file makes it, and compared with it.

A moving average, and whoever loads a file, has a network that was made again from a config. A
config that lacks something makes another network and no error; so a copy is held against its
original before it is used.
"""

import json
import re
import sys

import keras
import numpy as np

from zoo import random
from zoo.players import changes, conditions, origins
from zoo.players.recorded import Recorded
from zoo.players.sampling import say_range
from zoo.validation import parameter_names

EVERY_MODELS = ("name", "trainable", "dtype")
ROWS, LOOSE = 3, 16  # Of the probe, and its sides where a model leaves them open.
STEPS = (0, 1, 100, 10_000)  # At which schedules are compared.
FILE = "a file needs that"
ALIKE = 1e-4  # How far outputs of equal networks may be apart, as a share of the largest.


def copied(model, name="model", purpose=FILE):
    """A model of the same config and weights, which gives the same outputs.

    Python's random numbers stay where they were.

    Args:
        model: A built Keras model.
        name: The argument that it was, for the message.
        purpose: What it is copied for, for the message.

    Raises:
        ValueError: If its config cannot be written or read, or makes another network. The message
            says what is missing, and what to do.
    """
    try:
        with changes.unmoved_random():
            config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
            twin = keras.saving.deserialize_keras_object(config)
    except Exception as error:
        raise _refusal(model, name, purpose, *_reason(error)) from error
    _check_like(model, twin, name, purpose)
    _check_origin(model, twin, name, purpose)
    if "value_range" in vars(model):  # It may have been said of the first, and is in no config.
        say_range(twin, model.value_range)
    return twin


def _check_origin(model, twin, name, purpose):
    """A plain model that shares a generator's graph knows its prior, which no file of it holds."""
    origin = origins.of(model)
    if origin.prior == origins.of(twin).prior:
        return
    if purpose == FILE:
        raise _refusal(
            model,
            name,
            purpose,
            f"its latents are of the {origin.prior} prior, as those of the generator whose graph "
            "it shares, and a plain model's file does not say so",
            "the generator itself, or a model that calls it: keras.Model(z, f(generator(z)))",
        )
    origins.mark(twin, origin)


def check(model, name="model", purpose=FILE):
    """Raises the `ValueError` of `copied`; a player of the zoo as it was made passes at once."""
    if not _of_the_house(model):
        copied(model, name, purpose)


def check_object(thing, name, purpose=FILE):
    """Raises a `ValueError` if an objective, a schedule or their like comes back as another.

    Args:
        thing: An object with a Keras config.
        name: The argument that it was, for the message.
        purpose: What it is made again for, for the message.
    """
    try:
        with changes.unmoved_random():
            config = json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))
            twin = keras.saving.deserialize_keras_object(config)
    except Exception as error:
        raise _refusal(thing, name, purpose, *_reason(error)) from error
    lost = (
        _lost_arguments(thing, twin) or _lost_settings(thing, twin) or _lost_schedule(thing, twin)
    )
    if lost:
        raise _refusal(thing, name, purpose, *lost)


def check_parts(value, name, purpose=FILE):
    """`check_object` of each object that an argument holds, where it is one, or a list of them."""
    for part in keras.tree.flatten(value):
        if callable(getattr(part, "get_config", None)) and not _builtin(part):
            check_object(part, name, purpose)


def _builtin(thing):
    """Whether an object is Keras's own, or of this package with nothing but plain arguments."""
    root = type(thing).__module__.partition(".")[0]
    if root == "keras":
        return not any(_own_parts(thing))
    plain = isinstance(thing, Recorded) and root in ("zoo", "trainers")
    return plain and _are_plain(thing.recorded_arguments().values())


def _own_parts(thing):
    """Objects in an optimizer that may be a user's: its schedule."""
    for value in vars(thing).values():
        schedule = isinstance(value, keras.optimizers.schedules.LearningRateSchedule)
        if schedule or isinstance(value, keras.optimizers.Optimizer):
            yield type(value).__module__.partition(".")[0] != "keras" or any(_own_parts(value))


def _are_plain(values):
    plain = (str, int, float, type(None), keras.DTypePolicy)
    return all(isinstance(value, plain) for value in keras.tree.flatten(list(values)))


def check_class(thing, name):
    """Raises a `ValueError` if Keras will not find the class of an object by its name."""
    cls = type(thing)
    registered = keras.saving.get_registered_object(keras.saving.get_registered_name(cls))
    here = getattr(sys.modules.get(cls.__module__), cls.__name__, None)
    if cls not in (registered, here):
        raise _refusal(thing, name, FILE, *_unknown(cls.__name__))


def _of_the_house(model):
    """Whether a model is a player of the zoo, with plain arguments and layers as they were made."""
    if not type(model).__module__.startswith("zoo.") or not isinstance(model, Recorded):
        return False
    return (
        model.owns_layers
        and "changed_layers" not in model.get_config()
        and _are_plain(model.recorded_arguments().values())
    )


# === What may differ ===


def _check_like(model, twin, name, purpose):
    """Gives a copy its weights, and compares arguments, weights, layers' settings and outputs."""
    refuse = lambda *reason: _refusal(model, name, purpose, *reason)  # noqa: E731
    lost = _lost_arguments(model, twin)
    if lost:
        raise refuse(*lost)
    own, other = ([tuple(w.shape) for w in m.weights] for m in (model, twin))
    if own != other:
        raise refuse(
            f"the copy has weights of shapes {_few(other, own)} where it has {_few(own, other)}",
            ARGUMENTS,
        )
    twin.set_weights(model.get_weights())
    for place, mine, its in _settings_apart(model, twin):
        raise refuse(
            f"in the copy {place} has {its} where it has {mine}",
            "a get_config of the layer that holds it to say so, or the change to be made by the "
            "constructor",
        )
    if not _of_the_house(model) and _outputs_apart(model, twin):
        raise refuse("the copy gives other outputs with the same weights", ARGUMENTS)


def _lost_arguments(thing, twin):
    """The reason and the remedy, if a recorded object has other arguments in its copy."""
    if not isinstance(thing, Recorded):
        return None
    own, other = (_arguments(t) for t in (thing, twin))
    for key in own:
        if json.dumps(own[key], default=repr) != json.dumps(other.get(key), default=repr):
            return _lost(key, own[key], other.get(key))
    return None


def _lost(key, own, other):
    given = f"its argument `{key}` is {other!r} in the copy, and {own!r} in it"
    return given, f"get_config to hold `{key}`, and from_config to hand it on"


def _lost_settings(thing, twin):
    """The reason and the remedy, if an optimizer of a user's has other settings in its copy.

    Nothing records its constructor's arguments: those that it keeps under their own names are seen.
    """
    if not isinstance(thing, keras.optimizers.Optimizer):
        return None
    if isinstance(thing, keras.optimizers.LossScaleOptimizer):
        return _lost_settings(thing.inner_optimizer, twin.inner_optimizer)
    classes = [c for c in type(thing).__mro__ if issubclass(c, keras.optimizers.Optimizer)]
    for key in parameter_names(*classes):
        own, other = (_setting(optimizer, key) for optimizer in (thing, twin))
        if key not in EVERY_MODELS and own != other:
            return _lost(key, own, other)
    return None


def _setting(optimizer, name):
    """What an optimizer keeps of an argument, where that is plain; else `None`."""
    value = vars(optimizer).get(name, vars(optimizer).get(f"_{name}"))
    if isinstance(value, keras.Variable) and len(value.shape) == 0:
        return float(value.numpy())
    if not _are_plain([value]):
        return None
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _lost_schedule(thing, twin):
    """The reason and the remedy, if a schedule, or an optimizer's, gives other numbers."""
    own, other = (getattr(t, "_learning_rate", t) for t in (thing, twin))
    if isinstance(own, keras.optimizers.schedules.LearningRateSchedule):
        for step in STEPS:
            numbers = [float(schedule(keras.ops.cast(step, "int32"))) for schedule in (own, other)]
            if not np.allclose(*numbers, rtol=ALIKE, atol=0):
                given = f"at step {step} it is {numbers[1]:.3g} in the copy, and {numbers[0]:.3g}"
                return given, f"get_config of {type(own).__name__} to hold every argument"
    return None


def _arguments(thing):
    """The recorded arguments as a config has them; those of every model are compared apart."""
    given = {k: v for k, v in thing.recorded_arguments().items() if k not in EVERY_MODELS}
    return {k: changes.without_numbers(thing.serialized(k, v)) for k, v in given.items()}


def _settings_apart(model, twin):
    """What layers and weights of a copy are frozen or computed otherwise: place, mine, its."""
    pairs = zip(model._flatten_layers(), twin._flatten_layers(), strict=False)
    for mine, its in pairs:
        for what in ("trainable", "compute_dtype"):
            values = [getattr(layer, what) for layer in (mine, its)]
            if values[0] != values[1]:
                yield f"the layer {mine.name!r}", f"{what}={values[0]}", f"{what}={values[1]}"
    for mine, its in zip(model.weights, twin.weights, strict=True):
        if mine.trainable != its.trainable:
            yield f"the weight {mine.path!r}", *(f"trainable={w.trainable}" for w in (mine, its))


def _outputs_apart(model, twin):
    """Whether two models of equal weights give other outputs, where each repeats its own."""
    inputs = _probe(model)
    if inputs is None:
        return False
    try:
        own, repeated = _twice(model, inputs)
    except Exception:  # It wants inputs of its own kind.
        return False
    largest = max(np.abs(own).max(initial=0.0), 1e-30)
    if np.abs(own - repeated).max(initial=0.0) > ALIKE * largest:
        return False  # Each call draws anew.
    other, _ = _twice(twin, inputs)
    return own.shape != other.shape or np.abs(own - other).max(initial=0.0) > ALIKE * largest


def _twice(model, inputs):
    """The outputs of two calls, of which the model keeps nothing: no seed of it moves."""
    with keras.StatelessScope():
        return [_flat(model(inputs, training=False)) for _ in range(2)]


def _probe(model):
    """A few latents or samples from a fixed seed, and labels in turn; `None` without a form."""
    form = getattr(model, "input", None)
    if form is None:  # A Sequential has a list of one.
        form = getattr(model, "inputs", None)
        if not form:
            return None
        form = form[0] if len(form) == 1 else form

    def draw(tensor):
        shape = (ROWS, *(LOOSE if side is None else side for side in tensor.shape[1:]))
        if "int" in str(tensor.dtype):
            classes = getattr(conditions.of(model), "num_classes", 2)
            return keras.ops.cast(np.arange(np.prod(shape)).reshape(shape) % classes, tensor.dtype)
        return keras.ops.cast(random.normal(shape, (0, 0)), tensor.dtype)

    return keras.tree.map_structure(draw, form)


def _flat(outputs):
    """All numbers of a model's outputs as one float64 vector; what is no number counts as 0."""
    arrays = [keras.ops.convert_to_numpy(keras.ops.cast(t, "float32")) for t in _tensors(outputs)]
    return np.nan_to_num(np.concatenate([a.ravel().astype("float64") for a in arrays]))


def _tensors(outputs):
    return [t for t in keras.tree.flatten(outputs) if t is not None]


# === What is said ===

ARGUMENTS = (
    "get_config to hold every argument of the constructor, of its layers too (a subclass of "
    "zoo.Generator or zoo.Discriminator that takes them by name has them there without one)"
)


def _unknown(name):
    return (
        f"Keras does not find the class {name!r}",
        "@keras.saving.register_keras_serializable() above it, outside of any function",
    )


def _reason(error):
    """Why a config could not be written or read, and the remedy."""
    text = str(error)
    if "Could not locate" in text:
        return _unknown(re.search(r"Could not locate \w+ '([^']+)'", text)[1])
    if "lambda" in text.lower():
        return (
            "it has a Python lambda, which no file holds safely",
            "a subclass of keras.layers.Layer in the place of a Lambda layer, and a registered "
            "function in that of a lambda",
        )
    first = next((line for line in text.splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first[:200]}", ARGUMENTS


def _refusal(thing, name, purpose, reason, remedy):
    received = getattr(thing, "name", None) or type(thing).__name__
    return ValueError(
        f"`{name}` cannot be made again from its config, and {purpose}: {reason}. "
        f"Expected {remedy}. Received: {name}={received!r} of class {type(thing).__name__}"
    )


def _few(shapes, others):
    """The first of some shapes at which they differ from others."""
    apart = [a for a, b in zip(shapes, others, strict=False) if a != b]
    return str(apart[:3]) if apart else f"{len(shapes)} in number"
