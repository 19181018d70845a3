"""Every trainer with every objective, penalty and perturbation: what `compile` takes composes."""

import contextlib
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
from tests.helpers import (
    all_variables,
    batches,
    largest_difference,
    state,
    tiny_data,
    tiny_pair,
)
from trainers import divergences, objectives, penalties, perturbations

CLASSES = {
    "GAN": lambda *pair: trainers.GAN(*pair, discriminator_steps=2, seed=1),
    "simultaneous GAN": lambda *pair: trainers.GAN(*pair, schedule="simultaneous", seed=1),
    "UnrolledGAN": lambda *pair: trainers.UnrolledGAN(*pair, unroll_steps=1, seed=1),
    "ConsensusGAN": lambda *pair: trainers.ConsensusGAN(*pair, weight=0.1, seed=1),
    "FeatureMatchingGAN": lambda *pair: trainers.FeatureMatchingGAN(*pair, seed=1),
    "HistoricalAveragingGAN": lambda *pair: trainers.HistoricalAveragingGAN(*pair, seed=1),
    "WassersteinGAN": lambda *pair: trainers.WassersteinGAN(*pair, discriminator_steps=2, seed=1),
    "WassersteinGANGP": lambda *pair: trainers.WassersteinGANGP(
        *pair, discriminator_steps=2, seed=1
    ),
}
PARAMETERS = {"alpha": {"alpha": 0.3}, "weighted_jensen_shannon": {"pi": 0.3}}
OBJECTIVES = sorted({*objectives.OBJECTIVES, *divergences.DIVERGENCES})
PENALTIES = {
    "none": {},
    "R1": {"discriminator_penalties": penalties.R1(1.0)},
    "R2": {"discriminator_penalties": penalties.R2(1.0, every=2)},
    "two-sided": {"discriminator_penalties": penalties.GradientPenalty(1.0)},
    "one-sided": {"discriminator_penalties": penalties.GradientPenalty(1.0, one_sided=True)},
    "DRAGAN": {"discriminator_penalties": penalties.DRAGAN(1.0)},
    "history": {
        "generator_penalties": penalties.HistoricalAveraging(0.5),
        "discriminator_penalties": penalties.HistoricalAveraging(0.5, every=2),
    },
}
PERTURBATIONS = {
    "none": (),
    "noise": perturbations.InstanceNoise(
        keras.optimizers.schedules.PolynomialDecay(0.5, 10, end_learning_rate=0.0)
    ),
    "flips": perturbations.LabelFlips(0.2),
}


def _compositions():
    """Each class with each objective; penalties and perturbations go round beside them."""
    for c, trainer in enumerate(CLASSES):
        for o, objective in enumerate(OBJECTIVES):
            penalty = list(PENALTIES)[(c + o) % len(PENALTIES)]
            perturbation = list(PERTURBATIONS)[(c + 2 * o + o // 7) % len(PERTURBATIONS)]
            yield trainer, objective, penalty, perturbation
    # An f-GAN plays for one divergence, which takes the objective's place.
    for o, divergence in enumerate(sorted(divergences.DIVERGENCES)):
        penalty = list(PENALTIES)[o % len(PENALTIES)]
        perturbation = list(PERTURBATIONS)[(o + o // 7) % len(PERTURBATIONS)]
        yield "FGAN", divergence, penalty, perturbation


COMPOSITIONS = list(_compositions())


def test_every_pair_of_choices_is_composed():
    for a, b in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
        seen = {(row[a], row[b]) for row in COMPOSITIONS}
        rows = [row for row in COMPOSITIONS if row[0] != "FGAN"]
        wanted = {(x, y) for x in {row[a] for row in rows} for y in {row[b] for row in rows}}
        assert wanted <= seen, wanted - seen
    names = {"none", *(kind for row in COMPOSITIONS for kind in row[2:])}
    assert names == {*PENALTIES, *PERTURBATIONS}


def _compose(trainer, objective, penalty, perturbation, pair, **modes):
    keras.utils.set_random_seed(1)
    parameters = PARAMETERS.get(objective, {})
    if trainer == "FGAN":
        gan = trainers.FGAN(*pair, divergences.get(objective, **parameters), "exact", seed=1)
        chosen = None
    else:
        gan, chosen = CLASSES[trainer](*pair), objectives.get(objective, **parameters)
    arguments = {**PENALTIES[penalty], "perturbations": PERTURBATIONS[perturbation], **modes}
    with _bounded_or_warned((trainer, objective, penalty), gan):
        gan.compile(chosen, **arguments)
    return gan


def _bounded_or_warned(composition, gan):
    """The Wasserstein objective warns where nothing bounds the critic's slope."""
    _, objective, penalty, *_ = composition
    if objective == "wasserstein" and penalty in ("none", "history") and not gan.bounds_slope:
        return pytest.warns(UserWarning, match="bounded slope")
    return contextlib.nullcontext()


def _plain_pair():
    """As small as players with features can be: every composition is traced anew."""
    layers = keras.layers
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    images = keras.Input((2,), name="images")
    features = layers.Dense(3, "tanh")(images)
    outputs = {"logits": layers.Dense(1)(features), "features": features}
    return generator, keras.Model(images, outputs)


POINTS = np.random.default_rng(0).normal(1, 2, (16, 2)).astype("float32")


def _covering():
    """A few compositions that hold every class, objective, penalty and perturbation."""
    for o, objective in enumerate(OBJECTIVES):
        trainer = list(CLASSES)[o % len(CLASSES)]
        yield (
            trainer,
            objective,
            list(PENALTIES)[o % len(PENALTIES)],
            list(PERTURBATIONS)[o % len(PERTURBATIONS)],
        )
    yield "FGAN", "pearson", "R1", "noise"


COVERING = list(_covering())


ROWS = [
    *(pytest.param(row, id=" ".join(row)) for row in COVERING),
    *(
        pytest.param(row, id=" ".join(row), marks=pytest.mark.long)
        for row in COMPOSITIONS
        if row not in COVERING
    ),
]


@pytest.mark.parametrize("composition", ROWS)
def test_three_steps_and_isolation(composition):
    gan = _compose(*composition, _plain_pair(), run_eagerly=True)
    data = tf.constant(POINTS)
    logs = gan.train_on_batch(data, return_dict=True)
    if gan.schedule == "alternating":
        for mover, rester in (("generator", "discriminator"), ("discriminator", "generator")):
            at_rest = getattr(gan, rester), getattr(gan, f"{rester}_optimizer")
            before, moving = state(*at_rest), state(getattr(gan, mover))
            getattr(gan, f"{mover}_step")(data, None, gan.key(5))
            assert largest_difference(before, state(*at_rest)) == 0
            assert largest_difference(moving, state(getattr(gan, mover))) > 0
    else:
        before = state(gan.generator), state(gan.discriminator)
    for _ in range(2):
        logs = gan.train_on_batch(data, return_dict=True)
    if gan.schedule == "simultaneous":
        assert largest_difference(before[0], state(gan.generator)) > 0
        assert largest_difference(before[1], state(gan.discriminator)) > 0
    assert all(np.isfinite(value) for value in logs.values()), logs
    assert all(np.isfinite(values).all() for values in all_variables(gan))


@pytest.mark.parametrize("composition", ROWS)
def test_it_comes_back_from_its_file(tmp_path, composition):
    gan = _compose(*composition, _plain_pair(), run_eagerly=True)
    gan.train_on_batch(tf.constant(POINTS))
    gan.save(tmp_path / "gan.keras")
    with _bounded_or_warned(composition, gan):
        loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded) is type(gan)
    assert json.dumps(loaded.get_compile_config()) == json.dumps(gan.get_compile_config())
    assert largest_difference(all_variables(gan), all_variables(loaded)) == 0


@pytest.mark.parametrize(
    "composition",
    [
        pytest.param(row, id=" ".join(row), marks=pytest.mark.long if k > 3 else ())
        for k, row in enumerate(COVERING)
    ],
)
def test_xla_in_float16(composition):
    pair = tiny_pair(3, dtype="mixed_float16")
    gan = _compose(*composition, pair, jit_compile=True)
    assert all(player.compute_dtype == "float16" for player in pair)
    weights = [w for player in pair for w in player.trainable_variables]
    before = [np.array(w) for w in weights]
    history = gan.fit(batches(tiny_data(), steps=3), verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values()), history
    assert all(np.isfinite(w).all() for w in weights)
    still = [w for w, b in zip(weights, before, strict=True) if np.array_equal(w, b)]
    # A bias of the logits cancels where only their differences count, and inside hinge's margins.
    differences = {"hinge", "wasserstein", "relativistic_average", "relativistic_pairing"}
    allowed = [pair[1].trainable_variables[-1]] if composition[1] in differences else []
    assert all(any(w is a for a in allowed) for w in still), still


def test_the_few_cover_everything():
    for k, choices in enumerate(({*CLASSES, "FGAN"}, OBJECTIVES, PENALTIES, PERTURBATIONS)):
        assert {row[k] for row in COVERING} == set(choices)


SLOPES = [penalties.R1(), penalties.R2(), penalties.GradientPenalty(), penalties.DRAGAN()]


@pytest.mark.parametrize("penalty", SLOPES, ids=lambda penalty: type(penalty).__name__)
def test_a_slope_is_the_discriminators_alone(penalty):
    message = f"holds a {type(penalty).__name__}, which has no.* generator"
    for make in CLASSES.values():
        with pytest.raises(ValueError, match=message):
            make(*_plain_pair()).compile(generator_penalties=penalty)


@pytest.mark.parametrize("objective", sorted(objectives.OBJECTIVES))
def test_an_f_gan_has_one_divergence(objective):
    gan = trainers.FGAN(*_plain_pair(), "pearson")
    with pytest.raises(
        ValueError,
        match="divergence='pearson'.*objective=" + type(objectives.get(objective)).__name__,
    ):
        gan.compile(objective)
