"""The evaluation command: its table, files and picture, comparison, and what it refuses."""

import json
import pathlib

import keras
import numpy as np
import pytest
from absl import flags
from PIL import Image

import zoo
from evaluation import ModeCoverage, Score, __main__, picture, results
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


def test_a_folder_without_an_extractor(run, folder, tmp_path):
    """No flag but the model is needed, where the run says what it learned."""
    generator = zoo.MLPGenerator((8, 8, 1), latent_dim=3, units=(4,))
    path = saving.save(generator, tmp_path / "run" / "gan.keras")
    _settings(path.parent, dataset=str(folder))
    status, out, err = run(f"--model={path}", "--count=60")
    assert status == 0 and "sliced_wasserstein" in out and "parzen_fgan" in out
    assert err.startswith("note: no extractor is shipped for ") and "--extractor names" in err
    arguments = [f"--model={path}", "--overwrite"]
    status, out, err = run(*arguments, "--count=60", "--metrics=frechet")
    assert (status, out) == (2, "") and "--extractor=NAME" in err
    # Too few for the picture of the nearest, which is then left out.
    assert run(*arguments, "--count=10", "--metrics=memorisation")[0] == 0


def _settings(folder, **settings):
    (folder / "settings.json").write_text(json.dumps(settings))


FEW = ["--count=60", "--metrics=modes"]


def test_the_data_are_what_the_model_learned(run, model, tmp_path):
    status, out, err = run(f"--model={model}", *FEW)
    assert (status, out) == (2, "") and "`--dataset` is missing" in err
    assert not (model.parent / "scores.json").exists()
    _settings(model.parent, dataset="grid")
    assert run(f"--model={model}", *FEW)[::2] == (0, "")
    found = json.loads((model.parent / "scores.json").read_text())
    assert (found["dataset"], found["learned"], found["notes"]) == ("grid", "grid", [])
    assert found["scores"][0]["protocol"]["mixture"] == "grid"
    other = tmp_path / "other"
    status, out, err = run(f"--model={model}", "--dataset=ring", f"--output_dir={other}", *FEW)
    assert status == 0 and err == f"note: {model} learned grid, and ring are other data\n"
    found = json.loads((other / "scores.json").read_text())
    assert (found["dataset"], found["learned"]) == ("ring", "grid")
    assert found["notes"] == [err.removeprefix("note: ").strip()]


def test_the_data_of_a_preset_are_those_of_its_card(run, tmp_path, monkeypatch):
    """The folder of the command's own is refused when it is taken."""
    monkeypatch.chdir(tmp_path)
    assert run("--model=consensus_ring", *FEW)[::2] == (0, "")
    path = tmp_path / "runs" / "scores" / "consensus_ring" / "scores.json"
    assert json.loads(path.read_text())["dataset"] == "ring"
    assert [each.name for each in tmp_path.iterdir()] == ["runs"]
    status, out, err = run("--model=wgan_gp_fashion_mnist", "--dataset=ring", *FEW)
    assert status == 2 and "`--dataset` has other samples than the generator" in err


def test_no_scores_are_lost(run, model):
    _settings(model.parent, dataset="ring")
    path = model.parent / "scores.json"
    assert run(f"--model={model}", *FEW)[0] == 0
    before = path.read_text()
    status, out, err = run(f"--model={model}", "--count=70", "--metrics=modes")
    assert (status, out) == (2, "") and "`--output_dir` holds scores" in err
    assert path.read_text() == before
    assert run(f"--model={model}", "--count=70", "--metrics=modes", "--overwrite")[0] == 0
    assert json.loads(path.read_text())["scores"][0]["protocol"]["samples"] == 70
    # What a training goes on by is never replaced.
    path.write_text(json.dumps({"best": 1, "scores": {"1": {}}}))
    status, out, err = run(f"--model={model}", "--overwrite", *FEW)
    assert status == 2 and "holds the scores of a training" in err
    assert json.loads(path.read_text())["best"] == 1


def test_any_keras_model_and_labels_that_the_folder_lacks(run, folder, tmp_path):
    layers = [keras.Input((3,)), keras.layers.Dense(64, activation="sigmoid")]
    plain = keras.Sequential([*layers, keras.layers.Reshape((8, 8, 1))])
    labelled = zoo.MLPGenerator((8, 8, 1), latent_dim=3, units=(4,), num_classes=3)
    for name, generator in (("plain", plain), ("labelled", labelled)):
        path = saving.save(generator, tmp_path / name / "generator.keras")
        arguments = [f"--model={path}", f"--dataset={folder}", "--metrics=sliced_wasserstein"]
        assert run(*arguments, "--count=40")[0] == 0
        assert (path.parent / "scores.png").exists()


def test_a_folder_of_another_size_without_test_images_and_with_a_broken_file(run, tmp_path):
    rng = np.random.default_rng(0)
    pictures_of = tmp_path / "pictures"
    pictures_of.mkdir()
    for k in range(40):
        pixels = rng.integers(0, 256, (12, 10)).astype("uint8")
        Image.fromarray(pixels).save(pictures_of / f"{k}.png")
    (pictures_of / "broken.png").write_bytes((pictures_of / "0.png").read_bytes()[:60])
    generator = zoo.MLPGenerator((8, 8, 1), latent_dim=3, units=(4,))
    path = saving.save(generator, tmp_path / "run" / "generator.keras")
    arguments = [f"--model={path}", f"--dataset={pictures_of}", "--count=20"]
    arguments.append("--metrics=sliced_wasserstein")
    status, _, err = run(*arguments)
    assert status == 2 and "broken.png" in err
    with pytest.warns(UserWarning, match="broken.png"):
        status, _, err = run(*arguments, "--skip_unreadable")
    assert status == 0 and "no test images" in err and "resized to the generator's 8x8" in err
    found = json.loads((path.parent / "scores.json").read_text())
    assert len(found["notes"]) == 2 and found["scores"][0]["protocol"]["data"] == 40


def test_labels_that_the_generator_lacks_are_missed_before_it_samples(run, tmp_path):
    generator = zoo.MLPGenerator((28, 28, 1), latent_dim=3, units=(4,))
    path = saving.save(generator, tmp_path / "generator.keras")
    arguments = [f"--model={path}", "--dataset=mnist", "--metrics=sliced_wasserstein,downstream"]
    status, out, err = run(*arguments, "--count=20")
    assert (status, out) == (2, "") and "`--metrics` has a measure of labelled samples" in err


def test_what_no_flag_can_tell_is_missed_before_any_data(run, tmp_path):
    generator = zoo.MLPGenerator((28, 28, 1), latent_dim=3, units=(4,), num_conditions=2)
    path = saving.save(generator, tmp_path / "generator.keras")
    status, out, err = run(f"--model={path}", "--dataset=nowhere/", "--count=20")
    assert (status, out) == (2, "") and "`--model` draws for 2 conditions" in err


def test_a_value_range_can_be_said(run, folder, tmp_path):
    """A last layer without an activation says nothing of pictures."""
    layers = [keras.Input((3,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))]
    path = saving.save(keras.Sequential(layers), tmp_path / "generator.keras")
    arguments = [f"--model={path}", f"--dataset={folder}", "--metrics=sliced_wasserstein"]
    status, _, err = run(*arguments, "--count=40")
    assert status == 2 and err.startswith("error: ")
    assert run(*arguments, "--count=40", "--value_range=-1,1")[0] == 0
    assert (tmp_path / "scores.png").exists()


def test_an_extractor_of_a_file(run, folder, tmp_path):
    images = keras.Input((8, 8, 1))
    features = keras.layers.Dense(5, name="features")(keras.layers.Flatten()(images))
    logits = keras.layers.Dense(3, name="logits")(features)
    judge = saving.save(keras.Model(images, logits), tmp_path / "judge.keras")
    arguments = ["--real", f"--dataset={folder}", "--count=50", "--metrics=frechet"]
    arguments.append(f"--output_dir={tmp_path / 'real'}")
    assert run(*arguments, f"--extractor={judge}")[0] == 0
    found = json.loads((tmp_path / "real" / "scores.json").read_text())
    used = found["scores"][0]["protocol"]["extractor"]
    assert (used["extractor"], used["layer"]) == ("judge", "features")
    status, _, err = run(*arguments, f"--extractor={judge}", "--extractor_layer=x", "--overwrite")
    assert status == 2 and "`layer` is not in the model" in err
    status, _, err = run(*arguments, "--extractor=mnist", "--overwrite")
    assert status == 2 and "`extractor` sees other images" in err
    soft = keras.layers.Dense(3, activation="softmax")(features)
    soft = saving.save(keras.Model(images, soft), tmp_path / "soft.keras")
    status, _, err = run(*arguments, f"--extractor={soft}", "--overwrite")
    assert status == 2 and "`model` gives probabilities" in err


def test_scores_of_the_training_become_curves(run, model):
    written = {
        str(epoch): json.loads(Score("modes_covered", epoch, True, {}).to_json())
        for epoch in (1, 2, 10)
    }
    folder = model.parent / "score"
    folder.mkdir()
    (folder / "scores.json").write_text(json.dumps({"best": 10, "scores": written}))
    curves = results.curves(model.parent)
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
        (["--real", "--metrics=fid"], "did you mean 'frechet'"),
        (["--real", "--dataset=mnst"], "did you mean"),
        (["--real", "--count=1"], "count"),
        (["--real", "--extractor=minst"], "did you mean 'mnist'"),
        (["--real", "more"], "flags only"),
        (["--model=/nowhere/g.keras", "--dataset=ring"], "/nowhere/g.keras"),
        (["--compare", "a.json"], "1 of them"),
        (
            ["--compare", "/nowhere.json", "b.json"],
            "`--compare` cannot be read. Expected two files, scores.json, of this command. "
            "Received: '/nowhere.json', No such file",
        ),
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
