"""Arguments of the classes that a run is made of, as flags: read from their signatures."""

import dataclasses
import inspect
import re

import zoo
from trainers import objectives
from trainers.runs.choices import FAMILIES, TRAINERS

# Settings of a run, or of all layers alike; models, which a command line cannot name.
TAKEN = {"generator", "discriminator", "seed", "schedule", "discriminator_steps", "divergence"}
TAKEN |= {"image_shape", "num_classes", "dtype", "latent_dim", "filters"}
MODELS = {"feature_extractor", "held_out_extractor"}
# The kinds of arguments whose default is `None`.
KINDS = {"max_filters": int, "levels": tuple, "feature_layer": str, "kernel_initializer": str}
# What several classes mean by a name, or a paper by a letter.
WORDS = {
    "units": "Widths of the hidden dense layers, with commas.",
    "batch_normalization": "Whether hidden layers have it: of dcgan the discriminator's, of mlp "
    "the generator's.",
    "weight": "Weight of the trainer's own term.",
    "packing": "Samples that the discriminator judges together, the m of PacGAN.",
    "clip": "The critic's weights are clipped to [-clip, clip].",
    "unroll_steps": "Steps of the discriminator that the generator looks ahead.",
    "real_target": "What D should say of real samples; 0.9 is one-sided label smoothing.",
    "trainer_levels": "Numbers of the levels that are trained, with commas. Default: all.",
}
PLAYERS = ("generator", "discriminator")
EMPTY = inspect.Parameter.empty


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument of some classes that one flag stands for.

    Attributes:
        name: str. Of the argument.
        place: str. Which of `Details` it belongs to, or `"players"` for both of them.
        kind: type. `tuple` is of integers.
        owners: dict from (the family, the trainer or the objective, `"generator"` or
            `"discriminator"` where it is a player's) to the default there.
        help: str. What the class's docstring says of it first.
    """

    name: str
    place: str
    kind: type
    owners: dict
    help: str

    def defaults(self):
        """The owners with their defaults, in a few words."""
        values = {}
        for (owner, *_), value in self.owners.items():
            text = _as_flag(value)
            found = values.setdefault(owner, [])
            if text not in found:
                found.append(text)
        words = (
            f"{owner} {' and '.join(filter(None, found))}".strip()
            for owner, found in values.items()
        )
        return ", ".join(words)

    def belongs_to(self):
        """The names of the owners, each once."""
        return list(dict.fromkeys(owner for owner, *_ in self.owners))


def _as_flag(value):
    """A default as it is written on a command line; `None` is no word."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _parameters(cls, taken=TAKEN | MODELS):
    """The arguments of a class itself with their defaults, without those that are `taken`."""
    parameters = inspect.signature(cls).parameters.values()
    return {
        p.name: None if p.default is EMPTY else p.default
        for p in parameters
        if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in taken
    }


def described(cls, name):
    """The first sentence that the docstring of a class says of an argument, without its type."""
    text = inspect.getdoc(cls).partition("Args:")[2]
    found = re.search(rf"^    {name}: (.*?)(?=^    \w|^\w|\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        return ""
    words = " ".join(found[1].replace("`", "").split())
    words = re.sub(r"^(Positive )?(int|float|str|bool|tuple)\b[^.]*(\.\d[^.]*)*\. ", "", words)
    return re.split(r"(?<=[^.])\.(?= |$)", words)[0].rstrip(".") + "."


def _collected(classes, place, taken=TAKEN | MODELS):
    """`{name: Argument}` of classes by their owners."""
    found = {}
    for owner, cls in classes.items():
        for name, default in _parameters(cls, taken).items():
            argument = found.get(name)
            if argument is None:
                kind = KINDS.get(name, str) if default is None else type(default)
                help = WORDS.get(name) or described(cls, name)
                argument = Argument(name, place, kind, {}, help)
                found[name] = argument
            argument.owners[owner] = default
    return found


def _of_players():
    """The flags of the players: for both of a pair, and for one where both have the argument."""
    classes = {
        (family, player): cls
        for family, pair in FAMILIES.items()
        for player, cls in zip(PLAYERS, pair, strict=True)
    }
    found = _collected({**classes, ("vae", "generator"): zoo.VAE}, "players")
    flags = dict(found)
    for name, argument in found.items():
        for player in PLAYERS:
            own = {owner: v for owner, v in argument.owners.items() if owner[1] == player}
            others = {family for family, who in argument.owners if who != player}
            shared = {owner: v for owner, v in own.items() if owner[0] in others}
            if shared and name != "levels":  # Of which both have equally many.
                flags[f"{player}_{name}"] = dataclasses.replace(
                    argument, place=player, owners=own, help=f"--{name} of the {player} alone."
                )
    return flags


def _of_trainers(taken):
    """The flags of the trainers' classes; one that a player has too is called `trainer_NAME`."""
    classes = {(name,): cls for name, cls in TRAINERS.items() if name != "vae"}
    flags = {}
    for name, argument in _collected(classes, "trainer").items():
        flag = f"trainer_{name}" if name in taken else name
        flags[flag] = dataclasses.replace(argument, help=WORDS.get(flag, argument.help))
    packers = {owner: 1 for owner in classes if owner != ("laplacian",)}  # They share it.
    return {**flags, "packing": Argument("packing", "trainer", int, packers, WORDS["packing"])}


def defaults(name):
    """The defaults of an argument of players that is a setting of both, in a few words."""
    classes = {(family,): pair[0] for family, pair in FAMILIES.items()}
    return _collected({**classes, ("vae",): zoo.VAE}, "players", MODELS)[name].defaults()


PLAYER_FLAGS = _of_players()
FLAGS = {
    **PLAYER_FLAGS,
    **_of_trainers(PLAYER_FLAGS),
    **_collected({(n,): cls for n, cls in objectives.OBJECTIVES.items()}, "objective"),
}


def placed(settings, given):
    """Arguments that were given as flags, each where `Details` has it.

    Args:
        settings: `Settings`, which say the family, the trainer and the objective.
        given: dict from names of `FLAGS` to values.

    Returns:
        A dict of dicts, with the keys `generator`, `discriminator`, `trainer` and `objective`.

    Raises:
        ValueError: If the family, the trainer or the objective has no such argument.
    """
    places = {name: {} for name in (*PLAYERS, "trainer", "objective")}
    family = "vae" if settings.trainer == "vae" else settings.generator
    for flag in (name for name in FLAGS if name in given):  # Those of one player come last.
        argument, value = FLAGS[flag], given[flag]
        value = list(value) if isinstance(value, tuple) else value
        if argument.place in (*PLAYERS, "players"):
            homes = [who for owner, who in argument.owners if owner == family]
        else:
            chosen = settings.trainer if argument.place == "trainer" else objective(settings)
            homes = [argument.place] if (chosen,) in argument.owners else []
        if flag == "generator_loss" and not homes:  # The same of an objective that is a divergence.
            homes, argument = ["objective"], dataclasses.replace(argument, name="generator")
            homes = homes if objective(settings) not in objectives.OBJECTIVES else []
        if not homes:
            raise _refused(flag, argument, settings)
        for home in homes:
            places[home][argument.name] = value
    return places


def objective(settings):
    """The name of the objective that is played."""
    compiled = inspect.signature(TRAINERS[settings.trainer].compile).parameters
    default = compiled["objective"].default if "objective" in compiled else None
    return settings.objective or default or ""


def _refused(flag, argument, settings):
    chosen = {
        "trainer": f"trainer={settings.trainer!r}",
        "objective": f"objective={objective(settings)!r}",
    }.get(argument.place, f"generator={settings.generator!r}, trainer={settings.trainer!r}")
    owners = argument.belongs_to()
    return ValueError(
        f"`--{flag}` is no argument of what was chosen. Expected it with one of "
        f"{', '.join(owners)}. Received: --{flag} with {chosen}"
    )
