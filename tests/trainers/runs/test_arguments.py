"""Arguments as flags: every one of every class is there, and goes where its class takes it."""

import inspect

import pytest

import zoo
from trainers import objectives
from trainers.runs import arguments
from trainers.runs.choices import FAMILIES, TRAINERS
from trainers.runs.settings import Settings

# Settings of the run; the shape, the classes and the dtype that the data and settings decide; and
# models, which a command line cannot name.
ELSEWHERE = {"seed", "schedule", "discriminator_steps", "divergence", "latent_dim", "filters"}
ELSEWHERE |= {"image_shape", "num_classes", "dtype", "generator", "discriminator", "kwargs"}
ELSEWHERE |= {"feature_extractor", "held_out_extractor"}


@pytest.mark.parametrize(
    "place, owner, cls",
    [("generator", family, pair[0]) for family, pair in FAMILIES.items()]
    + [("discriminator", family, pair[1]) for family, pair in FAMILIES.items()]
    + [("generator", "vae", zoo.VAE)]
    + [("trainer", name, cls) for name, cls in TRAINERS.items() if name != "vae"]
    + [("objective", name, cls) for name, cls in objectives.OBJECTIVES.items()],
)
def test_every_argument_has_a_flag(place, owner, cls):
    names = set(inspect.signature(cls).parameters) - ELSEWHERE
    places = {place} if place in ("trainer", "objective") else {place, "players"}
    found = {
        argument.name
        for argument in arguments.FLAGS.values()
        if argument.place in places and owner in argument.belongs_to()
    }
    assert names <= found


def test_every_flag_says_what_it_is():
    for name, argument in arguments.FLAGS.items():
        assert len(argument.help) > 10 and argument.help.endswith("."), name
        assert "`" not in argument.help and argument.belongs_to()


def test_where_arguments_go():
    given = {"units": (8, 4), "discriminator_units": (3,), "unroll_steps": 2, "real_target": 0.9}
    settings = Settings(generator="mlp", trainer="unrolled")
    assert arguments.placed(settings, given) == {
        "generator": {"units": [8, 4]},
        "discriminator": {"units": [3]},
        "trainer": {"unroll_steps": 2},
        "objective": {"real_target": 0.9},
    }
    vae = arguments.placed(Settings(trainer="vae"), {"units": (5,), "likelihood": "gaussian"})
    assert vae["generator"] == {"units": [5], "likelihood": "gaussian"}
    levels = arguments.placed(Settings(generator="lapgan"), {"levels": 2, "trainer_levels": (0,)})
    assert levels["generator"] == levels["discriminator"] == {"levels": 2}
    assert levels["trainer"] == {"levels": [0]}


def test_the_generators_loss_of_a_divergence():
    """FGAN has it itself, and in another trainer the objective has."""
    given = {"generator_loss": "exact"}
    fgan = arguments.placed(Settings(trainer="fgan"), given)
    assert fgan["trainer"] == {"generator_loss": "exact"} and not fgan["objective"]
    gan = arguments.placed(Settings(objective="kl"), given)
    assert gan["objective"] == {"generator": "exact"} and not gan["trainer"]


@pytest.mark.parametrize(
    "flag, value, settings, message",
    [
        ("blocks", 2, {"dataset": "ring"}, "`--blocks` is no.*with one of r3gan.*generator='mlp'"),
        ("clip", 0.1, {}, "`--clip` is no argument.*one of wasserstein. .*trainer='gan'"),
        ("units", (3,), {"generator": "r3gan"}, "`--units` is no.*dcgan, lapgan, mlp, vae.*r3gan"),
        ("prior", "normal", {"trainer": "vae"}, "`--prior` is no argument.*trainer='vae'"),
        ("real_target", 0.9, {"objective": "hinge"}, "`--real_target` is no.*objective='hinge'"),
        ("generator_loss", "exact", {}, "`--generator_loss` is no.*with one of fgan"),
    ],
)
def test_what_was_chosen_has_no_such_argument(flag, value, settings, message):
    with pytest.raises(ValueError, match=message):
        arguments.placed(Settings(**settings), {flag: value})


def test_the_first_sentence_of_a_docstring():
    assert arguments.described(zoo.MLPDiscriminator, "pieces") == "Pieces of a maxout unit."
    assert arguments.described(zoo.MLPDiscriminator, "dropout") == (
        "Share of the hidden units dropped in training."
    )
    assert arguments.described(zoo.MLPGenerator, "nothing") == ""
    assert "dcgan 64" in arguments.defaults("filters")
    assert "vae 20" in arguments.defaults("latent_dim")
