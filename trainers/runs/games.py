"""The published game of a family of players: what it plays where nothing else is asked for."""

import dataclasses

ADAM = {"Adam": {"learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.9}}
OPTIMIZERS = {"generator_optimizer": ADAM, "discriminator_optimizer": ADAM}


@dataclasses.dataclass(frozen=True)
class Game:
    """What a paper's players want, in the words of a recipe.

    Attributes:
        settings: dict. Of `trainers.runs.settings.Settings`.
        compile: dict. Of `trainers.runs.settings.Details`.
    """

    settings: dict = dataclasses.field(default_factory=dict)
    compile: dict = dataclasses.field(default_factory=dict)


# What no paper of a family decides. The objective and the optimizers are those of `GAN.compile`:
# DCGAN's (Radford et al., 2016, section 4), which serve the perceptrons and LAPGAN too.
PLAIN = Game({"ema_decay": 0.99})
# With --trainer=gan. Another trainer is a paper of its own, with its own values.
GAMES = {
    # Miyato et al., 2018, section 4 and appendix B.4.
    "resnet": Game({"objective": "hinge", "discriminator_steps": 5}, OPTIMIZERS),
    # Huang et al., 2024, section 4 and appendix.
    "r3gan": Game(
        {"objective": "relativistic_pairing", "ema_decay": 0.999},
        {
            **OPTIMIZERS,
            "discriminator_penalties": [{"R1": {"weight": 0.05}}, {"R2": {"weight": 0.05}}],
        },
    ),
}


def settings(generator, trainer, schedule=None):
    """The settings of the game of a family and a trainer: dict, for those that nobody gave."""
    own = dict(_game(generator, trainer).settings)
    if schedule == "simultaneous":  # There players make equally many steps.
        own.pop("discriminator_steps", None)
    return {**PLAIN.settings, **own}


def completed(settings, details):
    """Details with what the game of the settings' players brings, where they say nothing."""
    game = _game(settings.generator, settings.trainer)
    return dataclasses.replace(details, compile={**game.compile, **details.compile})


def _game(generator, trainer):
    return GAMES.get(generator, PLAIN) if trainer == "gan" else PLAIN
