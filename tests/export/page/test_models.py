"""What the page holds of a generator."""

import numpy as np
import pytest

import zoo
from export.page import models
from tests.helpers import tiny_pair
from zoo import files

onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytest.importorskip("tf2onnx")


def run(model, latents, **labels):
    session = onnxruntime.InferenceSession(model.onnx)
    (made, *_) = session.run(None, {"latents": latents, **labels})
    return made


def in_float16(generator):
    """The generator with weights that are numbers of float16, none of them 0 or 1."""
    rng = np.random.default_rng(0)
    weights = [w + np.abs(rng.normal(0.3, 0.1, w.shape)) for w in generator.get_weights()]
    generator.set_weights([w.astype("float16").astype("float32") for w in weights])
    return generator


def test_pictures_of_classes():
    """Weights as float16 change nothing: a converter's products of them would, by 1e-3."""
    generator = in_float16(tiny_pair(classes=3)[0])
    about = {"description": "Words.", "data_license": "CC", "class_names": ("a", "b", "c")}
    about |= {"title": "my-digits_2", "preset": "my-digits"}
    model = models.of("digits", generator, about)
    facts = model.facts
    assert facts["sha256"] == files.sha256(model.onnx)
    assert (facts["name"], facts["title"], facts["told"]) == ("digits", "my-digits 2", "Words.")
    assert (facts["prior"], facts["num_classes"]) == (generator.prior, 3)
    assert facts["shape"] == list(generator.output_shape[1:])
    assert facts["class_names"] == ["a", "b", "c"]
    assert facts["pictures"] and facts["license"] == "CC" and facts["preset"] == "my-digits"
    stored = onnx.load_from_string(model.onnx).graph.initializer
    assert onnx.TensorProto.FLOAT16 in {tensor.data_type for tensor in stored}
    seeds, labels = np.arange(12), np.arange(12, dtype="int32") % 3
    latents = zoo.random.draw_rows(generator.prior, facts["latent_dim"], seeds).numpy()
    found = run(model, latents, labels=labels)
    expected = (generator({"latents": latents, "labels": labels}, training=False) + 1) / 2
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_points_and_how_far_they_reach():
    generator = zoo.from_preset("unrolled_ring")
    facts = models.of("ring", generator).facts
    assert not facts["pictures"] and facts["shape"] == [2] and 2.3 < facts["reach"] < 3.5
    assert facts["preset"] is None


def test_weights_that_float16_would_change_are_left():
    generator, _ = tiny_pair()
    model = models.of("tiny", generator)
    stored = onnx.load_from_string(model.onnx).graph.initializer
    assert onnx.TensorProto.FLOAT16 not in {tensor.data_type for tensor in stored}
    latents = zoo.random.draw_rows(generator.prior, model.facts["latent_dim"], [1, 2]).numpy()
    expected = (generator(latents, training=False) + 1) / 2
    np.testing.assert_allclose(run(model, latents), expected, atol=2e-6)


def test_what_cannot_be_drawn():
    lines = zoo.MLPGenerator((3,), latent_dim=2, units=(4,), output_activation="linear")
    with pytest.raises(ValueError, match=r"`m` cannot be drawn.*samples of shape \(3,\)"):
        models.of("m", lines)


def test_conditions_that_are_numbers():
    generator = zoo.MLPGenerator((4, 4, 1), latent_dim=2, units=(4,), num_conditions=2)
    with pytest.raises(ValueError, match="`m` takes conditions that are numbers.*=2"):
        models.of("m", generator)


def test_long_words_are_cut():
    assert models._told({"description": "word " * 60, "trainer": "gan"}).endswith(
        " … (trainer: gan)"
    )
    assert models._told({"description": "Short."}) == "Short." and models._told({}) == ""
