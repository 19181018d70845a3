"""Two processes on loopback: they train as one, and both come back after one was killed."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

import zoo
from trainers.runs import cluster

EPOCHS = 6
COMMAND = (
    "--dataset=ring --generator=mlp --batch_size=5000 --ema_decay=0 --learning_rate=0.001 "
    f"--units=64 --jit_compile=false --epochs={EPOCHS}"
).split()


def ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    found = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return found


def start(folder, workers=2):
    """The processes of one run, whose output is files beside the folder."""
    addresses = [f"127.0.0.1:{port}" for port in ports(workers)]
    processes = []
    for index in range(workers):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        arguments = [*COMMAND, f"--output_dir={folder}"]
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
        if workers > 1:
            arguments.append("--strategy=multi_worker")
        log = open(f"{folder}-{index}.log", "a")
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "trainers", *arguments],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        )
        log.close()
    return processes


def finish(processes, seconds=240):
    """Their exit statuses; those that wait for the dead too long are killed."""
    deadline = time.monotonic() + seconds
    try:
        return [process.wait(max(1, deadline - time.monotonic())) for process in processes]
    finally:
        for process in processes:
            process.kill()


def weights(folder):
    return zoo.load(folder / "generator.keras").get_weights()


def logged(folder, name):
    with open(folder / "log.csv") as file:
        return [float(row[name]) for row in csv.DictReader(file)]


@pytest.mark.long
def test_two_processes_are_one_and_survive_a_kill(tmp_path):
    alone, together, killed = (tmp_path / name for name in ("alone", "together", "killed"))
    assert finish(start(alone, workers=1)) == [0]
    assert finish(start(together)) == [0, 0], (tmp_path / "together-1.log").read_text()
    processes = start(killed)
    while not (killed / "gan.keras").exists():
        assert all(process.poll() is None for process in processes)
        time.sleep(0.05)
    processes[1].send_signal(signal.SIGKILL)
    status = finish(processes)
    assert status[1] == -signal.SIGKILL and status[0] != 0
    assert not (killed / "generator.keras").exists()  # It was killed in the middle.
    assert finish(start(killed)) == [0, 0]
    for a, b in zip(weights(together), weights(killed), strict=True):
        np.testing.assert_array_equal(a, b)
    # ReLU and Adam blow roundings up, so step by step they are compared elsewhere (test_replicas).
    for name in ("generator_loss", "discriminator_loss", "js_estimate"):
        np.testing.assert_allclose(logged(alone, name)[:2], logged(together, name)[:2], atol=1e-4)
    assert logged(together, "epoch") == logged(killed, "epoch") == list(range(EPOCHS))
    assert {p.name for p in together.iterdir()} == {p.name for p in alone.iterdir()}


@pytest.mark.parametrize(
    "config, message",
    [
        (None, "no TF_CONFIG"),
        ("{", "TF_CONFIG='{'"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', '"index": 1'),
        ('{"cluster": {"ps": ["a:1"]}, "task": {"type": "ps", "index": 0}}', "'ps' at a:1"),
    ],
)
def test_what_tf_config_has_to_say(monkeypatch, config, message):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match="(?s)`TF_CONFIG` .*Expected.*Received.*" + message):
        cluster.strategy("multi_worker")


def test_unknown_strategies():
    with pytest.raises(ValueError, match="`strategy` is unknown.*mirrored.* strategy='mirror'"):
        cluster.strategy("mirror")
