"""Spans: between which numbers a model's output lies, read off the layers that end it.

A `tanh` gives [-1, 1], a `sigmoid` [0, 1]; layers that keep values (`Reshape`, `Cropping2D`) or
move them by two numbers (`Rescaling`, `(x + 1) / 2`) hand a span on. What ends otherwise, in a
layer of the user's own say, has none that is known. The span is that of inference mode.

A `relu` or a `softplus` bounds one side alone: the other is infinite in `bounds`, and there is no
`span`.
"""

import contextlib
import math
import sys

import keras
import numpy as np

from zoo.players.origins import Origin

# By name: a function of Keras, `keras.ops` or TensorFlow, or an operation of `keras.ops`. A user's
# own of that name is another function.
ACTIVATIONS = {
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "soft_sign": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "sparse_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "sparsemax": (0.0, 1.0),
    "relu6": (0.0, 6.0),
    # Bounded on one side; the odd numbers are the least values of their functions.
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
    "squareplus": (0.0, math.inf),
    "sparse_plus": (0.0, math.inf),
    "exponential": (0.0, math.inf),
    "exp": (0.0, math.inf),
    "log_sigmoid": (-math.inf, 0.0),
    "log_softmax": (-math.inf, 0.0),
    "elu": (-1.0, math.inf),
    "celu": (-1.0, math.inf),
    "selu": (-1.7581, math.inf),
    "gelu": (-0.17005, math.inf),
    "silu": (-0.27847, math.inf),
    "swish": (-0.27847, math.inf),
    "hard_silu": (-0.375, math.inf),
    "hard_swish": (-0.375, math.inf),
    "mish": (-0.30885, math.inf),
}

# Each number of the output is one of the input, or lies between some.
_KEEPING = """
    Identity Reshape Flatten Permute RepeatVector ActivityRegularization
    Cropping1D Cropping2D Cropping3D
    MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    UpSampling1D UpSampling3D
    Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout
    GaussianNoise
    Concatenate Average Maximum Minimum
"""
KEEPING = {Origin, *(getattr(keras.layers, name) for name in _KEEPING.split())}
PADDING = (keras.layers.ZeroPadding1D, keras.layers.ZeroPadding2D, keras.layers.ZeroPadding3D)
INTERPOLATIONS = {"nearest", "bilinear", "area"}  # The others overshoot.
RESAMPLING = (keras.layers.UpSampling2D, keras.layers.Resizing, keras.layers.CenterCrop)
KEEPING_OPS = """
    Cast Identity Reshape Transpose Moveaxis Swapaxes Squeeze ExpandDims GetItem Flip Ravel
    Concatenate Stack Repeat Tile Roll Mean Max Min Maximum Minimum BroadcastTo StopGradient
""".split()
JOINING_OPS = "Concatenate Stack".split()
EXTREME_OPS = {"Max": max, "Maximum": max, "Min": min, "Minimum": min}
FREE_OPS = "Add Subtract Sum Dot Matmul Einsum Conv".split()  # Their sums may be any number.


@contextlib.contextmanager
def outputs(model, shape=None):
    """What a model answers, as symbolic tensors in its own structure, inside a `with`.

    Args:
        model: A built Keras model.
        shape: Shape of its one input, for a subclass of `keras.Model`, which has no graph: it is
            called on a symbolic tensor, and what only TensorFlow can follow has no span.

    Raises:
        ValueError: If it cannot be called on such an input.
    """
    if _is_graph(model) or shape is None:
        yield model.outputs if isinstance(model, keras.Sequential) else model.output
        return
    layers = [layer for layer in model._flatten_layers() if layer is not model]
    records = [nodes for x in layers for nodes in (x._inbound_nodes, x._outbound_nodes)]
    before = [len(nodes) for nodes in records]
    try:
        yield _called(model, shape)
    finally:  # The layers shall not remember it.
        for nodes, count in zip(records, before, strict=True):
            del nodes[count:]


def _called(model, shape):
    with contextlib.suppress(Exception):
        return model.call(keras.Input(shape[1:]))
    try:
        return model.compute_output_spec(keras.KerasTensor(shape))
    except Exception as error:
        raise ValueError(
            f"`model` cannot be called on its own kind of input. Expected one of shape {shape} to "
            f"do. Received: model={model.name!r}, which raises {error}"
        ) from error


def output_span(model):
    """`(low, high)` between which the one output of a model lies, or `None` where it is not seen.

    Args:
        model: A built Keras model.
    """
    tensors = keras.tree.flatten(model.outputs) if _is_graph(model) else []
    return span(tensors[0]) if len(tensors) == 1 else None


def span(tensor):
    """`(low, high)` between which a symbolic tensor lies, or `None` where it is not seen."""
    found = bounds(tensor)
    return found if found is not None and np.isfinite(found).all() else None


def bounds(tensor):
    """As `span`, with an infinite end where a tensor is bounded on one side."""
    return _of_tensor(tensor, {})


def ends_unseen(tensor):
    """Whether something decides the values of a symbolic tensor last that cannot be looked into.

    That is a `Lambda`, a layer or an activation of a user's, or an operation that is not known.
    """
    if not hasattr(tensor, "_keras_history"):
        return True
    operation, node_index, tensor_index = tensor._keras_history
    node = operation._inbound_nodes[node_index]
    if node.is_input:
        return False
    if _is_graph(operation):
        return ends_unseen(keras.tree.flatten(operation.outputs)[tensor_index])
    name = type(operation).__name__
    if not isinstance(operation, keras.Layer):
        if name not in KEEPING_OPS or not _is_known(operation):
            return name not in FREE_OPS or not _is_known(operation)
    elif not isinstance(operation, (*KEEPING, *RESAMPLING, *PADDING, keras.layers.Rescaling)):
        return _is_unseen(operation)
    return any(map(ends_unseen, node.input_tensors))


def _is_unseen(layer):
    while isinstance(layer, keras.layers.Wrapper):
        layer = layer.layer
    if isinstance(layer, keras.layers.Lambda) or not _is_known(layer):
        return True
    function = getattr(layer, "activation", None)
    return function is not None and not _is_known(function)


def _is_known(thing):
    """Whether a layer or a function is Keras's or of the zoo: a user's own may end in anything."""
    here = thing if hasattr(thing, "__name__") else type(thing)
    return here.__module__.startswith(("keras.", "zoo."))


def _of_tensor(tensor, known):
    """The span of a symbolic tensor, given those of the graph's inputs by their ids."""
    if id(tensor) in known:
        return known[id(tensor)]
    if not hasattr(tensor, "_keras_history"):
        return None
    operation, node_index, tensor_index = tensor._keras_history
    node = operation._inbound_nodes[node_index]
    if node.is_input:
        return None
    if _is_graph(operation):
        outside = [_of_tensor(x, known) for x in node.input_tensors]
        return _of_graph(operation, outside, tensor_index)
    if isinstance(operation, keras.Layer):
        return _of_layer(operation, [_of_tensor(x, known) for x in node.input_tensors])
    return _of_operation(operation, node.arguments, known)


def _is_graph(layer):
    """Whether it is a model that does what its graph says, and no more."""
    if not isinstance(layer, keras.Model) or not type(layer).call.__module__.startswith("keras."):
        return False
    return bool(getattr(layer, "outputs", None))


def _of_graph(model, inputs, index=0):
    """The span of a model's output, given those of its inputs."""
    known = {id(x): span for x, span in zip(keras.tree.flatten(model.inputs), inputs, strict=True)}
    return _of_tensor(keras.tree.flatten(model.outputs)[index], known)


def _of_layer(layer, inputs):
    """The span of a layer's output, given those of its inputs."""
    if _is_graph(layer):
        return _of_graph(layer, inputs)
    if not _is_known(layer):
        return None
    if type(layer) in KEEPING:
        return _common(inputs)
    if isinstance(layer, RESAMPLING):
        smooth = getattr(layer, "interpolation", None) in INTERPOLATIONS
        smooth &= not getattr(layer, "pad_to_aspect_ratio", False)
        return _common(inputs) if smooth else None
    if isinstance(layer, PADDING):
        return _with_zero(_common(inputs))
    if isinstance(layer, keras.layers.Rescaling):
        return _moved(_common(inputs), layer.scale, layer.offset)
    if isinstance(layer, keras.layers.Softmax):
        return ACTIVATIONS["softmax"]
    if isinstance(layer, keras.layers.ReLU):
        top = math.inf if layer.max_value is None else float(layer.max_value)
        return None if layer.negative_slope else (0.0, top)
    if isinstance(layer, keras.layers.ELU):
        return -float(layer.alpha), math.inf
    if isinstance(layer, keras.layers.Wrapper):
        return _of_layer(layer.layer, inputs)
    return _of_activation(layer, inputs)


def _of_activation(layer, inputs):
    function = getattr(layer, "activation", getattr(layer, "function", None))
    inputs = inputs if isinstance(layer, keras.layers.Activation) else [None]
    if isinstance(function, keras.Layer):
        return _of_layer(function, inputs)
    name = _known_name(function)
    return _common(inputs) if name == "linear" else ACTIVATIONS.get(name)


def _known_name(function):
    """The name of a function of Keras's or TensorFlow's; `None` of a user's that is called so."""
    name, module = (getattr(function, key, None) or "" for key in ("__name__", "__module__"))
    held = getattr(sys.modules.get(module), name, None)  # `functools.wraps` copies both.
    return name if module.startswith(("keras.", "tensorflow.")) and held is function else None


def _of_operation(operation, arguments, known):
    """The span of what an operation of `keras.ops` makes."""
    if not _is_known(operation):
        return None
    name = type(operation).__name__
    spelled = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
    if spelled in ("elu", "celu"):
        return -float(operation.alpha), math.inf
    if spelled in ACTIVATIONS:
        return ACTIVATIONS[spelled]
    tensors = arguments.keras_tensors
    spans = [_of_tensor(x, known) for x in tensors]
    if name == "Clip":
        return _extreme(min, _extreme(max, spans[0], operation.x_min), operation.x_max)
    if name in EXTREME_OPS:
        return _of_extreme(operation, spans, arguments.args)
    if name in JOINING_OPS and len(keras.tree.flatten(arguments.args[:1])) != len(tensors):
        return None  # What it is joined to are numbers.
    if name in KEEPING_OPS:
        return _common(spans)
    if name == "Negative":
        return _moved(spans[0], -1.0, 0.0)
    if name in ("Add", "Subtract", "Multiply", "Divide", "TrueDivide") and len(tensors) == 1:
        return _by_number(name, spans[0], arguments.args)
    return None


def _of_extreme(operation, spans, arguments):
    """The span of a maximum or minimum: of tensors, of a tensor and a number, of one's parts."""
    choose = EXTREME_OPS[type(operation).__name__]
    numbers = [x for x in arguments if not isinstance(x, keras.KerasTensor)]
    if hasattr(operation, "initial"):
        numbers = [] if operation.initial is None else [operation.initial]
    return _extreme(choose, spans[0], numbers[0]) if numbers else _common(spans)


def _extreme(choose, span, number):
    """The span of `choose(x, number)`, or `None` where that is one number, or not seen."""
    limit = _numbers(number)
    if limit is None:
        return None
    low, high = (choose(end, *limit) for end in span or (-math.inf, math.inf))
    return (low, high) if low < high and (low, high) != (-math.inf, math.inf) else None


def _by_number(name, span, arguments):
    """The span of a sum, product or quotient of a tensor and a number, in either order."""
    if len(arguments) != 2:
        return None
    left, right = arguments
    first = isinstance(left, keras.KerasTensor)
    number = right if first else left
    if name == "Add":
        return _moved(span, 1.0, number)
    if name == "Multiply":
        return _moved(span, number, 0.0)
    if name == "Subtract":
        return _moved(_moved(span, -1.0, number), -1.0 if first else 1.0, 0.0)
    divisor = _numbers(number)
    return _moved(span, 1.0 / divisor[0], 0.0) if first and divisor and divisor[0] else None


def _common(spans):
    """The one span of all, or `None`."""
    return spans[0] if spans and all(span == spans[0] for span in spans) else None


def _with_zero(span):
    return span if span is not None and span[0] <= 0.0 <= span[1] else None


def _moved(span, scale, offset):
    """The span of `scale x + offset`."""
    moves = _numbers(scale, offset)
    if span is None or moves is None or not moves[0]:
        return None
    ends = sorted(moves[0] * x + moves[1] for x in span)
    return ends[0], ends[1]


def _numbers(*values):
    """Each value as a float, or `None` where one is no number, nor an array of one number."""
    arrays = [np.asarray(value) for value in values]
    alike = all(a.dtype.kind in "iuf" and a.size and (a == a.flat[0]).all() for a in arrays)
    return tuple(float(a.flat[0]) for a in arrays) if alike else None
