"""Stacked: many players as one model, which hands each member its rows and nothing else."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.helpers import MODES, assert_same_weights, largest_difference, outputs, player_inputs
from zoo.layers import BatchNormalization, Dropout
from zoo.stacked import Stacked

L = keras.layers
MEMBERS, ROWS = 3, 4
TOLD = {
    "plain": {},
    "labels": {"num_classes": 3},
    "projection": {"num_classes": 3, "conditioning": "projection"},
    "conditions": {"num_conditions": 2},
}


def _player(role, told="plain", **kwargs):
    kwargs = {**TOLD[told], **kwargs}
    if role == "generator":
        return zoo.MLPGenerator((2, 2, 1), 3, (4,), batch_normalization=True, **kwargs)
    return zoo.MLPDiscriminator((2, 2, 1), (4,), pieces=2, **kwargs)


def _stacked(player, role):
    """Members with weights of their own, as the first seeds draw them."""
    stacked = Stacked(player, MEMBERS, role)
    stacked.draw(tf.range(MEMBERS, dtype="int64"))
    rng = np.random.default_rng(0)
    for weight in stacked.weights:
        if weight.dtype == "float32":
            weight.assign(weight + rng.uniform(0.1, 0.5, weight.shape))
    return stacked


def _inputs(player):
    """A flat batch of all members."""
    return player_inputs(player, MEMBERS * ROWS)


def _part(given, member):
    rows = slice(member * ROWS, (member + 1) * ROWS)
    return tf.nest.map_structure(lambda x: x[rows], given)


@pytest.mark.parametrize("told", TOLD)
@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_each_member_answers_its_rows(role, told):
    player = _player(role, told)
    stacked = _stacked(player, role)
    given = _inputs(player)
    made = tf.function(stacked, autograph=False)(given)
    tf.nest.assert_same_structure(made, player(given))
    for k in (0, MEMBERS - 1):
        member = stacked.member(k)
        assert type(member) is type(player)
        for every, own in zip(tf.nest.flatten(made), outputs(member, _part(given, k)), strict=True):
            assert every.shape == (MEMBERS * ROWS, *own.shape[1:])
            np.testing.assert_allclose(_part(every, k), own, rtol=1e-5, atol=1e-6)


def test_a_plain_model_with_a_list_of_inputs():
    latents, labels = keras.Input((2,), name="z"), keras.Input((1,), dtype="int32", name="labels")
    joined = L.Concatenate()([latents, L.Flatten()(L.Embedding(3, 2)(labels))])
    stacked = _stacked(keras.Model([latents, labels], L.Dense(2)(joined)), "generator")
    assert stacked.num_classes == 3
    rng = np.random.default_rng(0)
    z = rng.normal(size=(MEMBERS * ROWS, 2)).astype("float32")
    y = rng.integers(0, 3, MEMBERS * ROWS).astype("int32")
    made = tf.function(stacked, autograph=False)({"latents": z, "labels": y})
    for k in range(MEMBERS):
        own = stacked.member(k)([_part(z, k), _part(y, k)[:, None]])
        np.testing.assert_allclose(_part(made, k), own, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_no_member_sees_the_rows_of_another(training):
    player = _player("generator")
    stacked = _stacked(player, "generator")
    latents = _inputs(player)
    other = latents.copy()
    other[ROWS : 2 * ROWS] += 1.0
    run = tf.function(lambda x: stacked(x, training=training), autograph=False)
    state = [variable.numpy() for variable in stacked.weights]
    results = []
    for x in (latents, other):
        for variable, value in zip(stacked.weights, state, strict=True):
            variable.assign(value)
        results.append([run(x).numpy(), *(v.numpy() for v in stacked.weights)])
    first, second = ([x.reshape(MEMBERS, -1) for x in result] for result in results)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a[[0, 2]], b[[0, 2]])
    assert not np.array_equal(first[0][1], second[0][1])


@pytest.mark.parametrize("mode", MODES)
def test_outputs_and_gradients_in_every_mode_of_execution(mode):
    images = keras.Input((3,), name="images")
    outputs = L.Dense(1)(Dropout(0.5)(L.Dense(4, "tanh")(images)))
    player = keras.Model(images, outputs)
    stacked, x = _stacked(player, "discriminator"), _inputs(player)

    def step(x):
        with tf.GradientTape() as tape, keras.StatelessScope():
            logits = stacked(x, training=True)
            loss = tf.reduce_sum(logits**2)
        return logits, tape.gradient(loss, [w.value for w in stacked.trainable_weights])

    logits, gradients = MODES[mode](step)(x)
    for k in (0, MEMBERS - 1):
        member = stacked.member(k)
        with tf.GradientTape() as tape:
            own = member(_part(x, k), training=True)
            loss = tf.reduce_sum(own**2)
        np.testing.assert_allclose(_part(logits, k), own, rtol=1e-5, atol=1e-6)
        for every, alone in zip(
            gradients, tape.gradient(loss, member.trainable_weights), strict=True
        ):
            np.testing.assert_allclose(every[k], alone, rtol=1e-4, atol=1e-6)


def test_a_member_is_a_player_of_its_own():
    player = _player("generator")
    stacked = _stacked(player, "generator")
    before = stacked.get_weights()
    member = stacked.member(2)
    assert member is not player and member.get_config() == player.get_config()
    for weight, every in stacked.pairs(member):
        np.testing.assert_array_equal(weight, every[2])
        weight.assign(weight + 1.0)
    assert largest_difference(before, stacked.get_weights()) == 0


def test_shared_weights_are_those_of_the_player():
    player = _player("discriminator")
    stacked = Stacked(player, MEMBERS, "discriminator")
    stacked.share()
    for k in range(MEMBERS):
        assert_same_weights(stacked.member(k), player)
    assert stacked.count_params() == MEMBERS * player.count_params() + 2 * 2 * MEMBERS  # Seeds.


def test_what_is_frozen_in_the_player_is_frozen_in_all():
    player = _player("generator")
    player.get_layer("dense_0").trainable = False
    stacked = Stacked(player, MEMBERS, "generator")
    trained = [tuple(w.shape) for w in player.trainable_weights]
    assert [tuple(w.shape) for w in stacked.trainable_weights] == [(MEMBERS, *s) for s in trained]


def test_a_file_has_the_members(tmp_path):
    stacked = _stacked(_player("generator", "labels"), "generator")
    stacked.save(tmp_path / "stacked.keras")
    again = keras.saving.load_model(tmp_path / "stacked.keras")
    assert json.dumps(again.get_config()) == json.dumps(stacked.get_config())
    assert again.members == MEMBERS and again.num_classes == 3
    assert_same_weights(again, stacked)
    assert_same_weights(again.member(1), stacked.member(1))


def test_where_rows_know_nothing_of_each_other():
    def chain(*layers):
        return Stacked(keras.Sequential([keras.Input((2,)), *layers, L.Dense(1)]), 2)

    assert chain(L.Dense(3), L.ReLU()).row_by_row
    assert not chain(Dropout(0.5)).row_by_row
    assert not chain(keras.Sequential([keras.Input((2,)), BatchNormalization()])).row_by_row


@pytest.mark.parametrize("members", [0, -1, 2.0])
def test_members_have_to_be_a_positive_number(members):
    with pytest.raises(ValueError, match=f"`members` is.*positive.*members={members}"):
        Stacked(_player("generator"), members)
