"""Objects in the words of JSON: those that are made, and what is none."""

import keras
import pytest

from trainers import penalties, perturbations
from trainers.runs.objects import CLASSES, call, resolve


def test_what_is_no_object_stays():
    for value in (3, "R1", None, (1, 2), [1, [2]]):
        assert resolve(value) == value


def test_an_object_within_an_object():
    decay = {"PolynomialDecay": {"initial_learning_rate": 0.5, "decay_steps": 10}}
    noise, adam = resolve([{"InstanceNoise": {"scale": decay}}, {"Adam": {"learning_rate": decay}}])
    assert type(noise) is perturbations.InstanceNoise and type(adam) is keras.optimizers.Adam
    assert type(noise.scale) is keras.optimizers.schedules.PolynomialDecay
    assert float(adam.learning_rate) == 0.5


def test_classes_are_those_that_a_trainer_takes():
    assert CLASSES["DRAGAN"] is penalties.DRAGAN and CLASSES["SGD"] is keras.optimizers.SGD
    assert not {"Penalty", "Perturbation", "Optimizer", "Position", "GAN"} & CLASSES.keys()


def test_a_function_is_called_with_objects():
    assert type(call(lambda penalty: penalty, {"penalty": {"R2": {"weight": 2.0}}})) is penalties.R2


@pytest.mark.parametrize(
    "value, message",
    [
        ({"R3": {}}, "`R3` is an unknown class.*did you mean .*'R1'.*'R3'"),
        ({"R1": {"strength": 1}}, "`strength` is no argument of R1.*Expected.*'weight'"),
        ({"R1": 3}, "`value` is no class with its arguments"),
        ({"PolynomialDecay": {}}, "arguments of `PolynomialDecay` do not fit.*decay_steps"),
        ({"R1": {}, "R2": {}}, "`value` is no class with its arguments"),
    ],
)
def test_objects_that_are_none(value, message):
    with pytest.raises(ValueError, match=message):
        resolve([value])
