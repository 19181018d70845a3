"""Exported models answer as Python does: by TensorFlow alone, and by its C API."""

import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import export
import zoo
from export import parity, stranger
from tests.helpers import tiny_pair

C_API = pathlib.Path(__file__).with_name("c_api_client.py")


def players():
    """A plain grey pair, and a conditional colour one with weights that have moved."""
    grey, _ = tiny_pair()
    colour = zoo.DCGANGenerator((8, 8, 3), latent_dim=5, filters=4, num_classes=3)
    for model in (grey, colour):
        for weight in model.weights:
            weight.assign(weight * 1.5 + 0.01)
    return {"grey": grey, "colour": colour}


@pytest.mark.parametrize("loader", [parity.STRANGER, C_API], ids=["tensorflow", "c_api"])
@pytest.mark.parametrize("which", ["grey", "colour"])
def test_the_same_pixels_everywhere(tmp_path, loader, which):
    generator = players()[which]
    export.save(generator, tmp_path)
    result = parity.check(generator, tmp_path, stranger=loader)
    assert result.exact and result.count == 64
    assert result.float_error <= 1e-6
    assert result.differing == 0 and result.png_equal is True
    assert result.total == 65 * np.prod(generator.image_shape)


def test_points_by_both_loaders(tmp_path):
    generator = zoo.MLPGenerator((2,), 3, (8,), output_activation="linear")
    path = export.save(generator, tmp_path)
    for loader in (parity.STRANGER, C_API):
        result = parity.check(generator, path, count=5, stranger=loader)
        assert result.exact and result.png_equal is None and result.total == 12
    assert "sample_png is not there" in str(result)


def test_a_difference_is_seen(tmp_path):
    generator, _ = tiny_pair()
    export.save(generator, tmp_path)
    weight = generator.weights[-1]
    weight.assign(weight + 0.1)
    result = parity.check(generator, tmp_path, count=2)
    assert not result.exact and result.png_equal is False
    assert 0.01 < result.float_error < 0.1
    assert result.differing == result.total == 3 * 64
    assert "sample in 192 of 192 numbers, sample_png DIFFERS" in str(result)


def test_a_server_that_merges_requests(tmp_path):
    """Rows asked for one by one and together, at every size that a server's batches have."""
    generator = players()["colour"]
    export.save(generator, tmp_path)
    seeds = np.arange(100, 132)
    labels = (seeds % 3).astype("int32")
    sizes = [1, 2, 3, 8, 32]
    questions = [("sample", {"seed": seeds[:n], "labels": labels[:n]}) for n in sizes]
    wanted = generator.sample(32, labels, seed=seeds)
    for n, answer in zip(sizes, parity.ask(tmp_path, questions, C_API), strict=True):
        np.testing.assert_array_equal(answer["images"], wanted[:n])


def test_a_stranger_has_no_way_to_this_project():
    code = f"""
import runpy, sys
stranger = runpy.run_path({stranger.__file__!r})
sys.meta_path.insert(0, stranger["Blocker"]())
for name in ("evaluation", "export", "keras", "keras.layers", "trainers", "zoo"):
    try:
        __import__(name)
    except ImportError as error:
        print(error)
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.stdout.count("is blocked: an exported model has to do without it") == 6


def test_errors(tmp_path):
    generator, _ = tiny_pair()
    with pytest.raises(
        FileNotFoundError, match="`directory` has no SavedModel. Expected .* Received: directory="
    ):
        parity.check(generator, tmp_path)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"nonsense")
    with pytest.raises(RuntimeError, match="does not answer.* Expected .*/1 to run with Tensor"):
        parity.check(generator, tmp_path, count=1, stranger=C_API)
    with pytest.raises(ValueError, match="`model` is not a generator that can be served"):
        parity.check(keras.layers.Dense(1), tmp_path)
