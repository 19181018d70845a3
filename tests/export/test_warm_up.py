"""Requests to warm up with: read by the server's own protocol buffers, and replayed."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

import export
from export import warm_up
from tests.helpers import tiny_pair

BATCHES = [1, 2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize("default", ["latents", "sample_png"])
def test_every_signature_at_every_batch_size(tmp_path, default):
    generator, discriminator = tiny_pair(classes=3)
    arguments = {"discriminator": discriminator, "default": default}
    path = export.save(generator, tmp_path / "some digits", **arguments)
    signatures = tf.saved_model.load(path).signatures
    assert ("decode" in signatures) == (default != "latents")
    asked = set()
    for record in tf.data.TFRecordDataset(str(path / warm_up.WARM_UP)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        assert request.model_spec.name == "some_digits"
        inputs = {key: tf.constant(tf.make_ndarray(value)) for key, value in request.inputs.items()}
        (rows,) = {len(value) for value in inputs.values()}
        name = request.model_spec.signature_name
        answer = signatures[name](**inputs)
        assert all(len(value) == rows for value in answer.values())
        asked.add((name, rows))
    assert asked == {(name, rows) for name in signatures for rows in BATCHES}
    assert len(asked) <= 1000  # More a server refuses.


def test_a_field_longer_than_127_bytes():
    """A varint of two bytes: 300 is 0xAC 0x02 (protobuf.dev/programming-guides/encoding)."""
    assert warm_up._field(2, b"x" * 300)[:3] == b"\x12\xac\x02"
    assert warm_up._field(1, b"abc") == b"\x0a\x03abc"
    assert np.frombuffer(warm_up._field(1, b"x" * 128)[:3], "uint8").tolist() == [10, 128, 1]
