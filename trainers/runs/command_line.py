"""The flags of `python -m trainers`: what they are, and the run that they ask for."""

import dataclasses

from absl import flags

from trainers import objectives, other_names
from trainers.runs import arguments, choices, objects
from trainers.runs.settings import Details, Settings
from zoo import toys
from zoo.validation import nearest

FIELDS = {field.name: field for field in dataclasses.fields(Settings)}
PENALTIES = {f"{player}_penalty": f"{player}_penalties" for player in arguments.PLAYERS}
OPTIMIZERS = ("optimizer", *(f"{player}_optimizer" for player in arguments.PLAYERS))
PERTURBATIONS = {objects.short_name(cls): cls for cls in choices.PERTURBATIONS.values()}
# What an autoencoder has no opponent for.
OF_GAMES = {*PENALTIES, *OPTIMIZERS[1:], *PERTURBATIONS, "label_smoothing", "ema_decay"}
OF_GAMES |= {name for name, a in arguments.FLAGS.items() if a.place in ("trainer", "objective")}
# The same setting where a recipe's details name it.
ALIASES = {"conditional": "num_classes", "precision": "dtype", "objective": "divergence"}


# Which depend on the size of the images, and on the player.
RESNET_FILTERS = ", resnet 256 and 128, and 64 beyond 32 pixels"


class _Integers(flags.ArgumentParser):
    """A parser of integers with commas between them."""

    syntactic_help = "integers with commas"

    def parse(self, argument):
        if isinstance(argument, tuple):
            return argument
        return tuple(int(part) for part in argument.split(",") if part.strip())

    def flag_type(self):
        return "integers"


class _Choice(flags.EnumParser):
    """A parser of one of several names, which offers the nearest for another."""

    def parse(self, argument):
        try:
            return super().parse(argument)
        except ValueError as error:
            meant = nearest(argument, self.enum_values, other_names.OBJECTIVES)
            raise ValueError(f"{error}{meant}") from None


DEFINE = {
    str: flags.DEFINE_string,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_bool,
}


def define(flag_values):
    """Defines a flag for each setting, and for each argument of the classes that it chooses."""
    for name, field in FIELDS.items():
        help, kinds = field.metadata["help"], field.metadata["choices"]
        if name in ("filters", "latent_dim"):
            numbers = arguments.defaults(name).replace(", resnet", "") + RESNET_FILTERS
            help += f" Default: {numbers if name == 'filters' else arguments.defaults(name)}."
        if kinds:
            enum = flags.EnumFlag(name, field.default, help, kinds)
            enum.parser = _Choice(kinds)
            flags.DEFINE_flag(enum, flag_values=flag_values)
        else:
            DEFINE[field.type](name, field.default, help, flag_values=flag_values)
    _define_objects(flag_values)
    for name, argument in arguments.FLAGS.items():
        help = f"{argument.help} Of {argument.defaults()}."
        if argument.kind is tuple:
            flags.DEFINE(_Integers(), name, None, help, flag_values=flag_values)
        else:
            DEFINE[argument.kind](name, None, help, flag_values=flag_values)


def _define_objects(flag_values):
    """Defines the flags whose values are objects: `r1:10`, `adam:0.001:beta_1=0.5`."""
    names = ", ".join(objects.short_name(cls) for cls in choices.PENALTIES.values())
    for name in PENALTIES:
        player = name.partition("_")[0]
        flags.DEFINE_multi_string(
            name,
            None,
            f"A term of the {player}'s loss with its weight, as r1:10, or r1:10:every=16; several "
            f"with commas, or by several flags: {names}. Instead of those of the family; none "
            "takes these away.",
            flag_values=flag_values,
        )
    for name in OPTIMIZERS:
        whose = "both players" if name == "optimizer" else f"the {name.partition('_')[0]} alone"
        flags.DEFINE_string(
            name,
            None,
            f"Keras's optimizer of {whose} with its learning rate and other arguments, as "
            "adam:0.0002:beta_1=0.5.",
            flag_values=flag_values,
        )
    for name, cls in PERTURBATIONS.items():
        flags.DEFINE_string(
            name,
            None,
            f"{cls.__doc__.strip().splitlines()[0].replace('`', '')} A number, or "
            "START:END:STEPS, which falls linearly. Default: 0.",
            flag_values=flag_values,
        )
    flags.DEFINE_float(
        "label_smoothing",
        None,
        "One-sided, of minimax and non_saturating: 0.1 is --real_target=0.9.",
        flag_values=flag_values,
    )


def given(flag_values):
    """The flags that decide a run and were given: dict of their values."""
    own = [*FIELDS, *PENALTIES, *OPTIMIZERS, *PERTURBATIONS, "label_smoothing", *arguments.FLAGS]
    return {name: flag_values[name].value for name in own if flag_values[name].present}


def run_of(given, settings=None, details=None):
    """What flags ask for: `Settings` and `Details`.

    Args:
        given: dict of the flags that were given.
        settings: `Settings` of a recipe, optional, over which the flags prevail.
        details: `Details` of that recipe.

    Raises:
        ValueError: If a flag is wrong, or of no use with the others.
    """
    own = {name: value for name, value in given.items() if name in FIELDS}
    settings = dataclasses.replace(settings, **own) if settings else Settings(**own)
    _check_use(given, settings)
    given = dict(given)
    if "label_smoothing" in given:
        given.setdefault("real_target", 1.0 - given["label_smoothing"])
    placed = arguments.placed(settings, {n: v for n, v in given.items() if n in arguments.FLAGS})
    base = _without(details or Details(), own)
    return settings, Details(
        **{
            place: {**getattr(base, place), **placed[place]}
            for place in (*arguments.PLAYERS, "trainer")
        },
        compile=_compile(base.compile, settings, given, placed["objective"]),
    )


def _without(details, settings):
    """A recipe's details without what settings that were given say in its place."""
    names = {*settings, *(ALIASES[name] for name in settings if name in ALIASES)}
    kept = {
        place: {name: value for name, value in arguments.items() if name not in names}
        for place, arguments in dataclasses.asdict(details).items()
    }
    if "learning_rate" in settings:
        for name, value in kept["compile"].items():
            if name.endswith("optimizer") and isinstance(value, dict):
                ((kind, own),) = value.items()
                own = {**own, "learning_rate": settings["learning_rate"]}
                kept["compile"][name] = {kind: own}
    return Details(**kept)


def _compile(base, settings, given, objective):
    """The arguments of `compile`: those of a recipe, and over them those of flags."""
    found = dict(base)
    if objective:
        name = arguments.objective(settings)
        cls = objectives.OBJECTIVES.get(name, objectives.FDivergence)
        own = {} if name in objectives.OBJECTIVES else {"divergence": name}
        found["objective"] = {cls.__name__: {**own, **objective}}
    for flag in (name for name in OPTIMIZERS if name in given):
        made = objects.from_text(given[flag], choices.OPTIMIZERS, flag)
        names = [flag] if flag != "optimizer" or settings.trainer == "vae" else OPTIMIZERS[1:]
        found |= {name: made for name in names}
    for flag, name in PENALTIES.items():
        if flag in given:
            texts = [text for value in given[flag] for text in value.split(",")]
            texts = [] if texts == ["none"] else texts
            found[name] = [objects.from_text(text, choices.PENALTIES, flag) for text in texts]
    for flag in (name for name in PERTURBATIONS if name in given):
        name = PERTURBATIONS[flag].__name__
        others = [p for p in found.get("perturbations", []) if name not in p]
        found["perturbations"] = [*others, *_perturbation(name, flag, given[flag])]
    return found


def _perturbation(name, flag, text):
    """A list of the perturbation that a text asks for: of a number, or of a schedule."""
    try:
        numbers = [float(part) for part in text.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3) or len(numbers) == 3 and not numbers[2] >= 1:
        raise ValueError(
            f"`--{flag}` is no strength. Expected a number, or START:END:STEPS. "
            f"Received: --{flag}={text}"
        )
    scale = numbers[0]
    if numbers[1:]:
        end, steps = numbers[1:]
        fall = {"initial_learning_rate": scale, "decay_steps": int(steps)}
        scale = {"PolynomialDecay": {**fall, "end_learning_rate": end}}
    made = {name: {"scale": scale}}
    objects.resolve(made)  # Raises here, before any work.
    return [] if scale == 0 else [made]


def _check_use(given, settings):
    """Raises a `ValueError` for a flag that would change nothing."""
    for flag, other in (
        ("steps", "epochs"),
        ("sample_every_steps", "sample_every"),
        ("label_smoothing", "real_target"),
    ):
        if flag in given and other in given:
            raise ValueError(
                f"`--{flag}` stands in the place of `--{other}`. Expected one of them. Received: "
                f"--{flag}={given[flag]} and --{other}={given[other]}"
            )
    kind = settings.dataset.partition(":")[0]
    no_folder = kind in ("mnist", "stacked_mnist", "keras", "tfds", *toys.TOYS)
    useless = {
        "score_every": not settings.score and "--score",
        "score_samples": not settings.score and "--score",
        "score_extractor": not settings.score and "--score",
        "data_dir": kind != "tfds" and "--dataset=tfds:NAME",
        "skip_unreadable": no_folder and "a folder of images for --dataset",
    }
    if settings.trainer == "vae":
        useless |= dict.fromkeys(OF_GAMES, "a --trainer of two players")
    for flag, wanted in useless.items():
        if wanted and given.get(flag):
            raise ValueError(
                f"`--{flag}` would change nothing. Expected it with {wanted}. Received: "
                f"--{flag}={given[flag]}, --dataset={settings.dataset}, --trainer="
                f"{settings.trainer}"
            )
    rates = [name for name in OPTIMIZERS if ":" in str(given.get(name) or "")]
    if rates and "learning_rate" in given:
        raise ValueError(
            f"`--learning_rate` would take the place of the one in --{rates[0]}. Expected one of "
            f"them. Received: --learning_rate={given['learning_rate']} and "
            f"--{rates[0]}={given[rates[0]]}"
        )
