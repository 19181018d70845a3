"""What has been done to the layers of a model since its constructor made them.

A config of constructor arguments makes the layers as they were. What a user did to them then, a
layer frozen, another dtype policy, another rate, LoRA, is told from a `snapshot` taken when the
constructor ended, and done again to the layers of a copy.
"""

import contextlib
import json
import random
import re

import keras

FROZEN = "frozen_weights"  # Weights that are frozen where their layer is not, or the other way.
LORA = ("lora_rank", "lora_alpha")
MADE = "_name_as_made"


@contextlib.contextmanager
def unmoved_random():
    """Leaves Python's random state as it was: a copy's first weights are not to move others'."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


def located(model):
    """All layers by their place: `""` is the model, `"level_0/dense_1"` a layer of a layer.

    A layer that Keras named by itself, after a counter of the process, is called by its number.
    """
    found, seen = {}, set()

    def walk(layer, place):
        seen.add(id(layer))
        found[place] = layer
        inner = list(layer._flatten_layers(include_self=False, recursive=False))
        names = [getattr(child, MADE, child.name) for child in inner]
        for number, (child, name) in enumerate(zip(inner, names, strict=True)):
            if id(child) not in seen:
                named = names.count(name) == 1 and not _named_by_keras(child, name)
                label = name if named else str(number)
                walk(child, f"{place}/{label}" if place else label)

    walk(model, "")
    return found


def _named_by_keras(layer, name):
    """Whether a name is that of the class and a number: `conv2d_3`."""
    own = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__.lstrip("_"))
    own = re.sub("([a-z])([A-Z])", r"\1_\2", own).lower()
    return re.fullmatch(rf"{re.escape(own)}(_\d+)?", name) is not None


def snapshot(model):
    """The settings of all layers, by place: what `since` compares with."""
    layers = located(model)
    for layer in layers.values():  # A place stays the same under another name.
        object.__setattr__(layer, MADE, layer.name)
    return {place: _settings(layer) for place, layer in layers.items()}


def since(model, before):
    """What has changed since a snapshot: a dict of dicts of settings, by place; JSON can hold it.

    In a frozen layer all others are expected to be frozen too, as Keras freezes them. The name,
    the dtype and `trainable` of the model itself stand in its own config.
    """
    changes, layers = {}, located(model)
    for place, layer in layers.items():
        known, now = before.get(place), _settings(layer)
        if known is None:  # Made later.
            known = {"trainable": True, FROZEN: []}
            now = {name: now[name] for name in known}
        if place and not layers[_holder(place)].trainable:
            known = {**known, "trainable": False, FROZEN: []}
        if not place:
            now = {FROZEN: now[FROZEN]}
        changed = {k: v for k, v in now.items() if not _same(v, known.get(k))}
        if changed:
            changes[place] = changed
    return changes


def again(model, changes):
    """Does to a model's layers what `since` has told of another's.

    Raises:
        ValueError: If the model has not these layers, or a layer does not take a setting.
    """
    layers, frozen = located(model), {}
    strangers = sorted(set(changes) - set(layers))
    if strangers:
        raise ValueError(
            f"`changed_layers` names layers that {type(model).__name__} does not have. Expected "
            f"some of {sorted(filter(None, layers))}. Received: changed_layers of {strangers}"
        )
    for place, layer in layers.items():
        settings = dict(changes.get(place, {}))
        inherited = bool(place) and frozen[_holder(place)]
        trainable = settings.pop("trainable", layer.trainable and not inherited)
        odd = settings.pop(FROZEN, None)
        frozen[place] = not trainable
        _set(layer, place, settings)
        if odd is not None or trainable != layer.trainable:
            _set_trainable(layer, trainable, odd or [])


def _holder(place):
    """The place of the layer that holds the one at a place."""
    return place.rpartition("/")[0]


def _settings(layer):
    """A layer's own settings, without those of the layers in it."""
    config = {}
    if not isinstance(layer, keras.Model):  # Its config is made of layers.
        with contextlib.suppress(Exception):  # Some layers have none, and need none here.
            config = layer.get_config()
    own = {
        k: without_numbers(v)
        for k, v in config.items()
        if not _holds_layers(getattr(layer, k, None))
    }
    odd = [v.name for v in layer._trainable_variables if v.trainable != layer.trainable]
    return {
        **{name: without_numbers(config[name]) for name in own},
        "name": layer.name,
        "trainable": layer.trainable,
        "dtype": without_numbers(keras.dtype_policies.serialize(layer.dtype_policy)),
        FROZEN: odd,
    }


def without_numbers(config):
    """A config without the numbers that Keras gives to objects while it writes one file."""
    if isinstance(config, dict):
        return {k: without_numbers(v) for k, v in config.items() if k != "shared_object_id"}
    return [without_numbers(v) for v in config] if isinstance(config, (list, tuple)) else config


def _holds_layers(value):
    return any(isinstance(v, keras.layers.Layer) for v in keras.tree.flatten(value))


def _same(a, b):
    return a is b or json.dumps(a, default=repr) == json.dumps(b, default=repr)


def _set(layer, place, settings):
    """Gives a layer settings that its own class has read from its config."""
    if "lora_rank" in settings:
        layer.enable_lora(*(settings[name] for name in LORA if name in settings))
    for name, value in settings.items():
        if name == "name":
            layer.name = value
        elif name == "dtype":
            layer.dtype_policy = keras.saving.deserialize_keras_object(value)
        elif name not in LORA:
            with contextlib.suppress(Exception):  # What that leaves undone is told below.
                other = type(layer).from_config({**layer.get_config(), name: value})
                setattr(layer, name, getattr(other, name))
    now = _settings(layer)
    for name, value in settings.items():
        if not _same(now.get(name), value):
            raise ValueError(
                f"`changed_layers` has a setting that the layer {place!r} does not take. Expected "
                f"the layer's {name} to become what it was. Received: {name}={value!r}, and the "
                f"layer has {now.get(name)!r}"
            )


def _set_trainable(layer, trainable, odd):
    """Freezes or frees a layer, not the layers in it; the weights that are `odd` contrariwise."""
    layer._trainable = trainable
    for variable in layer._trainable_variables:
        variable.trainable = trainable != (variable.name in odd)
