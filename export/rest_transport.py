"""TensorFlow Serving's REST API, by Python's own library.

Reference:
    - https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

import numpy as np

from export.transport import NotFound, ServerError, Unavailable

DTYPES = {"DT_STRING": "string", "DT_FLOAT": "float32", "DT_DOUBLE": "float64"}
LATER = (429, 503)  # Statuses of a server that may answer later.


class Rest:
    """Requests to one model over HTTP."""

    def __init__(self, url, host, model, version, timeout):
        where = f"{url.rstrip('/')}/v1/models/{urllib.parse.quote(model, safe='')}"
        by = "labels" if isinstance(version, str) else "versions"
        self.where = where if version is None else f"{where}/{by}/{version}"
        self.timeout = timeout

    def signatures(self):
        """`{name: (inputs, outputs)}`, each `{name: (dtype, shape)}`.

        `None` of a server that has the model and no metadata, as KServe's.
        """
        try:
            metadata = self._read(f"{self.where}/metadata")
        except NotFound:
            status = self._read(self.where)  # Not found either where there is no model.
            if status.get("ready") is True:
                return None
            raise Unavailable(f"{self.where}: not ready: {json.dumps(status)[:300]}") from None
        try:
            given = metadata["metadata"]["signature_def"]["signature_def"]
            return {
                name: (_tensors(signature["inputs"]), _tensors(signature["outputs"]))
                for name, signature in given.items()
                if signature.get("inputs")
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ServerError(
                f"{self.where} does not answer as TensorFlow Serving does. Expected the signatures "
                f"of the model. Received: {str(metadata)[:200]}"
            ) from error

    def predict(self, signature, inputs):
        """The outputs of a signature: `{name: nested lists}`."""
        lists = {name: np.asarray(value).tolist() for name, value in inputs.items()}
        body = json.dumps({"signature_name": signature, "inputs": lists}).encode()
        outputs = self._read(f"{self.where}:predict", body).get("outputs")
        if not (isinstance(outputs, dict) and "b64" not in outputs):
            return _Single(outputs)
        return {name: _decoded(value) for name, value in outputs.items()}

    def _read(self, url, body=None):
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return _parsed(url, answer.read())
        except urllib.error.HTTPError as error:
            said = _said(error)
            if error.code in LATER:
                raise Unavailable(said) from error
            kind = NotFound if error.code == 404 else ServerError
            raise kind(f"the server answered {error.code}: {said}") from error
        except http.client.InvalidURL as error:
            raise ValueError(
                f"`url` is none ({error}). Expected http://HOST:PORT. Received: {url!r}"
            ) from error
        except (
            urllib.error.URLError,
            ConnectionError,
            TimeoutError,
            http.client.HTTPException,
        ) as error:
            raise Unavailable(f"{url}: {getattr(error, 'reason', error)}") from error


def _parsed(url, content):
    """An answer in JSON, an object."""
    try:
        parsed = json.loads(content)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ServerError(
            f"{url} does not answer as TensorFlow Serving does. Expected an object of JSON. "
            f"Received: {content[:100]!r}"
        )
    return parsed


class _Single(dict):
    """The only output of a signature, which the server gives without its name."""

    def __init__(self, value):
        super().__init__()
        self.value = _decoded(value)

    def __missing__(self, name):
        return self.value


def _decoded(value):
    """Lists, of bytes too, which JSON has as `{"b64": ...}`."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [base64.b64decode(row["b64"]) for row in value]
    return value


def _said(error):
    text = error.read().decode(errors="replace")
    try:
        return json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return text[:500] or error.reason


def _tensors(given):
    """`{name: (dtype, shape)}` of the inputs or outputs of a signature in JSON."""
    tensors = {}
    for name, tensor in given.items():
        kind = tensor["dtype"]
        dtype = DTYPES.get(kind, kind.removeprefix("DT_").lower())
        sizes = [int(dim["size"]) for dim in tensor["tensor_shape"].get("dim", [])]
        tensors[name] = (dtype, [None if size < 0 else size for size in sizes])
    return tensors
