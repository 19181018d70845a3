"""An epoch is one transaction: a stop at its end loses neither its score nor its row."""

import dataclasses
import json
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

import evaluation
from tests.helpers import all_variables
from trainers import callbacks
from trainers.callbacks import epochs
from trainers.runs import run
from trainers.runs.settings import Details, Settings
from zoo import pictures

SMALL = Details(generator={"units": [4]}, discriminator={"units": [4]})
SCORED = Settings(
    dataset="ring",
    generator="mlp",
    latent_dim=2,
    batch_size=20_000,
    epochs=3,
    score="modes",
    score_samples=200,
    jit_compile="false",
)


class _Killed(Exception):
    """What a SIGKILL is to this process: nothing is saved on the way out."""


def _stopped(monkeypatch, folder, where, kind, calls, settings=SCORED):
    """Trains, until a method of a callback or of the measure is called for the n-th time."""
    cls, name = where
    real, left = getattr(cls, name), [calls]

    def stop(self, *args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            raise kind
        return real(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(cls, name, stop)
        with pytest.raises(kind):
            run.train(settings, folder, verbose=0, details=SMALL)


def _same(one, other):
    """Whether two folders hold the same run: log, scores, pictures, and the trainers' numbers."""
    assert (one / "log.csv").read_text() == (other / "log.csv").read_text()
    scores = [json.loads((f / "score" / "scores.json").read_text()) for f in (one, other)]
    assert scores[0] == scores[1] and list(scores[0]["scores"]) == ["1", "2", "3"]
    for name in (f"samples/epoch_000{k}.png" for k in range(4)):
        np.testing.assert_array_equal(*(np.asarray(Image.open(f / name)) for f in (one, other)))
    for name in ("gan.keras", "score/best.keras", "score/last.keras"):
        trainers = [keras.saving.load_model(f / name) for f in (one, other)]
        for a, b in zip(*map(all_variables, trainers), strict=True):
            np.testing.assert_array_equal(a, b)


def _drawn(samples, *_):
    return np.uint8(np.clip(40 * samples[:64, :, None] + 128, 0, 255)).repeat(3, axis=2)


def test_stops_within_an_epochs_end_leave_no_trace(tmp_path, monkeypatch):
    monkeypatch.setattr(run.results, "write", lambda *_: None)
    monkeypatch.setattr(pictures, "draw", _drawn)
    whole, folder = tmp_path / "whole", tmp_path / "stopped"
    run.train(SCORED, whole, verbose=0, details=SMALL)
    measured, drawn = (evaluation.ModeCoverage, "evaluate"), (callbacks.SampleGrid, "on_epoch_end")
    _stopped(monkeypatch, folder, drawn, KeyboardInterrupt, 1)
    assert not epochs.read(folder / "gan.keras")["ended"]
    # A beat at the end of an epoch (of five steps) waits for its end.
    beats = dataclasses.replace(SCORED, checkpoint_every_steps=5)
    _stopped(monkeypatch, folder, measured, _Killed, 2, beats)
    assert int(keras.saving.load_model(folder / "gan.keras").steps) == 5
    assert epochs.read(folder / "gan.keras")["ended"]
    step = callbacks.SampleGrid, "on_train_batch_end"
    _stopped(monkeypatch, folder, step, KeyboardInterrupt, 2)
    _stopped(monkeypatch, folder, measured, KeyboardInterrupt, 2)  # The last one.
    run.train(SCORED, folder, verbose=0, details=SMALL)
    _same(whole, folder)


@pytest.mark.parametrize("text", ["{", "[]", '{"sums": {"a": ["b"]}}'])
def test_a_state_that_is_none(tmp_path, text):
    with zipfile.ZipFile(tmp_path / "gan.keras", "w") as archive:
        archive.writestr("epoch.json", text)
    with pytest.raises(ValueError, match="`path` is damaged: its epoch.json says no state"):
        epochs.read(tmp_path / "gan.keras")
