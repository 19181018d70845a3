"""The command that asks a server everything: which one, and what it says of wrong answers."""

import os
import pathlib
import shutil
import stat
import sys
import threading

import pytest

import export
from export import client as clients
from tests.export import over_the_wire, servers, stand_in_server
from tests.helpers import tiny_pair

ROOT = pathlib.Path(__file__).parents[2]
BINARY = f"""#!{sys.executable}
# A stand-in with the flags of TensorFlow Serving's binary.
import pathlib, sys, threading
sys.path.insert(0, {str(ROOT)!r})
from tests.export import stand_in_server
said = dict(flag.removeprefix("--").partition("=")[::2] for flag in sys.argv[1:])
assert "enable_model_warmup" in said and "enable_batching" in said
(version,) = [path for path in pathlib.Path(said["model_base_path"]).iterdir() if path.is_dir()]
model = stand_in_server.Model(version, said["model_name"])
with stand_in_server.rest(model, int(said["rest_api_port"])):
    with stand_in_server.remote_calls(model, int(said["port"])):
        threading.Event().wait()
"""


@pytest.fixture(autouse=True)
def nothing_there(monkeypatch, tmp_path):
    """No server is named, none is on the PATH, and there is one small model."""
    for name in ("TF_SERVING_URL", "TF_SERVING_MODEL", "TF_SERVING_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)
    generator, discriminator = tiny_pair(classes=3)
    monkeypatch.setattr(
        over_the_wire, "MODELS", {"tiny": lambda: (generator, discriminator, "sample")}
    )
    return generator


def run(capsys, *flags):
    FLAGS = over_the_wire.FLAGS
    FLAGS.unparse_flags()
    FLAGS["kserve"].value = None
    FLAGS(["over_the_wire", *flags])
    status = over_the_wire.main([])
    return status, capsys.readouterr().out.splitlines()


def test_without_a_server_it_says_what_it_asks_instead(capsys):
    status, lines = run(capsys)
    assert status == 0 and len(lines) == 3
    assert lines[0].startswith("asked: not TensorFlow Serving, but its stand-in")
    assert "TF_SERVING_URL is not set and no tensorflow_model_server is on the PATH" in lines[0]
    for line, scheme in zip(lines[1:], ("http", "grpc"), strict=True):
        assert line.startswith(f"tiny at {scheme}://127.0.0.1:")
        assert (
            ": good: 8 signatures, " in line
            and "decode differs by 0 at most, sample in 0 of" in line
        )


def test_the_binary_on_the_path_is_started(capsys, tmp_path):
    path = tmp_path / "bin" / servers.BINARY
    path.write_text(BINARY)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    assert shutil.which(servers.BINARY) == str(path)
    status, lines = run(capsys)
    assert status == 0 and lines[0] == f"asked: TensorFlow Serving, {path}"
    assert [line.split(": ")[1] for line in lines[1:]] == ["good", "good"]


def test_a_binary_that_fails_is_quoted(capsys, tmp_path):
    path = tmp_path / "bin" / servers.BINARY
    path.write_text(f"#!{sys.executable}\nprint('no such flag')\nraise SystemExit(3)\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(
        RuntimeError, match="does not serve 'tiny'.*exit status 3.*\n.*no such flag"
    ):
        run(capsys)


@pytest.mark.parametrize("way", stand_in_server.WAYS)
def test_a_server_elsewhere_gets_a_version_and_time_to_find_it(
    capsys, monkeypatch, nothing_there, way
):
    folder, port = pathlib.Path("build/serving_test/mine"), servers.free_port()
    export.save(nothing_there, folder)  # Of another time.
    stop = threading.Event()

    def serve():
        while not (folder / "2").is_dir():
            stop.wait(0.1)
        model = stand_in_server.Model(folder / "2", "mine")
        model.versions = {2}
        with stand_in_server.WAYS[way](model, port):
            stop.wait(60)

    server = threading.Thread(target=serve)
    server.start()
    scheme = {"rest": "http", "grpc": "grpc"}[way]
    monkeypatch.setenv("TF_SERVING_URL", f"{scheme}://127.0.0.1:{port}")
    monkeypatch.setenv("TF_SERVING_MODEL", "mine")
    try:
        status, lines = run(capsys)
    finally:
        stop.set()
        server.join()
    assert status == 0 and str(folder.resolve()) in lines[0] and len(lines) == 2
    assert f"tiny at {os.environ['TF_SERVING_URL']}: good: 8 signatures, " in lines[1]


def test_a_server_that_does_not_find_the_version(capsys, monkeypatch):
    monkeypatch.setattr(servers, "PATIENCE", 0.5)
    monkeypatch.setenv("TF_SERVING_URL", f"http://127.0.0.1:{servers.free_port()}")
    with pytest.raises(ValueError, match="`TF_SERVING_MODEL` is not set, and TF_SERVING_URL is"):
        run(capsys)
    monkeypatch.setenv("TF_SERVING_MODEL", "mine")
    monkeypatch.setenv("TF_SERVING_DIR", "served")
    with pytest.raises(
        RuntimeError, match="does not serve 'mine', version 1.*/served, within 0 se"
    ):
        run(capsys)


def test_an_environment_that_is_not_there(capsys):
    with pytest.raises(FileNotFoundError, match="`--kserve` is no program.*make kserve-test"):
        run(capsys, "--kserve=.kserve/bin/python")


def test_wrong_answers_fail(capsys, monkeypatch):
    answer = stand_in_server.Model.answer

    def moved(model, signature, inputs):
        outputs = dict(answer(model, signature, inputs))
        if signature == "decode":
            outputs["images"] = outputs["images"] + 2e-5
        return outputs

    monkeypatch.setattr(stand_in_server.Model, "answer", moved)
    status, lines = run(capsys)
    assert status == 1 and len(lines) == 3
    for line in lines[1:]:
        assert ": WRONG: 8 signatures, " in line and "decode differs by 2e-05" in line


def test_a_signature_that_the_server_lacks(tmp_path, nothing_there):
    version = export.save(nothing_there, tmp_path / "served")
    model = stand_in_server.Model(version, "tiny")
    del model.map.signature_def["latents"]
    with stand_in_server.rest(model) as url:
        client = clients.Client(url, "tiny", card=version)
        with pytest.raises(RuntimeError, match="`signatures` of the server are others"):
            over_the_wire.replay(client, version)
