"""Generator and Discriminator: the two base classes of players.

A family subclasses them, wires a functional graph in `__init__` and hands it over with
`super().__init__`. Such a model is built when it is constructed, so it saves, loads and exports
with its weights and its input names (`latents`, `labels`, `images`). Its arguments are recorded:
no family writes a config.
"""

import keras

from zoo import presets, random, sealing, tracing
from zoo.players import conditions, copies, origins
from zoo.players.description import Traits
from zoo.players.given import refuse_pixels
from zoo.players.recorded import RecordedModel, deserialized, refuse_unknown
from zoo.players.sampling import sample, sample_shape


def logits_and_features(logits, features):
    """What a discriminator returns, of `(batch, 1)` logits and `(batch, k)` features."""
    logits = keras.layers.Reshape((), dtype="float32", name="logits")(logits)
    return {"logits": logits, "features": features}


GRAPH_ARGUMENTS = ("inputs", "outputs", "name", "trainable")  # Of `keras.Model`.
GRAPH = "graph"  # In the config of a player that was given its graph.


class _Player(RecordedModel, keras.Model):
    """What generators and discriminators share: their config, and `from_preset`."""

    def __init__(self, *args, dtype=None, **kwargs):
        refuse_unknown(self, kwargs, GRAPH_ARGUMENTS)  # A functional model would swallow them.
        super().__init__(*args, **kwargs)
        if dtype is not None:  # A functional model takes no dtype; its layers have theirs already.
            self.dtype_policy = keras.dtype_policies.get(dtype)

    @property
    def owns_layers(self):
        return type(self).__init__ not in WIRED

    def recorded_arguments(self):
        given = super().recorded_arguments()
        if self.owns_layers:
            return given
        return {k: v for k, v in given.items() if k not in GRAPH_ARGUMENTS}

    def get_config(self):
        """The constructor's arguments; of a player that was given its graph, the graph too."""
        dtype = keras.dtype_policies.serialize(self.dtype_policy)
        config = {**super().get_config(), "dtype": dtype}
        if self.owns_layers:
            return config
        graph = keras.Model(self.input, self.output, name=self.name)
        return {GRAPH: keras.saving.serialize_keras_object(graph), **config}

    def check_saving(self):
        """Raises a `ValueError` if a file of it would be read as another player, or not at all."""
        copies.check(self, self.role)

    def save(self, *args, **kwargs):
        """As `keras.Model.save`, after `check_saving`."""
        self.check_saving()
        super().save(*args, **kwargs)
        sealing.seal(args[0] if args else kwargs["filepath"])

    def predict_step(self, data):
        with tracing.released():
            return super().predict_step(data)

    def __reduce__(self):  # What pickle and `copy.deepcopy` write is such a file.
        self.check_saving()
        return super().__reduce__()

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The inverse of `get_config`."""
        if GRAPH not in config:
            return super().from_config(config, custom_objects)
        config = {k: deserialized(v, custom_objects) for k, v in config.items()}
        graph, trainable = config.pop(GRAPH), config.pop("trainable", True)
        player = cls(graph.input, graph.output, **config)
        player._trainable = trainable  # Each layer knows of itself.
        return player

    @classmethod
    def from_preset(cls, preset, dtype=None, file_hash=None):
        """A pretrained player of this class or a subclass. See `zoo.from_preset`.

        Raises:
            ValueError: Also if the preset holds another class.
        """
        return presets.from_preset(preset, cls.role, dtype, file_hash, expected=cls)


@keras.saving.register_keras_serializable(package="zoo")
class Generator(_Player):
    """A model that maps latents (and labels) to samples.

    Args:
        inputs: The graph's input, or `{"latents": ..., "labels": ...}`, or with `"conditions"`.
        outputs: The graph's output of shape `(batch, *image_shape)`.
        latent_dim: int. Coordinates of a latent.
        prior: `"normal"` (N(0, I)) or `"uniform"` (U(-sqrt 3, sqrt 3)).
        num_classes: int, optional. Number of labels.
        num_conditions: int, optional. Numbers of a condition, in place of labels.
        value_range: `(low, high)` that the output activation spans, or `None` for samples that
            are not pictures.

    Attributes:
        class_names: Tuple of the names of the labels 0, 1, 2 and so on, or `None`. What is set
            here is in every copy and file.
    """

    role = "generator"
    class_names = None

    def __init__(
        self,
        inputs,
        outputs,
        *,
        latent_dim,
        prior="normal",
        num_classes=None,
        value_range=(-1.0, 1.0),
        num_conditions=None,
        **kwargs,
    ):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.latent_dim = latent_dim
        self.prior = random.check_prior(prior)
        self.num_classes, self.num_conditions = num_classes, num_conditions
        conditions.of_counts(num_classes, num_conditions)
        self.value_range = value_range and tuple(value_range)
        self.image_shape = tuple(self.output_shape[1:])
        origins.mark(self, self)

    def get_config(self):
        """The constructor's arguments, and `class_names` where they are known."""
        names = self.class_names and {"class_names": list(self.class_names)}
        return {**super().get_config(), **(names or {})}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The inverse of `get_config`."""
        if "class_names" not in config or "class_names" in cls.argument_names():
            return super().from_config(config, custom_objects)
        config = dict(config)
        names = config.pop("class_names")
        player = super().from_config(config, custom_objects)
        player.class_names = tuple(names)
        return player

    def _run_through_graph(self, *args, **kwargs):  # By which `clone_model` makes new layers.
        return origins.ended(self, super()._run_through_graph(*args, **kwargs))

    @property
    def traits(self):
        """What a trainer or an export has to know: `zoo.players.Traits`."""
        return Traits(
            self.latent_dim,
            self.image_shape,
            self.prior,
            self.num_classes,
            self.value_range,
            num_conditions=self.num_conditions,
        )

    @property
    def estimates_gradient(self):
        """Whether its gradient is estimated from the losses of its samples (`zoo.Simulator`)."""
        return False

    def sample(
        self,
        count,
        labels=None,
        seed=None,
        truncation=None,
        batch_size=None,
        as_float=False,
        conditions=None,
    ):
        """Draws samples in inference mode. See `zoo.players.sample`."""
        return sample(
            self, count, labels, seed, truncation, batch_size, as_float, conditions=conditions
        )


@keras.saving.register_keras_serializable(package="zoo")
class Discriminator(_Player):
    """A model that maps samples (and labels) to `{"logits": (batch,), "features": (batch, k)}`.

    It returns logits, never a probability: the sigmoid belongs to the loss.

    Args:
        inputs: The graph's input, or `{"images": ..., "labels": ...}`, or with `"conditions"`.
        outputs: `{"logits": ..., "features": ...}`.
        num_classes: int, optional. Number of labels.
        num_conditions: int, optional. Numbers of a condition, in place of labels.
    """

    role = "discriminator"

    def __init__(self, inputs, outputs, *, num_classes=None, num_conditions=None, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)
        self.num_classes, self.num_conditions = num_classes, num_conditions
        conditions.of_counts(num_classes, num_conditions)
        self.image_shape = sample_shape(self)

    def __call__(self, *args, **kwargs):
        """As `keras.Model.__call__`.

        Raises:
            ValueError: If pictures are integers, which a graph of floats would take for the range
                of the generator.
        """
        refuse_pixels(self, args[0] if args else kwargs.get("inputs"))
        return super().__call__(*args, **kwargs)


# Constructors that take a wired graph, of which a config holds the layers.
WIRED = (Generator.__init__, Discriminator.__init__)
