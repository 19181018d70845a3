"""A version in all formats: what lies in it, and that it is checked before anyone sees it."""

import hashlib
import json

import numpy as np
import pytest

import export
import zoo
from export import bundle, checking, formats, parity, stranger
from tests.helpers import tiny_pair

FORMATS = ("saved_model", "onnx", "litert")
SEEDS = {"sample", "sample_truncated", "latents", "latents_truncated"}
SIGNATURES = {  # Of a pair with classes: what each format is asked.
    "saved_model": {*SEEDS, "serving_default", "sample_png", "score"},
    "onnx": {*SEEDS, "serving_default", "score"},
    "litert": {"serving_default"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    generator, discriminator = tiny_pair(classes=3)
    wanted = bundle.Wanted("float16", FORMATS, True, {"scores": [1.5]})
    written = bundle.write(generator, folder / "digits", None, discriminator, "auto", wanted)
    return *written, generator, discriminator


def test_every_format_is_checked_and_reported(made):
    path, found, _, _ = made
    text = (path / "PARITY.md").read_text()
    assert list(found) == list(FORMATS)
    for name, result in found.items():
        assert result.good and result.count == 64
        assert {measure.signature for measure in result.measures} == SIGNATURES[name]
        for measure in result.measures:
            own = f"| {measure.signature} | {measure.output} |"
            row = [line for line in text.split("\n") if line.startswith(f"| {name} |")]
            (row,) = [line for line in row if own in line]
            assert f"| 0 ... 63 | {measure.differing} | {measure.total} |" in row


def test_the_card_has_the_hash_of_every_file(made):
    path, _, _, _ = made
    card = json.loads((path / "assets.extra" / "card.json").read_text())
    files = [file for file in path.rglob("*") if file.is_file() and file.name != "card.json"]
    assert card["files"] == {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }
    assert {"model.onnx", "model.tflite", "saved_model.pb", "PARITY.md"} < set(card["files"])
    assert (card["scores"], card["weights"]) == ([1.5], "float16")
    assert card["default"] == "latents"
    assert card["outputs"]["score"] == {
        "logits": {"dtype": "float32", "shape": [None]},
        "valid": {"dtype": "bool", "shape": [None]},
    }
    assert set(card["outputs"]) == set(card["signatures"]) == SIGNATURES["saved_model"]
    assert card["formats"] == list(FORMATS) and card["ranges"]["labels"] == [0, 2]


@pytest.fixture(scope="module")
def of_seeds(tmp_path_factory):
    """A version whose default takes seeds."""
    generator, _ = tiny_pair(classes=3)
    folder = tmp_path_factory.mktemp("of_seeds") / "digits"
    wanted = bundle.Wanted(formats=FORMATS, check=True, default="sample_png")
    return *bundle.write(generator, folder, None, None, "auto", wanted), generator


def test_another_default_is_checked_too(of_seeds):
    """The files of the other formats stay those of latents."""
    path, found, generator = of_seeds
    card = json.loads((path / "assets.extra" / "card.json").read_text())
    assert card["default"] == "sample_png"
    assert list(card["signatures"]["serving_default"]) == ["seed", "labels"]
    assert list(card["signatures"]["decode"]) == ["latents", "labels"]
    asked = {name: {m.signature for m in result.measures} for name, result in found.items()}
    assert asked["saved_model"] == SIGNATURES["saved_model"] - {"score"} | {"decode"}
    assert asked["onnx"] == {*SEEDS, "decode"}
    assert asked["litert"] == {"decode"}
    assert found["saved_model"].exact and all(result.good for result in found.values())
    assert str(found["litert"]).startswith("decode differs by")
    again = parity.check(generator, path, count=3, default="sample_png")
    assert again.exact and "serving_default" in {m.signature for m in again.measures}
    later = checking.check(path)
    assert list(later) == list(FORMATS) and all(map(checking.is_good, later.values()))
    assert {m.signature for m in later["onnx"].measures} == asked["onnx"]


def test_a_default_that_is_not_there(tmp_path):
    generator = zoo.MLPGenerator((2,), 3, (4,), output_activation="linear")
    for arguments, message in (
        ({"default": "sample_png"}, "`default` cannot be 'sample_png' of samples that are no pict"),
        ({"default": "pixels"}, "`default` is unknown"),
        ({"default": "sample", "formats": ("onnx", "litert")}, "`default` is what a SavedModel an"),
    ):
        with pytest.raises(ValueError, match=message):
            export.save(generator, tmp_path / "served", **arguments)
    assert not list(tmp_path.iterdir())


def test_what_lies_beside_the_versions(made):
    folder = made[0].parent
    assert {path.name for path in folder.iterdir()} == {
        *("1", "README.md", "models.config", "monitoring.config", "compose.yaml")
    }


@pytest.mark.parametrize("format", FORMATS)
def test_a_stranger_needs_one_runtime_alone(made, format):
    """ONNX Runtime and LiteRT answer where TensorFlow cannot be imported."""
    path, _, generator, discriminator = made
    result = parity.check(generator, path, count=3, discriminator=discriminator, format=format)
    assert result.good and result.count == 3
    assert "tensorflow" not in stranger.BLOCKED and formats.there(path) == list(FORMATS)


def test_a_version_that_answers_otherwise_is_not_written(tmp_path, monkeypatch):
    generator, _ = tiny_pair()
    weight = generator.weights[-1]
    write = bundle.saved_model.write

    def moved(*arguments):
        weight.assign(weight + 0.1)
        write(*arguments)
        weight.assign(weight - 0.1)

    monkeypatch.setattr(bundle.saved_model, "write", moved)
    with pytest.raises(RuntimeError, match="`model` answers otherwise as saved_model than in Pyth"):
        export.save(generator, tmp_path / "served", check=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [(), ("onxn",), ("saved_model", 3), 7])
def test_formats_that_are_none(tmp_path, wrong):
    with pytest.raises(ValueError, match="`formats` is"):
        export.save(tiny_pair()[0], tmp_path / "served", formats=wrong)
    assert not list(tmp_path.iterdir())


def test_a_format_without_the_others(tmp_path):
    path = export.save(zoo.MLPGenerator((2,), 3, (4,)), tmp_path, formats="litert")
    assert {file.name for file in path.iterdir()} == {"model.tflite", "assets.extra"}
    with pytest.raises(FileNotFoundError, match="has no SavedModel"):
        parity.find(tmp_path)


def test_a_runtime_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setitem(formats.MODULES, "litert", ("no_such_module", "ai-edge-litert"))
    with pytest.raises(ImportError, match="`check` runs 'litert'.*pip install ai-edge-litert"):
        export.save(tiny_pair()[0], tmp_path / "served", formats="litert", check=True)
    assert not list(tmp_path.iterdir())


def test_a_generator_that_answers_nan_is_not_checked_as_good(tmp_path):
    """Its weights are finite, and the root of a negative number is none."""
    import keras

    class Root(keras.layers.Layer):
        def call(self, x):
            return keras.ops.sqrt(x - 100.0)

    generator = keras.Sequential([keras.Input((2,)), Root()])
    assert np.isnan(generator(np.zeros((1, 2)))).all()
    with pytest.raises(RuntimeError, match="`model` answers otherwise"):
        export.save(generator, tmp_path / "served", check=True)


@pytest.mark.parametrize(
    "about, said",
    [
        (
            {"default": "sample"},
            r"entries that the card has itself. .*other names than \['default'\]",
        ),
        ({"latent_dim": 3}, "entries that the card has itself"),
        ({"score": float("nan")}, "is not JSON"),
        ({"score": object()}, "is not JSON"),
        ([1], "is no entries of a card"),
    ],
)
def test_what_a_card_cannot_say(tmp_path, about, said):
    with pytest.raises(ValueError, match=f"`about` .*{said}|`about` {said}"):
        export.save(tiny_pair()[0], tmp_path / "served", about=about)
    assert not (tmp_path / "served").exists()


def test_without_a_saved_model_nothing_is_written_for_its_server(tmp_path):
    export.save(tiny_pair()[0], tmp_path, formats="onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["1"]
