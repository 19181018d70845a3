"""Objects that remember how they were made: constructor arguments are written once."""

import functools
import inspect

import keras
import numpy as np

from zoo import validation
from zoo.players import changes

ARGUMENTS = "_constructor_arguments"
CHANGED = "changed_layers"
KERAS_ARGUMENTS = ("name", "trainable", "dtype", "autocast")  # Of `keras.Model`.
LAYERS = "_layers_as_made"
ROOM = __name__.partition(".")[0]


class Arguments:
    """What a constructor was called with; no dict, in which Keras would look for weights.

    Attributes:
        values: Dict of the arguments by name.
        passes_on: Whether the constructor that was called last takes any argument for its parent.
        rest: Tuple of the arguments without a name yet: what `*args` took for the parent.
    """

    def __init__(self, values, passes_on=False, rest=()):
        self.values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        self.passes_on = passes_on
        self.rest = rest

    def extended(self, placed, defaults, passes_on):
        """The arguments with those that a subclass, whose they are, leaves to this parent."""
        named = {k: v for k, v in placed.items() if any(v is x for x in self.rest)}
        left = defaults if self.passes_on else {}
        values = self.values | {k: v for k, v in (left | named).items() if k not in self.values}
        return Arguments(values, self.passes_on and passes_on, self.rest)


def refuse_unknown(thing, given, known):
    """Raises a `ValueError` if a constructor was given what neither it nor Keras takes.

    Args:
        thing: The object that is made.
        given: dict. What the constructor does not name.
        known: Names of what its parent takes.
    """
    names = [*thing.argument_names(), *known]
    unknown = {name: value for name, value in given.items() if name not in known}
    validation.refuse_arguments(type(thing).__name__, unknown, names)


class Recorded:
    """A mixin: the constructor's arguments are recorded, and `get_config` is made of them.

    `cls.from_config(thing.get_config())` makes the same thing again, for every subclass and its
    own arguments. Nothing has to be written for it but `__init__`; where a subclass has a
    `get_config` all the same, arguments that it leaves out are added. One that the constructor
    does not keep under its own name becomes an attribute. What a subclass leaves to its parent by
    `**kwargs` is recorded too, with the parent's defaults, and what it sets itself is not. A list
    counts as a tuple, which JSON does not tell from it.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = _recording(cls.__init__)
        if "get_config" in vars(cls):
            cls.get_config = _completing(cls.get_config)

    def __repr__(self):
        """The call that makes it: `R1(weight=5.0, every=1)`. Keras's layers have their own."""
        if isinstance(self, keras.Layer):
            return super().__repr__()
        given = (f"{name}={value!r}" for name, value in self.recorded_arguments().items())
        return f"{type(self).__name__}({', '.join(given)})"

    @classmethod
    def argument_names(cls):
        """The names of the constructor's arguments."""
        return validation.parameter_names(cls)

    def recorded_arguments(self):
        """The constructor's arguments by name, of which `get_config` is made."""
        return getattr(self, ARGUMENTS, Arguments({})).values

    def get_config(self):
        """The constructor's arguments, in the words of JSON."""
        given = self.recorded_arguments()
        return {name: self.serialized(name, value) for name, value in given.items()}

    def serialized(self, name, value):
        """One argument of the constructor as `get_config` gives it."""
        return keras.saving.serialize_keras_object(value)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The inverse of `get_config`."""
        return cls(**{k: deserialized(value, custom_objects) for k, value in config.items()})


def deserialized(value, custom_objects=None):
    """The object of a config, or of every config in a list; other values as they are."""
    if isinstance(value, (list, tuple)):
        return type(value)(deserialized(item, custom_objects) for item in value)
    if isinstance(value, dict) and "class_name" in value and "config" in value:
        return keras.saving.deserialize_keras_object(value, custom_objects)
    return value


def _completing(get_config):
    """A `get_config` of a subclass, with the arguments that it leaves out."""

    @functools.wraps(get_config)
    def complete(self):
        config = get_config(self)
        if type(self).from_config.__func__.__module__.partition(".")[0] != ROOM:
            return config  # Whoever reads it in a way of their own knows what it holds.
        given = {k: v for k, v in self.recorded_arguments().items() if k not in config}
        return {**{k: self.serialized(k, v) for k, v in given.items()}, **config}

    return complete


def _recording(init):
    """The constructor, which first records what the object as a whole was made with."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def __init__(self, *args, **kwargs):
        args, kwargs = _plain(args), {name: _plain(value) for name, value in kwargs.items()}
        outermost = ARGUMENTS not in self.__dict__
        late = _late(self, signature, kwargs) if outermost else {}
        values, defaults, rest = _bound(signature, self, args, kwargs)
        passes_on = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        if not outermost:  # The constructor of a subclass has called this one.
            placed = {k: v for k, v in values.items() if k not in (*kwargs, *defaults)}
            recorded = self.__dict__[ARGUMENTS].extended(placed, defaults, passes_on)
            object.__setattr__(self, ARGUMENTS, recorded)
            init(self, *args, **kwargs)
            return
        recorded = Arguments(values, passes_on, rest)
        object.__setattr__(self, ARGUMENTS, recorded)
        init(self, *args, **kwargs)
        for name, value in vars(self)[ARGUMENTS].values.items():
            if not hasattr(self, name):
                setattr(self, name, value)
        if getattr(self, "owns_layers", False):
            _watch_layers(self, **late)

    __init__.__signature__ = signature  # Keras asks the constructor itself, not what it wraps.
    return __init__


def _plain(value):
    """A value in Python's own numbers, where it is one of NumPy's or a tuple or list with such."""
    if isinstance(value, np.generic) and not isinstance(value, (float, str, bytes)):
        return value.item()
    if type(value) in (tuple, list):
        made = type(value)(map(_plain, value))
        return value if all(a is b for a, b in zip(made, value, strict=True)) else made
    return value


def _late(model, signature, kwargs):
    """Takes out of the arguments what is done to a model's layers when all of them are made."""
    if not getattr(model, "owns_layers", False):
        return {}
    names = [k for k in (CHANGED, "trainable") if k in kwargs and k not in signature.parameters]
    return {name: kwargs.pop(name) for name in names}


def _watch_layers(model, trainable=True, changed_layers=None):
    """Remembers how the constructor left the layers; then does what was done to another's."""
    object.__setattr__(model, LAYERS, Arguments(changes.snapshot(model)))
    if not trainable:
        model.trainable = False
    changes.again(model, changed_layers or {})


def _bound(signature, self, args, kwargs):
    """All arguments by their names, those of them that are defaults, and what `*args` took."""
    values, defaults, rest = {}, {}, ()
    try:
        bound = signature.bind(self, *args, **kwargs)
    except TypeError:  # The constructor itself complains of this, with its own name.
        return values, defaults, rest
    given = set(bound.arguments)
    bound.apply_defaults()
    for name, value in list(bound.arguments.items())[1:]:
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            values |= value
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            rest = value
        else:
            values[name] = value
            if name not in given:
                defaults[name] = value
    return values, defaults, rest


class RecordedModel(Recorded):
    """A mixin for Keras models: what every model can be given is in the config too.

    So is, as `changed_layers`, what was done to its layers after it was made
    (`zoo.players.changes`), where there is something. `owns_layers` is whether its constructor
    makes them.
    """

    owns_layers = True

    def get_config(self):
        """The constructor's arguments, `name` and `trainable`, and what was done to its layers."""
        config = {**super().get_config(), "name": self.name, "trainable": self.trainable}
        made = vars(self).get(LAYERS)
        changed = changes.since(self, made.values) if made else {}
        return {**config, CHANGED: changed} if changed else config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The inverse of `get_config`, for constructors that take no name or dtype, too."""
        parameters = inspect.signature(cls).parameters
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return super().from_config(config, custom_objects)
        late = {k: config[k] for k in ("name", "dtype") if k in config and k not in parameters}
        config = {k: v for k, v in config.items() if k not in late}
        model = super().from_config(config, custom_objects)
        if "name" in late:
            model.name = late["name"]
        if "dtype" in late:
            model.dtype_policy = deserialized(late["dtype"])
        return model
