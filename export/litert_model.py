"""LiteRT files for phones and small machines: `model.tflite`, with the signature of latents.

LiteRT has no products of 64-bit integers that a seed needs, so it takes latents: `latents` of the
other formats makes them. Where a layer cannot do with a free number of rows the file is of one row.
"""

import contextlib
import os
import pathlib
import tempfile
import warnings

import tensorflow as tf

from export import saved_model
from export.signatures import DEFAULT, Signature, decoder


def write(folder, served, signatures, weights="float32"):
    """Writes `model.tflite` of a version.

    Args:
        folder: Folder of the version.
        served: `export.served.Served`.
        signatures: Of `export.signatures.of`.
        weights: As in `export.stored_weights`.
    """
    signature = signatures[decoder(signatures)]
    one = [tf.TensorSpec((1, *x.shape[1:]), x.dtype, name=x.name) for x in signature.inputs]
    try:
        content = _converted(served, signature, weights)
    except Exception as error:
        if not _is_refused(error):
            raise
        content = _of_one_row(served, Signature(signature.function, one), weights)
    (pathlib.Path(folder) / "model.tflite").write_bytes(content)


def _of_one_row(served, signature, weights):
    try:
        return _converted(served, signature, weights)
    except Exception as error:
        if not _is_refused(error):
            raise
        raise ValueError(
            "`formats` has 'litert', which cannot hold this model. Expected layers of operations "
            f"that LiteRT has. Received: {' '.join(str(error).split())[:300]}"
        ) from error


def _is_refused(error):
    return type(error).__name__ == "ConverterError"  # A class that TensorFlow does not show.


def _converted(served, signature, weights):
    with tempfile.TemporaryDirectory() as folder, _quiet():
        saved_model.write(folder, served, {DEFAULT: signature})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[DEFAULT])
        if weights != "float32":  # Of int8 this is LiteRT's own form, "dynamic range".
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if weights == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


@contextlib.contextmanager
def _quiet():
    """Hides what the converter writes, warnings and the lines of its C++ code."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
