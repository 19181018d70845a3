"""What a player is told beside its latents or its samples: a class, or numbers.

`num_classes` stands for integer labels `(n,)`, `num_conditions` for float32 conditions `(n, k)`: an
angle, a dose, the parameters of a simulation (Mirza and Osindero, 2014, condition on any vector y).
A plain Keras model of two inputs has them too: integers are labels, floats are conditions.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from zoo.validation import as_array, check_labels

# Names of inputs: of latents or samples, zoo's own first, and of what is told.
MAIN = {"latents", "images", "latent", "noise", "z", "image", "img", "samples", "sample", "x"}
TOLD = {"label", "labels", "class", "classes", "condition", "conditions"}
COUNTS = {"Embedding": "input_dim", "CategoryEncoding": "num_tokens", "OneHot": "num_classes"}
PASSING = ("Flatten", "Reshape", "Cast", "Squeeze", "ExpandDims", "Identity")


@dataclasses.dataclass(frozen=True)
class Classes:
    """Integer labels `(n,)` in `[0, num_classes)`."""

    num_classes: int
    name = "labels"
    dtype = "int32"
    shape = ()
    form = "(n,)"

    @property
    def text(self):
        """The argument of a player that takes them."""
        return f"num_classes={self.num_classes}"

    def check(self, given, count=None):
        """What was given as an array; of `count` samples, one label is for all. See `checked`."""
        given = given if given is None else as_array(labels=given)
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
    def form(self):
        """The shape of n of them, in words."""
        return f"(n, {self.num_conditions})"

    @property
    def text(self):
        """The argument of a player that takes them."""
        return f"num_conditions={self.num_conditions}"

    def check(self, given, count=None):
        """What was given as an array; of `count` samples, one row is for all. See `checked`."""
        wanted = f"finite numbers of shape ({count or 'n'}, {self.num_conditions})"
        if given is None:
            raise ValueError(
                f"`conditions` are missing: the generator is conditional. Expected {wanted}, or "
                "one row for all. Received: conditions=None"
            )
        try:
            array = np.asarray(given)
        except Exception as error:  # Rows of several lengths; a class of a stranger's.
            raise ValueError(
                f"`conditions` are no array. Expected {wanted}. Received: conditions of which "
                f"NumPy says: {error}"
            ) from None
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
        ValueError: If it takes something else beside latents or samples, or integers of which is
            not seen how many classes they are.
    """
    counts = [getattr(model, name, None) for name in ("num_classes", "num_conditions")]
    side = None if hasattr(model, "num_conditions") else inputs(model).side
    if side is None:
        return of_counts(*counts)
    classes = _classes_of(model, side)  # Also of floats, which an Embedding takes for integers.
    integers = classes is not None or "int" in side.dtype
    if tuple(side.shape[1:]) not in ((), (1,)) and (
        integers or len(side.shape) != 2 or side.shape[1] is None
    ):
        raise ValueError(
            f"`inputs` of {model.name!r} have one beside latents or samples that takes neither "
            "labels nor conditions. Expected labels, integers of shape (batch,) or (batch, 1); or "
            "conditions, floats of shape (batch, k). "
            f"Received: {side.name!r} of shape {tuple(side.shape)} and dtype {side.dtype}"
        )
    if integers and classes is None:
        raise ValueError(
            f"`inputs` of {model.name!r} have integers, {side.name!r}, of which is not seen how "
            "many classes they are. Expected an input of labels to go into an Embedding, a "
            "CategoryEncoding or keras.ops.one_hot, which have the number. "
            f"Received: {side.name!r} of shape {tuple(side.shape)}"
        )
    if integers:
        return Classes(classes)
    return Conditions(side.shape[1] if len(side.shape) == 2 else 1)


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
    """The `Inputs` of a graph of one or two inputs; of another model they are not seen.

    Of two, one of the names of `MAIN` is latents or samples; else one of `TOLD` is told, else the
    one of integers, else the second.
    """
    given = getattr(model, "inputs", None)
    if not given:
        return Inputs()
    form = given[0] if isinstance(model, keras.Sequential) else model.input
    tensors = keras.tree.flatten(form)
    if len(tensors) == 1:
        return Inputs(form, tensors[0])
    if len(tensors) != 2:
        return Inputs(form)
    names = list(form) if isinstance(form, dict) else [tensor.name for tensor in tensors]
    tensors = list(form.values()) if isinstance(form, dict) else tensors
    names = [name.lower().strip("_0123456789") for name in names]
    signs = (
        [name not in ("latents", "images") for name in names],
        [name not in MAIN for name in names],
        [name in TOLD for name in names],
        ["int" in tensor.dtype for tensor in tensors],
    )
    side = next((sign.index(True) for sign in signs if sum(sign) == 1), 1)
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
    found = inputs(model)
    if condition is None:
        alone = found.main is not None and found.side is None
        return keras.tree.map_structure(lambda _: tensor, found.form) if alone else tensor
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
            if type(operation).__name__ in COUNTS:
                return int(getattr(operation, COUNTS[type(operation).__name__]))
            if isinstance(operation, keras.Model):
                within = keras.tree.flatten(operation.inputs)
                place = [id(x) in reached for x in node.input_tensors].index(True)
                return _classes_of(operation, within[place])
            if type(operation).__name__ in PASSING:
                reached |= {id(x) for x in node.output_tensors}
    return None
