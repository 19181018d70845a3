"""Whether a model couples the examples of a batch: the one place where that is decided.

A row of the output may depend on its own row of the input alone, or on other rows too, as with
batch normalization. Four decisions ask: the one-stage step, which divides by a derivative of each
logit by its own sample; the warning of a penalty on the slope at one example; the check of a
generator whose gradient is estimated from the losses; and the refusal of parts of one example.

Two answers are given. `treats_examples_apart` is an allow-list: it enters wrappers and nested
models, and looks at activations and axes; what it does not know does not pass. `coupling_layer` is
a probe: it changes the other rows and looks whether the first or the last row of the output moves.
"""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from zoo import layers as ours
from zoo.players import conditions

ROWS = 4
SIDE = 8  # Of an input that says no size.
TOLERANCE = 1e-5  # Of the largest output; what another row moves is of its size.

_PLAIN = """
    InputLayer Identity Activation ReLU LeakyReLU PReLU ELU Softmax Flatten Reshape Permute
    RepeatVector Masking Rescaling Normalization Resizing CenterCrop
    Dense EinsumDense Embedding
    Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D
    DepthwiseConv2D SeparableConv1D SeparableConv2D
    AveragePooling1D AveragePooling2D AveragePooling3D MaxPooling1D MaxPooling2D MaxPooling3D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D
    GlobalMaxPooling2D GlobalMaxPooling3D
    UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
    Cropping1D Cropping2D Cropping3D
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot
    LayerNormalization GroupNormalization RMSNormalization UnitNormalization SpectralNormalization
    Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout
    GaussianNoise ActivityRegularization
    RandomFlip RandomRotation RandomTranslation RandomZoom RandomCrop RandomBrightness
    RandomContrast
    LSTM GRU SimpleRNN RNN LSTMCell GRUCell SimpleRNNCell StackedRNNCells ConvLSTM1D ConvLSTM2D
    ConvLSTM3D Bidirectional TimeDistributed
    Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
"""
PLAIN = {getattr(keras.layers, name) for name in _PLAIN.split() if hasattr(keras.layers, name)} | {
    ours.BilinearResampling,
    ours.ConcatLabels,
    ours.ConvolutionFromImage,
    ours.ConvolutionToImage,
    ours.DiscriminativeBasis,
    ours.Dropout,
    ours.GenerativeBasis,
    ours.GroupedConv2D,
    ours.JoinPlanes,
    ours.LayerNormalization,
    ours.Maxout,
    ours.SpectralNormalization,
    ours.WeightNormalization,
}
ACTIVATIONS = [f for f in vars(keras.activations).values() if callable(f)]
# What couples examples by its nature, seen by the probe or not.
COUPLING = (keras.layers.BatchNormalization, ours.MinibatchDiscrimination)


def treats_examples_apart(model):
    """Whether every layer of a model is known to treat the examples of a batch apart.

    Args:
        model: A Keras model. One with a `call` of its own is not known to, nor is a layer of a
            user's, a `Lambda`, an operation of `keras.ops`, or an activation that is not Keras's.
    """
    if _calls_its_own_way(model):
        return False
    nodes = model.layers if isinstance(model, keras.Sequential) else model.operations
    return all(_apart(node) for node in nodes)


def _calls_its_own_way(model):
    """Whether a model is no graph of layers, or has a `call` that is not Keras's."""
    graph = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    return not graph or not type(model).call.__module__.startswith("keras.")


def _apart(node):
    if isinstance(node, keras.Model):
        return treats_examples_apart(node)
    if type(node) not in PLAIN or getattr(node, "stateful", False):
        return False
    if any(len(x.shape) < 2 for call in node._inbound_nodes for x in call.input_tensors):
        return False  # An example is one number, and the last axis is that of the examples.
    functions = (getattr(node, name, None) for name in ("activation", "recurrent_activation"))
    axes = (getattr(node, name, None) for name in ("axis", "axes"))
    return (
        all(f is None or _apart_function(f) for f in functions)
        and all(_spares_rows(axis) for axis in axes)
        and all(_apart(layer) for layer in node._flatten_layers(include_self=False))
    )


def _apart_function(function):
    return (
        _apart(function)
        if isinstance(function, keras.Layer)
        else any(function is f for f in ACTIVATIONS)
    )


def _spares_rows(axis):
    """Whether an axis, or each of several, is not that of the examples."""
    if axis is None or isinstance(axis, int):
        return axis is None or axis == -1 or axis > 0
    return all(_spares_rows(part) for part in axis)


def coupling_layer(model):
    """The name of the first layer that lets an example move another's output, in training mode.

    Args:
        model: A built Keras model: a discriminator, or a generator.

    Returns:
        str; the model's own name where the layer cannot be told. `None` where nothing moves.
    """
    if _probed(model):
        return _first_coupling(model) or model.name
    # The probe does not see what is too faint, random, or cannot be called so.
    found = (layer.name for layer in model._flatten_layers() if _couples_by_class(layer))
    return next(found, None)


def _couples_by_class(layer):
    frozen = isinstance(layer, keras.layers.BatchNormalization) and not layer.trainable
    return isinstance(layer, COUPLING) and not frozen


def _first_coupling(model):
    """The name of the first layer by which other rows move a row, or `None`."""
    for layer in getattr(model, "layers", []):
        inner = isinstance(layer, keras.Model)
        if inner and _probed(layer):
            return _first_coupling(layer) or layer.name
        with contextlib.suppress(Exception):  # A layer that is called twice has no one output.
            if not inner and _probed(keras.Model(model.inputs, layer.output)):
                return layer.name
    return None


def _probed(model):
    """Whether other rows move the first or last row of the output; `None` if that is unknown."""
    rng = np.random.default_rng(0)
    inputs = drawn_inputs(model, rng)
    if inputs is None:
        return None
    with other_weights(model, rng=rng):
        return _moves(model, inputs, rng)


def _moves(model, inputs, rng):
    def rows(inputs):
        with keras.StatelessScope():
            outputs = model(inputs, training=True)
        return [np.asarray(tf.cast(x, "float32"))[[0, -1]] for x in tf.nest.flatten(outputs)]

    try:
        first = rows(inputs)
        if not _equal(first, rows(inputs)):  # It draws numbers that nobody can repeat.
            return None
        for kept in (0, -1, 0, -1):
            changed = rows(_others_changed(inputs, kept, rng))
            pair = ([x[[kept]] for x in y] for y in (first, changed))
            if not _equal(*pair):
                return True
    except Exception:  # Whatever a user's own layer raises.
        return None
    return False


@contextlib.contextmanager
def other_weights(*models, rng):
    """Moves the weights a little off, and puts them back: one that starts at 0 hides what it reads.

    Args:
        *models: Built Keras models.
        rng: NumPy's generator.
    """
    variables = {id(v): v for model in models for v in model.trainable_variables}.values()
    values = [v.numpy().copy() for v in variables]
    try:
        for variable, value in zip(variables, values, strict=True):
            fan_in = max(1, int(np.prod(variable.shape[:-1])))
            noise = rng.normal(size=variable.shape) / fan_in**0.5
            variable.assign(value + noise.astype(value.dtype))
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _equal(a, b):
    """Whether two lists of arrays agree; what is not finite agrees with nothing."""
    pairs = zip(a, b, strict=True)
    return all(np.max(np.abs(x - y)) <= TOLERANCE * np.max(np.abs(x)) for x, y in pairs)


def drawn_inputs(model, rng):
    """`ROWS` rows of what a model takes, as NumPy arrays; `None` if it does not say."""
    try:
        return tf.nest.map_structure(lambda x: _drawn(x, model, rng), _inputs(model))
    except (AttributeError, ValueError):
        return None


def _inputs(model):
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def _drawn(tensor, model, rng):
    shape = (ROWS, *(SIDE if side is None else side for side in tensor.shape[1:]))
    if "int" in tensor.dtype:
        told = conditions.of(model)
        return rng.integers(0, getattr(told, "num_classes", 2), shape).astype("int32")
    return rng.normal(size=shape).astype("float32")


def _others_changed(inputs, kept, rng):
    """Other numbers in all rows but one, of each input."""
    return tf.nest.map_structure(lambda x: _with_other_rows(x, kept, rng), inputs)


def _with_other_rows(x, kept, rng):
    others = np.array(x)
    if x.dtype.kind == "i":
        others = rng.permutation(others)
    else:
        others = (2.0 + 3.0 * rng.normal(size=x.shape)).astype(x.dtype)
    others[kept] = x[kept]
    return others
