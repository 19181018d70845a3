"""The game of many members: figures, means, parts and draws, each member's own."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import normal_batch
from tests.trainers.test_ensemble import (  # noqa: F401 - Two of them are fixtures.
    MEMBERS,
    SEED,
    ensemble,
    fresh,
    one_worker,
    pair,
    same_start,
)
from trainers.ensembles.members import MemberMean, Members
from trainers.gan import GAN
from trainers.penalties import GradientPenalty, Position
from trainers.perturbations import InstanceNoise, LabelFlips
from trainers.steps.key import TESTING, TRAINING, Key
from zoo.layers import Dropout

pytestmark = pytest.mark.xdist_group("ensemble")

L, ROWS = keras.layers, 4


class Alone(Members):
    """The mixin by itself."""

    def __init__(self, steps=1):
        self.generator = types.SimpleNamespace(members=MEMBERS)
        self.discriminator_steps_per_batch = steps
        self.member_seeds = tf.range(SEED, SEED + MEMBERS, dtype="int64")


def _rows(*shape, per_member=ROWS):
    return normal_batch(shape, MEMBERS * per_member)


# === Figures ===


def test_a_figure_is_the_mean_of_each_member():
    figure = MemberMean(MEMBERS, "loss")
    updates = [_rows(per_member=n) for n in (4, 4, 2)]
    for values in updates:
        figure.update_state(values)
    wanted = np.mean([values.reshape(MEMBERS, -1).mean(1) for values in updates], axis=0)
    np.testing.assert_allclose(figure.each(), wanted, rtol=1e-5)
    assert float(figure.result()) == pytest.approx(wanted.mean(), rel=1e-5)
    figure.reset_state()
    np.testing.assert_array_equal(figure.each(), np.zeros(MEMBERS))


def test_one_member_that_is_no_number_spoils_no_other():
    figure, values = MemberMean(MEMBERS, "loss"), _rows()
    values[ROWS] = np.nan
    figure.update_state(values)
    np.testing.assert_array_equal(np.isnan(figure.each()), [False, True, False])


def test_a_regularization_is_each_members_own():
    images = keras.Input((2,), name="images")
    hidden = L.Dense(3, kernel_regularizer=keras.regularizers.L2(0.1))(images)
    made = ensemble((pair()[0], keras.Model(images, L.Dense(1)(hidden))))
    total = tf.function(lambda: made.own_losses("discriminator", 0.0), autograph=False)()
    wanted = [0.1 * (made.member(k).discriminator.weights[0].numpy() ** 2).sum() for k in range(3)]
    assert float(total) == pytest.approx(sum(wanted), rel=1e-5)
    np.testing.assert_allclose(made.trackers["discriminator_regularization"].each(), wanted, 1e-5)


def test_the_mean_has_each_members_own_derivative():
    losses = tf.constant(_rows())
    with tf.GradientTape() as tape:
        tape.watch(losses)
        mean = Alone().mean(losses)
    np.testing.assert_allclose(mean, losses.numpy().reshape(MEMBERS, -1).mean(1).sum(), rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(mean, losses), np.full(MEMBERS * ROWS, 1 / ROWS))


# === Parts of a batch ===


@pytest.mark.parametrize("steps, rows", [(1, 4), (2, 4), (2, 5), (3, 3)])
def test_a_batch_is_cut_member_by_member(steps, rows):
    real, labels = _rows(2, per_member=rows), np.arange(MEMBERS * rows)
    parts = Alone(steps).split(tf.constant(real), tf.constant(labels))
    assert len(parts) == steps
    part = rows // steps
    for k, (some, told) in enumerate(parts):
        cut = slice(k * part, (k + 1) * part) if steps > 1 else slice(None)
        own = real.reshape(MEMBERS, rows, 2)[:, cut]
        np.testing.assert_array_equal(some, own.reshape(-1, 2))
        np.testing.assert_array_equal(told, labels.reshape(MEMBERS, rows)[:, cut].ravel())
    assert all(told is None for _, told in Alone(steps).split(tf.constant(real), None))


def test_two_batches_are_joined_member_by_member():
    first, second = _rows(2), _rows(2) + 10
    joined = Alone()._joined(first, second)
    for k in range(MEMBERS):
        rows = slice(k * ROWS, (k + 1) * ROWS)
        part = joined[2 * k * ROWS : 2 * (k + 1) * ROWS]
        np.testing.assert_array_equal(part, np.concatenate([first[rows], second[rows]]))
    for again, batch in zip(Alone()._parted(joined), (first, second), strict=True):
        np.testing.assert_array_equal(again, batch)


def _dropping():
    images = keras.Input((2,), name="images")
    return pair()[0], keras.Model(images, L.Dense(1)(Dropout(0.5)(L.Dense(4)(images))))


@pytest.mark.parametrize("players, passes", [(pair, 1), (_dropping, 2)])
def test_both_views_are_of_one_pass_where_rows_know_nothing_of_each_other(
    monkeypatch, players, passes
):
    made, calls = ensemble(players()), []
    view = type(made).view
    monkeypatch.setattr(
        type(made), "view", lambda self, *args: calls.append(args) or view(self, *args)
    )
    real, fake = _rows(2), _rows(2) + 1
    tf.function(made.views, autograph=False).get_concrete_function(real, fake, None, True)
    assert len(calls) == passes


def test_views_of_one_pass_are_those_of_two():
    made, real, fake = fresh(), _rows(2), _rows(2) + 1
    both = tf.function(lambda: made.views(real, fake, None, True), autograph=False)()
    apart = tf.function(lambda: GAN.views(made, real, fake, None, True), autograph=False)()
    for one, other in zip(both, apart, strict=True):
        for kind in ("samples", "logits", "features"):
            wanted = getattr(other, kind)
            np.testing.assert_allclose(getattr(one, kind), wanted, rtol=1e-6, atol=1e-6)


# === Draws ===


@pytest.mark.parametrize("stream", [TRAINING, TESTING])
def test_a_key_is_each_members_own(stream):
    made = fresh()
    keys = made.key_of(stream, 3, 1)
    for k in range(MEMBERS):
        alone = Key((SEED + k, stream), (3, 1))
        for name, words in (
            ("fold", (2,)),
            ("perturbation", (0, 1)),
            ("penalty", (0, "generator")),
        ):
            every, own = (getattr(key, name)(*words) for key in (keys, alone))
            every, own = (x.value if isinstance(x, Key) else x for x in (every, own))
            np.testing.assert_array_equal(every[k], own)


def test_latents_are_each_members_own():
    made = fresh()
    drawn = made.latents(MEMBERS * ROWS, made.key(0)).numpy().reshape(MEMBERS, ROWS, -1)
    for k in range(MEMBERS):
        member = made.member(k)
        np.testing.assert_allclose(drawn[k], member.latents(ROWS, member.key(0)), rtol=1e-6)
    assert len(np.unique(drawn)) == drawn.size


def _noise(samples, seed):
    return InstanceNoise(0.3).samples(samples, seed, 0)


def _flips(samples, seed):
    return tf.stack(LabelFlips(0.5).logits(samples[:, 0], samples[:, 1], seed, 0), axis=1)


def _between(samples, seed):
    return GradientPenalty().points(Position(None, samples, samples[::-1] * 0, seed))


@pytest.mark.parametrize("change", [_noise, _flips, _between])
def test_what_is_drawn_in_a_step_is_each_members_own(change):
    keys, samples = fresh().key(0), _rows(2)
    made = np.asarray(change(samples, keys.value))
    for k in range(MEMBERS):
        rows = slice(k * ROWS, (k + 1) * ROWS)
        wanted = change(samples[rows], Key((SEED + k, TRAINING), (0, 0)).value)
        np.testing.assert_allclose(made[rows], wanted, rtol=1e-6, atol=1e-7)
    assert not np.array_equal(made, samples)
