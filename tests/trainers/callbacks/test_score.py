"""Scores during training: what is logged and kept, which player is measured, and when it stops."""

import json
import math

import keras
import numpy as np
import pytest

import zoo
from evaluation import (
    ClassifierScore,
    FrechetDistance,
    Measure,
    ModeCoverage,
    SlicedWasserstein,
)
from evaluation import Score as Result
from tests.helpers import tiny_data, tiny_mlp_pair
from trainers import GAN, Score


class Scripted(Measure):
    """Gives the figures that it was told, one a call; NaN samples are refused as by any measure."""

    name = "scripted"

    def __init__(self, values, higher_is_better=False, protocol=None, error=None):
        self.values, self.higher_is_better = list(values), higher_is_better
        self.protocol, self.error, self.seen = protocol or {}, error, []

    def evaluate(self, samples, labels=None):
        self.seen.append((np.array(samples), labels))
        value = self.values.pop(0)
        if value is None:
            raise ValueError("NaN in the samples.")
        return self.score(value, self.protocol, self.error)


def _gan(num_classes=None, **kwargs):
    keras.utils.set_random_seed(0)
    gan = GAN(*tiny_mlp_pair(num_classes), seed=0)
    gan.compile(jit_compile=False, **kwargs)
    return gan


def _fit(score, epochs, gan=None, **kwargs):
    gan = gan or _gan()
    history = gan.fit(
        tiny_data((4, 4, 1))[0], batch_size=8, epochs=epochs, verbose=0, callbacks=[score], **kwargs
    )
    return gan, history.history


@pytest.mark.parametrize("higher, best", [(False, 2), (True, 3)])
def test_best_and_last_are_kept(tmp_path, higher, best):
    score = Score(Scripted([5, 1, 9, 4], higher, error=0.5), count=10, directory=tmp_path)
    weights = {}
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.update({epoch + 1: gan.get_weights()})
    )
    gan = _gan(ema_decay=0.5)
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    data = tiny_data((4, 4, 1))[0]
    history = gan.fit(data, batch_size=8, epochs=4, verbose=0, callbacks=[score, keep, log])
    assert history.history["scripted"] == [5, 1, 9, 4]
    assert history.history["scripted_standard_error"] == [0.5] * 4
    assert "scripted" in (tmp_path / "log.csv").read_text().splitlines()[0]
    assert score.best == best and {k: s.value for k, s in score.scores.items()}[best] in (1, 9)
    for name, epoch in (("best", best), ("last", 4)):
        kept = keras.saving.load_model(tmp_path / f"{name}.keras")
        assert int(kept.steps) == epoch * (len(data) // 8)
        for got, expected in zip(kept.get_weights(), weights[epoch], strict=True):
            np.testing.assert_array_equal(got, expected)
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["best"] == best and list(found["scores"]) == ["1", "2", "3", "4"]
    assert Result.from_json(json.dumps(found["scores"]["3"])) == score.scores[3]


def test_every_and_patience():
    score = Score(Scripted([3, 2, 2.5, 2.1, 0]), every=2, count=4, patience=2)
    _, history = _fit(score, 20)
    assert sorted(score.scores) == [2, 4, 6, 8] and score.best == 4
    expected = [math.nan, 3, math.nan, 2, math.nan, 2.5, math.nan, 2.1]
    np.testing.assert_array_equal(history["scripted"], expected)


def test_a_resumed_run_compares_with_what_was(tmp_path):
    gan, _ = _fit(Score(Scripted([3, 1, 2]), count=4, directory=tmp_path), 3)
    # Gone back to epoch 2: what came after it was another course.
    score = Score(Scripted([1.5, 0.5]), count=4, directory=tmp_path)
    _fit(score, 4, gan, initial_epoch=2)
    assert {k: s.value for k, s in score.scores.items()} == {1: 3, 2: 1, 3: 1.5, 4: 0.5}
    assert score.best == 4
    score = Score(Scripted([9]), count=4, directory=tmp_path)
    _fit(score, 5, gan, initial_epoch=4)
    assert (
        score.best == 4 and len(json.loads((tmp_path / "scores.json").read_text())["scores"]) == 5
    )
    other = Score(Scripted([9], protocol={"samples": 5}), count=4, directory=tmp_path)
    with pytest.raises(ValueError, match="samples is 5 and 'not given'|made differently"):
        _fit(other, 6, gan, initial_epoch=5)


def test_the_moving_average_or_the_live_generator():
    gan = _gan(ema_decay=0.9)
    gan.generator_optimizer.learning_rate = 0.1
    average, live = (Score(Scripted([1]), count=6, live=live, seed=3) for live in (False, True))
    gan.fit(tiny_data((4, 4, 1))[0], batch_size=8, epochs=1, verbose=0, callbacks=[average, live])
    (of_average, _), (of_live, _) = average.measure.seen[0], live.measure.seen[0]
    np.testing.assert_array_equal(of_average, gan.sample(6, seed=3))
    np.testing.assert_array_equal(of_live, gan.generator.sample(6, seed=3))
    assert of_average.shape == of_live.shape and not np.array_equal(of_average, of_live)


def test_labels_are_the_classes_in_turn():
    gan = _gan(num_classes=3)
    score = Score(Scripted([1]), count=7)
    gan.fit(*tiny_data((4, 4, 1)), batch_size=8, epochs=1, verbose=0, callbacks=[score])
    samples, labels = score.measure.seen[0]
    np.testing.assert_array_equal(labels, np.arange(7) % 3)
    np.testing.assert_array_equal(samples, gan.sample(7, labels, seed=0))


def test_a_later_failure_is_not_the_trainings():
    score = Score(Scripted([3, None, 1]), count=4)
    with pytest.warns(UserWarning, match="No score after this epoch: NaN"):
        _, history = _fit(score, 3)
    np.testing.assert_array_equal(history["scripted"], [3, math.nan, 1])
    assert score.best == 3
    with pytest.raises(ValueError, match="NaN in the samples"):
        _fit(Score(Scripted([None]), count=4), 1)


def test_on_points():
    """A measure of modes on a toy, as a user has it."""
    ring = zoo.toys.ring()
    points = ring.sample(64, 0).numpy()
    keras.utils.set_random_seed(0)
    gan = GAN(
        zoo.MLPGenerator((2,), latent_dim=3, units=(8,), output_activation="linear"),
        zoo.MLPDiscriminator((2,), units=(6, 6), pieces=2),
        seed=0,
    )
    gan.compile(jit_compile=False)
    callbacks = [Score(ModeCoverage(ring), count=50), Score(SlicedWasserstein(points), count=64)]
    history = gan.fit(points, batch_size=16, epochs=2, verbose=0, callbacks=callbacks).history
    assert len(history["modes_covered"]) == len(history[callbacks[1].measure.name]) == 2


class Played(Measure):
    """Evaluates points that it was given in the place of the samples."""

    name, higher_is_better = "modes_covered", True
    ranked_by = ModeCoverage.ranked_by

    def __init__(self, *games):
        self.games, self.measure = list(games), ModeCoverage(zoo.toys.ring())

    def evaluate(self, samples, labels=None):
        return self.measure.evaluate(self.games.pop(0))


def test_the_best_is_not_the_first_cloud_that_touches_all_modes(tmp_path):
    """Both cover eight modes of eight; the ring comes later and is the better one."""
    ring = zoo.toys.ring()
    cloud = np.concatenate([ring.centres, np.random.default_rng(0).uniform(-3, 3, (192, 2))])
    score = Score(Played(cloud, ring.sample(200, 0).numpy(), cloud), count=4, directory=tmp_path)
    gan = _gan(run_eagerly=True)
    one_batch = tiny_data((4, 4, 1))[0][:8]
    history = gan.fit(one_batch, batch_size=8, epochs=3, verbose=0, callbacks=[score]).history
    assert history["modes_covered"] == [8, 8, 8] and score.best == 2
    assert int(keras.saving.load_model(tmp_path / "best.keras").steps) == 2
    assert json.loads((tmp_path / "scores.json").read_text())["best"] == 2


def test_scores_of_an_older_rank_stop_a_training_before_it_starts(tmp_path):
    score = Score(Scripted([1]), count=4, directory=tmp_path)
    gan, _ = _fit(score, 1, _gan(run_eagerly=True))
    later = Scripted([9])
    later.ranked_by = ("captured",)
    with pytest.raises(ValueError, match="`ranked_by`"):
        _fit(Score(later, count=4, directory=tmp_path), 2, gan, initial_epoch=1)
    assert len(later.seen) == 0 and int(gan.steps) == 8


def test_a_measure_of_labelled_samples_stops_a_training_before_it_starts():
    gan, measure = _gan(run_eagerly=True), Scripted([1])
    measure.needs_labels = True
    with pytest.raises(ValueError, match="`measure` is one of labelled samples.*scripted"):
        _fit(Score(measure, count=4), 1, gan)
    assert int(gan.steps) == 0


@pytest.mark.parametrize("measure", [ClassifierScore(), FrechetDistance(np.eye(3))])
def test_a_measure_that_bad_samples_pass_is_said_aloud(measure):
    with pytest.warns(UserWarning, match=f"{measure.name}, which cannot tell good samples from"):
        Score(measure)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"measure": lambda x: 0}, "`measure` is no measure.*Expected an evaluation.Measure"),
        ({"every": 0}, "every=0"),
        ({"count": 0}, "count=0"),
        ({"patience": 0}, "patience=0"),
        ({"labels": [1, 2]}, r"labels of shape \(2,\)"),
        ({"directory": __file__}, "is a file.*directory="),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        Score(**{"measure": Scripted([1]), **arguments})


def test_another_model_is_refused():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(ValueError, match="`model` has no `sampler`.*model=Sequential"):
        model.fit(np.zeros((4, 1)), np.zeros(4), verbose=0, callbacks=[Score(Scripted([1]))])
