"""What a player is told beside its latents or its samples: a class, or numbers.

`num_classes` stands for integer labels `(n,)`, `num_conditions` for float32 conditions `(n, k)`: an
angle, a dose, the parameters of a simulation (Mirza and Osindero, 2014, condition on any vector y).
A plain Keras model of two inputs has them too: integers are labels, floats are conditions.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from zoo.validation import check_labels

NAMES = ("labels", "conditions")  # Of the inputs of zoo's players.
# What users call that input of their own models.
USUAL = {"label", "class", "classes", "condition", "cond", "y"} | set(NAMES)
PASSING = ("Flatten", "Reshape", "Cast", "Squeeze", "ExpandDims", "Identity")


@dataclasses.dataclass(frozen=True)
class Classes:
    """Integer labels `(n,)` in `[0, num_classes)`."""

    num_classes: int
    name = "labels"
    dtype = "int32"
    shape = ()

    @property
    def text(self):
        return f"num_classes={self.num_classes}"

    def check(self, given, count=None):
        """What was given for `count` samples as an array; one label is for all. See `checked`."""
        if given is not None and count is not None and np.ndim(given) == 0:
            given = np.full(count, given)
        return check_labels(given, self.num_classes, count)

    def drawn(self, count, rng):
        """Some of them, for a probe."""
        return rng.integers(0, self.num_classes, count).astype(self.dtype)

    def encoded(self, labels):
        """The one-hot labels `(n, num_classes)`."""
        return keras.ops.one_hot(labels, self.num_classes)

    def inside(self, labels):
        """Whether a batch of them makes sense: a scalar tensor, and what was expected."""
        known = tf.reduce_all((labels >= 0) & (labels < self.num_classes))
        return known, f"integers in [0, {self.num_classes})"


@dataclasses.dataclass(frozen=True)
class Conditions:
    """float32 conditions `(n, num_conditions)`, used as they are: bring them to about [-1, 1]."""

    num_conditions: int
    name = "conditions"
    dtype = "float32"

    @property
    def shape(self):
        return (self.num_conditions,)

    @property
    def text(self):
        return f"num_conditions={self.num_conditions}"

    def check(self, given, count=None):
        """What was given for `count` samples as an array; one row is for all. See `checked`."""
        wanted = f"finite numbers of shape ({count or 'n'}, {self.num_conditions})"
        if given is None:
            raise ValueError(
                f"`conditions` are missing: the generator is conditional. Expected {wanted}, or "
                "one row for all. Received: conditions=None"
            )
        array = np.asarray(given)
        if array.dtype.kind not in "iuf":
            raise ValueError(
                f"`conditions` are no numbers. Expected {wanted}. "
                f"Received: conditions of dtype {array.dtype}"
            )
        if count is not None and array.ndim < 2 and array.size == self.num_conditions:
            array = np.tile(array.reshape(1, -1), (count, 1))
        if array.ndim == 1 and self.num_conditions == 1:
            array = array[:, None]
        rows = len(array) if count is None and array.ndim else count
        if array.shape != (rows, self.num_conditions):
            raise ValueError(
                f"`conditions` have another shape. Expected {wanted}. "
                f"Received: conditions of shape {np.shape(given)}"
            )
        with np.errstate(over="ignore"):
            array = array.astype(self.dtype)
        if not np.isfinite(array).all():
            raise ValueError(
                f"`conditions` hold NaN or infinity. Expected {wanted}. "
                f"Received: {int((~np.isfinite(array)).sum())} bad values"
            )
        return array

    def drawn(self, count, rng):
        """Some of them, for a probe."""
        return rng.normal(size=(count, self.num_conditions)).astype(self.dtype)

    def encoded(self, conditions):
        """Themselves: `(n, num_conditions)`."""
        return conditions

    def inside(self, conditions):
        """Whether a batch of them makes sense: a scalar tensor, and what was expected."""
        return tf.reduce_all(tf.math.is_finite(conditions)), "finite numbers"


def of_counts(num_classes=None, num_conditions=None):
    """`Classes`, `Conditions`, or `None` where neither count is given."""
    if num_classes is not None and num_conditions is not None:
        raise ValueError(
            "`num_conditions` and `num_classes` are given. Expected one of them: one-hot labels "
            "can stand among the conditions. "
            f"Received: num_classes={num_classes}, num_conditions={num_conditions}"
        )
    if num_classes is not None:
        return Classes(num_classes)
    return None if num_conditions is None else Conditions(num_conditions)


def of(model):
    """The `Classes` or `Conditions` that a player takes, or `None`.

    Raises:
        ValueError: If it takes integers and does not say how many classes they are.
    """
    counts = [getattr(model, name, None) for name in ("num_classes", "num_conditions")]
    if counts != [None, None] or hasattr(model, "num_classes"):
        return of_counts(*counts)
    side = inputs(model).side
    if side is None:
        return None
    if "int" not in side.dtype:
        return Conditions(side.shape[-1] if len(side.shape) > 1 else 1)
    classes = _classes_of(model, side)
    if classes is None:
        raise ValueError(
            f"`num_classes` is not seen in {model.name!r}: its input {side.name!r} takes integers, "
            "and goes into no Embedding, CategoryEncoding or one_hot. Expected it to be said: "
            f"model.num_classes = 10. Received: an input of shape {tuple(side.shape)}"
        )
    return Classes(classes)


def take_over(model, player):
    """Has a model made of a player's graph say of itself what the player says."""
    found = of(player)
    model.num_classes = getattr(found, "num_classes", None)
    model.num_conditions = getattr(found, "num_conditions", None)


def checked(condition, given, count=None):
    """Labels or conditions as an array `(count, ...)`, or `None` for a player without.

    Args:
        condition: `Classes`, `Conditions` or `None`.
        given: What was given.
        count: int, optional. The number that is wanted.

    Raises:
        ValueError: If they are missing, not wanted, of another kind, shape or range, or their
            number is not `count`.
    """
    return check_labels(given, None) if condition is None else condition.check(given, count)


def cast(condition, given):
    """A batch of them as a tensor of the condition's type and shape; `None` without."""
    if condition is None:
        return None
    return tf.reshape(tf.cast(given, condition.dtype), (-1, *condition.shape))


def spec(condition):
    """`[tf.TensorSpec]` of a batch of them, named; empty without."""
    if condition is None:
        return []
    return [tf.TensorSpec((None, *condition.shape), condition.dtype, name=condition.name)]


# === The inputs of a model ===


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The inputs of a model.

    Attributes:
        form: The model's own structure: a tensor, or a dict or list of them.
        main: The symbolic tensor of latents or samples; `None` where that is not seen.
        side: That of labels or conditions; `None` without.
    """

    form: object = None
    main: object = None
    side: object = None


def inputs(model):
    """The `Inputs` of a graph of one or two inputs; of another model they are not seen."""
    form = getattr(model, "input", None) if getattr(model, "inputs", None) else None
    if form is None:  # A Sequential has a list of one.
        form = (getattr(model, "inputs", None) or [None])[0]
    tensors = keras.tree.flatten(form)
    if len(tensors) == 1:
        return Inputs(form, tensors[0])
    if len(tensors) != 2:
        return Inputs(form)
    names = list(form) if isinstance(form, dict) else [tensor.name for tensor in tensors]
    tensors = list(form.values()) if isinstance(form, dict) else tensors
    named = [name.lower().strip("_0123456789") in USUAL for name in names]
    whole = ["int" in tensor.dtype for tensor in tensors]
    for signs in (named, whole):
        if sum(signs) == 1:
            side = signs.index(True)
            break
    else:
        side = 1
    return Inputs(form, tensors[1 - side], tensors[side])


def call_inputs(model, name, tensor, given):
    """What a player is called on, in its own structure.

    Args:
        model: The player.
        name: `"latents"` or `"images"`: the name in a dict where the model has no graph.
        tensor: Latents or samples.
        given: Labels or conditions, or `None`.
    """
    condition = of(model)
    if condition is None:
        return tensor
    found = inputs(model)
    if found.side is None:
        return {name: tensor, condition.name: given}
    if len(found.side.shape) == 2 and not condition.shape:  # Integers of shape (n, 1).
        given = given[:, None]
    return keras.tree.map_structure(
        lambda place: given if place is found.side else tensor, found.form
    )


def _classes_of(model, side):
    """The number of classes of an integer input, from what it goes into; or `None`."""
    reached = {id(side)}
    for operation in getattr(model, "operations", model.layers):  # In the order of the graph.
        for node in operation._inbound_nodes:
            if node.is_input or not any(id(x) in reached for x in node.input_tensors):
                continue
            for name in ("input_dim", "num_tokens", "num_classes"):
                if isinstance(getattr(operation, name, None), int):
                    return getattr(operation, name)
            if isinstance(operation, keras.Model):
                within = keras.tree.flatten(operation.inputs)
                place = [id(x) in reached for x in node.input_tensors].index(True)
                return _classes_of(operation, within[place])
            if type(operation).__name__ in PASSING:
                reached |= {id(x) for x in node.output_tensors}
    return None
