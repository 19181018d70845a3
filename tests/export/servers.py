"""Servers of a version, each for as long as it is asked: pairs of a URL and a version's number.

The number is that which a client asks for, or `None` where the server has no versions.
"""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import export
from export import server_files
from tests.export import stand_in_server

BINARY = "tensorflow_model_server"
KSERVE = pathlib.Path(__file__).with_name("kserve_server.py")
PATIENCE = 90.0  # Seconds until a server has a version.


@contextlib.contextmanager
def stand_in(version, name):
    """The stand-in server, over REST and over gRPC."""
    model = stand_in_server.Model(version, name)
    with stand_in_server.rest(model) as rest, stand_in_server.remote_calls(model) as calls:
        yield [(rest, 1), (calls, 1)]


@contextlib.contextmanager
def binary(version, name):
    """TensorFlow Serving's own binary, with the settings that a version brings along."""
    rest, calls = free_port(), free_port()
    command = [
        shutil.which(BINARY),
        f"--port={calls}",
        f"--rest_api_port={rest}",
        f"--model_name={name}",
        f"--model_base_path={version.parent.resolve()}",
        *server_files.FLAGS,
    ]
    with process(command) as running:
        urls = [(f"http://127.0.0.1:{rest}", 1), (f"grpc://127.0.0.1:{calls}", 1)]
        for url, _ in urls:
            wait(url, name, version, int(version.name), running)
        yield [(url, int(version.name)) for url, _ in urls]


def kserve(python):
    """KServe's server, by the Python of an environment that has it."""

    @contextlib.contextmanager
    def serve(version, name):
        port = free_port()
        with process([python, "-P", KSERVE, version, name, port]) as running:
            url = f"http://127.0.0.1:{port}"
            wait(url, name, version, None, running)
            yield [(url, None)]

    return serve


def elsewhere(url):
    """A server that runs already, and looks for new versions in the folder by itself."""

    @contextlib.contextmanager
    def serve(version, name):
        number = int(version.name)
        wait(url, name, version, number)
        yield [(url, number)]

    return serve


def free_port():
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def process(command):
    """A process that is stopped in the end, and what it wrote."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "1", "CUDA_VISIBLE_DEVICES": ""}
    with tempfile.TemporaryFile("w+") as log:
        running = subprocess.Popen(
            list(map(str, command)), stdout=log, stderr=subprocess.STDOUT, env=environment
        )
        running.log = log
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def wait(url, name, version, number, running=None):
    """Returns as soon as a server has a version."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return export.Client(url, name, card=version, version=number, retries=0)
        except (ConnectionError, export.client.ServerError) as error:
            ended = running is not None and running.poll() is not None
            if time.monotonic() < end and not ended:
                time.sleep(0.2)
                continue
            raise RuntimeError(
                f"`{url}` does not serve {name!r}"
                f"{'' if number is None else f', version {number}'}: {error}. Expected a server of "
                f"{version.parent.resolve()}, within {PATIENCE:.0f} seconds. Received: "
                f"{_said(running) if running else 'no such version'}"
            ) from error


def _said(running):
    running.log.seek(0)
    return f"exit status {running.poll()} and the lines\n{running.log.read()[-2000:]}"


def chosen(kserve_python=None):
    """What is asked, and a line that says why: `(line, server, name or None, folder or None)`.

    Raises:
        FileNotFoundError: If there is no such Python.
        ValueError: If `TF_SERVING_URL` is set without `TF_SERVING_MODEL`.
    """
    if kserve_python is not None:
        if shutil.which(kserve_python) is None:
            raise FileNotFoundError(
                "`--kserve` is no program. Expected the Python of an environment with "
                f"requirements-kserve.txt, as of make kserve-test. Received: {kserve_python!r}"
            )
        return f"KServe's server, by {kserve_python}", kserve(kserve_python), None, None
    url = os.environ.get("TF_SERVING_URL")
    if url:
        name = os.environ.get("TF_SERVING_MODEL")
        if not name:
            raise ValueError(
                "`TF_SERVING_MODEL` is not set, and TF_SERVING_URL is. Expected the name that the "
                f"server knows the model by. Received: TF_SERVING_URL={url!r} alone"
            )
        default = pathlib.Path("build", "serving_test", name)
        folder = pathlib.Path(os.environ.get("TF_SERVING_DIR") or default)
        line = f"the server at {url}, which has to serve {folder.resolve()} as {name!r}"
        return line, elsewhere(url), name, folder
    if shutil.which(BINARY):
        return f"TensorFlow Serving, {shutil.which(BINARY)}", binary, None, None
    line = (
        "not TensorFlow Serving, but its stand-in, tests/export/stand_in_server.py, because "
        f"TF_SERVING_URL is not set and no {BINARY} is on the PATH"
    )
    return line, stand_in, None, None
