"""Rules: each kind of layer gives many members what it gives each of them by itself."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.layers import (
    BatchNormalization,
    ConcatLabels,
    Dropout,
    LayerNormalization,
    Maxout,
    MinibatchDiscrimination,
)
from zoo.players.origins import Origin
from zoo.stacked import Stacked, checks, rules

L = keras.layers
MEMBERS, ROWS, CLASSES = 2, 5, 3


def _chain(*layers, shape=(3,)):
    """A discriminator of these layers, one after the other."""
    return keras.Sequential([keras.Input(shape, name="images"), *layers, L.Dense(1, name="logit")])


def _graph(function, shape=(3,)):
    """A discriminator of a function of its input."""
    images = keras.Input(shape, name="images")
    return keras.Model(images, L.Dense(1, name="logit")(function(images)))


def _told(function):
    """A discriminator of a function of its input and of labels."""
    inputs = {
        "images": keras.Input((3,), name="images"),
        "labels": keras.Input((), dtype="int32", name="labels"),
    }
    return keras.Model(inputs, L.Dense(1)(function(inputs["images"], inputs["labels"])))


def _pair(layer):
    return _graph(lambda x: layer([L.Dense(4)(x), L.Dense(4)(x)]))


def _twice():
    dense, norm = L.Dense(3, activation="tanh"), BatchNormalization()
    return _graph(lambda x: norm(dense(norm(dense(x)))))


def _nested():
    """A graph in a chain in a graph, one of them used twice."""
    inner = keras.Sequential([keras.Input((3,)), L.Dense(4), L.ReLU(), Dropout(0.5), L.Dense(3)])
    pair = keras.Input((3,)), keras.Input((3,))
    outer = keras.Model(pair, [L.Add()([inner(pair[0]), pair[1]]), L.Dense(2)(pair[0])])
    return _graph(lambda x: L.Concatenate()([*outer([x, inner(x)]), x]))


def _merged():
    """Affine maps, one of them of one number, taken together in every way."""

    def merged(x):
        several = [L.Dense(4)(x), L.Dense(4)(x), L.Dense(1)(x)]
        merges = (L.Add, L.Multiply, L.Average, L.Maximum, L.Minimum, L.Concatenate)
        made = [cls()(several) for cls in merges]
        return L.Concatenate()([*made, L.Subtract()(several[:2]), L.Dot(1)(several[:2])])

    return _graph(merged)


PICTURE = (4, 4, 1)
ELEMENTWISE = "linear relu tanh sigmoid softplus gelu leaky_relu swish".split()
CASES = {
    "Dense": lambda: _chain(*(L.Dense(4, activation=name) for name in ELEMENTWISE)),
    "Dense of one number": lambda: _chain(L.Dense(1), L.Dense(4, use_bias=False)),
    "Maxout": lambda: _chain(Maxout(4, pieces=3)),
    "Dropout": lambda: _chain(Dropout(0.5), L.Dense(6), Dropout(0.3)),
    "Dropout of pictures": lambda: _chain(Dropout(0.5), L.Flatten(), shape=PICTURE),
    "BatchNormalization": lambda: _chain(L.Dense(4), BatchNormalization(momentum=0.8)),
    "Keras's BatchNormalization": lambda: _chain(L.Dense(4), L.BatchNormalization(epsilon=0.1)),
    "a plain BatchNormalization": lambda: _chain(BatchNormalization(center=False, scale=False)),
    "a frozen BatchNormalization": lambda: _chain(L.Dense(4), BatchNormalization(trainable=False)),
    "LayerNormalization": lambda: _chain(
        L.Dense(4), LayerNormalization(), L.Dense(4), LayerNormalization(center=False, epsilon=0.1)
    ),
    "activations": lambda: _chain(
        L.Dense(4),
        L.Activation("elu"),
        L.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2),
        L.LeakyReLU(0.4),
        L.ELU(0.7),
        L.Rescaling(0.5, offset=-1.0),
        L.Identity(),
        Origin("normal"),
    ),
    "pictures": lambda: _chain(
        L.Reshape((16,)), L.Dense(4), L.Reshape((2, 2, 1)), L.Flatten(), shape=PICTURE
    ),
    "merges": _merged,
    "Embedding": lambda: _told(
        lambda x, y: L.Multiply()([L.Dense(4)(x), L.Embedding(CLASSES, 4)(y)])
    ),
    "OneHot": lambda: _told(lambda x, y: ConcatLabels()(x, keras.ops.one_hot(y, CLASSES))),
    "layers used twice": _twice,
    "models in models": _nested,
}


def _stacked(player):
    """Many of a player, each with weights, statistics and seeds of its own."""
    stacked = Stacked(player, MEMBERS, "discriminator")
    rng = np.random.default_rng(0)
    for variable in stacked.weights:
        if variable.dtype == "float32":
            variable.assign(rng.uniform(0.2, 0.8, variable.shape))  # Above 0, as a variance is.
        else:
            variable.assign(rng.integers(0, 1000, variable.shape))
    return stacked


def _inputs(player, rows):
    rng = np.random.default_rng(1)
    images = rng.normal(size=(rows, *player.inputs[0].shape[1:])).astype("float32")
    if len(player.inputs) == 1:
        return images
    return {"images": images, "labels": rng.integers(0, CLASSES, rows).astype("int32")}


def _check_like_its_members(player):
    """In both modes: the outputs of each member, and its statistics and seeds after the call."""
    stacked = _stacked(player)
    inputs = _inputs(player, MEMBERS * ROWS)
    run = tf.function(stacked, autograph=False)
    for training in (False, True):
        before = [every.numpy() for _, every in stacked.pairs(player)]
        together = run(inputs, training=training).numpy()
        for k in range(MEMBERS):
            for (variable, _), every in zip(stacked.pairs(player), before, strict=True):
                variable.assign(every[k])
            part = slice(k * ROWS, (k + 1) * ROWS)
            rows = tf.nest.map_structure(lambda x, part=part: x[part], inputs)
            wanted = player(rows, training=training)
            np.testing.assert_allclose(together[part], wanted, rtol=1e-5, atol=1e-6)
            for variable, every in stacked.pairs(player):
                np.testing.assert_allclose(every[k], variable, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_many_members_are_each_what_it_is_alone(name):
    _check_like_its_members(CASES[name]())


def _kinds(model):
    for operation in rules.operations(model):
        if isinstance(operation, keras.Model):
            yield from _kinds(operation)
        else:
            yield (
                type(operation) if isinstance(operation, keras.Layer) else type(operation).__name__
            )


def test_every_rule_is_among_the_cases():
    seen = {kind for make in CASES.values() for kind in _kinds(make())}
    assert seen >= {*rules.RULES, *rules.OPERATIONS}


def test_dropout_and_statistics_of_training_are_each_members_own():
    stacked = _stacked(_chain(Dropout(0.5), BatchNormalization()))
    inputs = np.repeat(_inputs(stacked.player, 1), MEMBERS * ROWS, axis=0)
    before = [v.numpy() for v in stacked.non_trainable_variables]
    tf.function(stacked, autograph=False)(inputs, training=True)
    for old, variable in zip(before, stacked.non_trainable_variables, strict=True):
        assert not np.array_equal(variable, old)
        assert not np.array_equal(variable[0], variable[1])


# === What a layer's settings change ===


@keras.saving.register_keras_serializable(package="tests")
def centred(x):
    """Couples the examples of a batch."""
    return x - tf.reduce_mean(x, axis=0, keepdims=True)


def _of_root_mean_square():
    with pytest.warns(UserWarning, match="rms_scaling"):
        return LayerNormalization(rms_scaling=True, name="odd")


ODD = {
    "a norm of the root mean square": lambda: _chain(L.Dense(4), _of_root_mean_square()),
    "channels that come first": lambda: _chain(
        L.Flatten("channels_first", name="odd"), shape=(2, 3, 2)
    ),
    "a normalized product": lambda: _pair(L.Dot(1, normalize=True, name="odd")),
    "a scale for each feature": lambda: _chain(
        L.Rescaling([1.0, 2.0, 3.0, 4.0, 5.0], name="odd"), shape=(5,)
    ),
    "an activation over examples": lambda: _chain(L.Dense(4, activation=centred, name="odd")),
    "an activation over halves": lambda: _chain(L.Dense(4), L.Activation("glu", name="odd")),
    "sums of several axes": lambda: _graph(
        lambda x: L.Flatten()(
            L.Add(name="odd")([L.Reshape((2, 2))(L.Dense(4)(x)), L.Reshape((2, 1))(L.Dense(2)(x))])
        )
    ),
}


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling")
@pytest.mark.parametrize("name", ODD)
def test_a_setting_is_followed_or_its_layer_is_refused(name):
    """Never taken for another one."""
    player = ODD[name]()
    try:
        Stacked(player, MEMBERS, "discriminator")
    except ValueError as refusal:
        assert "`discriminator` has a layer that cannot be stacked: 'odd'" in str(refusal)
    else:
        _check_like_its_members(player)


# === Refusals ===


class OwnCall(keras.Model):
    """A model whose call is no graph."""

    def __init__(self):
        super().__init__(name="odd")
        self.dense = L.Dense(1)
        self.build((None, 3))

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.built = True

    def call(self, x):
        return self.dense(x)


class ChangedGraph(keras.Model):
    """A graph with a call of its own on top."""

    def call(self, *args, **kwargs):
        return 2.0 * super().call(*args, **kwargs)


def _changed():
    x = keras.Input((3,))
    return ChangedGraph(x, L.Dense(1)(x), name="odd")


WIDE = (4, 3)
MIXES, AXES = "mixes examples, or has no rule", "works along one of several axes"
REFUSED = {
    "Conv2D": (lambda: _chain(L.Conv2D(2, 3, name="odd"), L.Flatten(), shape=PICTURE), MIXES),
    "GroupNormalization": (
        lambda: _chain(L.Dense(4), L.GroupNormalization(2, name="odd")),
        MIXES,
    ),
    "Keras's LayerNormalization": (lambda: _chain(L.LayerNormalization(name="odd")), MIXES),
    "Keras's Dropout": (lambda: _chain(L.Dropout(0.5, name="odd")), MIXES),
    "Lambda": (lambda: _chain(L.Lambda(lambda x: x, output_shape=(3,), name="odd")), MIXES),
    "PReLU": (lambda: _chain(L.PReLU(name="odd")), MIXES),
    "MinibatchDiscrimination": (lambda: _chain(MinibatchDiscrimination(2, 2, name="odd")), MIXES),
    "an operation": (lambda: _graph(lambda x: keras.ops.flip(x, 0)), MIXES),
    "in a model": (
        lambda: _chain(keras.Sequential([keras.Input((3,)), L.PReLU(name="odd")])),
        MIXES,
    ),
    "softmax": (
        lambda: _chain(L.Dense(4, activation="softmax", name="odd")),
        "no function of one number",
    ),
    "rank 3": (lambda: _chain(L.Dense(4, name="odd"), L.Flatten(), shape=WIDE), AXES),
    "rank 3, normalized": (
        lambda: _chain(BatchNormalization(name="odd"), L.Flatten(), shape=WIDE),
        AXES,
    ),
    "rank 3, joined": (
        lambda: _graph(lambda x: L.Flatten()(L.Concatenate(name="odd")([x, x])), WIDE),
        AXES,
    ),
    "a model of its own": (OwnCall, "has a call of its own"),
    "a graph of its own": (_changed, "has a call of its own"),
    "a constraint": (
        lambda: _chain(L.Dense(4, kernel_constraint="unit_norm", name="odd")),
        "has a constraint, UnitNorm, that would see all members",
    ),
    "a regularizer": (
        lambda: _chain(L.Dense(4, kernel_regularizer="orthogonal_regularizer", name="odd")),
        "has a regularizer, OrthogonalRegularizer, that would see all members",
    ),
    "an activity regularizer": (
        lambda: _chain(L.Dense(4, activity_regularizer="l2", name="odd")),
        "has an activity regularizer",
    ),
    "mixed precision": (
        lambda: _chain(L.Dense(4, dtype="mixed_bfloat16", name="odd")),
        "computes in bfloat16, and members in float32",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_layer(name):
    make, why = REFUSED[name]
    layer = "flip" if name == "an operation" else "odd"
    message = f"`discriminator` has a layer that cannot be stacked: '{layer}' .*{why}"
    with pytest.raises(ValueError, match=message) as refusal:
        Stacked(make(), MEMBERS, "discriminator")
    assert "Expected layers of these kinds: Activation, Add, " in str(refusal.value)
    assert "zoo.layers.Dropout" in str(refusal.value)  # And not Keras's, which draws by the call.


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_players_of_mixed_precision_are_refused(policy):
    with pytest.raises(ValueError, match=f"'dense_0'.*computes in {policy[6:]}"):
        checks.check(zoo.MLPGenerator((3,), 2, (4,), dtype=policy), "generator")


# === Functions of one number ===


@pytest.mark.parametrize(
    "name, expected",
    [
        *(
            (name, True)
            for name in "relu relu6 elu selu gelu tanh sigmoid mish exponential".split()
        ),
        *((name, False) for name in ("softmax", "log_softmax", "sparsemax")),
    ],
)
@pytest.mark.filterwarnings("ignore:You are using a softmax")
def test_elementwise_functions(name, expected):
    assert checks.elementwise(keras.activations.get(name)) is expected
