"""A generator in ONNX whose weights are those of the model, none of them merged with another.

A converter multiplies what is constant: the scale of a batch normalization into the kernel before
it. The products are no longer numbers of float16, as the weights of presets are, and a page that
stores them so would be a grey level off in places. So the weights are inputs while the graph is
converted, and become constants when it is done.
"""

import warnings

import keras
import numpy as np
import tensorflow as tf

from export import onnx_model

PREFIX = "weight_"


def convert(networks, signature):
    """The bytes of an ONNX file.

    Args:
        networks: `export.served.Served`.
        signature: `export.signatures.Signature` of it.

    Raises:
        ImportError: If the converter is not installed.
    """
    onnx_model.check()
    import onnx
    import tf2onnx

    variables = networks.generator.variables
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

    function = tf.function(call, input_signature=specs, autograph=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, _ = tf2onnx.convert.from_function(function, specs, opset=onnx_model.OPSET)
    values = {spec.name: np.asarray(v) for spec, v in zip(told, variables, strict=True)}
    _fill(model.graph, values, onnx)
    return model.SerializeToString()


def _fill(graph, values, onnx):
    """Makes inputs constants: as float16 with a cast behind, where that loses nothing."""
    stay = [one for one in graph.input if one.name not in values]
    used = {name for node in graph.node for name in node.input}
    casts = []
    for name, value in values.items():
        if name not in used:
            continue
        stored = _stored(value)
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


def _stored(value):
    """The value as float16, if all of it are such numbers and there are enough to be worth it."""
    if value.dtype != np.float32 or value.size < onnx_model.FEW:
        return value
    with np.errstate(over="ignore"):
        half = value.astype("float16")
    return half if np.array_equal(half.astype("float32"), value) else value
