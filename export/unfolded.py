"""A model in ONNX whose weights are those of the model, none of them merged with another.

A converter multiplies what is constant: the scale of a batch normalization into the kernel before
it. The products are no longer numbers of float16, as the weights of presets are: stored so, 0.3 %
of the pixels would be a grey level off. So the weights are inputs while the graph is converted,
and become constants when it is done.
"""

import logging
import warnings

import keras
import numpy as np
import tensorflow as tf

from zoo import tracing

OPSET = 18  # The first with bitwise operations.
INSTALL = "pip install tf2onnx onnx onnxruntime"
FEW = 256  # Numbers that are not worth a cast.
PREFIX = "weight_"


def converter():
    """The module `tf2onnx`.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import onnx  # noqa: F401 - Of which the converter makes its files.
            import tf2onnx
    except ImportError as error:
        raise ImportError(
            f"`formats` with 'onnx' or 'page' need {error.name}, which is not installed. Expected: "
            f"{INSTALL}. Received: no {error.name}"
        ) from error
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    return tf2onnx


def converted(function, specs):
    """The ONNX model of a `tf.function`, of these inputs.

    Raises:
        ImportError: If the converter is not installed.
    """
    tf2onnx = converter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        handlers = {"SelectV2": (_where, [])}
        model, _ = tf2onnx.convert.from_function(
            function, specs, opset=OPSET, custom_op_handlers=handlers
        )
    return model


def _where(graph, node, name, arguments):
    """A choice is one in ONNX too. The converter would add products, of which NaN makes NaN."""
    node.type = "Where"


def convert(variables, signature, exactly):
    """The bytes of an ONNX file with weights in float16, and a cast behind each.

    Args:
        variables: List of the Keras variables that are to be its weights.
        signature: `export.signatures.Signature`.
        exactly: bool. Whether weights that float16 would change are left as they are; those beyond
            its largest number always are.

    Raises:
        ImportError: If the converter is not installed.
    """
    told = [
        tf.TensorSpec(v.shape, v.dtype, name=f"{PREFIX}{number}")
        for number, v in enumerate(variables)
    ]
    specs = [*signature.inputs, *told]

    def call(*arguments):
        rows, weights = arguments[: len(signature.inputs)], arguments[len(signature.inputs) :]
        mapping = list(zip(variables, weights, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return signature.function(*rows)

    function = tf.function(tracing.traced(call), input_signature=specs, autograph=False)
    model = converted(function, specs)
    values = {spec.name: np.asarray(v) for spec, v in zip(told, variables, strict=True)}
    _fill(model.graph, values, exactly)
    return model.SerializeToString()


def _fill(graph, values, exactly):
    """Makes inputs constants."""
    import onnx

    stay = [one for one in graph.input if one.name not in values]
    used = _used(graph)
    casts = []
    for name, value in values.items():
        if name not in used:
            continue
        stored = _stored(value, exactly)
        if stored.dtype == value.dtype:
            graph.initializer.append(onnx.numpy_helper.from_array(value, name))
            continue
        half = f"{name}_half"
        graph.initializer.append(onnx.numpy_helper.from_array(stored, half))
        to = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        casts.append(onnx.helper.make_node("Cast", [half], [name], f"{name}_cast", to=to))
    nodes = [*casts, *graph.node]
    del graph.input[:], graph.node[:]
    graph.input.extend(stay)
    graph.node.extend(nodes)


def _used(graph):
    """The names that nodes take, also in the bodies of conditions and loops."""
    names = {name for node in graph.node for name in node.input}
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                names |= _used(attribute.g) | {output.name for output in attribute.g.output}
    return names


def _stored(value, exactly):
    """The value as float16, if there are enough numbers to be worth it."""
    if value.dtype != np.float32 or value.size < FEW:
        return value
    with np.errstate(over="ignore"):
        half = value.astype("float16")
    same = np.array_equal(half.astype("float32"), value)
    return half if same or (not exactly and np.isfinite(half).all()) else value
