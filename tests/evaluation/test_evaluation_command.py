"""The evaluation command: its table, files and picture, comparison, and what it refuses."""

import json
import pathlib

import keras
import numpy as np
import pytest
from absl import flags
from PIL import Image

import zoo
from evaluation import ModeCoverage, Score, __main__, picture
from zoo import saving


@pytest.fixture
def run(capsys):
    """Runs the command as `python -m evaluation` does: its status and what it printed."""

    def clear():
        for name in __main__.FLAGS:
            __main__.FLAGS[name].unparse()
        __main__.FLAGS.unparse_flags()

    def command(*arguments):
        clear()
        argv = ["evaluation", *map(str, arguments)]
        with pytest.raises(SystemExit) as stop:
            zoo.command.run(__main__.main, __main__.__doc__, __main__.FLAGS, argv)
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    yield command
    clear()


@pytest.fixture
def model(tmp_path):
    keras.utils.set_random_seed(0)
    generator = zoo.MLPGenerator((2,), latent_dim=3, units=(4,), output_activation="linear")
    return saving.save(generator, tmp_path / "run" / "generator.keras")


def test_points(run, model):
    status, out, err = run(f"--model={model}", "--dataset=ring", "--count=300")
    assert (status, err) == (0, "")
    assert "modes_covered" in out and "sliced_wasserstein" in out and "recall" in out
    found = json.loads((model.parent / "scores.json").read_text())
    assert found["dataset"] == "ring" and found["seed"] == 0
    scores = [Score.from_json(json.dumps(score)) for score in found["scores"]]
    assert [score.name for score in scores][0] == "modes_covered"
    samples = saving.load(model).sample(300, seed=0)
    expected = ModeCoverage(zoo.toys.ring()).evaluate(samples)
    assert scores[0] == expected
    with Image.open(model.parent / "scores.png") as image:
        assert image.size == (picture.WIDTH, picture.HEIGHT)


@pytest.fixture
def folder(tmp_path):
    """A folder of small grey pictures, 150 to train with and 120 to test with."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 150), ("test", 120)):
        place = tmp_path / "data" / split
        place.mkdir(parents=True)
        for k in range(count):
            pixels = rng.integers(0, 256, (8, 8)).astype("uint8")
            Image.fromarray(pixels).save(place / f"{k:03d}.png")
    return tmp_path / "data"


def test_pictures_and_a_comparison(run, folder, tmp_path):
    names = "--metrics=sliced_wasserstein,memorisation"
    floor = tmp_path / "floor"
    arguments = ["--real", f"--dataset={folder}", names]
    status, out, err = run(*arguments, "--count=100", f"--output_dir={floor}")
    assert (status, err) == (0, "") and "note: Samples lie nearer" in out
    with Image.open(floor / "scores.png") as image:
        middle = np.asarray(image.convert("RGB")).astype(int)[100:400, 500:950]
    assert np.any((middle[..., 0] > 200) & (middle[..., 2] < 60))  # The frames of the neighbours.
    generator = zoo.MLPGenerator((8, 8, 1), latent_dim=3, units=(4,))
    path = saving.save(generator, tmp_path / "grey" / "generator.keras")
    arguments = [f"--model={path}", f"--dataset={folder}", names]
    assert run(*arguments, "--count=100")[0] == 0
    first, second = path.parent / "scores.json", floor / "scores.json"
    status, out, err = run("--compare", first, second)
    assert (status, err) == (0, "")
    better = {line.split()[0]: line.split()[-1] for line in out.splitlines()}
    assert better == {"sliced_wasserstein": "second", "memorisation": "neither"}
    assert run(*arguments, "--count=90", f"--output_dir={tmp_path / 'other'}")[0] == 0
    status, out, err = run("--compare", first, tmp_path / "other" / "scores.json")
    assert (status, out) == (2, "") and "samples is 100 and 90" in err


def test_scores_of_the_training_become_curves(run, model):
    written = {
        str(epoch): json.loads(Score("modes_covered", epoch, True, {}).to_json())
        for epoch in (1, 2, 10)
    }
    folder = model.parent / "score"
    folder.mkdir()
    (folder / "scores.json").write_text(json.dumps({"best": 10, "scores": written}))
    curves = __main__._curves(model.parent)
    assert curves == {"modes_covered": ([1, 2, 10], [1.0, 2.0, 10.0])}
    assert run(f"--model={model}", "--dataset=ring", "--count=50", "--metrics=modes")[0] == 0
    with Image.open(model.parent / "scores.png") as image:
        corner = np.asarray(image)[picture.HEIGHT // 2 :, picture.WIDTH * 3 // 4 :]
    blue = (corner[..., 2].astype(int) - corner[..., 0]) > 80
    assert blue.sum() > 50  # The curve, at the lower right.


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "--model=FILE and --real"),
        (["--model=a.keras", "--real"], "--model=FILE and --real"),
        (["--real", "--metrics=fretchet"], "did you mean 'frechet'"),
        (["--real", "--dataset=mnst"], "did you mean"),
        (["--real", "--count=1"], "count"),
        (["--real", "--extractor=minst"], "did you mean 'mnist'"),
        (["--real", "more"], "flags only"),
        (["--model=/nowhere/g.keras", "--dataset=ring"], "/nowhere/g.keras"),
        (["--compare", "a.json"], "1 of them"),
        (["--compare", "/nowhere.json", "b.json"], "nowhere"),
        (["--metrik=1"], "did you mean 'metrics'"),
    ],
)
def test_errors(run, arguments, message):
    status, out, err = run(*arguments)
    assert status == 2 and err.startswith("error: ") and message in err and out == ""


def test_a_file_of_something_else_is_refused(run, tmp_path):
    path = pathlib.Path(tmp_path / "a.json")
    path.write_text('{"scores": {"1": 2}}')
    status, _, err = run("--compare", path, path)
    assert status == 2 and "`--compare` is not an evaluation" in err


def test_help_says_what_the_flags_mean(run):
    status, out, _ = run("--help")
    assert status == 0 and "python -m evaluation --compare" in out
    assert isinstance(__main__.FLAGS, flags.FlagValues)
