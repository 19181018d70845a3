"""Requests that a server answers before it opens: the first client waits for nothing.

A server that is started with `--enable_model_warmup` replays the records of a file beside the
model, each a `tensorflow.serving.PredictionLog`
(https://www.tensorflow.org/tfx/serving/saved_model_warmup). The three messages around a tensor are
written here, so that nothing has to be installed for it.
"""

import pathlib

import tensorflow as tf

WARM_UP = "assets.extra/tf_serving_warmup_requests"
BATCHES = (1, 2, 4, 8, 16, 32, 64)  # What a server's batches are filled up to.
NAME, SIGNATURE = 1, 3  # Fields of a ModelSpec.
MODEL_SPEC, INPUTS = 1, 2  # Of a PredictRequest.
KEY, VALUE = 1, 2  # Of an entry of a map.
PREDICT_LOG, REQUEST = 6, 1  # Of a PredictionLog and of a PredictLog.


def write(folder, model, signatures):
    """Writes a record for every signature and batch size.

    Args:
        folder: Folder of the version.
        model: The name that the server knows the model by.
        signatures: Of `export.signatures.of`.
    """
    path = pathlib.Path(folder) / WARM_UP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for batch in BATCHES:
            for name, signature in signatures.items():
                request = _request(model, name, signature.inputs, batch)
                writer.write(_field(PREDICT_LOG, _field(REQUEST, request)))


def _request(model, signature, inputs, batch):
    """A PredictRequest of zeros."""
    spec = _field(NAME, model.encode()) + _field(SIGNATURE, signature.encode())
    request = _field(MODEL_SPEC, spec)
    for given in inputs:
        zeros = tf.make_tensor_proto(0, given.dtype, [batch, *given.shape[1:]])
        entry = _field(KEY, given.name.encode()) + _field(VALUE, zeros.SerializeToString())
        request += _field(INPUTS, entry)
    return request


def _field(number, content):
    """A field of bytes of a protocol buffer."""
    length, size = b"", len(content)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content
