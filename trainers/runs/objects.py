"""Objects in the words of JSON: a class with its arguments, `{"R1": {"weight": 1.0}}`."""

import inspect

from trainers.runs import choices
from zoo.validation import nearest

CLASSES = {
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
            f"`{name}` is an unknown class. Expected a penalty, a perturbation, or an optimizer or "
            f"schedule of Keras{nearest(name, CLASSES)}. Received: {value!r}"
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
    unknown = [name for name in arguments if name not in parameters]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        raise ValueError(
            f"`{unknown[0]}` is no argument of {function.__qualname__}"
            f"{nearest(unknown[0], parameters)}. Expected some of {list(parameters)}. "
            f"Received: {unknown}"
        )
    return function(**{name: resolve(value) for name, value in arguments.items()})
