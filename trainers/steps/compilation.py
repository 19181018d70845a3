"""What `compile` is given, checked as a whole before anything of the trainer changes."""

import dataclasses

from trainers import objectives
from trainers.penalties import Penalty
from trainers.perturbations import Perturbation
from trainers.steps import checks
from trainers.steps.optimizers import chosen
from zoo.validation import check_number

PLAYERS = ("generator", "discriminator")


@dataclasses.dataclass(frozen=True)
class Compilation:
    """The arguments of `compile` as objects.

    Attributes:
        objective: `trainers.objectives.Objective`.
        optimizers: dict of a Keras optimizer for each player.
        given: dict of the penalties that were given for each player.
        penalties: dict of all penalties of each player, those of the class first.
        perturbations: Tuple of `trainers.perturbations.Perturbation`.
        ema_decay: float, or `None`.
        keras: dict of the arguments that are Keras's own.
    """

    objective: objectives.Objective
    optimizers: dict
    given: dict
    penalties: dict
    perturbations: tuple
    ema_decay: float | None
    keras: dict

    @property
    def objects(self):
        """All objects whose operations may stand in the training step."""
        penalties = [p for player in PLAYERS for p in self.penalties[player]]
        return [self.objective, *self.optimizers.values(), *penalties, *self.perturbations]

    def config(self):
        """The arguments of a `compile` that does the same."""
        return {
            "objective": self.objective,
            **{f"{name}_optimizer": self.optimizers[name] for name in PLAYERS},
            **{f"{name}_penalties": list(self.given[name]) for name in PLAYERS},
            "perturbations": list(self.perturbations),
            "ema_decay": self.ema_decay,
            **self.keras,
        }


def checked(trainer, objective, optimizers, penalties, perturbations, ema_decay, keras_arguments):
    """A `Compilation` for a trainer.

    Args:
        trainer: A `trainers.trainer.Trainer`. Nothing of it is changed.
        objective: Name, config or `Objective`.
        optimizers: dict of an optimizer, its name or `None` for each player.
        penalties: dict of a penalty or a list of them for each player.
        perturbations: A perturbation or a list of them.
        ema_decay: float in [0, 1), or `None`.
        keras_arguments: dict of `jit_compile`, `steps_per_execution` and `run_eagerly`.

    Raises:
        ValueError: If a name is unknown, a number out of range, or a penalty has no meaning for
            its player.
    """
    checks.check_keras_arguments(
        keras_arguments["jit_compile"], keras_arguments["steps_per_execution"]
    )
    objective = objectives.get(objective)
    moved_by = chosen(optimizers, trainer)
    given = {
        name: checks.as_tuple(penalties[name], Penalty, f"{name}_penalties") for name in PLAYERS
    }
    for name in PLAYERS:
        checks.check_penalties(name, given[name])
    perturbations = checks.as_tuple(perturbations, Perturbation, "perturbations")
    if ema_decay is not None:
        check_number("a number in [0, 1), or None", ema_decay=ema_decay)
    if ema_decay is not None and not 0 <= ema_decay < 1:
        raise ValueError(
            "`ema_decay` is out of range. Expected a number in [0, 1), the share of the old "
            f"average that is kept, or None. Received: ema_decay={ema_decay}"
        )
    own = trainer.own_penalties()
    every = {name: (*own[name], *given[name]) for name in PLAYERS}
    return Compilation(
        objective, moved_by, given, every, perturbations, ema_decay, dict(keras_arguments)
    )
