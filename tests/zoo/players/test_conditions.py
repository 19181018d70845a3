"""Conditions of numbers, and plain Keras models of two inputs."""

import keras
import numpy as np
import pytest

import zoo
from tests.helpers import SMALL_PLAYERS, largest_difference, outputs, state
from zoo.players import conditions

CLASSES = 3
LABELS = np.array([2, 0, 1, 1], "int32")
ONE_HOT = np.eye(CLASSES, dtype="float32")[LABELS]


def _ways(name):
    return ["concat"] if name.startswith("Laplacian") else ["concat", "projection"]


@pytest.mark.parametrize("name,way", [(name, way) for name in SMALL_PLAYERS for way in _ways(name)])
def test_one_hot_conditions_are_labels(name, way):
    """Of every family: the same seed gives the same weights, and these the same outputs."""
    how = {} if name.startswith("Laplacian") else {"conditioning": way}
    players = []
    for told in ({"num_classes": CLASSES}, {"num_conditions": CLASSES}):
        keras.utils.set_random_seed(3)
        players.append(SMALL_PLAYERS[name](**told, **how))
    by_label, by_condition = players
    assert largest_difference(state(by_label), state(by_condition)) == 0
    main = next(iter(by_label.input))
    x = np.random.default_rng(0).uniform(-1, 1, (4, *by_label.input[main].shape[1:]))
    x = x.astype("float32")
    answers = [
        outputs(by_label, {main: x, "labels": LABELS}),
        outputs(by_condition, {main: x, "conditions": ONE_HOT}),
    ]
    assert largest_difference(*answers) == 0
    other = outputs(by_condition, {main: x, "conditions": 0.5 * ONE_HOT})
    assert largest_difference(answers[1], other) > 1e-6, "the size of a condition counts"
    assert by_condition.get_config()["num_conditions"] == CLASSES


def test_a_condition_draws_what_a_label_draws():
    keras.utils.set_random_seed(3)
    labels = zoo.MLPGenerator((2,), 4, (8,), output_activation="linear", num_classes=CLASSES)
    keras.utils.set_random_seed(3)
    told = zoo.MLPGenerator((2,), 4, (8,), output_activation="linear", num_conditions=CLASSES)
    expected = labels.sample(4, labels=LABELS, seed=5)
    assert np.array_equal(told.sample(4, conditions=ONE_HOT, seed=5), expected)
    one = told.sample(4, conditions=ONE_HOT[0], seed=5)
    assert np.array_equal(one, labels.sample(4, labels=2, seed=5))
    rows = [told.sample(1, conditions=ONE_HOT[i], seed=9 - i)[0] for i in range(4)]
    several = told.sample(4, conditions=ONE_HOT, seed=9 - np.arange(4))
    assert np.allclose(several, rows, atol=1e-6)


@pytest.mark.parametrize(
    "given,match",
    [
        ({}, "`conditions` are missing"),
        ({"labels": [0, 1, 2]}, "`labels` are given, and the generator has `conditions`"),
        ({"conditions": np.zeros((3, 3))}, r"another shape.*\(3, 2\)"),
        ({"conditions": np.zeros((4, 2))}, r"another shape.*\(3, 2\)"),
        ({"conditions": [1.0, np.nan]}, "NaN or infinity"),
        ({"conditions": [1.0, 1e300]}, "NaN or infinity"),
        ({"conditions": ["a", "b"]}, "no numbers"),
    ],
)
def test_what_is_no_condition(given, match):
    generator = zoo.MLPGenerator((2,), 4, (8,), num_conditions=2)
    with pytest.raises(ValueError, match=match):
        generator.sample(3, **given)


def test_one_number_may_lack_its_axis():
    generator = zoo.MLPGenerator((2,), 4, (8,), output_activation="linear", num_conditions=1)
    numbers = np.array([0.0, 1.0, 2.0])
    a = generator.sample(3, conditions=numbers, seed=0)
    assert np.array_equal(a, generator.sample(3, conditions=numbers[:, None], seed=0))
    b = generator.sample(3, conditions=1.0, seed=0)
    assert np.array_equal(b, generator.sample(3, conditions=np.ones(3), seed=0))
    assert np.abs(a - b)[[0, 2]].min() > 0 and np.abs(a - b)[1].max() == 0


def test_conditions_where_there_are_none():
    generator = zoo.MLPGenerator((2,), 4, (8,))
    with pytest.raises(ValueError, match="`conditions` are given, and the generator has none"):
        generator.sample(3, conditions=[1.0])


@pytest.mark.parametrize("family", [zoo.MLPGenerator, zoo.MLPDiscriminator])
def test_labels_and_conditions_at_once(family):
    with pytest.raises(ValueError, match="`num_conditions` and `num_classes` are given"):
        family(num_classes=3, num_conditions=2)
    with pytest.raises(ValueError, match="`num_conditions`.*positive"):
        family(num_conditions=0)


# === Plain models ===


def _two_inputs(second, form, encode=None, main=(4,)):
    x = keras.Input(main, name="x")
    y = second
    encoded = keras.layers.Flatten()(encode(y) if encode else y)
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(x), encoded])
    out = keras.layers.Dense(2, name="last")(joined)
    inputs = {"list": [x, y], "turned": [y, x], "dict": {"x": x, y.name: y}}[form]
    return keras.Model(inputs, out)


def _numbers(name="y"):
    return keras.Input((3,), name=name)


def _whole(shape=(), name="number"):
    return keras.Input(shape, name=name, dtype="int32")


@pytest.mark.parametrize("form", ["list", "turned", "dict"])
def test_floats_are_conditions(form):
    model = _two_inputs(_numbers("condition"), form)
    assert conditions.of(model) == conditions.Conditions(3)
    own = zoo.players.traits(model)
    assert (own.latent_dim, own.num_conditions, own.num_classes) == (4, 3, None)
    told = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    drawn = zoo.players.sample(model, 5, conditions=told, seed=1)
    z = zoo.random.from_seed("normal", 5, 4, 1).numpy()
    kernel, bias = model.get_layer("last").get_weights()
    expected = np.concatenate([z, told], axis=1).astype("float64") @ kernel + bias
    assert np.allclose(drawn, expected, atol=1e-5)


def test_without_a_name_the_second_input_is_told():
    assert conditions.inputs(_two_inputs(_numbers("b"), "list")).side.name == "b"


@pytest.mark.parametrize(
    "encode",
    [
        lambda y: keras.layers.Embedding(7, 3)(y),
        lambda y: keras.layers.Embedding(7, 3)(keras.layers.Flatten()(y)),
        lambda y: keras.layers.CategoryEncoding(7, output_mode="one_hot")(y),
        lambda y: keras.ops.one_hot(y, 7),
        lambda y: keras.Sequential([_whole((1,)), keras.layers.Embedding(7, 3)])(y),
    ],
    ids=["embedding", "flat", "encoding", "one_hot", "nested"],
)
@pytest.mark.parametrize("form", ["list", "turned", "dict"])
def test_integers_are_labels(encode, form):
    model = _two_inputs(_whole((1,)), form, encode)
    assert conditions.of(model) == conditions.Classes(7)
    drawn = zoo.players.sample(model, 3, labels=[0, 6, 6], seed=[4, 4, 5])
    assert drawn.shape == (3, 2)
    again = zoo.players.sample(model, 1, labels=6, seed=5)
    assert np.allclose(drawn[2], again[0], atol=1e-6)
    with pytest.raises(ValueError, match=r"out of range.*\[0, 7\)"):
        zoo.players.sample(model, 1, labels=7)


def test_a_number_of_classes_that_is_not_seen():
    """Said on the model it would be in no copy and no file."""
    model = _two_inputs(_whole((1,)), "list", lambda y: keras.ops.cast(y, "float32"))
    model.num_classes = 5
    with pytest.raises(ValueError, match="`inputs` .*integers, 'number'.*Embedding.*one_hot"):
        zoo.players.traits(model)


def test_floats_into_an_embedding_are_labels():
    """As a well-known tutorial writes it: an input without a dtype."""
    model = _two_inputs(keras.Input((1,)), "list", lambda y: keras.layers.Embedding(7, 3)(y))
    assert conditions.of(model) == conditions.Classes(7)
    drawn = zoo.players.sample(model, 2, labels=[3, 3], seed=[1, 1])
    assert np.array_equal(drawn[0], drawn[1])


@pytest.mark.parametrize(
    "side", [keras.Input((8, 8, 3)), keras.Input((None,)), _whole((20,))], ids=["map", "?", "text"]
)
def test_what_is_neither_labels_nor_conditions(side):
    def encode(y):
        return keras.layers.Embedding(7, 3)(y) if "int" in y.dtype else keras.ops.sum(y, 1)[:, None]

    model = _two_inputs(side, "list", encode)
    with pytest.raises(ValueError, match="`inputs` .*neither labels nor conditions.*Received"):
        zoo.players.traits(model)


def test_names_come_before_places():
    x, y = keras.Input((2,), name="label"), keras.Input((2,), name="other")
    model = keras.Model([x, y], keras.layers.Concatenate()([x, y]))
    assert conditions.inputs(model).side.name == "label"
    x, y = keras.Input((2,), name="angle"), keras.Input((2,), name="noise")
    model = keras.Model({"angle": x, "noise": y}, keras.layers.Subtract()([x, y]))
    assert conditions.inputs(model).main.name == "noise"
    assert np.allclose(zoo.players.generate(model, np.ones((1, 2)), np.full((1, 2), 3.0)), 2.0)
    x, y = keras.Input((2,), name="coarse"), keras.Input((2,), name="images")
    model = keras.Model({"coarse": x, "images": y}, keras.layers.Concatenate()([x, y]))
    assert conditions.inputs(model).main.name == "images"


def test_rows_of_several_lengths():
    generator = zoo.MLPGenerator((2,), 4, (8,), num_conditions=2)
    with pytest.raises(ValueError, match="`conditions` are no array. Expected.*Received"):
        generator.sample(2, conditions=[[1, 2], [3]])


def test_inversion_is_told():
    keras.utils.set_random_seed(0)
    generator = zoo.MLPGenerator((6,), 2, (8,), output_activation="linear", num_conditions=3)
    told = ONE_HOT[:2]
    wanted = generator.sample(2, conditions=told, seed=1)
    found = zoo.latents.invert(generator, wanted, conditions=told, starts=2, steps=60)
    assert found.mse.max() < 1e-4
    with pytest.raises(ValueError, match="`conditions` are missing"):
        zoo.latents.invert(generator, wanted)


def test_a_preset_of_conditions(tmp_path):
    generator = zoo.DCGANGenerator((8, 8, 1), 4, 2, num_conditions=2)
    zoo.save_preset(generator, tmp_path / "mine")
    again = zoo.from_preset(tmp_path / "mine")
    told = np.ones((3, 2))
    assert np.array_equal(
        again.sample(3, conditions=told, seed=0), generator.sample(3, conditions=told, seed=0)
    )


def test_three_inputs_are_too_many():
    z, y, w = (keras.Input((2,)) for _ in range(3))
    model = keras.Model([z, y, w], keras.layers.Concatenate()([z, y, w]))
    with pytest.raises(ValueError, match="does not map latents.* with 3 inputs"):
        zoo.players.traits(model)
