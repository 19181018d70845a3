"""Each trouble: made of looks that show it, and of those that do not quite."""

import math

import pytest

from trainers.health import troubles

WELL = {
    "finite": 1.0,
    "variety": 0.95,
    "energy": 0.02,
    "present": 0.9,
    "moved": 0.05,
    "dead_generator": 0.3,
    "dead_discriminator": 0.1,
    "copying": 0.0,
    "told_apart": 0.7,
    "push": 1.2,
    "falling_behind": 0.1,
    "js_estimate": 0.15,
    "loss_scale": 32768.0,
}
SICK = {
    "not_finite": {"finite": 0.0},
    "discriminator_won": {"js_estimate": 0.96 * math.log(2)},
    "vanishing_gradient": {"push": 0.009},
    "discriminator_overfits": {"falling_behind": 0.65, "told_apart": 0.9},
    "generator_won": {"told_apart": 0.55, "energy": 0.2},
    "one_sample": {"variety": 0.1},
    "few_modes": {"present": 0.4},
    "oscillation": {"moved": 0.6, "energy": 0.2},
    "memorisation": {"copying": 0.6},
    "dead_units": {"dead_discriminator": 0.9},
    "loss_scale": {"loss_scale": 0.5},
}
ALMOST = {
    "not_finite": {},
    "discriminator_won": {"js_estimate": 0.94 * math.log(2)},
    "vanishing_gradient": {"push": 0.011},
    "discriminator_overfits": {"falling_behind": 0.65, "told_apart": 0.7},
    "generator_won": {"told_apart": 0.55, "energy": 0.02},  # It has won because it is right.
    "one_sample": {"variety": 0.25},
    "few_modes": {"present": 0.55},
    "oscillation": {"moved": 0.6, "energy": 0.02},  # Between places that are all in the data.
    "memorisation": {"copying": 0.4},
    "dead_units": {"dead_discriminator": 0.7},
    "loss_scale": {"loss_scale": 1.0},
}


def looks(*changes, first=2000):
    return [{"step": first + 100 * k, **WELL, **change} for k, change in enumerate(changes)]


def test_all_are_tried():
    assert set(SICK) == set(ALMOST) == set(troubles.TROUBLES)


@pytest.mark.parametrize("name", troubles.TROUBLES)
def test_it_is_found_after_as_many_looks_as_it_wants(name):
    count = troubles.TROUBLES[name].looks
    assert troubles.found(looks(*[SICK[name]] * count)) == [name]
    well = looks({}, *[SICK[name]] * (count - 1))
    assert name not in troubles.found(well) or count == 5  # Of moves there is one less.
    assert troubles.found(looks(*[ALMOST[name]] * 6)) == []


@pytest.mark.parametrize("name", troubles.TROUBLES)
def test_nothing_but_what_cannot_mend_itself_is_named_in_the_warm_up(name):
    early = looks(*[SICK[name]] * 6, first=300)
    at_once = troubles.TROUBLES[name].looks == 1
    assert troubles.found(early, warm_up=1000) == ([name] if at_once else [])
    assert troubles.found(early, warm_up=300) == [name]


def test_what_mends_itself_is_not_named():
    assert troubles.found(looks(*({"present": p} for p in (0.2, 0.3, 0.45)))) == []
    assert troubles.found(looks(*({"present": p} for p in (0.3, 0.2, 0.3)))) == ["few_modes"]
    assert troubles.found(looks(*({"variety": v} for v in (0.05, 0.1, 0.19)))) == []


def test_what_was_not_measured_is_not_judged():
    assert troubles.found([]) == []
    assert troubles.found([{"step": 5000 + k, "finite": 1.0} for k in range(8)]) == []


@pytest.mark.parametrize("name", troubles.TROUBLES)
def test_the_sentence_has_its_numbers_and_what_helps(name):
    said = troubles.sentence(name, {**WELL, **SICK[name], "shares": [0.5, 0.5]})
    assert "{" not in said and "What helps: " in said and said.endswith(".")
    assert troubles.TROUBLES[name].reason


def test_the_flags_that_it_names_are_flags():
    import re

    import trainers.__main__ as command

    text = " ".join(" ".join(t.remedies) for t in troubles.TROUBLES.values())
    named = set(re.findall(r"--(\w+)", text))
    assert named and named <= set(command.FLAGS)
