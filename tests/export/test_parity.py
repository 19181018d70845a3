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


def models():
    """A plain grey pair, a conditional colour one and an autoencoder, with weights that moved.

    Each with its discriminator, or `None`.
    """
    colour = zoo.DCGANGenerator((8, 8, 3), latent_dim=5, filters=4, num_classes=3)
    judge = zoo.DCGANDiscriminator((8, 8, 3), 2, units=(3,), num_classes=3)
    found = {
        "grey": tiny_pair(),
        "colour": (colour, judge),
        "autoencoder": (zoo.VAE((4, 4, 1), latent_dim=2, units=(5,)), None),
    }
    for model in (model for pair in found.values() for model in pair if model is not None):
        for weight in model.weights:
            if weight.dtype == "float32":
                weight.assign(weight * 1.5 + 0.01)
    return found


SIGNATURES = {
    *("serving_default", "sample", "sample_truncated", "sample_png", "latents", "latents_truncated")
}
MORE = {"grey": {"score"}, "colour": {"score"}, "autoencoder": {"encode", "reconstruct"}}


@pytest.mark.parametrize("loader", [parity.STRANGER, C_API], ids=["tensorflow", "c_api"])
@pytest.mark.parametrize("which", MORE)
def test_the_same_answers_everywhere(tmp_path, loader, which):
    model, discriminator = models()[which]
    generator = getattr(model, "generator", model)
    export.save(model, tmp_path, discriminator=discriminator)
    result = parity.check(model, tmp_path, stranger=loader, discriminator=discriminator)
    assert result.exact and result.good and result.count == 64
    assert {measure.signature for measure in result.measures} == SIGNATURES | MORE[which]
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


NAN_STRANGER = """
import runpy, sys
import numpy as np
module = runpy.run_path({path!r})
module["main"](*sys.argv[1:])
with np.load(sys.argv[3]) as read:
    answers = dict(read)
for name, value in answers.items():
    if value.dtype.kind == "f":
        answers[name] = value.copy()
        answers[name].flat[0] = np.nan
np.savez(sys.argv[3], **answers)
"""


def test_one_nan_is_a_difference(tmp_path):
    generator = zoo.MLPGenerator((2,), 3, (8,), output_activation="linear")
    path = export.save(generator, tmp_path / "served")
    (tmp_path / "nan.py").write_text(NAN_STRANGER.format(path=str(parity.STRANGER)))
    result = parity.check(generator, path, count=3, stranger=tmp_path / "nan.py")
    assert not result.exact and not result.good and result.float_error == np.inf
    assert result.differing == 2  # One of each question: three rows, and one.
    assert all(m.largest == np.inf for m in result.measures if m.output != "valid")
    assert "differs by inf at most" in str(result) and "is WRONG in" in str(result)


def test_what_is_good_enough_to_serve():
    def one(output, truth, given):
        question = parity.questions.Question("serving_default", {}, {output: truth})
        return parity.Parity("onnx", 1, tuple(parity._measures(question, {output: given})))

    levels = np.full(2000, 7, "uint8")
    assert one("images", levels, levels).exact
    off = levels.copy()
    off[:500] += 1
    assert one("images", levels, off).good and not one("images", levels, off).exact
    off[:2] += 1  # Two of 2,000 by two levels, three beyond a share of 0.001.
    assert one("images", levels, off).good
    off[:3] = 9
    assert not one("images", levels, off).good
    numbers = np.linspace(-200, 200, 2000, dtype="float32")
    assert one("logits", numbers, numbers * 1.000009).exact
    assert not one("logits", numbers, numbers * 1.0001).exact
    assert one("logits", numbers, numbers * 1.0001).good
    assert not one("logits", numbers, numbers * 1.1).good
    assert not one("logits", numbers, numbers[:-1]).good
    assert not one("valid", np.ones(4, bool), np.array([True, True, True, False])).good


def test_a_server_that_merges_requests(tmp_path):
    """Rows asked for one by one and together, at every size that a server's batches have."""
    generator, _ = models()["colour"]
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
