"""Whether a model couples the examples of a batch: the one place where that is decided.

Row 0 of the output may depend on row 0 of the input alone, or on the other rows too, as with batch
normalization. Four decisions ask: the one-stage step, which divides by a derivative of each logit
by its own sample; the warning of a penalty on the slope at one example; the check of a generator
whose gradient is estimated from the losses; and the refusal of parts of one example.

Two answers are given. `treats_examples_apart` is an allow-list: it enters wrappers and nested
models, and looks at activations and axes; what it does not know does not pass. `coupling_layer` is
a probe: it changes the other rows and looks whether row 0 of the output moves.
"""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from zoo import layers as ours

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
ACTIVATIONS = {f for name, f in vars(keras.activations).items() if callable(f)}
# What couples examples wherever the probe cannot be made.
COUPLING = (keras.layers.BatchNormalization, ours.MinibatchDiscrimination)


def treats_examples_apart(model):
    """Whether every layer of a model is known to treat the examples of a batch apart.

    Args:
        model: A Keras model. One with a `call` of its own is not known to, nor is a layer of a
            user's, a `Lambda`, an operation of `keras.ops`, or an activation that is not Keras's.
    """
    nodes = model.layers if isinstance(model, keras.Sequential) else None
    nodes = getattr(model, "operations", None) if nodes is None else nodes
    return nodes is not None and all(_apart(node) for node in nodes)


def _apart(node):
    if isinstance(node, keras.Model):
        return treats_examples_apart(node)
    if type(node) not in PLAIN or getattr(node, "stateful", False):
        return False
    functions = (getattr(node, name, None) for name in ("activation", "recurrent_activation"))
    axes = (getattr(node, name, None) for name in ("axis", "axes"))
    return (
        all(f is None or _apart_function(f) for f in functions)
        and all(_spares_rows(axis) for axis in axes)
        and all(_apart(layer) for layer in node._flatten_layers(include_self=False))
    )


def _apart_function(function):
    return _apart(function) if isinstance(function, keras.Layer) else function in ACTIVATIONS


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
    moved = _probed(model)
    if moved is None:  # It cannot be called so, or draws numbers that nobody can repeat.
        found = (la.name for la in model._flatten_layers() if isinstance(la, COUPLING))
        return next(found, None)
    if not moved:
        return None
    for layer in model.layers:
        with contextlib.suppress(Exception):  # A layer that is called twice has no one output.
            if _probed(keras.Model(model.inputs, layer.output)):
                inner = coupling_layer(layer) if isinstance(layer, keras.Model) else None
                return inner or layer.name
    return model.name


def _probed(model):
    """Whether other rows move row 0 of the output; `None` where that cannot be found out."""
    rng = np.random.default_rng(0)
    try:
        inputs = tf.nest.map_structure(lambda x: _drawn(x, model, rng), _inputs(model))
    except (AttributeError, ValueError):
        return None
    # A kernel that starts at 0 would hide what comes before it.
    weights = [(v, v.value + _noise(v, rng)) for v in model.trainable_variables]
    function = _first_rows(model, weights)
    return moves_row(function, inputs, rng)


def moves_row(function, inputs, rng):
    """Whether a function's output of row 0 moves when the other rows of its inputs do.

    Args:
        function: Of a structure of arrays to a list of arrays: what it makes of row 0.
        inputs: Arrays of `ROWS` rows.
        rng: NumPy's generator, of the other rows.

    Returns:
        bool; `None` where the function fails, or does not repeat itself.
    """
    try:
        first, again = function(inputs), function(inputs)
        if not _equal(first, again):
            return None
        for _ in range(2):
            changed = tf.nest.map_structure(lambda x: _others_changed(x, rng), inputs)
            if not _equal(first, function(changed)):
                return True
    except Exception:  # Whatever a user's own layer raises.
        return None
    return False


def _first_rows(model, weights):
    def function(inputs):
        with keras.StatelessScope(state_mapping=weights):
            outputs = model(inputs, training=True)
        return [np.asarray(tf.cast(x, "float32"))[:1] for x in tf.nest.flatten(outputs)]

    return function


def _equal(a, b):
    """Whether two lists of arrays agree; what is not finite agrees with nothing."""
    pairs = zip(a, b, strict=True)
    return all(np.max(np.abs(x - y)) <= TOLERANCE * np.max(np.abs(x)) for x, y in pairs)


def _inputs(model):
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def _drawn(tensor, model, rng):
    shape = (ROWS, *(SIDE if side is None else side for side in tensor.shape[1:]))
    if "int" in tensor.dtype:
        return rng.integers(0, getattr(model, "num_classes", None) or 2, shape).astype("int32")
    return rng.normal(size=shape).astype("float32")


def _others_changed(x, rng):
    others = np.array(x)
    if x.dtype.kind == "i":
        others[1:] = rng.permutation(x.ravel())[: x[1:].size].reshape(x[1:].shape)
    else:
        others[1:] = 2.0 + 3.0 * rng.normal(size=x[1:].shape)
    return others


def _noise(variable, rng):
    """What is added to a weight: of the size that its layer's first weights have."""
    fan_in = max(1, int(np.prod(variable.shape[:-1])))
    noise = rng.normal(size=variable.shape) / fan_in**0.5
    return keras.ops.cast(noise, variable.dtype)
