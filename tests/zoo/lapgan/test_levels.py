"""The players of one level of LAPGAN: the published nets, bands as faint as real ones, labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import largest_difference, outputs, player_inputs, run_player_test
from zoo.lapgan import levels


@pytest.mark.parametrize("classes", [None, 3])
def test_discriminator(tmp_path, classes):
    planes, label_plane = (3, 0) if classes is None else (4, classes * 6 * 8)
    weights = label_plane + (25 * planes + 1) * 4 + (25 * 4 + 1) * 4 + 3 * 4 * 4 + 1
    kwargs = {"image_shape": (6, 8, 3), "filters": 4, "dropout": 0.2, "negative_slope": 0.0}
    run_player_test(levels.BandDiscriminator, {**kwargs, "num_classes": classes}, weights, tmp_path)


@pytest.mark.parametrize("classes", [None, 3])
def test_a_band_generator_in_a_file_of_its_own(tmp_path, classes):
    model = levels.BandGenerator((6, 4, 2), filters=3, num_classes=classes, prior="normal")
    model.save(tmp_path / "band.keras")
    loaded = keras.saving.load_model(tmp_path / "band.keras")
    assert loaded.get_config() == model.get_config()
    inputs = player_inputs(model)
    assert set(inputs) == {"latents", "coarse", *(["labels"] if classes else [])}
    assert inputs["latents"].shape == (4, 24)
    assert model(inputs).shape == (4, 6, 4, 2)
    assert largest_difference(outputs(model, inputs), outputs(loaded, inputs)) == 0


def test_the_published_nets():
    generator = levels.BandGenerator((32, 32, 3), num_classes=10)
    convolutions = [la for la in generator.layers if isinstance(la, keras.layers.Conv2D)]
    assert [la.kernel_size[0] for la in convolutions] == [7, 7, 5]
    assert [la.filters for la in convolutions] == [64, 64, 3]
    assert convolutions[0].kernel.shape[2] == 3 + 1 + 1  # The picture, the noise and the class.
    assert convolutions[-1] is generator.layers[-1]
    assert convolutions[-1].activation is keras.activations.linear
    discriminator = levels.BandDiscriminator((32, 32, 3), num_classes=10)
    convolutions = [la for la in discriminator.layers if isinstance(la, keras.layers.Conv2D)]
    assert [(la.kernel_size[0], la.filters, la.strides[0]) for la in convolutions] == [
        (5, 64, 1),
        (5, 64, 2),
    ]
    assert discriminator.get_layer("dropout").rate == 0.5


def test_the_first_bands_are_as_faint_as_those_of_photographs():
    rng = np.random.default_rng(2)
    for channels, filters in ((1, 16), (3, 64)):
        generator = levels.BandGenerator((16, 16, channels), filters)
        coarse = 0.5 * rng.normal(size=(8, 16, 16, channels))
        noise = rng.uniform(-(3**0.5), 3**0.5, (8, 256))
        band = generator({"latents": keras.ops.array(noise), "coarse": keras.ops.array(coarse)})
        assert 0.05 < np.std(band) < 0.25


@pytest.mark.parametrize("slope, alive", [(0.2, True), (0.0, False)])
def test_a_discriminator_can_come_back_from_negative_maps(slope, alive):
    model = levels.BandDiscriminator((4, 4, 1), filters=2, negative_slope=slope)
    for k in range(2):
        model.get_layer(f"convolution_{k}").bias.assign([-20.0, -20.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(player_inputs(model))["logits"])
    gradients = tape.gradient(loss, model.get_layer("convolution_1").trainable_variables)
    assert all((np.abs(g).max() > 0) == alive for g in gradients)


@pytest.mark.parametrize(
    "cls, arguments, message",
    [
        (levels.BandGenerator, {"image_shape": (8, 8)}, r"Received: image_shape=\(8, 8\)"),
        (levels.BandGenerator, {"filters": 0}, "filters=0"),
        (levels.BandGenerator, {"num_classes": -1}, "num_classes=-1"),
        (
            levels.BandDiscriminator,
            {"dropout": 1.0},
            r"`dropout` is out.*\[0, 1\).*dropout=1.0",
        ),
        (levels.BandDiscriminator, {"filters": 2.5}, "filters=2.5"),
    ],
)
def test_arguments_that_make_no_sense(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**arguments)
