"""Recorded constructor arguments: what `get_config` gives makes the same object again."""

import inspect
import json

import keras
import numpy as np
import pytest

from zoo.players.recorded import Recorded


@keras.saving.register_keras_serializable(package="test_recorded")
class Point(Recorded):
    def __init__(self, x, y=2, *, sides=(1, 2), names=("a",), **more):
        self.sum = x + y
        self.more = more


@keras.saving.register_keras_serializable(package="test_recorded")
class Named(Point):
    def __init__(self, title, x=5, **kwargs):
        super().__init__(x, y=7, **kwargs)
        self.title = title.upper()


@keras.saving.register_keras_serializable(package="test_recorded")
class Plain(Point):
    """A subclass without a constructor of its own."""


@keras.saving.register_keras_serializable(package="test_recorded")
class Closed(Point):
    """Takes nothing for its parent."""

    def __init__(self, x):
        super().__init__(x)


@keras.saving.register_keras_serializable(package="test_recorded")
class Deeper(Closed):
    """Takes anything for a parent that takes nothing for its own."""

    def __init__(self, *args, depth=2, **kwargs):
        super().__init__(*args, **kwargs)


@keras.saving.register_keras_serializable(package="test_recorded")
class Under(Closed):
    def __init__(self, x, extra=None):
        super().__init__(x)


@keras.saving.register_keras_serializable(package="test_recorded")
class Pair(Recorded):
    def __init__(self, first, others=()):
        self.first, self.others = first, tuple(others)


def again(thing):
    """The thing made anew from its config, by way of JSON."""
    return type(thing).from_config(json.loads(json.dumps(thing.get_config())))


def test_all_arguments_are_recorded_defaults_and_keywords_included():
    point = Point(1, sides=[3, 4], colour="red", size=2.5)
    config = {"x": 1, "y": 2, "sides": (3, 4), "names": ("a",), "colour": "red", "size": 2.5}
    assert point.get_config() == config
    assert again(point).get_config() == config
    assert again(point).more == {"colour": "red", "size": 2.5}


def test_an_argument_becomes_an_attribute_unless_the_constructor_kept_it():
    point = Point(1, sides=[3, 4])
    assert (point.x, point.y, point.sum) == (1, 2, 3)
    assert point.sides == (3, 4)  # A list becomes a tuple.
    named = Named("head")
    assert named.title == "HEAD" and named.get_config()["title"] == "head"


def test_of_a_subclass_its_own_arguments_are_recorded():
    named = Named("head", sides=(9,), colour="red")
    wanted = {"title": "head", "x": 5, "sides": (9,), "colour": "red"}
    # `y` it sets itself, so no caller can; `names` it leaves to its parent.
    assert named.get_config() == {**wanted, "names": ("a",)}
    other = again(named)
    assert type(other) is Named and (other.sum, other.more) == (12, {"colour": "red"})
    # What it passes on to its base class has been kept by that one's name all the same.
    assert not hasattr(named, "y") and list(other.sides) == [9]
    plain = Plain(3, y=4)
    assert type(again(plain)) is Plain and again(plain).sum == 7


@pytest.mark.parametrize("cls", [Closed, Deeper, Under])
def test_only_what_a_constructor_takes_is_recorded(cls):
    thing = cls(3)
    assert again(thing).get_config() == thing.get_config()
    names = {Closed: {"x"}, Deeper: {"x", "depth"}, Under: {"x", "extra"}}
    assert set(thing.get_config()) == names[cls]


def test_objects_in_objects():
    pair = Pair(Point(1), [Named("a"), Pair(Point(2)), 5, "word", None])
    other = again(pair)
    assert type(other.first) is Point and other.first.sum == 3
    assert [type(o) for o in other.others] == [Named, Pair, int, str, type(None)]
    assert other.others[1].first.sum == 4
    assert other.get_config() == pair.get_config()
    schedule = Pair(keras.optimizers.schedules.CosineDecay(0.1, 10))
    assert again(schedule).first.get_config() == schedule.first.get_config()
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(pair)))
    assert keras.saving.deserialize_keras_object(saved).first.sum == 3


def test_each_object_has_arguments_of_its_own():
    first, second = Point(1), Point(2)
    assert (first.get_config()["x"], second.get_config()["x"]) == (1, 2)
    first.__init__(8)  # As an object that was made before: what it was made with stays.
    assert first.get_config()["x"] == 1


def test_the_constructor_says_of_itself_what_it_said():
    assert list(inspect.signature(Point).parameters) == ["x", "y", "sides", "names", "more"]
    with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required .*'x'"):
        Point()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Pair(1, z=2)


@keras.saving.register_keras_serializable(package="test_recorded")
class Sum(Recorded, keras.Model):
    """A Keras model with an object and a list of numbers among its arguments."""

    def __init__(self, layer, numbers=(1.0, 2.0), **kwargs):
        super().__init__(**kwargs)
        self.layer = layer
        self.numbers = list(numbers)

    def call(self, x):
        return self.layer(x) + sum(self.numbers)

    def get_config(self):
        return {**super().get_config(), "name": self.name}


def test_a_keras_model_comes_back_from_its_file(tmp_path):
    model = Sum(keras.layers.Dense(2), [3.0, 4.5], name="mine")
    x = np.ones((3, 4), "float32")
    wanted = model(x).numpy()
    assert len(model.weights) == 2, "the recorded layer is not counted twice"
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert type(loaded) is Sum and loaded.name == "mine" and list(loaded.numbers) == [3.0, 4.5]
    np.testing.assert_array_equal(loaded(x), wanted)
