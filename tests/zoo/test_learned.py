"""Which data a model learned, and what is said of others."""

import json

import numpy as np
import pytest

import zoo
from zoo import learned, pictures


@pytest.fixture
def run(tmp_path):
    """The path of a model in the folder of a run, and a function that writes its settings."""

    def write(**settings):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / "settings.json").write_text(json.dumps(settings))

    return tmp_path / "run" / "gan.keras", write


def test_every_shipped_preset_says_what_it_learned():
    for card in zoo.list_presets():
        assert learned.learned(card["name"])[0] == card["dataset"]
    assert learned.learned("wgan_gp_fashion_mnist") == ("keras:fashion_mnist", {})


def test_the_settings_of_a_run_say_it(run):
    path, write = run
    assert learned.learned(path) == (None, {})
    write(dataset="grid", image_size=None, data_dir="d", skip_unreadable=False, seed=3)
    assert learned.learned(path) == ("grid", {"data_dir": "d"})
    assert learned.learned(path.parent / "score" / "best.keras") == ("grid", {"data_dir": "d"})
    assert learned.learned(path.parent / "other" / "gan.keras") == (None, {})
    for text in ("{", "[1]", "{}", '{"dataset": 3}'):
        (path.parent / "settings.json").write_text(text)
        assert learned.learned(path) == (None, {})


def test_others_are_said_aloud(run):
    path, write = run
    write(dataset="keras:mnist", image_size=14)
    mine = learned.chosen(path)
    assert (mine.dataset, mine.source, mine.notes) == ("keras:mnist", {"image_size": 14}, ())
    same = learned.chosen(path, "mnist", skip_unreadable=False)
    assert (same.dataset, same.source, same.notes) == ("mnist", {"image_size": 14}, ())
    other = learned.chosen(path, "keras:fashion_mnist")
    assert (other.learned, other.source) == ("keras:mnist", {})
    assert other.notes == (f"{path} learned keras:mnist, and keras:fashion_mnist are other data",)


def test_nothing_is_guessed(run, tmp_path):
    path, write = run
    with pytest.raises(ValueError, match=f"`--dataset` is missing.*--model={path}"):
        learned.chosen(path)
    assert learned.chosen(path, "grid") == learned.Data("grid", {})
    write(dataset="data/gone")
    with pytest.raises(FileNotFoundError, match="`--dataset` is missing.*'data/gone', is not at"):
        learned.chosen(path)
    generator = zoo.MLPGenerator((2,), latent_dim=2, units=(2,), output_activation="linear")
    zoo.save_preset(generator, tmp_path / "mine")
    assert learned.learned(tmp_path / "mine") == (None, {})


def test_images_get_the_size_of_the_generator():
    data = learned.Data("mnist", {})
    assert data.sized("test", (28, 28, 1)) == learned.Data("mnist", {"image_size": (28, 28)})
    small = data.sized("test", (14, 14, 1))
    assert small.source == {"image_size": (14, 14)}
    assert (
        "are of 28x28 pixels, and are cropped and resized to the generator's 14x14"
        in (small.notes[0])
    )
    # As the run has learned them.
    assert learned.Data("mnist", {"image_size": 14}).sized("test", (14, 14, 1)).notes == ()
    with pytest.raises(ValueError, match=r"`--image_size` is not the size.*28x28.*Received: 14"):
        learned.Data("mnist", {"image_size": 14}).sized("test", (28, 28, 1))
    for name, shape in (("mnist", (28, 28, 3)), ("ring", (28, 28, 1)), ("mnist", (2,))):
        with pytest.raises(ValueError, match="`--dataset` has other .* than the generator"):
            learned.Data(name, {}).sized("test", shape)
    assert learned.Data("ring", {}).sized("test", (2,)) == learned.Data("ring", {})


def test_a_folder_of_several_sizes(tmp_path):
    for side in (8, 9):
        pictures.save_png(np.full((side, side, 3), [200, 0, 0], "uint8"), tmp_path / f"{side}.png")
    data = learned.chosen("dcgan_mnist", str(tmp_path))
    assert "other data" in data.notes[0]
    sized = learned.Data(str(tmp_path), {}).sized("train", (8, 8, 3))
    assert "are of several sizes" in sized.notes[0] and sized.source == {"image_size": (8, 8)}
