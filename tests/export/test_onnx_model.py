"""ONNX files of every family, in ONNX Runtime, against Python."""

import sys

import numpy as np
import onnx
import onnxruntime
import pytest

import zoo
from export import onnx_model, portable_draw, served, signatures, stranger
from zoo import players

FAMILIES = {
    "mlp with conditions": lambda: zoo.MLPGenerator((2,), 3, (4,), num_conditions=2),
    "dcgan with classes": lambda: zoo.DCGANGenerator((8, 8, 1), 4, 2, num_classes=3),
    "residual": lambda: zoo.ResNetGenerator((28, 28, 1), 3, 2),
    "r3gan": lambda: zoo.R3GANGenerator((28, 28, 1), 3, 4, 1, 2),
    "laplacian with classes": lambda: zoo.LaplacianGenerator((8, 8, 1), 2, 3, 2, (4,), 3),
}


def write(folder, model, weights="float32", **arguments):
    networks = served.of(model, **arguments)
    asked = signatures.of(networks, draw_rows=portable_draw.draw_rows)
    onnx_model.write(folder, networks, asked, weights)


def run(path, **inputs):
    session = onnxruntime.InferenceSession(str(path))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_is_the_same_sample(tmp_path, family):
    generator = FAMILIES[family]()
    for weight in generator.weights:
        weight.assign(weight * 1.5 + 0.01)
    write(tmp_path, generator)
    files = {"latents.onnx", "latents_truncated.onnx", "model.onnx"}
    assert {path.name for path in tmp_path.iterdir()} == files
    seeds, told = np.array([3, -1, 2**40, 0, 8]), {}
    if generator.num_classes:
        told = {"labels": np.array([0, 1, 2, 2, 1], "int32")}
    if generator.num_conditions:
        told = {"conditions": np.linspace(-1, 1, 10, dtype="float32").reshape(5, 2)}
    for rows in (5, 1, 3):
        part = {name: value[:rows] for name, value in told.items()}
        latents = run(tmp_path / "latents.onnx", seed=seeds[:rows])
        answer = run(tmp_path / "model.onnx", **latents, **part)
        wanted = generator.sample(rows, seed=seeds[:rows], **part)
        alike(generator, answer, wanted)
        assert ("valid" in answer) == bool(told) and np.all(answer.get("valid", True))
    limits = np.array([0.5, 2.0, np.inf, 0.0, np.nan], "float32")
    answer = stranger.onnx(tmp_path / "model.onnx")(
        "sample_truncated", {"seed": seeds, "truncation": limits, **told}
    )
    assert answer.pop("valid").tolist() == [True, True, True, False, False]
    for row, limit in enumerate([0.5, 2.0, None]):
        part = {name: value[row : row + 1] for name, value in told.items()}
        wanted = generator.sample(1, seed=seeds[row : row + 1], truncation=limit, **part)
        alike(generator, {name: value[row : row + 1] for name, value in answer.items()}, wanted)
    assert not any(value[3:].any() for value in answer.values())


@pytest.mark.parametrize("weights", ["float32", "float16"])
def test_a_condition_that_is_no_number_is_not_valid(tmp_path, weights):
    """And black: its rows are chosen from, not multiplied by 0."""
    write(tmp_path, zoo.MLPGenerator((2,), 3, (4,), num_conditions=2), weights)
    told = np.array([[0, 1], [np.nan, 0], [0, np.inf]], "float32")
    answer = run(tmp_path / "model.onnx", latents=np.ones((3, 3), "float32"), conditions=told)
    assert answer["valid"].tolist() == [True, False, False]
    assert answer["samples"][0].all() and not answer["samples"][1:].any()


def alike(generator, answer, wanted):
    """Samples of ONNX Runtime are Python's, of pictures but for a level in one pixel of 1,000."""
    if generator.value_range is None:
        np.testing.assert_allclose(answer["samples"], wanted, atol=1e-5)
        return
    images = answer["images"]
    levels = images if images.dtype == np.uint8 else np.round(images * 255)
    assert np.abs(levels.astype(int) - wanted).max() <= 1 and (levels != wanted).mean() < 1e-3


def test_the_discriminator_and_the_encoder_are_files_of_their_own(tmp_path):
    generator = zoo.DCGANGenerator((8, 8, 1), 4, 2, num_classes=3)
    discriminator = zoo.DCGANDiscriminator((8, 8, 1), 2, units=(3,), num_classes=3)
    write(tmp_path, generator, discriminator=discriminator)
    unit = np.random.default_rng(0).uniform(0, 1, (4, 8, 8, 1)).astype("float32")
    labels = np.array([0, 1, 2, 3], "int32")
    answer = run(tmp_path / "score.onnx", images=unit, labels=labels)
    logits, _ = players.discriminate(discriminator, unit[:3] * 2 - 1, labels[:3])
    np.testing.assert_allclose(answer["logits"][:3], logits, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(answer["valid"], [True, True, True, False])
    vae = zoo.VAE((4, 4, 1), latent_dim=2, units=(5,))
    write(tmp_path / "..", vae)
    given = unit[:, :4, :4]
    mean = run(tmp_path.parent / "encode.onnx", images=given)["latents"]
    np.testing.assert_allclose(mean, vae.encoder(given)[:, :2], atol=1e-5)
    again = run(tmp_path.parent / "model.onnx", latents=mean)["images"]
    np.testing.assert_allclose(again, vae(given), atol=1e-5)


def test_half_the_size_with_float32_computed(tmp_path):
    generator = zoo.MLPGenerator((8, 8, 1), 16, (200,))
    for weight in generator.weights:
        weight.assign(np.asarray(weight, "float16"))
    sizes, images = [], []
    latents = np.random.default_rng(0).normal(size=(5, 16)).astype("float32")
    for weights in ("float32", "float16"):
        write(tmp_path, generator, weights)
        onnx.checker.check_model(str(tmp_path / "model.onnx"), full_check=True)
        sizes.append((tmp_path / "model.onnx").stat().st_size)
        images.append(run(tmp_path / "model.onnx", latents=latents)["images"])
    kernels = 16 * 200 + 200 * 64
    assert 0.95 * 2 * kernels < sizes[0] - sizes[1] <= 2 * kernels
    np.testing.assert_allclose(*images, atol=1e-6)


def test_float16_is_that_of_the_weights_and_not_of_their_products(tmp_path):
    """A converter would multiply a normalization's scale into the kernel, and round the product."""
    generator = zoo.DCGANGenerator((8, 8, 1), 4, 8)
    rng = np.random.default_rng(0)
    for weight in generator.weights:
        value = np.abs(rng.normal(1.0, 0.3, weight.shape)) if weight.ndim == 1 else weight * 25
        weight.assign(np.asarray(value, "float16"))
    latents = rng.normal(size=(5, 4)).astype("float32")
    write(tmp_path, generator, "float16")
    stored = onnx.load(tmp_path / "model.onnx").graph.initializer
    assert onnx.TensorProto.FLOAT16 in {tensor.data_type for tensor in stored}
    images = run(tmp_path / "model.onnx", latents=latents)["images"]
    wanted = (np.asarray(generator(latents, training=False)) + 1.0) / 2.0
    assert np.ptp(wanted) > 0.5
    np.testing.assert_allclose(images, wanted, atol=2e-6)


@pytest.mark.parametrize("missing", ["tf2onnx", "onnx"])
def test_a_converter_that_is_not_there(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    message = f"`formats` with 'onnx' .* need {missing}, which is not .*pip install tf2onnx onnx"
    with pytest.raises(ImportError, match=message):
        onnx_model.check()
