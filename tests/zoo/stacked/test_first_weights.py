"""First weights: the laws of the initializers, a draw of its own for each weight of each member."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import initializers
from scipy import stats

import zoo
from zoo import random
from zoo.layers import BatchNormalization, Dropout, Maxout
from zoo.stacked import Stacked, first_weights

L = keras.layers
MEMBERS, SHAPE = 4000, (6, 2)  # A kernel of 6 inputs and 2 units.


def _uniform(variance):
    limit = (3 * variance) ** 0.5
    return stats.uniform(-limit, 2 * limit)


def _cut(mean, deviation):
    return stats.truncnorm(-2, 2, mean, deviation)


def _truncated(variance):
    """Cut at two deviations, and of this variance all the same."""
    return _cut(0, (variance / stats.truncnorm(-2, 2).var()) ** 0.5)


# Each initializer beside the law that it stands for (Glorot and Bengio, 2010; He et al., 2015).
LAWS = {
    "uniform": (initializers.RandomUniform(-0.2, 0.6), stats.uniform(-0.2, 0.8)),
    "normal": (initializers.RandomNormal(0.5, 0.3), stats.norm(0.5, 0.3)),
    "truncated": (initializers.TruncatedNormal(0.5, 0.3), _cut(0.5, 0.3)),
    "Glorot, uniform": (initializers.GlorotUniform(), _uniform(2 / (6 + 2))),
    "Glorot, normal": (initializers.GlorotNormal(), _truncated(2 / (6 + 2))),
    "He, uniform": (initializers.HeUniform(), _uniform(2 / 6)),
    "He, normal": (initializers.HeNormal(), _truncated(2 / 6)),
    "LeCun, uniform": (initializers.LecunUniform(), _uniform(1 / 6)),
    "LeCun, normal": (initializers.LecunNormal(), _truncated(1 / 6)),
    "scaling, uniform": (initializers.VarianceScaling(3.0, "fan_out", "uniform"), _uniform(3 / 2)),
    "scaling, truncated": (
        initializers.VarianceScaling(0.1, "fan_avg", "truncated_normal"),
        _truncated(0.1 / 4),
    ),
    "scaling, normal": (
        initializers.VarianceScaling(0.5, "fan_in", "untruncated_normal"),
        stats.norm(0, (0.5 / 6) ** 0.5),
    ),
}


def _seeds(members, first=0):
    return tf.stack([tf.range(first, first + members, dtype="int64"), [5] * members], axis=1)


@pytest.mark.parametrize("name", LAWS)
def test_initializers_draw_by_their_law(name):
    initializer, law = LAWS[name]
    drawn = first_weights.draw(initializer, SHAPE, _seeds(MEMBERS)).numpy()
    assert drawn.shape == (MEMBERS, *SHAPE)
    mean, variance, skew, excess = (float(x) for x in law.stats("mvsk"))
    assert skew == pytest.approx(0, abs=1e-9)
    error = (variance / drawn.size) ** 0.5
    assert abs(drawn.mean(dtype="float64") - mean) < 4 * error
    error = variance * ((excess + 2) / drawn.size) ** 0.5
    assert abs(drawn.var(dtype="float64") - variance) < 4 * error
    low, high = law.support()
    slack = 1e-6 * (high - low) if np.isfinite(high) else 0
    assert low - slack <= drawn.min() and drawn.max() <= high + slack
    if np.isfinite(high):
        assert drawn.max() - drawn.min() > 0.99 * (high - low)
    assert stats.kstest(drawn.ravel(), law.cdf).pvalue > 0.01


def test_every_initializer_is_among_the_laws():
    assert {type(initializer) for initializer, _ in LAWS.values()} == set(first_weights._DRAWS)


def test_vectors_have_the_fans_of_keras():
    """Keras counts the numbers of a vector as its inputs and as its outputs."""
    drawn = first_weights.draw(initializers.GlorotUniform(), (6,), _seeds(MEMBERS)).numpy()
    assert np.abs(drawn).max() == pytest.approx((6 / 12) ** 0.5, rel=1e-3)


# === Initializers that have no formula here ===


@keras.saving.register_keras_serializable(package="tests")
class Signs(keras.initializers.Initializer):
    """A user's own: plus or minus a size."""

    def __init__(self, size=0.5, seed=None):
        self.size, self.seed = size, seed

    def __call__(self, shape, dtype=None):
        signs = np.random.default_rng(self.seed).choice([-1.0, 1.0], shape)
        return tf.constant(self.size * signs, "float32")

    def get_config(self):
        return {"size": self.size, "seed": self.seed}


def test_a_users_initializer_draws_for_each_member():
    drawn = first_weights.draw(Signs(0.3, seed=1), (30,), _seeds(4)).numpy()
    np.testing.assert_array_equal(np.unique(drawn), np.array([-0.3, 0.3], "float32"))
    assert len(np.unique(drawn, axis=0)) == 4
    again = first_weights.draw(Signs(0.3), (30,), _seeds(2, first=2))
    np.testing.assert_array_equal(again, drawn[2:])


def test_orthogonal_kernels_are_orthogonal_in_each_member():
    drawn = first_weights.draw(initializers.Orthogonal(), (3, 3), _seeds(4)).numpy()
    np.testing.assert_allclose(
        drawn @ drawn.transpose(0, 2, 1), np.tile(np.eye(3), (4, 1, 1)), atol=1e-5
    )
    assert len(np.unique(drawn.round(5), axis=0)) == 4


@pytest.mark.parametrize(
    "initializer",
    [
        None,
        initializers.Zeros(),
        initializers.Ones(),
        initializers.Constant(0.3),
        initializers.Identity(),
    ],
)
def test_nothing_is_drawn_of_a_constant(initializer):
    assert first_weights.draw(initializer, (3, 3), _seeds(2)) is None


# === Of a player ===


def _player():
    """Weights of every kind, two of which one initializer object draws."""
    shared = initializers.HeNormal()
    images = keras.Input((3,), name="images")
    x = L.Dense(3, kernel_initializer=shared, name="first")(images)
    x = L.Dense(3, kernel_initializer=shared, bias_initializer="glorot_uniform", name="second")(x)
    x = Maxout(3, 2, name="maxout")(BatchNormalization(name="norm")(x))
    return keras.Model(images, L.Dense(1, name="output")(Dropout(0.5, name="dropout")(x)))


def _drawn(player, seeds, role="discriminator"):
    """The first values of each variable, by its name in the player."""
    stacked = Stacked(player, len(seeds), role)
    stacked.draw(tf.constant(seeds, "int64"))
    return {own.path: np.array(every) for own, every in stacked.pairs(player)}


def test_members_layers_and_roles_draw_apart():
    player = _player()
    drawn = _drawn(player, [0, 1, 2])
    kernels = [values for path, values in drawn.items() if path.endswith("kernel")]
    assert len(kernels) == 4 and drawn["second/bias"].any()
    assert not np.array_equal(drawn["first/kernel"], drawn["second/kernel"])
    for values in (*kernels, drawn["second/bias"]):
        assert len(np.unique(values, axis=0)) == 3
    (states,) = (values for path, values in drawn.items() if "seed" in path)
    assert states.shape == (3, 2) and len(np.unique(states[:, 0])) == 3
    other = _drawn(player, [0, 1, 2], "generator")
    assert not np.array_equal(other["first/kernel"], drawn["first/kernel"])


def test_a_member_is_drawn_by_its_seed_and_by_nothing_else():
    player = _player()
    drawn = _drawn(player, [7, 8, 2**40])
    keras.utils.set_random_seed(99)
    alone = _drawn(_player(), [2**40])
    for (path, values), own in zip(drawn.items(), alone.values(), strict=True):
        np.testing.assert_array_equal(values[2:], own, err_msg=path)


def test_first_weights_do_not_depend_on_those_of_training():
    """A stream of their own: a latent of the first step is no first weight."""
    wide = keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(64, kernel_initializer=initializers.RandomUniform(-1, 1), use_bias=False),
        ]
    )
    (weights,) = _drawn(wide, [3]).values()
    for stream in range(3):
        latents = random.uniform((256,), random.fold((3, stream), 0, 0), -1, 1)
        assert abs(np.corrcoef(weights.ravel(), latents)[0, 1]) < 0.2


def test_what_is_constant_is_the_players():
    player = _player()
    player.get_layer("output").bias.assign([0.7])
    player.get_layer("norm").moving_mean.assign([1.0, 2.0, 3.0])
    drawn = _drawn(player, [0, 1])
    np.testing.assert_array_equal(drawn["output/bias"], np.full((2, 1), 0.7, "float32"))
    np.testing.assert_array_equal(drawn["norm/moving_mean"], [[1, 2, 3]] * 2)
    np.testing.assert_array_equal(drawn["norm/gamma"], np.ones((2, 3)))
    np.testing.assert_array_equal(drawn["first/bias"], np.zeros((2, 3)))


def test_an_embedding_is_drawn_by_its_own_initializer():
    labels = keras.Input((), dtype="int32", name="labels")
    images = keras.Input((3,), name="images")
    table = L.Embedding(
        50, 3, embeddings_initializer=initializers.RandomUniform(2.0, 3.0), name="table"
    )
    joined = L.Multiply()([images, table(labels)])
    player = keras.Model({"images": images, "labels": labels}, L.Dense(1)(joined))
    drawn = _drawn(player, [0, 1])["table/embeddings"]
    assert 2 <= drawn.min() < 2.1 and 2.9 < drawn.max() <= 3 and (drawn[0] != drawn[1]).any()


def test_the_initializer_of_2014_reaches_every_kernel():
    player = zoo.MLPGenerator((4, 4, 1), 3, (8,))
    drawn = _drawn(player, list(range(20)), "generator")
    for path, values in drawn.items():
        wanted = 0.05 if path.endswith("kernel") else 0
        assert 0.9 * wanted <= np.abs(values).max() <= wanted, path
