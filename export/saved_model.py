"""SavedModels that TensorFlow Serving answers with: latents or seeds in, pictures out."""

import pathlib

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from export import stored_weights
from zoo import tracing

GRADIENT = "_gradient_op_type"  # The attribute by which an operation names its custom gradient.


class Networks(tf.Module):
    """The weights of what is served, each once, as they are stored.

    Args:
        served: `export.served.Served`.
        weights: `"float32"`: as they are; `"float16"`: half the size, and cast when used; or
            `"int8"`: kernels a quarter of the size, cast and multiplied by their scales when used.
    """

    def __init__(self, served, weights="float32"):
        super().__init__(name="served")
        self._served = served
        parts = [stored_weights.parts(np.asarray(v), weights) for v in served.variables]
        named = list(zip(parts, (v.name for v in served.variables), strict=True))
        self.weights = [tf.Variable(x, trainable=False, name=name) for (x, _), name in named]
        self.scales = [
            scale if scale is None else tf.Variable(scale, trainable=False, name=f"{name}_scale")
            for (_, scale), name in named
        ]

    def traced(self, function, inputs):
        """A `tf.function` whose weights are these ones instead of the networks' own."""

        def call(*arguments):
            stored = zip(self._served.variables, self.weights, self.scales, strict=True)
            mapping = [
                (own, value if scale is None else value * scale)
                for own, weight, scale in stored
                for value in (tf.cast(weight, own.dtype),)
            ]
            with keras.StatelessScope(state_mapping=mapping):
                return function(*arguments)

        return tf.function(tracing.traced(call), input_signature=inputs, autograph=False)

    def track(self, functions):
        """Keeps the variables too that layers of a user's own have beside Keras's weights."""
        used = {id(v): v for function in functions for v in function.variables}
        own = {id(weight) for weight in (*self.weights, *self.scales)}
        self.others = [variable for key, variable in used.items() if key not in own]


def write(folder, served, signatures, weights="float32"):
    """Writes a SavedModel that answers without Keras and without this project.

    Keras's own archives hold each weight twice; here it is once in the file and once in the
    server's memory.

    Args:
        folder: The folder to write into.
        served: `export.served.Served`.
        signatures: Of `export.signatures.of`.
        weights: As of `Networks`.
    """
    networks = Networks(served, weights)
    once = {id(signature): signature for signature in signatures.values()}
    traced = {
        key: networks.traced(signature.function, signature.inputs).get_concrete_function()
        for key, signature in once.items()
    }
    functions = {name: traced[id(signature)] for name, signature in signatures.items()}
    networks.track(traced.values())
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    try:
        tf.saved_model.save(networks, str(folder), signatures=functions, options=options)
    except AssertionError as error:  # A table, such as a StringLookup has.
        raise ValueError(
            "`model` has a layer that holds more than weights, which cannot be served. Expected "
            f"layers whose state is in their weights. Received: {str(error).splitlines()[0]}"
        ) from error
    _drop_gradients(pathlib.Path(folder))


def _drop_gradients(folder):
    """Takes out the names of gradients that were not written: who loads them is warned of each."""
    path = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in model.meta_graphs:
        functions = graph.graph_def.library.function
        for node in (*graph.graph_def.node, *(n for f in functions for n in f.node_def)):
            if GRADIENT in node.attr:
                del node.attr[GRADIENT]
    path.write_bytes(model.SerializeToString(deterministic=True))
    (folder / "fingerprint.pb").unlink(missing_ok=True)  # Of the file as it was before.
