"""ONNX files: the default in `model.onnx`, every other signature that ONNX can hold beside it.

`sample` is `latents.onnx` (a seed to a latent, without weights) and then `model.onnx`, and
`reconstruct` is `encode.onnx` and then that: so each weight is in one file. ONNX has no PNG files,
and no error function in float64, of which a truncation is made.
"""

import logging
import pathlib
import warnings

import numpy as np

from export import formats, saved_model

OPSET = 18  # The first with bitwise operations.
COMPOSED = ("sample", "reconstruct")
WITHOUT = ("sample_png", "sample_truncated")
INSTALL = "pip install tf2onnx onnx onnxruntime"
FEW = 256  # Numbers that are not worth a cast.


def check():
    """Raises an `ImportError` if the converter is not installed."""
    _converter()


def write(folder, served, signatures, weights="float32"):
    """Writes the ONNX files of a version.

    Args:
        folder: Folder of the version.
        served: `export.served.Served`.
        signatures: Of `export.signatures.of`, with `export.portable_draw.draw_rows`.
        weights: `"float32"`, or `"float16"`: stored so, and cast when used.
    """
    tf2onnx = _converter()
    networks = saved_model.Networks(served)
    for name, signature in signatures.items():
        if name in (*COMPOSED, *WITHOUT):
            continue
        function = networks.traced(signature.function, signature.inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, _ = tf2onnx.convert.from_function(function, signature.inputs, opset=OPSET)
        if weights == "float16":
            _halve(model.graph)
        path = pathlib.Path(folder) / f"{formats.onnx_name(name)}.onnx"
        path.write_bytes(model.SerializeToString())


def _converter():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import onnx  # noqa: F401 - Of which the converter makes its files.
            import tf2onnx
    except ImportError as error:
        raise ImportError(
            f"`formats` has 'onnx', for which {error.name} is not installed. Expected: {INSTALL}. "
            "Received: formats with 'onnx'"
        ) from error
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    return tf2onnx


def _halve(graph):
    """Stores the float32 constants of a graph as float16, each with a cast behind it."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        value = numpy_helper.to_array(tensor)
        if value.size < FEW or not np.isfinite(value.astype("float16")).all():
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(value.astype("float16"), f"{name}_half"))
        cast = helper.make_node("Cast", [f"{name}_half"], [name], f"{name}_cast")
        cast.attribute.append(helper.make_attribute("to", TensorProto.FLOAT))
        casts.append(cast)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
