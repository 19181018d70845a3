"""`python -m zoo sample`, `walk`, `invert` and `neighbours`: their pictures, and their errors."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.helpers import run_command, tiny_pair
from zoo import __main__ as zoo_main
from zoo import commands, latents, neighbours, pictures, players, saving


def python_m(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture
def generator(tmp_path):
    generator = tiny_pair(classes=3)[0]
    saving.save(generator, tmp_path / "generator.keras")
    return generator


def test_sample(tmp_path, generator):
    path, output = tmp_path / "generator.keras", tmp_path / "grid.png"
    result = python_m(
        "zoo", "sample", f"--model={path}", "--count=9", "--seed=5", f"--output={output}"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"{output}: 9 samples of {path}, seed 5\n")
    assert "python -m export --model=" in result.stdout
    wanted = pictures.draw(generator.sample(9, [0, 1, 2] * 3, seed=5), 3)
    np.testing.assert_array_equal(np.array(Image.open(output)).squeeze(), wanted.squeeze())


def run_zoo(*arguments):
    """Runs `python -m zoo` in this process; returns its exit status."""
    return run_command(zoo_main, *arguments)


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def frames(path):
    with Image.open(path) as animation:
        found = []
        for i in range(animation.n_frames):
            animation.seek(i)
            found.append(np.array(animation.convert("L")))
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch, generator):
    """A working folder with a conditional generator and its training images, three of a class."""
    monkeypatch.chdir(tmp_path)
    images = generator.sample(9, [0, 0, 0, 1, 1, 1, 2, 2, 2], seed=8)
    for i, image in enumerate(images):
        pictures.save_png(image, tmp_path / "images" / "train" / str(i // 3) / f"{i}.png")
        pictures.save_png(image, tmp_path / "images" / "test" / str(i // 3) / f"{i}.png")
    return images


@pytest.mark.parametrize("mode", ["linear", "spherical"])
def test_walk(capsys, folder, generator, mode):
    assert not run_zoo(
        "walk",
        "--model=generator.keras",
        "--rows=4",
        "--steps=5",
        f"--mode={mode}",
        "--seed=3",
        "--truncation=0.9",
    )
    assert capsys.readouterr().out == (f"walk.png, walk.gif: 4 walks of 5 steps, {mode}, seed 3\n")
    ends = latents.from_seed("normal", 8, 6, 3, truncation=0.9)
    path = latents.walk(ends[::2], ends[1::2], 5, mode)
    images = np.stack(
        [players.decode(generator, column, np.array([0, 1, 2, 0], "int32")) for column in path]
    )
    rows = images.swapaxes(0, 1).reshape(20, 8, 8, 1)
    np.testing.assert_array_equal(pixels("walk.png"), pictures.draw(rows, 5)[..., 0])
    seen = frames("walk.gif")  # There and back, without the ends twice.
    assert len(seen) == 8
    for frame, column in zip(seen, [0, 1, 2, 3, 4, 3, 2, 1], strict=True):
        np.testing.assert_array_equal(frame, pictures.draw(images[column])[..., 0])


def test_walk_between_corners(capsys, folder, generator):
    arguments = "walk --model=generator.keras --corners --rows=3 --steps=4 --labels=2,1".split()
    assert not run_zoo(*arguments, "--output=a/grid.png", "--animation=around.webp")
    assert "a/grid.png, around.webp: a grid of 3 x 4, linear, seed 0" in capsys.readouterr().out
    ends = latents.from_seed("normal", 4, 6, 0).numpy()
    grid = latents.corners(*ends, 3, 4).reshape(12, 6)
    images = players.decode(generator, grid, np.full(12, 2, "int32"))
    np.testing.assert_array_equal(pixels("a/grid.png"), pictures.draw(images, 4)[..., 0])
    corner = pictures.draw(images[[3]])[..., 0]
    around = frames("around.webp")
    assert len(around) == 16
    np.testing.assert_array_equal(around[4], corner)


def test_invert(capsys, folder, generator):
    assert not run_zoo(
        "invert",
        "--model=generator.keras",
        "--dataset=images",
        "--count=5",
        "--starts=2",
        "--steps=40",
        "--seed=1",
    )
    found = latents.invert(generator, folder[:5], [0, 0, 0, 1, 1], 2, 40, seed=1)
    assert found.mse.max() < 1e-5
    out = capsys.readouterr().out
    assert out.startswith("inversion.png: 5 images of images (test), each on the left of its rec")
    assert f"mean {found.mse.mean():.5f}" in out and "2 starts of 40 steps" in out
    made = np.round(found.reconstructions * 255).astype("uint8")
    picture = pixels("inversion.png")
    wanted = pictures.grid(np.concatenate([folder[:5], made], axis=2), padding=4)
    np.testing.assert_array_equal(picture, pictures.enlarge(wanted)[..., 0])


def test_neighbours(capsys, folder, generator):
    arguments = "neighbours --model=generator.keras --dataset=images --rows=3 --columns=2".split()
    assert not run_zoo(*arguments, "--seed=8", "--labels=0,0,2")
    samples = generator.sample(6, [0, 0, 0, 0, 2, 2], seed=8)
    indices, distances = neighbours.nearest(samples[1::2], folder)
    assert distances[0] == 0 and indices[0] == 1  # Row 1 of that seed and label is in the folder.
    picture = neighbours.figure(samples.reshape(3, 2, 8, 8, 1), folder[indices[:, 0]])
    np.testing.assert_array_equal(pixels("neighbours.png"), pictures.enlarge(picture))
    out = capsys.readouterr().out
    assert "framed is the nearest of 9 images of images (train) to the last of its row" in out
    assert "0.000 (image 1), " in out


def test_unconditional_generators(folder, tmp_path):
    saving.save(tiny_pair()[0], "plain.keras")
    saving.save(tiny_pair(prior="uniform")[0], "uniform.keras")
    for name in ("plain", "uniform"):
        model = f"--model={name}.keras"
        assert not run_zoo("walk", model, "--rows=1", "--steps=2")
        assert not run_zoo("invert", model, "--dataset=images", "--steps=3", "--starts=1")
        assert not run_zoo("neighbours", model, "--dataset=images")


MODEL = "--model=generator.keras"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            [],
            "Unknown command. Expected one of ['card', 'invert', 'list', 'neighbours', 'sample', "
            "'walk']",
        ),
        (["wlak"], "Unknown command. Expected one of"),
        (["sample"], "`--model` is missing. Expected --model=FILE.keras. Received: no --model"),
        (["sample", "--model=genrator.keras"], "`path` does not exist. Expected a .keras"),
        (["sample", MODEL, "--labels=3"], "`labels` are out of range."),
        (
            ["sample", MODEL, "--steps=3"],
            "`--steps` is not a flag of `sample`. Expected one of --model",
        ),
        (["walk", MODEL, "--count=3"], "`--count` is not a flag of `walk`."),
        (["invert", MODEL, "--corners"], "`--corners` is not a flag of `invert`."),
        (["walk"], "`--model` is missing."),
        (
            ["walk", MODEL, "--steps=1"],
            "`steps` is out of range. Expected an integer of at least 2.",
        ),
        (["walk", MODEL, "--rows=0"], "flag --rows=0: 0 is not a positive integer."),
        (
            ["walk", MODEL, "--corners", "--rows=1"],
            "`rows` is out of range. Expected an integer of at least 2.",
        ),
        (["walk", MODEL, "--mode=round"], "flag --mode=round: value should be one of"),
        (["walk", MODEL, "--labels=3"], "`labels` are out of range."),
        (["walk", MODEL, "--truncation=-1"], "`truncation` is not positive."),
        (["walk", MODEL, "--output=walk.jpg"], "`path` does not name a PNG file."),
        (["walk", MODEL, "--animation=walk.png"], "`--animation` is the file of the picture too."),
        (["sample", MODEL, "--output=walk.jpg"], "`path` does not name a PNG file."),
        (["walk", MODEL, "--animation=walk.mp4"], "`path` does not name an animation."),
        (
            ["walk", "--model=uniform.keras", "--mode=spherical"],
            "`mode` and `prior` do not go together",
        ),
        (["walk", "--model=points.keras"], "`--model` makes no images"),
        (["invert", MODEL], "`--dataset` is missing"),
        (["neighbours", MODEL], "`--dataset` is missing"),
        (["invert", MODEL, "--dataset=minst"], "`name` is unknown."),
        (
            ["invert", MODEL, "--dataset=images", "--split=tests"],
            "`split` is unknown in the image folder",
        ),
        (["invert", MODEL, "--dataset=loose", "--split=train"], "`--labels` are missing"),
        (["invert", MODEL, "--dataset=rgb", "--split=train"], "`--dataset` has other images"),
        (
            ["invert", MODEL, "--dataset=ring"],
            "`--dataset` has other samples than the generator.",
        ),
        (["invert", MODEL, "--dataset=images", "--labels=9"], "`labels` are out of range."),
        (["invert", MODEL, "--output=a"], "`path` does not name a PNG file."),
        (["invert", MODEL, "--starts=0"], "flag --starts=0"),
        (["neighbours", MODEL, "--dataset=nowhere/"], "`name` is a folder that does not exist."),
        (["neighbours", MODEL, "--labels=a"], "`--labels` are not a list of integers."),
        (["neighbours", MODEL, "--dataset=rgb"], "`--dataset` has other images"),
    ],
)
def test_errors_of_the_commands(capsys, folder, tmp_path, arguments, message):
    saving.save(tiny_pair(prior="uniform")[0], "uniform.keras")
    saving.save(zoo.MLPGenerator((2,), 3, (4,), output_activation="linear"), "points.keras")
    pictures.save_png(folder[0], "loose/a.png")
    pictures.save_png(folder[0].repeat(3, axis=-1), "rgb/a.png")
    before = sorted(tmp_path.rglob("*"))
    assert run_zoo(*arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: " + message) and err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before  # Nothing was written.


def test_presets_by_the_command(folder, tmp_path, generator, capsys):
    zoo.save_preset(generator, tmp_path / "mine", card={"dataset": "dots"})
    assert not run_zoo("card", "--model=mine")
    assert json.loads(capsys.readouterr().out)["dataset"] == "dots"
    assert not run_zoo("sample", "--model=mine", "--count=9", "--seed=5", "--output=grid.png")
    wanted = pictures.draw(generator.sample(9, [0, 1, 2] * 3, seed=5), 3)
    np.testing.assert_array_equal(pixels("grid.png").squeeze(), wanted.squeeze())
    capsys.readouterr()
    assert not run_zoo("list")
    assert capsys.readouterr().out.startswith("preset")
    assert run_zoo("card", "--model=mines") == 2
    assert "`preset` is unknown" in capsys.readouterr().err


def test_every_flag_belongs_to_a_command():
    assert {name for flags_of in zoo_main.OPTIONS.values() for name in flags_of} == {
        *zoo_main.FLAGS
    }


def test_labels():
    assert commands.parse_labels(None, None) is None
    assert commands.parse_labels(None, 3) == commands.parse_labels("all", 3) == [0, 1, 2]
    assert commands.parse_labels("2,0", 3) == [2, 0]
    with pytest.raises(ValueError, match="`--labels` are given.* Expected .* Received: --labels=1"):
        commands.parse_labels("1", None)
    with pytest.raises(ValueError, match=r"Expected --labels=0,1,2 .*in \[0, 3\).*--labels=cat"):
        commands.parse_labels("cat", 3)
    names = ("10", "ape", "thé rouge")
    assert commands.parse_labels("thé rouge, ape,0", 3, names) == [2, 1, 0]
    with pytest.raises(ValueError, match="or names of.*'ape'.*Received: --labels=cow"):
        commands.parse_labels("cow", 3, names)


def test_conditions():
    assert commands.parse_conditions(None, None) is None
    assert commands.parse_conditions("0.5,1; -2,3", 2) == [[0.5, 1.0], [-2.0, 3.0]]
    with pytest.raises(ValueError, match="`--conditions` are given.*none.*--conditions=1"):
        commands.parse_conditions("1", None)
    for text in (None, "1", "1,2,3", "1,a"):
        with pytest.raises(ValueError, match="`--conditions` are no rows of 2.*0.5,0.5.*Received"):
            commands.parse_conditions(text, 2)


def test_commands_of_a_generator_with_conditions(folder, tmp_path, capsys):
    generator = zoo.DCGANGenerator((8, 8, 1), latent_dim=6, filters=4, num_conditions=2)
    generator.class_names = ("dim", "bright")
    saving.save(generator, "told.keras")
    asked = ["--model=told.keras", "--conditions=1,0;0,1"]
    assert not run_zoo("sample", *asked, "--count=4", "--seed=5", "--output=grid.png")
    rows = [[1, 0], [0, 1]] * 2
    wanted = pictures.draw(generator.sample(4, conditions=rows, seed=5), 2)
    np.testing.assert_array_equal(pixels("grid.png").squeeze(), wanted.squeeze())
    assert not run_zoo("walk", *asked, "--rows=2", "--steps=3")
    assert not run_zoo("invert", *asked, "--dataset=images", "--steps=3", "--starts=1")
    assert not run_zoo("neighbours", *asked, "--dataset=images", "--rows=2")
    capsys.readouterr()
    for name in ("sample", "walk", "invert", "neighbours"):
        data = ["--dataset=images"] if name in ("invert", "neighbours") else []
        assert run_zoo(name, "--model=told.keras", *data) == 2
        assert "`--conditions` are no rows of 2 numbers" in capsys.readouterr().err
    saving.save(tiny_pair(classes=3)[0], "labelled.keras")
    labelled = ["--model=labelled.keras", "--dataset=images", "--conditions=1"]
    assert run_zoo("invert", *labelled) == 2
    assert "`--conditions` are given, and the generator has none" in capsys.readouterr().err


def test_class_names_are_asked_for(tmp_path, capsys):
    generator = zoo.MLPGenerator((4, 4, 1), latent_dim=2, units=(3,), num_classes=2)
    generator.class_names = ("ape", "cow")
    generator.save(tmp_path / "g.keras")
    flags = [f"--model={tmp_path / 'g.keras'}", "--count=4", f"--output={tmp_path / 'a.png'}"]
    assert not run_zoo("sample", *flags, "--labels=cow")
    assert "labels: 1 cow" in capsys.readouterr().out
    assert run_zoo("sample", *flags, "--labels=emu") == 2
    assert "names of ['ape', 'cow']" in capsys.readouterr().err


# === What every command shares ===
