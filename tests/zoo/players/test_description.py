"""What is read off plain players, what a user says of them, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo import players
from zoo.players import description as traits

K = keras.layers


def _generator(shape, *end, d=4):
    units = int(np.prod(shape))
    return keras.Sequential([keras.Input((d,)), K.Dense(units), K.Reshape(shape), *end])


class Net(keras.Model):
    """A subclass without a graph; `end` is its last function."""

    def __init__(self, units, end, shape, **kwargs):
        super().__init__(**kwargs)
        self.dense, self.end, self.reshape = K.Dense(units), end, K.Reshape(shape)
        self.flatten = K.Flatten()

    def call(self, x, training=False):
        return self.reshape(self.end(self.dense(self.flatten(x))))


def _called(model, shape):
    model(np.zeros((5, *shape), "float32"))
    return model


@pytest.mark.parametrize("shape", [(4, 4, 1), (2, 3, 3), (2, 2, 4)])
def test_pictures_come_as_bytes(shape):
    """Keras-GAN's generator: the activation stands before the layer that gives the shape."""
    units = int(np.prod(shape))
    layers = [keras.Input((4,)), K.Dense(units, activation="tanh"), K.Reshape(shape)]
    model = keras.Sequential(layers)
    assert players.traits(model).value_range == (-1.0, 1.0)
    latents = np.random.default_rng(1).normal(size=(6, 4)).astype("float32")
    wanted = np.rint((np.asarray(model(latents)) + 1) * 127.5).astype("uint8")
    np.testing.assert_array_equal(players.decode(model, latents), wanted)


@pytest.mark.parametrize("shape", [(5,), (5, 2), (4, 4, 7), (2, 2, 2, 1)])
def test_points_and_signals_are_no_pictures_unless_that_is_said(shape):
    model = _generator(shape, K.Activation("sigmoid"))
    known = players.traits(model)
    assert known.value_range is None and known.span == (0.0, 1.0)
    latents = np.random.default_rng(1).normal(size=(6, 4)).astype("float32")
    plain = np.asarray(model(latents))
    np.testing.assert_allclose(players.decode(model, latents), plain, rtol=1e-6)
    said = players.decode(model, latents, value_range=(0, 1))
    np.testing.assert_array_equal(said, np.rint(255 * plain).astype("uint8"))


def test_pictures_are_none_where_that_is_said():
    model = _generator((4, 4, 1), K.Activation("tanh"))
    latents = np.random.default_rng(1).normal(size=(6, 4)).astype("float32")
    plain = np.asarray(model(latents))
    np.testing.assert_array_equal(players.decode(model, latents, value_range=None), plain)
    assert players.sample(model, 2, seed=0).dtype == np.uint8
    assert players.sample(model, 2, seed=0, value_range=None).dtype == np.float32
    model.value_range = None  # Said once, of the model.
    np.testing.assert_array_equal(players.decode(model, latents), plain)
    known = players.traits(model)
    assert known.said and known.span is None


def test_a_zoo_generator_of_points_makes_no_pictures():
    points = zoo.MLPGenerator((5,), latent_dim=4, units=(3,), output_activation="sigmoid")
    assert points.sample(3, seed=0).dtype == np.float32
    assert players.traits(points).span == (0.0, 1.0)
    points.set_output_bias(np.zeros((4, 5), "float32"))
    assert np.isfinite(points.sample(3, seed=0)).all()
    assert players.sample(points, 3, seed=0, value_range=(0, 1)).dtype == np.uint8


@pytest.mark.parametrize(
    "end, span", [(keras.ops.tanh, (-1.0, 1.0)), (K.ReLU(1.0), (0.0, 1.0)), (tf.tanh, None)]
)
def test_a_subclass_is_a_player(end, span):
    """What a call of Keras layers ends in is seen; what TensorFlow does is not, and may be said."""
    model = _called(Net(16, end, (4, 4, 1)), (4,))
    known = players.traits(model)
    assert (known.latent_dim, known.image_shape, known.span) == (4, (4, 4, 1), span)
    assert players.traits(model, span or (-1, 1)).value_range == (span or (-1.0, 1.0))
    assert not any(layer._inbound_nodes for layer in model.layers)  # It leaves no trace.
    critic = _called(Net(1, K.Identity(), ()), (4, 4, 1))
    assert traits.sample_shape(critic) == (4, 4, 1) and traits.patches(critic) == 1


@pytest.mark.parametrize(
    "value_range, message",
    [
        ((1, -1), r"`value_range` is no range.*\(low, high\).*value_range=\(1, -1\)"),
        ("bytes", "no range.*None for samples that are not pictures.*'bytes'"),
        (0.5, "no range"),
        ((0, float("inf")), "no range"),
        ((0, 1), r"`value_range` is not what the generator's last layers give. Expected \(-1, 1\)"),
    ],
)
def test_a_value_range_has_to_fit(value_range, message):
    model = _generator((4, 4, 1), K.Activation("tanh"))
    with pytest.raises(ValueError, match=message):
        players.traits(model, value_range)


def test_a_zoo_generator_that_says_another_range_than_it_has():
    z = keras.Input((4,))
    outputs = K.Reshape((4, 4, 1))(K.Dense(16, activation="sigmoid")(z))
    with pytest.raises(ValueError, match=r"Expected \(0, 1\).*value_range=\(-1.0, 1.0\)"):
        zoo.Generator(z, outputs, latent_dim=4).sample(1)
    right = zoo.Generator(z, outputs, latent_dim=4, value_range=(0.0, 1.0))
    assert right.sample(1).dtype == np.uint8


def test_a_generator_of_several_outputs_is_refused():
    z = keras.Input((4,))
    model = keras.Model(z, [K.Dense(2)(z), K.Dense(2)(z)])
    with pytest.raises(ValueError, match="`generator` does not map latents.*2 outputs"):
        players.traits(model)


# === What a discriminator answers ===


def _discriminator(*end, shape=(8, 8, 1)):
    return keras.Sequential([keras.Input(shape), *end])


ANSWERS = {
    "one": (lambda: [K.Flatten(), K.Dense(1)], 1),
    "flat": (lambda: [K.Flatten(), K.Dense(1), K.Reshape(())], 1),
    "a map of one cell": (lambda: [K.Conv2D(1, 8)], 1),
    "patches": (lambda: [K.Conv2D(2, 3, 2, padding="same"), K.Conv2D(1, 3, padding="same")], 16),
    "steps": (lambda: [K.Reshape((16, 4)), K.Dense(1)], 16),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_logits_and_maps_of_them(name):
    end, wanted = ANSWERS[name]
    model = _discriminator(*end())
    assert traits.patches(model) == wanted
    images = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32")
    logits, _ = players.discriminate(model, images)
    assert logits.shape == (5 * wanted,)
    means = zoo.players.sampling.per_example(logits, wanted)
    wanted = np.asarray(model(images)).reshape(5, -1).mean(axis=1)
    np.testing.assert_allclose(means, wanted, rtol=1e-5, atol=1e-6)


REFUSED = {
    "sigmoid": (lambda: [K.Dense(1, activation="sigmoid")], r"ends in a sigmoid.*\[0, 1\].*logits"),
    "sigmoid before a reshape": (
        lambda: [K.Dense(1), K.Activation(tf.nn.sigmoid), K.Reshape(())],
        r"ends in a sigmoid.*Dense\(1\), and not Dense\(1, activation='sigmoid'\)",
    ),
    "softmax of two": (
        lambda: [K.Dense(2, activation="softmax")],
        r"answers several .*\(None, 2\)",
    ),
    "tanh": (lambda: [K.Dense(1, activation="tanh")], r"ends in a tanh.*\[-1, 1\]"),
    "clipped": (lambda: [K.Dense(1), K.ReLU(6.0)], r"ends in an activation.*\[0, 6\]"),
    "relu": (lambda: [K.Dense(1, activation="relu")], "ends in a relu.*answers to at least 0, and"),
    "ReLU": (lambda: [K.Dense(1), K.ReLU()], "ends in a relu.*at least 0"),
    "softplus before": (
        lambda: [K.Dense(1, activation="softplus"), K.Reshape(())],
        "ends in a relu .or a softplus.*at least 0",
    ),
    "exponential": (lambda: [K.Dense(1, activation="exponential")], "ends in a relu.*at least 0"),
    "log_sigmoid": (lambda: [K.Dense(1, activation="log_sigmoid")], "ends in a log_sig.*at most 0"),
    "elu": (lambda: [K.Dense(1, activation="elu")], "ends in an activation.*at least -1"),
    "ELU": (lambda: [K.Dense(1), K.ELU(0.5)], "ends in an activation.*at least -0.5"),
    "gelu": (lambda: [K.Dense(1, activation="gelu")], "ends in an activation.*at least -0.17"),
    "hard_sigmoid": (
        lambda: [K.Dense(1, activation="hard_sigmoid")],
        r"ends in a sigmoid.*\[0, 1\]",
    ),
    "Lambda": (lambda: [K.Dense(1), K.Lambda(tf.nn.softplus)], "ends in a relu.*at least 0"),
    "Activation": (lambda: [K.Dense(1), K.Activation(tf.exp)], "ends in a relu.*at least 0"),
    "mean of relus": (
        lambda: [K.Dense(4, activation="relu"), K.Reshape((4, 1)), K.GlobalAveragePooling1D()],
        "ends in a relu.*at least 0",
    ),
    "sixteen": (lambda: [K.Dense(16)], r"answers several numbers.*a map.*\(None, 16\)"),
    "channels": (
        lambda: [K.Dense(32), K.Reshape((4, 4, 2))],
        r"answers several numbers.*\(None, 4, 4, 2\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_logit_is_refused(name):
    end, message = REFUSED[name]
    with pytest.raises(ValueError, match=f"`discriminator` {message}"):
        traits.patches(_discriminator(K.Flatten(), *end()))


@pytest.mark.parametrize("activation", ["linear", "leaky_relu", "tanh_shrink", "soft_shrink"])
def test_what_can_be_any_number_passes(activation):
    model = _discriminator(K.Flatten(), K.Dense(1, activation=activation))
    assert traits.answers(model) == traits.Answers(1)
    ends = [K.Dense(1), K.LeakyReLU()], [K.LayerNormalization(), K.Dense(1), K.PReLU()]
    assert all(
        traits.answers(_discriminator(K.Flatten(), *end)) == traits.Answers(1) for end in ends
    )


def test_what_is_bounded_on_one_side_is_no_span_of_a_generator():
    relu = _generator((4, 4, 1), K.ReLU())
    assert players.traits(relu).span is None and players.traits(relu).value_range is None


def test_ends_that_cannot_be_looked_into_are_told():
    x = keras.Input((8, 8, 1))
    logits = K.Dense(1)(K.Flatten()(x))
    ends = {
        "none": (logits, False),
        "sum": (keras.ops.sum(keras.ops.add(logits, logits), axis=-1), False),
        "quotient": (1.0 / (1.0 + keras.ops.square(logits)), True),
        "lambda": (K.Reshape(())(K.Lambda(lambda v: v)(logits)), True),
        "nested": (keras.Sequential([K.Lambda(lambda v: v)])(logits), True),
        "function": (K.Activation(lambda v: v)(logits), True),
    }
    for outputs, unseen in ends.values():
        assert traits.answers(keras.Model(x, outputs)).unseen == unseen
    critic = _called(Net(1, tf.sigmoid, ()), (4, 4, 1))
    assert traits.answers(critic).unseen


@pytest.mark.parametrize(
    "outputs, message",
    [
        (
            lambda h: [K.Dense(1)(h), K.Dense(10)(h)],
            r"answers several outputs.*\(None, 1\), \(None, 10\)",
        ),
        (
            lambda h: {"validity": K.Dense(1)(h)},
            r"answers a dict without one of logits.*'validity'",
        ),
        (
            lambda h: {"logits": [K.Dense(1)(h), K.Dense(1)(h)]},
            "answers a dict without one of logits",
        ),
        (lambda h: {"logits": K.Dense(1, activation="sigmoid")(h)}, "ends in a sigmoid"),
    ],
)
def test_outputs_of_another_structure_are_refused(outputs, message):
    x = keras.Input((8, 8, 1))
    with pytest.raises(ValueError, match=f"`discriminator` {message}"):
        traits.patches(keras.Model(x, outputs(K.Flatten()(x))))


def test_logits_beside_other_outputs_of_a_dict():
    x = keras.Input((8, 8, 1))
    h = K.Flatten()(x)
    model = keras.Model(x, {"logits": K.Dense(1)(h), "classes": K.Dense(10)(h)})
    assert traits.answers(model) == traits.Answers(1, unused=("classes",))
    assert traits.patches(keras.Model(x, [K.Dense(1)(h)])) == 1
