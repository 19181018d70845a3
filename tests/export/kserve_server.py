"""A SavedModel in KServe's own server: `python kserve_server.py MODEL NAME PORT`.

For an environment with kserve and TensorFlow and without this project. HTTP, JSON, routes, statuses
and the checks of a request are KServe's; a model there is a class, and this one calls a signature.
"""

import base64
import sys

import kserve
import tensorflow as tf
from kserve.errors import InvalidInput


class SavedModel(kserve.Model):
    """A SavedModel that answers requests of TensorFlow Serving's REST API in columns."""

    def __init__(self, path, name):
        super().__init__(name)
        self.signatures = tf.saved_model.load(path).signatures
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        name = payload.get("signature_name", "serving_default")
        if name not in self.signatures:
            raise InvalidInput(f"Serving signature name: {name!r} not found")
        signature = self.signatures[name]
        specs = signature.structured_input_signature[1]
        inputs = payload["inputs"]
        if set(inputs) != set(specs):
            raise InvalidInput(f"inputs of {name!r} are {sorted(specs)}")
        given = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
        outputs = {key: as_json(value) for key, value in signature(**given).items()}
        return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}


def as_json(value):
    """A tensor as REST has it: texts in base64, all else as lists."""
    if value.dtype == tf.string:
        return [{"b64": base64.b64encode(row).decode()} for row in value.numpy()]
    return value.numpy().tolist()


def main(path, name, port):
    """Serves until it is stopped."""
    kserve.ModelServer(http_port=int(port), workers=1, enable_grpc=False).start(
        [SavedModel(path, name)]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
