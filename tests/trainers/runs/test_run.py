"""A run in a folder: stopped anywhere and gone on with, and what is refused."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from PIL import Image

import evaluation
from tests.helpers import all_variables, largest_difference
from trainers import callbacks
from trainers.runs import run
from trainers.runs.settings import Details, Settings
from zoo import datasets, saving

TOY = Settings(dataset="normal", generator="mlp", latent_dim=2, batch_size=20_000, epochs=2, seed=4)
SMALL = Details(generator={"units": [4]}, discriminator={"units": [4]})
PLAIN = dataclasses.replace(TOY, jit_compile="false")


class _Interrupt(keras.callbacks.Callback):
    """Ctrl-C after so many steps."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def _interrupted(monkeypatch, steps, settings, folder):
    grid = callbacks.SampleGrid
    with monkeypatch.context() as patch:
        # The interruption rides on a callback that the command itself uses.
        stop = _Interrupt(steps)
        patch.setattr(grid, "on_train_batch_end", lambda self, b, logs: stop.on_train_batch_end(b))
        with pytest.raises(KeyboardInterrupt):
            run.train(settings, folder, verbose=0, details=SMALL)


def test_a_run_that_was_stopped_ends_like_one_that_was_not(tmp_path, monkeypatch):
    whole = run.train(PLAIN, tmp_path / "whole", verbose=0, details=SMALL)
    assert int(whole.steps) == 10
    _interrupted(monkeypatch, 3, PLAIN, tmp_path / "stopped")  # In the middle of an epoch
    assert int(keras.saving.load_model(tmp_path / "stopped" / "gan.keras").steps) == 3
    _interrupted(monkeypatch, 2, PLAIN, tmp_path / "stopped")  # At its end
    rest = run.train(PLAIN, tmp_path / "stopped", verbose=0, details=SMALL)
    assert int(rest.steps) == 10
    assert largest_difference(all_variables(whole), all_variables(rest)) < 1e-6
    for name in ("samples/epoch_0001.png", "samples/epoch_0002.png", "samples.png"):
        pictures = [Image.open(tmp_path / which / name) for which in ("whole", "stopped")]
        np.testing.assert_array_equal(*map(np.asarray, pictures))
    # A finished run is gone on with by asking for more epochs.
    longer = dataclasses.replace(PLAIN, epochs=3)
    more = run.train(longer, tmp_path / "stopped", verbose=0, details=SMALL)
    assert int(more.steps) == 15


def _same(one, other):
    for a, b in zip(all_variables(one), all_variables(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_run_in_steps_that_was_stopped_ends_like_one_that_was_not(tmp_path, monkeypatch):
    """Five steps are an epoch: seven are one and a part. The settings file says the recipe."""
    settings = dataclasses.replace(PLAIN, steps=7, sample_every_steps=3, checkpoint_every_steps=2)
    arguments = {"verbose": 0, "details": SMALL, "origin": {"recipe": "mine", "changed": "--steps"}}
    whole = run.train(settings, tmp_path / "whole", **arguments)
    assert int(whole.steps) == 7

    def crash(self, batch, logs=None):
        if int(self.model.steps) == 5:
            raise RuntimeError("out of power")

    folder = tmp_path / "stopped"
    with monkeypatch.context() as patch:
        patch.setattr(callbacks.SampleGrid, "on_train_batch_end", crash)
        with pytest.raises(RuntimeError):
            run.train(settings, folder, **arguments)
    assert int(keras.saving.load_model(folder / "gan.keras").steps) == 4
    _same(whole, run.train(settings, folder, **arguments))
    _same(whole, keras.saving.load_model(folder / "gan.keras"))
    names = sorted(path.name for path in (tmp_path / "whole" / "samples").glob("*.png"))
    assert names == ["step_0000000.png", "step_0000003.png", "step_0000006.png"]
    found = json.loads((folder / "settings.json").read_text())
    assert (found["recipe"], found["changed"], found["steps"]) == ("mine", "--steps", 7)
    with pytest.raises(ValueError, match="holds another run.*recipe was 'mine', is None"):
        run.train(settings, folder, verbose=0, details=SMALL)
    with pytest.raises(ValueError, match="`steps` ends before the run in output_dir.*steps=6"):
        run.train(dataclasses.replace(settings, steps=6), folder, **arguments)
    with pytest.raises(ValueError, match="`epochs` ends before the run in output_dir.*epochs=1"):
        run.train(dataclasses.replace(settings, steps=None, epochs=1), folder, **arguments)


def test_ctrl_c_after_a_divergence_leaves_the_file(tmp_path, monkeypatch):
    settings = dataclasses.replace(PLAIN, steps=4, checkpoint_every_steps=2)

    def broken(self, batch, logs=None):
        if int(self.model.steps) == 3:
            self.model.generator.set_weights([w * np.nan for w in self.model.generator.weights])
            raise KeyboardInterrupt

    monkeypatch.setattr(callbacks.SampleGrid, "on_train_batch_end", broken)
    with pytest.raises(ValueError, match="no numbers any more.*stays as it was"):
        run.train(settings, tmp_path, verbose=0, details=SMALL)
    gan = keras.saving.load_model(tmp_path / "gan.keras")
    assert int(gan.steps) == 2 and all(np.isfinite(w).all() for w in gan.get_weights())


def test_the_folder_of_an_image_run(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(40):
        folder = tmp_path / "data" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / f"{i}.png")
    settings = Settings(
        dataset=str(tmp_path / "data"), filters=2, conditional=True, batch_size=8, epochs=2
    )
    gan = run.train(settings, tmp_path / "run", verbose=0)
    assert gan.traits.num_classes == 2 and int(gan.steps) == 10
    written = {p.relative_to(tmp_path / "run").as_posix() for p in (tmp_path / "run").rglob("*.*")}
    assert written >= {
        "settings.json",
        "gan.keras",
        "generator.keras",
        "log.csv",
        "report.png",
        "samples.png",
        "samples/epoch_0000.png",
        "samples/epoch_0002.png",
        "samples/training.gif",
    }
    assert any(name.startswith("logs/train/events") for name in written)
    generator = saving.load(tmp_path / "run" / "generator.keras")
    np.testing.assert_array_equal(
        generator.sample(4, [0, 1, 0, 1], seed=1), gan.sample(4, [0, 1, 0, 1], seed=1)
    )
    with Image.open(tmp_path / "run" / "report.png") as report:
        assert report.size == (1400, 800)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"generator": "dcgam"}, "did you mean 'dcgan'"),
        ({"conditional": True}, "`--conditional` needs labels.*'normal'"),
        (
            {"generator": "dcgan"},
            r"`image_shape` does not have three .*Expected \(height, width, channels\)",
        ),
        ({"filters": 8}, "`--filters` is of no use.*generator='mlp', filters=8"),
        ({"objective": "minmax"}, "did you mean 'minimax'"),
        ({"ema_decay": 2.0}, "ema_decay=2"),
        ({"epochs": 0}, "`epochs` is out of range"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"learning_rate": float("nan")}, "`learning_rate` is no finite number"),
        ({"learning_rate": -1.0}, "`learning_rate` is not positive"),
        ({"steps": 0}, "`steps` is out of range"),
        ({"checkpoint_every_steps": -1}, "`checkpoint_every_steps` is out of range"),
        ({"trainer": "gam"}, "`trainer` is unknown.*did you mean 'gan'"),
    ],
)
def test_settings_that_cannot_work(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        run.train(dataclasses.replace(TOY, **changes), tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


def test_a_run_keeps_its_best(tmp_path):
    settings = dataclasses.replace(
        TOY, dataset="ring", epochs=3, score="modes", score_samples=100, score_every=2
    )
    run.train(settings, tmp_path / "run", verbose=0)
    found = json.loads((tmp_path / "run" / "score" / "scores.json").read_text())
    assert list(found["scores"]) == ["2"] and found["best"] == 2
    assert found["scores"]["2"]["protocol"]["samples"] == 100
    log = (tmp_path / "run" / "log.csv").read_text().splitlines()
    column = log[0].split(",").index("modes_covered")
    assert [row.split(",")[column] for row in log[1:]].count("nan") == 2
    best = keras.saving.load_model(tmp_path / "run" / "score" / "best.keras")
    assert int(best.steps) == 10
    assert (tmp_path / "run" / "report.png").exists()
    with pytest.raises(ValueError, match="`score` is unknown.*did you mean 'modes'"):
        run.train(dataclasses.replace(settings, score="mode"), tmp_path / "no", verbose=0)
    assert not (tmp_path / "no").exists()


def _extractor(path):
    """A classifier of grey 8 x 8 pictures in a file, by weights from a seed."""
    keras.utils.set_random_seed(5)
    layers = [keras.layers.Flatten(), keras.layers.Dense(3, name="features")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Dense(2)])
    model.save(path)
    return evaluation.extractors.Extractor(model, name=path.stem)


def test_a_run_is_measured_by_the_features_of_the_extractor_that_was_named(tmp_path):
    pictures, path = tmp_path / "pictures", tmp_path / "mine.keras"
    pictures.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    for i, image in enumerate(images):
        Image.fromarray(image).save(pictures / f"{i:02}.png")
    extractor = _extractor(path)
    settings = dataclasses.replace(
        TOY,
        dataset=str(pictures),
        image_size=8,
        batch_size=20,
        epochs=1,
        score="frechet",
        score_samples=30,
        score_extractor=str(path),
    )
    run.train(settings, tmp_path / "run", verbose=0, details=SMALL)
    found = json.loads((tmp_path / "run" / "score" / "scores.json").read_text())
    (score,) = found["scores"].values()
    assert score["protocol"]["extractor"] == extractor.protocol
    assert extractor.protocol["extractor"] == "mine"
    best = keras.saving.load_model(tmp_path / "run" / "score" / "best.keras")
    measure = evaluation.FrechetDistance(images[..., None], extractor)
    wanted = measure.evaluate(best.sample(30, seed=0)).value
    assert score["value"] == pytest.approx(wanted, rel=1e-3)
    with pytest.raises(FileNotFoundError, match="none.keras"):
        wrong = dataclasses.replace(settings, score_extractor=str(tmp_path / "none.keras"))
        run.train(wrong, tmp_path / "no", verbose=0, details=SMALL)
    assert not (tmp_path / "no").exists()


def test_an_epoch_is_whole_executions():
    info = datasets.info("normal", examples=1000)
    settings = dataclasses.replace(TOY, batch_size=30, steps_per_execution=10)
    assert run.steps_per_epoch(settings, info) == 30
    assert run.steps_per_epoch(dataclasses.replace(settings, batch_size=5000), info) == 10
