"""TensorFlow Serving's gRPC API, by the stubs of `tensorflow-serving-api`."""

import tensorflow as tf

from export.transport import ServerError, Unavailable

INSTALL = "pip install tensorflow-serving-api"
LARGEST = 256 * 1024 * 1024  # Bytes of a message.


class Grpc:
    """Requests to one model over gRPC."""

    def __init__(self, url, host, model, version, timeout):
        try:
            import grpc
            from tensorflow_serving.apis import (
                get_model_metadata_pb2,
                predict_pb2,
                prediction_service_pb2_grpc,
            )
        except ImportError as error:
            raise ImportError(
                f"`url` is one of gRPC, for which {error.name} is not installed. Expected: "
                f"{INSTALL}; or a URL that begins with http://. Received: url={url!r}"
            ) from error
        self.grpc, self.metadata, self.requests = grpc, get_model_metadata_pb2, predict_pb2
        sizes = ("max_send_message_length", "max_receive_message_length")
        options = [(f"grpc.{name}", LARGEST) for name in sizes]
        channel = grpc.insecure_channel(host.rstrip("/"), options)
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self.model, self.version, self.timeout = model, version, timeout

    def signatures(self):
        """`{name: (inputs, outputs)}`, each `{name: (dtype, shape)}`."""
        request = self.metadata.GetModelMetadataRequest(metadata_field=["signature_def"])
        answer = self._call(self.stub.GetModelMetadata, request)
        found = self.metadata.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)
        return {
            name: (_tensors(signature.inputs), _tensors(signature.outputs))
            for name, signature in found.signature_def.items()
            if signature.inputs
        }

    def predict(self, signature, inputs):
        """The outputs of a signature: `{name: array}`."""
        request = self.requests.PredictRequest()
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer = self._call(self.stub.Predict, request)
        try:
            return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}
        except (TypeError, ValueError) as error:
            raise ServerError(
                f"`{signature}` was answered with what is no tensor. Expected one of a dtype and a "
                f"shape that it fills. Received: {error}"
            ) from error

    def _call(self, method, request):
        request.model_spec.name = self.model
        if isinstance(self.version, str):
            request.model_spec.version_label = self.version
        elif self.version is not None:
            request.model_spec.version.value = self.version
        try:
            return method(request, timeout=self.timeout)
        except self.grpc.RpcError as error:
            said = f"{error.code().name}: {error.details()}"
            if error.code() == self.grpc.StatusCode.UNAVAILABLE:
                raise Unavailable(said) from error
            raise ServerError(f"the server answered {said}") from error


def _tensors(given):
    return {
        name: (
            tf.as_dtype(tensor.dtype).name,
            [None if dim.size < 0 else dim.size for dim in tensor.tensor_shape.dim],
        )
        for name, tensor in given.items()
    }
