"""The variational autoencoder: its bound against an exact likelihood, training, file and export."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import export
import zoo
from tests.helpers import largest_difference, state, tiny_data


def _linear(scale=0.7):
    """A linear Gaussian autoencoder with orthogonal columns: its posterior is diagonal."""
    vae = zoo.VAE((3,), latent_dim=2, units=(), likelihood="gaussian", scale=scale)
    weights = np.array([[0.8, 0.6, 0.0], [-0.9, 1.2, 0.0]])  # Rows are orthogonal.
    bias = np.array([0.3, -0.2, 0.5])
    vae.generator.set_weights([weights, bias])
    # Of p(z | x): precision 1 + |w|^2 / s^2, mean = variance w (x - b) / s^2.
    variance = 1 / (1 + np.sum(weights**2, axis=1) / scale**2)
    kernel = (variance[:, None] * weights / scale**2).T
    offset = -bias @ kernel
    vae.encoder.set_weights(
        [
            np.concatenate([kernel, np.zeros((3, 2))], axis=1),
            np.concatenate([offset, np.log(variance)]),
        ]
    )
    return vae, weights, bias


def test_the_bound_is_the_likelihood_at_the_true_posterior():
    vae, weights, bias = _linear()
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    exact = scipy.stats.multivariate_normal(bias, weights.T @ weights + 0.49 * np.eye(3)).logpdf(x)
    many = tf.repeat(x, 20_000, axis=0)
    bound = -np.sum(vae.terms(many, (1, 2)), axis=0).reshape(5, -1)
    error = bound.std(1) / np.sqrt(bound.shape[1])
    assert (np.abs(bound.mean(1) - exact) < 4 * error + 1e-4).all()
    # Another encoder gives less: by its divergence from the posterior.
    vae.encoder.weights[1].assign_add([0.5, 0.0, 0.0, 0.0])
    worse = -np.sum(vae.terms(many, (1, 2)), axis=0).reshape(5, -1).mean(1)
    variance = 1 / (1 + 1 / 0.49)
    np.testing.assert_allclose(exact - worse, 0.5**2 / (2 * variance), atol=5 * error.max())


def test_the_bernoulli_terms_against_numpy():
    vae = zoo.VAE((2, 2, 1), latent_dim=3, units=(5,))
    x = np.random.default_rng(1).uniform(size=(4, 2, 2, 1)).astype("float32")
    noise = zoo.latents.normal((4, 3), (5, 6)).numpy().astype("float64")
    code = vae.encoder(x).numpy().astype("float64")
    mean, log_variance = code[:, :3], code[:, 3:]
    z = mean + np.exp(log_variance / 2) * noise
    p = vae.generator(z.astype("float32")).numpy().astype("float64")
    log_p = np.sum(x * np.log(p) + (1 - x) * np.log(1 - p), axis=(1, 2, 3))
    divergence = 0.5 * np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance, axis=1)
    got = vae.terms(x, (5, 6))
    np.testing.assert_allclose(got[0], -log_p, rtol=1e-5)
    np.testing.assert_allclose(got[1], divergence, rtol=1e-4, atol=1e-6)


def _trained(**modes):
    keras.utils.set_random_seed(3)
    vae = zoo.VAE((8, 8, 1), latent_dim=2, units=(16,), seed=1)
    vae.compile(**modes)
    return vae


def test_training_beats_the_marginals_and_goes_on_from_a_file(tmp_path):
    # Images of two kinds: their marginals say nothing, one latent says all.
    rng = np.random.default_rng(0)
    kind = rng.random((512, 1, 1, 1)) < 0.5
    images = np.where(kind, np.indices((8, 8)).sum(0)[..., None] % 2, 0.5 + 0 * kind)
    images = (255 * images).astype("uint8")
    vae = _trained()
    vae.compile(keras.optimizers.Adam(1e-2))
    mean = np.clip(images.mean(0) / 255, 1e-6, 1 - 1e-6)
    marginal = -np.mean(images / 255 * np.log(mean) + (1 - images / 255) * np.log(1 - mean)) * 64
    history = vae.fit(images, batch_size=64, epochs=30, verbose=0).history
    assert history["loss"][-1] < marginal - 5
    sums = np.add(history["reconstruction"], history["divergence"])
    np.testing.assert_allclose(sums, history["loss"], rtol=1e-5)
    logs = vae.evaluate(images, verbose=0, return_dict=True)
    assert logs == vae.evaluate(images, verbose=0, return_dict=True)
    rebuilt = vae.predict(images[:32] / np.float32(255), verbose=0)
    assert np.abs(rebuilt - images[:32] / 255).mean() < 0.05

    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    np.testing.assert_array_equal(loaded.sample(4, seed=0), vae.sample(4, seed=0))
    for model in (vae, loaded):
        model.fit(images[:128], batch_size=64, shuffle=False, verbose=0)
    assert largest_difference(state(vae, vae.optimizer), state(loaded, loaded.optimizer)) < 1e-6
    generator = zoo.load(tmp_path / "vae.keras")
    assert isinstance(generator, zoo.MLPGenerator)


@pytest.mark.parametrize("modes", [{"run_eagerly": True}, {"jit_compile": True}])
def test_every_mode_of_execution_draws_the_same(modes):
    images = tiny_data()[0]
    results = []
    for arguments in ({"jit_compile": False}, modes):
        vae = _trained(**arguments)
        vae.fit(images, batch_size=16, shuffle=False, verbose=0)
        results.append(state(vae))
    assert largest_difference(*results) < 1e-4


def test_export(tmp_path):
    vae = _trained()
    folder = export.save(vae, tmp_path / "served")
    served = tf.saved_model.load(str(folder)).signatures["sample"]
    got = served(seed=tf.constant([3, 4], "int64"))["images"].numpy()
    np.testing.assert_array_equal(got, vae.sample(2, seed=[3, 4]))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: zoo.VAE(likelihood="poisson"), "'bernoulli', 'gaussian'.*'poisson'"),
        (lambda: zoo.VAE(scale=0.0), "`scale` is not positive.*scale=0"),
        (lambda: zoo.VAE(latent_dim=0), "latent_dim=0"),
        (lambda: zoo.VAE(unit=(4,)), "`unit` is no argument of VAE; did you mean 'units'"),
        (lambda: zoo.VAE(seed=0.5), "`seed` is not an integer.*seed=0.5"),
        (lambda: _trained().fit(np.zeros((4, 9, 9))), r"x of shape \(4, 9, 9\)"),
        (lambda: _trained().fit(np.full((4, 8, 8), 9.0)), "from 9.0 to 9.0"),
        (lambda: _trained().fit(np.full((4, 8, 8), 256)), "no pixels.*from 256 to 256"),
        (lambda: _trained().fit(tiny_data()[0], batch_size=0), "`batch_size` is out.*batch_size=0"),
        (lambda: _trained().fit(tiny_data()[0], steps_per_epoch=-1), "`steps_per_epoch` is out"),
        (lambda: _trained().fit(tiny_data()[0], epochs=-1), "`epochs` is out of range"),
        (lambda: _trained().fit(tiny_data), r"`x` is a function.*: tiny_data\(\.\.\.\)"),
        (lambda: _trained().fit(keras.utils.PyDataset), r"`x` is a class.*PyDataset\(\.\.\.\)"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_masks_are_warned_of():
    """As beside two players: 1 of 255 is black."""
    masks = (np.arange(20 * 64).reshape(20, 8, 8) % 2).astype("uint8")
    vae = _trained()
    with pytest.warns(UserWarning, match="0 or 1 alone.*255 . x.*floats from 0 to 1") as caught:
        vae.fit(masks, verbose=0)
    assert [warning.filename for warning in caught] == [__file__]
    for fine in (255 * masks, masks.astype("float32")):  # A warning would be an error here.
        vae.fit(fine, verbose=0)


def test_what_is_frozen_after_compile_is_an_error():
    vae = zoo.VAE((4, 4, 1), latent_dim=2, units=(4,))
    vae.compile()
    images = tiny_data((4, 4, 1))[0]
    vae.encoder.layers[-1].trainable = False
    with pytest.raises(ValueError, match=r"`trainable` of layers.*compile\(\) again"):
        vae.fit(images, verbose=0)
    before = state(vae.encoder.layers[-1])
    vae.compile()
    vae.fit(images, verbose=0)
    assert largest_difference(before, state(vae.encoder.layers[-1])) == 0


@pytest.mark.parametrize("wrong", [{"loss": "mse"}, {"metrics": ["mae"]}, {"optimiser": "adam"}])
def test_compile_takes_no_loss_but_its_own(wrong):
    vae = zoo.VAE((2,), latent_dim=2, units=(3,))
    name = next(iter(wrong))
    with pytest.raises(ValueError, match=f"`{name}` is no argument of VAE.compile.*Expected some"):
        vae.compile(**wrong)
    assert not vae.compiled


def test_keras_export_is_of_the_generator(tmp_path):
    vae, weights, bias = _linear()
    vae.export(tmp_path / "model", verbose=False)
    latents = np.array([[1.0, -2.0]], "float32")
    served = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(served.serve(latents), latents @ weights + bias, atol=1e-6)
