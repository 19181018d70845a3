"""The 2014 perceptrons: sizes, ranges, dropout, and samples that are not images."""

import numpy as np
import pytest

import zoo
from tests.helpers import run_player_test

GENERATOR = {"image_shape": (3, 4, 1), "latent_dim": 5, "units": (6, 7)}
DISCRIMINATOR = {"image_shape": (3, 4, 1), "units": (6, 7), "pieces": 2}


@pytest.mark.parametrize(
    "classes, weights",
    [(None, 6 * 6 + 7 * 7 + 8 * 12), (2, 8 * 6 + 9 * 7 + 10 * 12)],
)
def test_generator(tmp_path, classes, weights):
    kwargs = {**GENERATOR, "num_classes": classes}
    model = run_player_test(zoo.MLPGenerator, kwargs, weights, tmp_path)
    assert model.value_range == (0.0, 1.0) and model.prior == "uniform"


@pytest.mark.parametrize(
    "classes, weights",
    [(None, 13 * 12 + 7 * 14 + 8), (2, 15 * 12 + 9 * 14 + 10)],
)
def test_discriminator(tmp_path, classes, weights):
    kwargs = {**DISCRIMINATOR, "num_classes": classes}
    run_player_test(zoo.MLPDiscriminator, kwargs, weights, tmp_path)


def test_the_sizes_of_2014():
    generator, discriminator = zoo.MLPGenerator(), zoo.MLPDiscriminator()
    assert generator.count_params() == 101 * 1200 + 1201 * 1200 + 1201 * 784
    assert discriminator.count_params() == 785 * 1200 + 241 * 1200 + 241
    assert np.abs(generator.get_layer("dense_0").kernel).max() == pytest.approx(0.05, rel=1e-3)
    maxout = discriminator.get_layer("maxout_0")
    assert np.abs(maxout.affine.kernel).max() == pytest.approx(0.005, rel=1e-3)
    rates = [discriminator.get_layer(f"dropout_{n}").rate for n in ("input", "0", "1")]
    assert rates == [0.2, 0.5, 0.5]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "linear"])
def test_an_untrained_generator_can_make_the_datas_mean(activation):
    model = zoo.MLPGenerator(**GENERATOR, output_activation=activation)
    for layer in ("dense_0", "dense_1", "output"):
        model.get_layer(layer).kernel.assign(0 * model.get_layer(layer).kernel)
    images = np.random.default_rng(0).integers(0, 256, (500, 3, 4, 1), dtype=np.uint8)
    images[:, 0, 0] = 0  # A pixel that is never lit.
    mean = images.mean(0) / 255
    if activation == "linear":
        images = images / 255
    model.set_output_bias(images)
    made = model(np.zeros((1, 5), "float32"))[0].numpy()
    low, high = model.value_range or (0, 1)
    wanted = mean * (high - low) + low
    assert np.abs(made - wanted).max() <= (high - low) / 512 + 1e-6
    np.testing.assert_allclose(made[1:], wanted[1:], rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match=r"images of shape \(2, 4, 3, 1\)"):
        model.set_output_bias(np.zeros((2, 4, 3, 1)))


def test_dropout_acts_in_training_only():
    model = zoo.MLPDiscriminator(**DISCRIMINATOR, kernel_initializer="glorot_uniform")
    x = np.random.default_rng(0).uniform(size=(8, 3, 4, 1)).astype("float32")
    rest = [model(x, training=False)["logits"].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*rest)
    busy = [model(x, training=True)["logits"].numpy() for _ in range(2)]
    assert not np.array_equal(*busy)


def test_points_in_the_plane():
    generator = zoo.MLPGenerator(
        (2,), latent_dim=4, units=(8,), output_activation="linear", prior="normal"
    )
    points = generator.sample(10, seed=0)
    assert points.shape == (10, 2) and points.dtype == np.float32
    assert generator.value_range is None
    discriminator = zoo.MLPDiscriminator((2,), units=(8,), activation="tanh", input_dropout=0.0)
    assert discriminator(points)["logits"].shape == (10,)


def test_batch_normalization_in_a_linear_relu_stack():
    model = zoo.MLPGenerator(**GENERATOR, batch_normalization=True, output_activation="tanh")
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("BatchNormalization") == 2 and kinds[-2:] == ["Dense", "Reshape"]
    assert model.value_range == (-1.0, 1.0)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: zoo.MLPGenerator(units=(0,)), "positive integer.*units=0"),
        (lambda: zoo.MLPGenerator(latent_dim=1.5), r"latent_dim=1\.5"),
        (lambda: zoo.MLPGenerator(output_activation="relu"), "output_activation='relu'"),
        (lambda: zoo.MLPDiscriminator(dropout=1.0), r"\[0, 1\).*dropout=1\.0"),
        (lambda: zoo.MLPDiscriminator(pieces=0), "pieces=0"),
        (lambda: zoo.MLPGenerator(prior="gauss"), "prior='gauss'"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
