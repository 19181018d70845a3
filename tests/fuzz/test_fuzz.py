"""A hundred of the cases of `make fuzz`, which has thousands, and every flag of every command."""

import random

import pytest

from tests.fuzz import arguments, calls, cases, files, flags, values
from zoo import command

# Of everything that has a check of its own, without nets to be made.
QUICK = [
    "latents.walk",
    "latents.normal",
    "latents.draw",
    "latents.from_seed",
    "toys.Mixture",
    "toys.ring",
    "pixels.to_unit",
    "pictures.grid",
    "neighbours.nearest",
    "players.generate",
    "players.discriminate",
    "MLPGenerator",
    "evaluation.Memorisation",
    "evaluation.NearestNeighbourError",
    "evaluation.check_comparable",
    "evaluation.f_divergence",
    "evaluation.sliced_wasserstein",
    "confidence_intervals.bootstrap_interval",
    "objectives.Minimax",
    "WassersteinGAN",
]


def _drawn(name):
    """Arguments of which one is another, the same each time."""
    call, rng = calls.CALLS[name], random.Random(name)
    argument = rng.choice(sorted(call.arguments))
    return call, {**call.arguments, argument: rng.choice(arguments.ODD)}


@pytest.mark.parametrize("name", QUICK)
def test_arguments(name):
    call = calls.CALLS[name]
    assert cases.called(call, call.arguments) == "right"
    assert cases.called(*_drawn(name)) in ("right", "refused")


@pytest.mark.parametrize("change", files.CHANGES)
@pytest.mark.parametrize("format", files.FORMATS)
def test_files(format, change):
    rng = random.Random(f"{format} {change}")
    place, bit = rng.randrange(10**6), rng.randrange(30)
    assert cases.read(format, change, place, bit) in ("right", "refused")


def test_a_judge_sees_what_is_wrong():
    def deep():
        raise ValueError("Expected by a stranger")

    for function in (deep, lambda: {}["x"], lambda: [][0]):
        with pytest.raises(cases.judge.Fault):
            cases.judge.outcome(function)
    other = arguments.Call(lambda x: x, {"x": 1}, lambda result, given: result == 2)
    with pytest.raises(cases.judge.Fault, match="another result"):
        cases.called(other, {"x": 1})
    assert values.anything().validate() is None


def test_every_wrong_flag_names_itself_and_what_it_wants(capsys):
    told = 0
    for name, flag, text in flags.wrong():
        own = flags.COMMANDS[name]
        try:
            with pytest.raises(SystemExit) as stop:
                command.run(lambda a: pytest.fail("ran"), "Usage", own, ["x", f"--{flag}={text}"])
        finally:
            own.unparse_flags()
        said = capsys.readouterr().err
        assert stop.value.code == 2 and f"--{flag}={text}" in said and "Expected" in said, said
        told += 1
    assert told > 400
