"""Objects in the words of JSON: a class with its arguments, `{"R1": {"weight": 1.0}}`."""

import ast
import inspect

from trainers import objectives
from trainers.runs import choices
from zoo.validation import check_choice, nearest, refuse_arguments

CLASSES = {
    **{cls.__name__: cls for cls in (*objectives.OBJECTIVES.values(), objectives.FDivergence)},
    **choices.PENALTIES,
    **choices.PERTURBATIONS,
    **choices.OPTIMIZERS,
    **choices.LEARNING_RATES,
}


def resolve(value):
    """The object that JSON describes, made; other values as they are.

    Args:
        value: `{"Adam": {"learning_rate": 0.001}}`, a list of such, or anything else. An argument
            may be an object too, a schedule of a learning rate, say.

    Raises:
        ValueError: If a class is unknown or its arguments do not fit.
    """
    if isinstance(value, list):
        return [resolve(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or not isinstance(arguments := next(iter(value.values())), dict):
        raise ValueError(
            '`value` is no class with its arguments. Expected {"R1": {"weight": 1.0}}, say. '
            f"Received: {value!r}"
        )
    name = next(iter(value))
    if name not in CLASSES:
        raise ValueError(
            f"`{name}` is an unknown class. Expected a penalty, a perturbation, an objective, or "
            f"an optimizer or schedule of Keras{nearest(name, CLASSES)}. Received: {value!r}"
        )
    try:
        return call(CLASSES[name], arguments)
    except TypeError as error:
        raise ValueError(
            f"The arguments of `{name}` do not fit: {error}. Expected those of its constructor. "
            f"Received: {value!r}"
        ) from error


def call(function, arguments):
    """Calls a class or a method with the objects that JSON describes.

    Args:
        function: A callable.
        arguments: dict. Its keyword arguments; each is resolved.

    Raises:
        ValueError: If it has no such argument, or an argument cannot be resolved.
    """
    parameters = inspect.signature(function).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        unknown = {name: value for name, value in arguments.items() if name not in parameters}
        refuse_arguments(function.__qualname__, unknown, parameters)
    return function(**{name: resolve(value) for name, value in arguments.items()})


def short_name(cls):
    """How a class is called on a command line: `"r1"`, `"gradient"`, `"label_flips"`, `"adam"`."""
    name = cls.__name__
    if name in choices.OPTIMIZERS or name.isupper():
        return name.lower()
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in name).lower()
    return words.strip("_").removesuffix("_penalty")


def from_text(text, classes, argument):
    """An object in the words of JSON from those of a command line.

    `"r1:10:every=16"` is `{"R1": {"weight": 10.0, "every": 16}}`: the class's `short_name` or its
    own, the first arguments in their order, further ones by name.

    Args:
        text: str.
        classes: dict of classes by name.
        argument: str. Where the text was given, for the messages.

    Raises:
        ValueError: If there is no such class, or its arguments do not fit.
    """
    by_name = {short_name(cls): cls for cls in classes.values()}
    given, *parts = text.strip().split(":")
    own = {cls.__name__.lower(): name for name, cls in by_name.items()}
    name = own.get(given.lower(), given.removesuffix("_penalty"))
    check_choice(by_name, "; arguments after colons, as name:1.0:every=16", **{argument: name})
    cls = by_name[name]
    parameters = inspect.signature(cls).parameters
    places = [n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    arguments = {}
    for place, part in enumerate(parts):
        key, equals, value = part.rpartition("=")
        if not equals and place >= len(places):
            raise ValueError(
                f"`{argument}` has too many arguments. Expected at most {places}. "
                f"Received: {argument}={text!r}"
            )
        key = key if equals else places[place]
        if key not in places:
            raise ValueError(
                f"`{argument}` names {key!r}, no argument of {cls.__name__}{nearest(key, places)}. "
                f"Expected some of {places}. Received: {argument}={text!r}"
            )
        known = parameters.get(key)
        arguments[key] = _value(value, getattr(known, "default", None), argument, text)
    made = {cls.__name__: arguments}
    resolve(made)  # Raises here, where the text is known.
    return made


def _value(text, default, argument, whole):
    """A value of a command line: a number like the default, true, false or none."""
    known = {"true": True, "false": False, "none": None}
    if text.lower() in known:
        return known[text.lower()]
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        value = None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(
            f"`{argument}` has an argument that is no number. Expected numbers, true, false or "
            f"none. Received: {text!r} in {argument}={whole!r}"
        )
    return float(value) if isinstance(default, float) else value
