"""What a finished training leaves. The files themselves are tested with the run."""

import dataclasses
import types

import pytest

from trainers.runs import results
from trainers.runs.construction import make
from trainers.runs.settings import Settings
from zoo import datasets

TOY = Settings(dataset="normal", generator="mlp", latent_dim=2)


@pytest.mark.parametrize(
    "shape, classes, count", [((28, 28, 1), 10, 100), ((28, 28, 1), None, 64), ((2,), None, 1000)]
)
def test_how_many_samples_a_picture_shows(shape, classes, count):
    traits = types.SimpleNamespace(image_shape=shape, num_classes=classes)
    assert results.sample_count(types.SimpleNamespace(traits=traits)) == count


@pytest.mark.parametrize("objective, name", [(None, "non_saturating"), ("pearson", "pearson")])
def test_the_game_in_a_few_words(objective, name):
    settings = dataclasses.replace(TOY, objective=objective)
    gan = make(settings, datasets.info("normal", examples=1000))
    sizes = [f"{player.count_params():,}" for player in (gan.generator, gan.discriminator)]
    expected = f"mlp players of {sizes[0]} and {sizes[1]} parameters, {name}, alternating"
    assert results._game(gan, settings) == expected
