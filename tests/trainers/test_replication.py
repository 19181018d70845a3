"""A GAN for each of many data sets: what is kept, against NumPy and the ensemble's draws."""

import numpy as np
import pytest
from scipy import stats

import trainers
import zoo
from evaluation import confidence_intervals, ks_distances

STATISTICS = {"mean": lambda x: x.mean(-1), "spread": lambda x: np.ptp(x, -1)}


def players(dim=1):
    return (
        zoo.MLPGenerator((dim,), 1, (3,), "tanh", output_activation="linear", prior="normal"),
        zoo.MLPDiscriminator((dim,), (3,), "relu", input_dropout=0.0, dropout=0.0),
    )


def normal(rng, shape):
    return rng.normal(size=shape)


def run(**arguments):
    given = {"replicates": 3, "examples": 8, "draws": 20, "steps": 4, "resamples": 6, "seed": 5}
    return trainers.replicate(
        normal, STATISTICS, *players(), **{**given, "jit_compile": False, **arguments}
    )


def test_what_is_kept_is_of_the_data_and_of_the_gans():
    found = run(cdf=stats.norm.cdf)
    data = np.random.default_rng(5).normal(size=(3, 8)).astype("float32")
    np.testing.assert_array_equal(found.data, data)
    np.testing.assert_allclose(found.of_data["spread"], np.ptp(data, 1), rtol=1e-6)
    drawn = found.ensemble.sample(20, seed=5)[..., 0]
    np.testing.assert_allclose(found.of_gan["mean"], drawn.mean(1), rtol=1e-6)
    np.testing.assert_allclose(found.ks_gan, ks_distances(drawn, stats.norm.cdf), rtol=1e-9)
    again = found.ensemble.sample(48, seed=5 + 3)[..., 0].reshape(3, 6, 8)
    right = confidence_intervals.percentile_interval(np.ptp(again, -1), 0.95)
    np.testing.assert_allclose(found.bootstrap["spread"], right, rtol=1e-6)
    assert int(found.ensemble.steps.numpy()) == 4 and found.diverged == 0 and found.seconds > 0


def test_blocks_change_nothing(monkeypatch):
    whole = run()
    monkeypatch.setattr(trainers.replication, "NUMBERS", 1)
    parts = run()
    assert parts.ks_gan is None and whole.ks_data is None
    for name in STATISTICS:
        np.testing.assert_array_equal(parts.of_gan[name], whole.of_gan[name])
        np.testing.assert_array_equal(parts.bootstrap[name], whole.bootstrap[name])


def test_a_gan_that_diverged_is_counted_and_left_out(monkeypatch):
    plain = trainers.GANEnsemble.fit

    def fit(self, *args, **kwargs):
        history = plain(self, *args, **kwargs)
        weight = self.generator.weights[0]
        values = weight.numpy()
        values[1] = np.nan
        weight.assign(values)
        return history

    monkeypatch.setattr(trainers.GANEnsemble, "fit", fit)
    found = run()
    assert found.diverged == 1
    assert len(found.data) == len(found.of_gan["mean"]) == len(found.bootstrap["mean"][0]) == 2
    assert np.isfinite(found.of_gan["mean"]).all()


def test_examples_with_axes_of_their_own():
    sampler = lambda rng, shape: rng.normal(size=(*shape, 2))  # noqa: E731
    far = {"length": lambda x: np.linalg.norm(x.mean(1), axis=-1)}
    found = trainers.replicate(
        sampler, far, *players(2), replicates=2, examples=8, draws=20, steps=2, jit_compile=False
    )
    assert found.data.shape == (2, 8, 2) and found.of_gan["length"].shape == (2,)
    assert found.bootstrap == {}


def test_every_step_is_made_and_no_more(monkeypatch):
    plain, made = trainers.GANEnsemble.fit, []

    def fit(self, *args, **kwargs):
        made.append(kwargs["epochs"] * kwargs["steps_per_epoch"])
        return plain(self, *args, **{**kwargs, "epochs": 1, "steps_per_epoch": 1})

    monkeypatch.setattr(trainers.GANEnsemble, "fit", fit)
    run(steps=250, resamples=0)
    assert made == [200, 50]


def test_pictures_are_in_the_units_of_the_data():
    generator = zoo.MLPGenerator((2, 2, 1), 1, (3,), output_activation="tanh")
    discriminator = zoo.MLPDiscriminator((2, 2, 1), (3,), "relu", input_dropout=0.0, dropout=0.0)
    found = trainers.replicate(
        lambda rng, shape: rng.uniform(-1, 1, (*shape, 2, 2, 1)),
        {"mean": lambda x: x.mean((1, 2, 3, 4))},
        generator,
        discriminator,
        replicates=2,
        examples=8,
        draws=20,
        steps=1,
        jit_compile=False,
    )
    drawn = found.ensemble.sample(20, seed=0, as_float=True).mean((1, 2, 3, 4))
    np.testing.assert_allclose(found.of_gan["mean"], 2 * drawn - 1, rtol=1e-4, atol=1e-6)


def test_where_all_gans_diverged_no_answer_is_given(monkeypatch):
    monkeypatch.setattr(trainers.GANEnsemble, "fit", lambda self, *args, **kwargs: None)
    monkeypatch.setattr(trainers.GANEnsemble, "diverged", np.arange(3))
    with pytest.raises(ValueError, match="`steps` ended with no GAN.*3 of 3 diverged"):
        run()


REFUSED = {
    "replicates": ({"replicates": 0}, "`replicates`"),
    "steps": ({"steps": 0}, "`steps`"),
    "resamples": ({"resamples": -1}, "`resamples` is out of range"),
    "level": ({"level": 95}, "`level` is out of range.*level=95"),
    "level of a word": ({"level": "95"}, "`level` is out of range.*level='95'"),
    "no sampler": ({"sampler": 3}, "`sampler` is no function.*sampler=3"),
    "own shape": ({"sampler": lambda r, s: r.normal(size=8)}, r"`sampler`.*\(3, 8\).*\(8,\)"),
    "words": ({"sampler": lambda r, s: np.full(s, "a")}, "`sampler`.*dtype <U1"),
    "NaN": (
        {"sampler": lambda r, s: np.where(np.arange(3)[:, None] > 1, np.nan, np.ones(s))},
        "`sampler` draws NaN.*1 data sets, first 2",
    ),
    "no dict": ({"statistics": np.mean}, "`statistics` is no dict"),
    "no statistics": ({"statistics": {}}, "`statistics` is no dict"),
    "one for all": ({"statistics": {"m": np.mean}}, r"`statistics`.*'m'.*shape \(\)"),
    "over replicates": ({"statistics": {"m": lambda x: x.mean(0)}}, "`statistics`.*'m'"),
    "over resamples": ({"statistics": {"m": lambda x: x.mean(1)}}, "`statistics`.*'m'"),
    "two numbers": ({"statistics": {"m": lambda x: x[..., :2]}}, "`statistics`.*'m'"),
    "no cdf": ({"cdf": "norm"}, "`cdf` is no.*cdf='norm'"),
    "no probabilities": ({"cdf": lambda x: 2 + x**2}, "`cdf` does not give probabilities"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_before_any_training(monkeypatch, name):
    monkeypatch.setattr(trainers.replication, "GANEnsemble", None)
    arguments, message = REFUSED[name]
    given = {"sampler": normal, "statistics": STATISTICS, "replicates": 3, "examples": 8}
    given["generator"], given["discriminator"] = players()
    with pytest.raises(ValueError, match=message):
        trainers.replicate(**{**given, **arguments})


def test_a_cdf_is_of_numbers(monkeypatch):
    monkeypatch.setattr(trainers.replication, "GANEnsemble", None)
    sampler = lambda rng, shape: rng.normal(size=(*shape, 2))  # noqa: E731
    far = {"length": lambda x: np.linalg.norm(x.mean(1), axis=-1)}
    with pytest.raises(ValueError, match="`cdf` is no distribution function of these data"):
        trainers.replicate(sampler, far, *players(2), replicates=2, cdf=stats.norm.cdf)
