"""Checks of arguments: what passes, and messages that name the argument first."""

import inspect
import time

import numpy as np
import pytest

import trainers
import zoo
from zoo import validation

ROLES = ("Generator", "Discriminator")


def test_what_is_right_passes():
    assert validation.check_choice({"mnist": 1, "ring": 2}, name="ring") == "ring"
    assert validation.check_image_shape([8, np.int64(8), 1]) == (8, 8, 1)
    validation.check_positive(count=1, size=np.int32(5))
    validation.check_integer(0, steps=0)
    validation.check_integer(2, steps=2, rows=3)
    validation.check_above_zero(scale=1e-9)
    validation.check_not_negative(weight=0.0, tolerance=1)
    validation.check_seed(-3)
    validation.check_seed(np.int64(3))
    validation.check_sizes(units=(3, 4), filters=5, levels=None)
    validation.check_rate(dropout=0.0, input_dropout=0.999)
    assert validation.parameter_names(lambda a, *b, c=1, **d: 0) == ["a", "c"]
    assert validation.nearest("rings", ["ring", "grid"]) == "; did you mean 'ring'"
    assert validation.nearest("zzz", ["ring", "grid"]) == ""
    assert validation.nearest("gird", ["grid", "grids"]) == "; did you mean 'grid' or 'grids'"


def test_labels_become_flat_int32():
    labels = validation.check_labels(np.array([[2], [0]], "uint8"), 3, count=2)
    assert labels.tolist() == [2, 0] and labels.dtype == np.int32
    assert validation.check_labels([0, 0], 1).tolist() == [0, 0]
    assert validation.check_labels(np.zeros((2, 1), int), 1).shape == (2,)  # Not one-hot.
    assert validation.check_labels(None, None) is None


@pytest.mark.parametrize(
    "check, message",
    [
        (
            lambda: validation.check_choice(["a", "ring"], ", or a function", name="rnig"),
            r"`name` is unknown. Expected one of \['a', 'ring'\], or a function; did you mean "
            r"'ring'. Received: name='rnig'",
        ),
        (
            lambda: validation.check_choice({"ring": 1}, name=["ring"]),
            r"`name` is unknown.*name=\['ring'\]",
        ),
        (
            lambda: validation.check_positive(count=1, size=0),
            "`size` is out of range. Expected a positive integer. Received: size=0",
        ),
        (lambda: validation.check_positive(count=True), "`count` is out.*count=True"),
        (lambda: validation.check_positive(count=2.0), "`count` is out.*count=2.0"),
        (
            lambda: validation.check_integer(2, steps=1),
            "`steps` is out of range. Expected an integer of at least 2. Received: steps=1",
        ),
        (
            lambda: validation.check_above_zero(scale=float("nan")),
            "`scale` is no finite number. Expected a number above 0. Received: scale=nan",
        ),
        (lambda: validation.check_sizes(units=(3, None)), "`units` is out.*units=None"),
        (lambda: validation.check_sizes(units=(3, 0.5)), "`units` is out.*units=0.5"),
        (
            lambda: validation.check_not_negative(weight=-0.5),
            "`weight` is negative. Expected a number of at least 0. Received: weight=-0.5",
        ),
        (lambda: validation.check_not_negative(weight=np.nan), "`weight` is no finite.*weight=nan"),
        (
            lambda: validation.check_seed([1, 2]),
            r"`seed` is not an integer. Expected an int. Received: seed=\[1, 2\]",
        ),
        (lambda: validation.check_seed(True), "`seed` is not an integer.*seed=True"),
        (lambda: validation.check_rate(dropout=1.0), r"`dropout` is out.*\[0, 1\).*dropout=1.0"),
        (
            lambda: validation.check_image_shape((8, 8), "; for points an MLP"),
            r"`image_shape` does not have three sizes. Expected \(height, width, "
            r"channels\); for points an MLP. Received: image_shape=\(8, 8\)",
        ),
        (lambda: validation.check_image_shape((8, 8, 0)), "`image_shape` is out.*image_shape=0"),
        (lambda: validation.check_labels([0], None), "`labels` are given, and.*has none"),
        (lambda: validation.check_labels(None, 3), "`labels` are missing.*labels=None"),
        (lambda: validation.check_labels(np.eye(3), 3), r"`labels` look one-hot.*\(3, 3\)"),
        (lambda: validation.check_labels([0.5], 3), "`labels` are not class numbers.*float64"),
        (lambda: validation.check_labels([-1, 2], 3), "`labels` are out of range.*from -1 to 2"),
        (
            lambda: validation.check_labels([0], 3, 2),
            "`labels` do not match.*Expected 2 labels. Received: 1 labels",
        ),
    ],
)
def test_messages_name_the_argument(check, message):
    with pytest.raises(ValueError, match=message):
        check()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -np.inf, "1", True, None, [1, 2]])
def test_what_is_no_finite_number(value):
    for check in (
        validation.check_not_negative,
        validation.check_above_zero,
        validation.check_rate,
    ):
        with pytest.raises(ValueError, match="`weight` is no finite number. Expected a number .*"):
            check(weight=value)
    for number in (np.float32(0.5), np.int64(0), np.array(0.25), 0):
        validation.check_not_negative(weight=number)
        validation.check_rate(weight=number)


def test_what_needs_more_memory_than_there_is(monkeypatch):
    monkeypatch.setattr(validation, "_memory", lambda: 4000)
    validation.check_memory(1000, steps=10)
    with pytest.raises(ValueError, match="`steps` needs more.*for 4,000 bytes.*for 4,004 bytes"):
        validation.check_memory(1001, steps=10)
    validation.check_widths(10, 20, 40, units=(20, 40))  # 200 and 800 weights.
    with pytest.raises(ValueError, match=r"`units` needs.*units=\(20, 41\), for 4,080 bytes"):
        validation.check_widths(10, 20, 41, units=(20, 41))


FAMILIES = ("MLP", "DCGAN", "ResNet", "R3GAN", "Laplacian")
PLAYERS = [getattr(zoo, f"{family}{role}") for family in FAMILIES for role in ROLES]


def _counts(cls):
    """The arguments of a class that say how many or how large, far beyond any memory."""
    for name, parameter in inspect.signature(cls).parameters.items():
        if isinstance(parameter.default, bool) or name in ("image_shape", "kwargs"):
            continue
        if isinstance(parameter.default, tuple):
            yield name, (10**9,)
            yield name, (10**6, 10**6)
        elif isinstance(parameter.default, int) or name in ("num_classes", "filters"):
            yield name, 10**9
            yield name, np.int64(10**18)


@pytest.mark.parametrize("cls", PLAYERS)
def test_no_player_is_made_of_more_than_there_is_memory_for(cls):
    """Neither memory nor time goes before the refusal."""
    tried, start = 0, time.perf_counter()
    for name, value in _counts(cls):
        with pytest.raises(ValueError, match=rf"^`{name}` (is out of range|needs more memory)"):
            cls(image_shape=(32, 32, 3), **{name: value})
        tried += 1
    assert tried >= 4 and time.perf_counter() - start < 2


def test_numpys_integers_are_integers():
    numbers = {"latent_dim": np.int32(3), "units": (np.int64(4),), "num_classes": np.uint8(2)}
    generator = zoo.MLPGenerator((np.int64(2),), **numbers)
    assert generator.sample(np.int64(2), [0, 1], seed=0).shape == (2, 2)
    assert generator.get_config()["latent_dim"] == generator.latent_dim == 3


@pytest.mark.parametrize("value", [None, 1.5, 3, [], object(), np.zeros(2)])
def test_what_is_no_path_no_model_and_not_several(value, tmp_path):
    for call in (
        lambda: zoo.load(value),
        lambda: zoo.save_preset(zoo.MLPGenerator((2,), 2, (3,)), value),
        lambda: trainers.Checkpoint(value),
        lambda: trainers.SampleGrid(value),
        lambda: zoo.pictures.save_png(np.zeros((2, 2, 3), "uint8"), value),
    ):
        with pytest.raises(ValueError, match="^`(path|preset|directory)` is no path. Expected a"):
            call()
    with pytest.raises(ValueError, match="^`generator` is no model. Expected a player"):
        zoo.players.traits(value)
    if not isinstance(value, (list, np.ndarray)):
        with pytest.raises(ValueError, match="^`units` is not several values"):
            zoo.MLPGenerator((2,), units=value)
        with pytest.raises(ValueError, match="^`image_shape` is not several values"):
            zoo.DCGANGenerator(value)


def test_flags_functions_and_arrays():
    validation.check_flag(a=True, b=np.bool_(False))
    validation.check_callable(a=len)
    for value in (1, "true", None, np.ones(2), object()):
        with pytest.raises(ValueError, match="^`rescale` is neither true nor false. Expected True"):
            validation.check_flag(rescale=value)
    with pytest.raises(ValueError, match="^`f` is no function. Expected a cdf. Received: f=3"):
        validation.check_callable("a cdf", f=3)
    assert validation.as_array("iu", 1, x=[1, 2]).tolist() == [1, 2]
    memory_map = np.ones(3)
    assert validation.as_array(x=memory_map) is memory_map
    for value in ([[1], [1, 2]], ["a"], [1.5], 3, None, {}):
        message = "^`x` is no array of numbers. Expected an array with 1 axis of integers. Received"
        with pytest.raises(ValueError, match=message):
            validation.as_array("i", 1, x=value)


def test_seeds_of_64_bits():
    validation.check_seed(-(2**63))
    for seed in (2**63, 10**30):
        with pytest.raises(
            ValueError, match="^`seed` is not an integer. Expected an int of 64 bits"
        ):
            validation.check_seed(seed)


class Silent:
    """What cannot even be shown."""

    def __repr__(self):
        raise RuntimeError


def test_what_cannot_be_shown_is_named_by_its_type():
    with pytest.raises(ValueError, match="Received: count=one of type Silent"):
        validation.check_positive(count=Silent())


def test_a_size_is_one_number():
    validation.check_size(units=np.int64(3))
    for value in (None, (3,), 0, 2**20 + 1, True):
        with pytest.raises(ValueError, match="^`latent_dim` is out of range"):
            validation.check_size(latent_dim=value)


@pytest.mark.parametrize("slope", [np.nan, np.inf, -0.1, "x", None, True])
def test_slopes_of_players_are_numbers(slope):
    for cls in (zoo.DCGANDiscriminator, zoo.LaplacianDiscriminator):
        with pytest.raises(ValueError, match="^`negative_slope` is (no finite number|negative)"):
            cls(image_shape=(32, 32, 1), negative_slope=slope)
