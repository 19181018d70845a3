"""Weights as they are stored: float32, float16 and int8, in each format."""

import json
import math

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

import export
from export import __main__ as export_main
from export import checking, parity, served, stored_weights
from tests.helpers import run_command, tiny_pair
from zoo import exported

FORMATS = ("saved_model", "onnx", "litert")


def test_weights_that_float16_changes_are_counted():
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    generator.set_weights([np.array([[1, 0.5, 0.1], [3, 1 / 3, 2048]]), np.zeros(3)])
    assert stored_weights.inexact(served.of(generator)) == (2, 9)


def test_weights_too_large_for_float16(tmp_path):
    generator, _ = tiny_pair()
    generator.weights[0].assign(generator.weights[0] * 0 + 65536.0)
    with pytest.raises(ValueError, match="`weights` cannot be 'float16'.*weights='float16' with"):
        export.save(generator, tmp_path / "served", weights="float16")
    with pytest.raises(ValueError, match="`weights` is unknown.*weights='int4'"):
        export.save(generator, tmp_path / "served", weights="int4")
    assert not list(tmp_path.iterdir())


def test_int8_has_a_scale_for_each_channel():
    value = np.random.default_rng(0).normal(size=(3, 3, 5, 4)).astype("float32")
    value[..., 1] *= 100
    value[..., 3] = 0
    rounded, scale = stored_weights.int8(value)
    assert rounded.dtype == np.int8 and rounded.shape == value.shape and scale.shape == (1, 1, 1, 4)
    np.testing.assert_array_equal(np.abs(rounded).max((0, 1, 2)), [127, 127, 127, 0])
    error = np.abs(rounded * scale.astype("float64") - value).max((0, 1, 2))
    assert np.all(error <= scale.ravel() * 0.5 * (1 + 1e-6))  # Of rounding, and no more.
    kept, nothing = stored_weights.parts(np.ones((4, 4), "float32"), "int8")
    assert kept.dtype == np.float32 and nothing is None  # Few numbers.


def by_hand(generator):
    """A copy whose kernels are rounded here."""
    copy = keras.models.clone_model(generator)
    weights = []
    for value in generator.get_weights():
        if value.ndim > 1 and value.size >= 256:
            scale = np.abs(value).reshape(-1, value.shape[-1]).max(0) / np.float32(127)
            value = np.rint(value / scale).astype("float32") * scale
        weights.append(value)
    copy.set_weights(weights)
    return copy


def test_all_formats_in_int8(tmp_path):
    generator, discriminator = tiny_pair()
    generator.set_weights([w * 40 if w.ndim > 1 else w for w in generator.get_weights()])
    path = export.save(
        generator, tmp_path, discriminator=discriminator, weights="int8", formats=FORMATS
    )
    latents = np.random.default_rng(1).normal(size=(5, generator.latent_dim)).astype("float32")
    wanted = by_hand(generator)(latents).numpy() / 2 + 0.5
    default = tf.saved_model.load(path).signatures["serving_default"]
    given = default(latents=tf.constant(latents))["images"].numpy()
    np.testing.assert_allclose(given, wanted, atol=1e-5)
    assert np.abs(given - (generator(latents).numpy() / 2 + 0.5)).max() > 1e-3
    (given,) = onnxruntime.InferenceSession(path / "model.onnx").run(None, {"latents": latents})
    np.testing.assert_allclose(given, wanted, atol=1e-5)
    kinds = [one.data_type for one in onnx.load(path / "model.onnx").graph.initializer]
    assert kinds.count(onnx.TensorProto.INT8) == sum(
        w.ndim > 1 and w.size >= 256 for w in generator.get_weights()
    )
    report = (path / "PARITY.md").read_text()
    assert all(f"| {name} |" in report for name in FORMATS)  # Though `check` was not asked for.
    card = json.loads((path / exported.CARD).read_text())
    assert card["weights"] == "int8" and set(card["int8"]) == set(FORMATS)
    assert 0 < card["int8"]["onnx"]["serving_default/images as pixels"] < 0.5
    assert not [name for name in card["int8"]["onnx"] if name.startswith("latents")]
    assert all(map(checking.is_good, checking.check(tmp_path).values()))


def test_its_files_are_a_quarter(tmp_path):
    generator = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(512), keras.layers.Dense(64)]
    )
    sizes = {}
    for weights in ("float32", "int8"):
        path = export.save(
            generator, tmp_path / weights, value_range=None, weights=weights, formats=FORMATS
        )
        data = path / "variables" / "variables.data-00000-of-00001"
        files = (data, path / "model.onnx", path / "model.tflite")
        sizes[weights] = np.array([file.stat().st_size for file in files])
    assert np.all(sizes["int8"] < 0.3 * sizes["float32"])


def test_what_was_measured_is_allowed_and_not_much_more():
    def found(beyond, largest=9.0, **allowed):
        measure = parity.Measure("sample", "images", 1000, 400, beyond, largest)
        return parity.Parity("onnx", 64, (measure,), **allowed)

    allowed = {"sample/images": 0.2}
    assert not found(200).good and found(200).shares == allowed
    assert found(250, allowed=allowed).good and not found(350, allowed=allowed).good
    assert not found(0, np.inf, allowed=allowed).good
    assert not found(2, allowed={"score/logits": 1.0}).good
    assert found(1000, allowed={"sample/images": 1.0}).good
    assert not found(900, allowed={"sample/images": 0.7}).good
    assert checking._allowed({"weights": "float32", "int8": {"onnx": allowed}}, "onnx") is None


@pytest.mark.parametrize(
    "said", [3, [], {"onnx": 1.0}, {"onnx": {"sample/images": "much"}}, {"onnx": {"a/b": math.nan}}]
)
def test_a_card_of_a_stranger_allows_nothing_by_mistake(said):
    assert not checking._allowed({"weights": "int8", "int8": said}, "onnx")


def test_the_command_says_how_far_off_it_is(tmp_path, capsys):
    flags = ["--model=dcgan_mnist", f"--output_dir={tmp_path}", "--weights=int8", "--nocheck"]
    assert not run_command(export_main, *flags)
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("check: ")]
    assert "50960 pixels, by" in line and "WRONG" not in line
