"""The health of a run by the command: what it says, its exit status, its record, and the way on."""

import dataclasses
import pathlib

import keras
import numpy as np
import pytest

from trainers.callbacks.health_monitor import read_record
from trainers.runs import health
from trainers.runs.construction import make
from trainers.runs.run import train
from trainers.runs.settings import Details, Settings
from zoo import datasets, saving

SMALL = Settings(
    dataset="ring", generator="mlp", latent_dim=2, batch_size=1000, jit_compile="false", steps=200
)
PLAYERS = Details(generator={"units": [4]}, discriminator={"units": [4], "pieces": 2})


@pytest.fixture
def run(in_process):
    """The command of a small run."""
    own = ["--dataset=ring", "--latent_dim=2", "--units=4", "--jit_compile=false"]
    own += ["--batch_size=200", "--output_dir=r"]
    return lambda *arguments: in_process(*own, *arguments)


@pytest.fixture
def often(monkeypatch):
    """Looks of a short run."""
    monkeypatch.setattr(health, "FEWEST", 50)


WON = ["--generator_optimizer=adam:1e-9", "--discriminator_optimizer=adam:0.02"]
WON += ["--steps_per_execution=10"]


def test_a_stop_has_a_status_of_its_own_and_all_that_was_made(run, often):
    code, out, err = run(*WON, "--steps=6000", "--health=stop")
    assert code == 3
    assert "warning: step 1,350: discriminator_won. The discriminator has won" in err
    last = err.strip().splitlines()[-1]
    assert last.startswith("error: stopped by --health=stop because of discriminator_won; ")
    assert "'r/health.jsonl'" in last
    folder = pathlib.Path("r")
    assert int(keras.saving.load_model(folder / "gan.keras").steps) == 1350
    for name in ("generator.keras", "samples.png", "report.png", "log.csv"):
        assert (folder / name).exists()
    assert read_record(folder / "health.jsonl")[-1]["troubles"][0] == "discriminator_won"
    # The same run may go on all the same.
    code, out, err = run(*WON, "--steps=1400", "--health=off")
    assert code == 0 and "Trained for 1,400 steps" in out


def test_nan_has_that_status_too(run):
    code, out, err = run("--optimizer=sgd:1e30", "--steps=200", "--health=off")
    assert code == 3 and "became NaN or infinite" in err.splitlines()[-1]


def test_a_run_that_went_on_looks_as_one_that_was_not_stopped(tmp_path, often):
    whole = train(SMALL, tmp_path / "a", 0, PLAYERS)
    path = tmp_path / "b"

    class Stop(keras.callbacks.Callback):
        """Ctrl-C after 120 steps."""

        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.steps.numpy()) == 120:
                raise KeyboardInterrupt

    made = health.monitor

    def stopping(*arguments):
        monitor = made(*arguments)
        end = monitor.on_train_batch_end
        stop = Stop()

        def on_train_batch_end(batch, logs=None):
            end(batch, logs)
            stop.set_model(monitor.model)
            stop.on_train_batch_end(batch)

        monitor.on_train_batch_end = on_train_batch_end
        return monitor

    health.monitor = stopping
    try:
        with pytest.raises(KeyboardInterrupt):
            train(SMALL, path, 0, PLAYERS)
    finally:
        health.monitor = made
    assert saving.read_bytes(path / "gan.keras", "health.json")
    again = train(SMALL, path, 0, PLAYERS)
    for a, b in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    of_a, of_b = (read_record(tmp_path / name / "health.jsonl") for name in "ab")
    assert [look["step"] for look in of_a] == [50, 100, 150, 200]
    for one, other in zip(of_a, of_b, strict=True):
        for name, value in one.items():
            if isinstance(value, float):
                assert other[name] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_the_run_is_the_same_with_the_monitor_and_without(tmp_path):
    off = dataclasses.replace(SMALL, health="off", steps=100)
    on = dataclasses.replace(SMALL, steps=100)
    one, other = train(off, tmp_path / "a", 0, PLAYERS), train(on, tmp_path / "b", 0, PLAYERS)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not (tmp_path / "a" / "health.jsonl").exists()


def test_small_data_are_searched_for_copies_whole_and_large_ones_are_looked_into(monkeypatch):
    digits = datasets.open("mnist", "test")
    traits = make(Settings(filters=4), digits.info, Details()).traits
    assert len(health._some(digits, traits)) == digits.count
    monkeypatch.setattr(health, "ROOM", 1000)
    (first,) = health._some(digits, traits).take(1)
    assert first.shape == (1000, 28, 28, 1)


def test_looks_of_a_run_are_about_forty(tmp_path):
    class Gan:
        traits = type("Traits", (), {"condition": None})

    data = datasets.open("ring")
    for end, executions, every in (
        (300, 1, 250),
        (12_000, 1, 300),
        (10**6, 1, 500),
        (16_000, 8, 400),
    ):
        settings = dataclasses.replace(SMALL, steps=end, steps_per_execution=executions)
        monitor = health.monitor(settings, data, Gan, tmp_path, end)
        assert monitor.rhythm.every_steps == every


def test_troubles_are_marked_where_they_begin(tmp_path):
    record = tmp_path / "health.jsonl"
    assert health.marks(record, 100) == []
    names = [], ["few_modes"], ["few_modes", "oscillation"], [], ["few_modes"]
    lines = [f'{{"step": {50 * k}, "troubles": {list(n)}}}\n' for k, n in enumerate(names)]
    record.write_text("".join(lines).replace("'", '"'))
    assert health.marks(record, 100) == [
        (0.5, "few_modes"),
        (1.0, "oscillation"),
        (2.0, "few_modes"),
    ]
