"""Where the latents of a plain model come from that was made of a generator: its prior.

A plain Keras model has no prior of its own, and is fed from the normal one. One that calls a
`zoo.Generator`, shares its graph or is a clone of it still wants the latents that the generator
learned from.
"""

import dataclasses

import keras

from zoo.players import conditions


@dataclasses.dataclass(frozen=True)
class Found:
    """What is known of a model's origin.

    Attributes:
        prior: `"normal"` or `"uniform"`.
        class_names: Tuple of the names of the labels, or `None`.
        ranges: `(value_range,)` where the whole model is the clone of a generator, else `()`.
    """

    prior: str = "normal"
    class_names: tuple | None = None
    ranges: tuple = ()


@keras.saving.register_keras_serializable(package="zoo")
class Origin(keras.layers.Identity):
    """Ends the clone of a generator: it hands samples on, and says what only the generator knew.

    Args:
        prior: `"normal"` or `"uniform"`.
        value_range: `(low, high)` of samples that are pictures, or `None`.
        class_names: Names of the labels, or `None`.
    """

    def __init__(self, prior, value_range=None, class_names=None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.prior = prior
        self.value_range = value_range and tuple(value_range)
        self.class_names = class_names and tuple(class_names)

    def get_config(self):
        own = {"prior": self.prior, "value_range": self.value_range}
        return {**super().get_config(), **own, "class_names": self.class_names}


def mark(model, source):
    """Has the tensor of a model's latents remember the generator, or another `source`."""
    main = conditions.inputs(model).main
    if main is not None:
        main.origin = source


def ended(generator, samples):
    """A graph's samples; an `Origin` ends those of `clone_model`, whose layers are new ones."""
    history = getattr(samples, "_keras_history", None)
    if history is None or any(history.operation is own for own in generator.operations):
        return samples
    names = generator.class_names
    return Origin(generator.prior, generator.value_range, names, dtype=samples.dtype)(samples)


def of(model):
    """What is `Found` of the origin of a model; of a generator, what it says itself."""
    source = _source(model)
    if source is None:
        return Found()
    cloned = isinstance(source, Origin) and _last(model) is source
    ranges = (source.value_range,) if cloned else ()
    return Found(source.prior, source.class_names, ranges)


def _source(model):
    """The generator or the `Origin` that a model's latents are for, or `None`."""
    if getattr(model, "role", None) == "generator":
        return model if hasattr(model, "prior") else None  # A stack of many has none of its own.
    operations = getattr(model, "operations", model.layers)
    for operation in operations:
        if isinstance(operation, Origin):
            return operation
    main = conditions.inputs(model).main
    if main is None:
        return None
    for operation in operations:
        takes = [x for node in operation._inbound_nodes for x in node.input_tensors]
        if isinstance(operation, keras.Model) and any(x is main for x in takes):
            return _source(operation)
    return getattr(main, "origin", None)


def _last(model):
    outputs = keras.tree.flatten(model.outputs)
    return outputs[0]._keras_history.operation if len(outputs) == 1 else None
