"""LiteRT files in LiteRT's own runtime, against Python."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import zoo
from export import litert_model, served, signatures

FAMILIES = {  # And whether its batch is of one row.
    "mlp with conditions": (lambda: zoo.MLPGenerator((2,), 3, (4,), num_conditions=2), False),
    "dcgan with classes": (lambda: zoo.DCGANGenerator((8, 8, 1), 4, 2, num_classes=3), False),
    "residual": (lambda: zoo.ResNetGenerator((28, 28, 1), 3, 2), True),
}


def runner(folder):
    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=1)
    return interpreter.get_signature_runner("serving_default")


def write(folder, model, weights="float32"):
    networks = served.of(model)
    litert_model.write(folder, networks, signatures.of(networks), weights)


@pytest.mark.parametrize("family", FAMILIES)
def test_latents_are_the_same_sample(tmp_path, family):
    make, one_row = FAMILIES[family]
    generator = make()
    for weight in generator.weights:
        weight.assign(weight * 1.5 + 0.01)
    write(tmp_path, generator)
    seeds, told = np.arange(4), {}
    if generator.num_classes:
        told = {"labels": np.array([0, 1, 2, 2], "int32")}
    if generator.num_conditions:
        told = {"conditions": np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)}
    latents = zoo.latents.draw_rows(generator.prior, generator.latent_dim, seeds).numpy()
    run = runner(tmp_path)
    given = {"latents": latents, **told}
    assert (run.get_input_details()["latents"]["shape_signature"][0] == 1) == one_row
    for rows in [slice(i, i + 1) for i in range(4)] if one_row else [slice(4), slice(1)]:
        answer = run(**{name: value[rows] for name, value in given.items()})
        part = {name: value[rows] for name, value in told.items()}
        wanted = generator.sample(len(seeds[rows]), seed=seeds[rows], **part)
        name = "samples" if generator.value_range is None else "images"
        got = answer[name] if name == "samples" else np.round(answer[name] * 255)
        np.testing.assert_allclose(got, wanted, atol=1e-5 if name == "samples" else 1)
        assert np.all(answer.get("valid", True))


def test_a_label_that_is_no_class(tmp_path):
    write(tmp_path, FAMILIES["dcgan with classes"][0]())
    labels = np.array([0, 3, -1], "int32")
    answer = runner(tmp_path)(latents=np.ones((3, 4), "float32"), labels=labels)
    np.testing.assert_array_equal(answer["valid"], [True, False, False])
    assert answer["images"][0].any() and not answer["images"][1:].any()


def test_half_the_size(tmp_path):
    generator = zoo.MLPGenerator((8, 8, 1), 16, (200,))
    sizes, images = [], []
    latents = np.random.default_rng(0).normal(size=(5, 16)).astype("float32")
    for weights in ("float32", "float16"):
        write(tmp_path, generator, weights)
        sizes.append((tmp_path / "model.tflite").stat().st_size)
        images.append(runner(tmp_path)(latents=latents)["images"])
    assert sizes[1] < 0.6 * sizes[0]
    np.testing.assert_allclose(*images, atol=2e-3)
    np.testing.assert_allclose(images[0] * 255, generator_pixels(generator, latents), atol=0.51)


def generator_pixels(generator, latents):
    return zoo.players.decode(generator, latents)
