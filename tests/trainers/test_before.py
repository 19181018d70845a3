"""Files that were written before the house was rebuilt load, with the same samples and weights."""

import pathlib

import keras
import numpy as np
import pytest

import trainers
import zoo

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
CLASSES = {
    "gan": trainers.GAN,
    "laplacian": trainers.LaplacianGAN,
    "feature_matching": trainers.FeatureMatchingGAN,
    "wasserstein_gp": trainers.WassersteinGANGP,
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_trainer_of_before(name):
    gan = keras.saving.load_model(FIXTURES / f"{name}.keras")
    assert type(gan) is CLASSES[name]
    expected = np.load(FIXTURES / f"{name}.npz")
    weights = gan.get_weights()
    assert len(weights) == len([key for key in expected if key.startswith("weight_")])
    for k, weight in enumerate(weights):
        np.testing.assert_array_equal(weight, expected[f"weight_{k}"])
    labels = None if gan.traits.num_classes is None else np.arange(8) % 3
    for samples in (
        gan.sample(8, labels, seed=4),
        zoo.players.sample(zoo.load(FIXTURES / f"{name}.keras"), 8, labels, seed=4),
    ):
        if samples.dtype == np.uint8:
            np.testing.assert_array_equal(samples, expected["sample"])
        else:  # The last bit of a float is the processor's.
            np.testing.assert_allclose(samples, expected["sample"], atol=1e-6)


def test_what_it_was_compiled_with():
    gan = keras.saving.load_model(FIXTURES / "gan.keras")
    objective = gan.objective
    assert type(objective) is trainers.objectives.FDivergence
    assert (objective.divergence.name, objective.divergence.alpha) == ("alpha", 0.3)
    noise, flips = gan.perturbations
    assert noise.scale.initial_learning_rate == 0.2 and flips.scale == 0.1
    r1, history = gan.discriminator_penalties
    assert (r1.weight, r1.every, history.weight) == (1.0, 2, 0.1)
    assert gan.generator_penalties[0].weight == 0.01
    rule = gan.discriminator_steps
    assert (rule.tolerance, rule.window, rule.max_steps) == (1e-3, 2, 3)
    assert gan.ema_decay == 0.9 and gan.seed == 5
    # The running means and the moments of the optimizers came along.
    assert float(gan.generator_penalty_states[0].values[0]) > 0
    assert int(gan.discriminator_optimizer.iterations) == int(gan.steps) == 4
    assert float(np.abs(gan.discriminator_optimizer.variables[2]).max()) > 0
