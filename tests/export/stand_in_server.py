"""A stand-in for TensorFlow Serving: its REST forms and its own gRPC stubs around a SavedModel.

The binary is in no package registry. What a request and an answer look like is from its
documentation (api_rest.md) and from the protocol buffers of `tensorflow-serving-api`.
"""

import base64
import concurrent.futures
import contextlib
import http.server
import json
import threading

import grpc
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)


class Model:
    """A SavedModel: its signatures as messages, and its answers."""

    def __init__(self, path, name):
        read = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        self.name = name
        self.map = get_model_metadata_pb2.SignatureDefMap()
        for key, value in read.meta_graphs[0].signature_def.items():
            self.map.signature_def[key].CopyFrom(value)
        self.loaded = tf.saved_model.load(str(path))
        self.versions, self.labels = {1}, {"stable"}
        self.asked, self.busy = [], 0  # Requests, and how many next ones find it unavailable.
        self.tells = True  # What its signatures are; KServe's server does not.
        self.states = []  # Of the next requests, before it is AVAILABLE.

    def answer(self, signature, inputs):
        self.asked.append((signature, inputs))
        call = self.loaded.signatures[signature]
        specs = call.structured_input_signature[1]
        if set(specs) != set(inputs):
            raise ValueError(f"inputs {sorted(inputs)} do not match {sorted(specs)}")
        given = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
        return call(**given)


@contextlib.contextmanager
def rest(model, port=0):
    """The URL of a server of a model, at a port or at any that is free."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def reply(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.serve(lambda: self.metadata())

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            self.serve(lambda: self.predict(json.loads(self.rfile.read(length))))

        def serve(self, respond):
            base = f"/v1/models/{model.name}"
            if model.busy:
                model.busy -= 1
                return self.reply(503, {"error": "not now"})
            which = [base, *(f"{base}/versions/{v}" for v in model.versions)]
            which += [f"{base}/labels/{label}" for label in model.labels]
            if self.path in which:
                return self.reply(200, self.status())
            if model.states and self.path.endswith("/metadata"):
                return self.reply(404, {"error": "Servable not found for request: not loaded"})
            ends = ("/metadata", ":predict") if model.tells else (":predict",)
            if self.path not in [x + end for x in which for end in ends]:
                return self.reply(404, {"error": f"Servable not found for request: {self.path}"})
            try:
                self.reply(200, respond())
            except Exception as error:
                self.reply(400, {"error": str(error)})

        def status(self):
            if not model.tells:
                return {"name": model.name, "ready": True}
            state = model.states.pop(0) if model.states else "AVAILABLE"
            told = {"version": "1", "state": state, "status": {"error_code": "OK"}}
            return {"model_version_status": [told]}

        def metadata(self):
            told = json_format.MessageToDict(
                model.map,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
            return {"model_spec": {"name": model.name}, "metadata": {"signature_def": told}}

        def predict(self, request):
            answer = model.answer(request["signature_name"], request["inputs"])
            outputs = {name: as_json(value) for name, value in answer.items()}
            if len(outputs) == 1:  # Column form: one output has no name.
                (outputs,) = outputs.values()
            return {"outputs": outputs}

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def as_json(value):
    """A tensor as REST has it: texts in base64, all else as lists."""
    if value.dtype == tf.string:
        return [{"b64": base64.b64encode(row).decode()} for row in value.numpy()]
    return value.numpy().tolist()


@contextlib.contextmanager
def remote_calls(model, port=0):
    """The URL of a gRPC server of a model, of the real stubs, at a port or at any that is free."""

    class Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
        def check(self, request, context):
            if model.busy:
                model.busy -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            spec = request.model_spec
            known = {"version": model.versions, "version_label": model.labels}
            asked = spec.WhichOneof("version_choice")
            told = spec.version.value if asked == "version" else spec.version_label
            if spec.name != model.name or (asked and told not in known[asked]):
                context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")

        def GetModelMetadata(self, request, context):
            self.check(request, context)
            answer = get_model_metadata_pb2.GetModelMetadataResponse()
            answer.metadata["signature_def"].Pack(model.map)
            return answer

        def Predict(self, request, context):
            self.check(request, context)
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            try:
                answer = model.answer(request.model_spec.signature_name, inputs)
            except Exception as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            outputs = {name: tf.make_tensor_proto(value.numpy()) for name, value in answer.items()}
            return predict_pb2.PredictResponse(outputs=outputs)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


WAYS = {"rest": rest, "grpc": remote_calls}
