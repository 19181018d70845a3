"""Checkpoints: what is written can be loaded, and what diverged is not written."""

import keras
import numpy as np
import pytest

import trainers
import zoo


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    """The file of the last good epoch stays, and the training ends."""

    class Breaks(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                kernel = self.model.generator.trainable_variables[0]
                kernel.assign(np.full(kernel.shape, np.nan, "float32"))

    players = {"image_shape": (2,), "units": (4,)}
    gan = trainers.GAN(zoo.MLPGenerator(**players), zoo.MLPDiscriminator(**players))
    gan.compile()
    path = tmp_path / "gan.keras"
    x = np.random.default_rng(0).uniform(size=(8, 2)).astype("float32")
    checkpoint = trainers.Checkpoint(path)
    with pytest.raises(ValueError, match="diverged.*What was saved before stays as it was"):
        gan.fit(x, epochs=5, batch_size=8, verbose=0, callbacks=[Breaks(), checkpoint])
    with pytest.raises(ValueError, match="diverged.*gan.keras' stays as it was"):
        checkpoint.save()
    assert int(keras.saving.load_model(path).steps.numpy()) == 2


@pytest.mark.parametrize(
    "path, message",
    [
        ("gan.h5", "`path` names no Keras file.*ends in .keras. Received: path='gan.h5'"),
        (f"{__file__}/gan.keras", "`path` cannot be made: .* is a file"),
    ],
)
def test_paths_that_cannot_be(path, message):
    with pytest.raises(ValueError, match=message):
        trainers.Checkpoint(path)
