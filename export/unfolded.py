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

from export import stored_weights
from zoo import tracing

OPSET = 18  # The first with bitwise operations.
INSTALL = "pip install tf2onnx onnx onnxruntime"
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


def convert(variables, signature, weights, exactly=False):
    """The bytes of an ONNX file with weights in float16 or int8, and a cast behind each.

    Args:
        variables: List of the Keras variables that are to be its weights.
        signature: `export.signatures.Signature`.
        weights: `"float16"` or `"int8"`, as in `export.stored_weights`.
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
        rows, given = arguments[: len(signature.inputs)], arguments[len(signature.inputs) :]
        mapping = list(zip(variables, given, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return signature.function(*rows)

    function = tf.function(tracing.traced(call), input_signature=specs, autograph=False)
    model = converted(function, specs)
    values = {spec.name: np.asarray(v) for spec, v in zip(told, variables, strict=True)}
    _fill(model.graph, values, weights, exactly)
    return model.SerializeToString()


def _fill(graph, values, weights, exactly):
    """Makes inputs constants."""
    import onnx

    stay = [one for one in graph.input if one.name not in values]
    used = _used(graph)
    casts = []
    for name, value in values.items():
        if name not in used:
            continue
        stored, scale = _parts(value, weights, exactly)
        if stored.dtype == value.dtype:
            graph.initializer.append(onnx.numpy_helper.from_array(value, name))
            continue
        small, cast = f"{name}_stored", name if scale is None else f"{name}_unscaled"
        graph.initializer.append(onnx.numpy_helper.from_array(stored, small))
        to = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        casts.append(onnx.helper.make_node("Cast", [small], [cast], f"{name}_cast", to=to))
        if scale is not None:
            scales = f"{name}_scale"
            graph.initializer.append(onnx.numpy_helper.from_array(scale, scales))
            casts.append(onnx.helper.make_node("Mul", [cast, scales], [name], f"{name}_scaled"))
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


def _parts(value, weights, exactly):
    """The value as it is stored and its scales, if there are enough numbers to be worth it."""
    if value.size < stored_weights.FEW:
        return value, None
    stored, scale = stored_weights.parts(value, weights)
    if stored.dtype == np.float16:
        same = np.array_equal(stored.astype("float32"), value)
        if not same and (exactly or not np.isfinite(stored).all()):
            return value, None
    return stored, scale
