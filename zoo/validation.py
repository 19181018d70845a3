"""Checks of arguments, made before any work starts; every message names its argument first."""

import difflib
import inspect
import itertools
import math
import os
import pathlib
import sys

import numpy as np

LARGEST = 1 << 20  # Of a size: coordinates, maps or units.
KINDS = {"i": "integers", "u": "unsigned integers", "f": "floats", "b": "truth values"}
INTEGERS = 1 << 63  # Of 64 bits: from minus this to below it.


def nearest(name, names, aliases=None):
    """`"; did you mean 'ring'"` when one of the names resembles `name`, else `""`.

    Args:
        name: What was given.
        names: What there is.
        aliases: Dict from what else people call them to names, in lower case and with `_`.
    """
    meant = (aliases or {}).get(str(name).lower().replace("-", "_"))
    if meant in [str(n) for n in names]:
        return f"; did you mean {meant!r}"
    close = difflib.get_close_matches(str(name), [str(n) for n in names], n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(map(repr, close))}" if close else ""


def parameter_names(*functions):
    """The names of the arguments of functions or classes, each once; `*args` and the like not."""
    names = {}
    for function in functions:
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                names[parameter.name] = None
    return [name for name in names if name != "self"]


def refuse_arguments(of, unknown, names, remedies=None, aliases=None):
    """Raises a `ValueError` for the first of the arguments that nobody takes, if there is one.

    Args:
        of: What does not take them, for the message.
        unknown: dict of arguments.
        names: Names of those that there are.
        remedies: Dict from names that belong elsewhere to what to use in their place.
        aliases: As of `nearest`.
    """
    if unknown:
        first = next(iter(unknown))
        expected = (remedies or {}).get(first) or f"some of {list(names)}"
        received = ", ".join(f"{name}={in_short(value)}" for name, value in unknown.items())
        close = "" if first in (remedies or {}) else nearest(first, names, aliases)
        raise ValueError(
            f"`{first}` is no argument of {of}{close}. Expected {expected}. Received: {received}"
        )


def in_short(value):
    """A value as it is written, or its type and shape where that is long."""
    try:
        text = repr(value)
    except Exception:  # Of a stranger's class.
        text = "\n"
    if len(text) <= 80 and "\n" not in text:
        return text
    shape = getattr(value, "shape", None)
    of_shape = f" and of shape {tuple(shape)}" if isinstance(shape, tuple) else ""
    return f"one of type {type(value).__name__}{of_shape}"


def check_choice(choices, hint="", aliases=None, **argument):
    """Returns an argument that is one of the choices.

    Args:
        choices: The values; a dict counts by its keys.
        hint: What else would do, for the message: `", or an Objective of yours"`.
        aliases: As of `nearest`.
        **argument: The one argument, by its name.

    Raises:
        ValueError: If it is none of them. The nearest names are offered.
    """
    ((name, value),) = argument.items()
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(
        f"`{name}` is unknown. Expected one of {sorted(choices)}{hint}"
        f"{nearest(value, choices, aliases)}. Received: {name}={in_short(value)}"
    )


def check_integer(minimum=0, most=None, **numbers):
    """Raises a `ValueError` naming the first argument that is no integer of at least `minimum`.

    Args:
        minimum: int.
        most: int, optional. The largest that has a meaning, or comes to an end.
        **numbers: The arguments.
    """
    for name, value in numbers.items():
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < minimum or most is not None and value > most:
            kind = "a positive integer" if minimum == 1 else f"an integer of at least {minimum}"
            kind += f" and at most {most:,}" if whole and value >= minimum else ""
            raise ValueError(
                f"`{name}` is out of range. Expected {kind}. Received: {name}={in_short(value)}"
            )


def check_positive(**numbers):
    """Raises a `ValueError` naming the first argument that is not a positive integer."""
    check_integer(1, **numbers)


def check_seed(seed):
    """Raises a `ValueError` unless `seed` is one integer of 64 bits."""
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not -INTEGERS <= seed < INTEGERS:
        expected = "an int of 64 bits" if whole else "an int"
        raise ValueError(
            f"`seed` is not an integer. Expected {expected}. Received: seed={in_short(seed)}"
        )


def check_callable(expected="a function", **functions):
    """Raises a `ValueError` naming the first argument that cannot be called."""
    for name, function in functions.items():
        if not callable(function):
            raise ValueError(
                f"`{name}` is no function. Expected {expected}. Received: "
                f"{name}={in_short(function)}"
            )


def check_flag(**flags):
    """Raises a `ValueError` naming the first argument that is neither `True` nor `False`."""
    for name, value in flags.items():
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(
                f"`{name}` is neither true nor false. Expected True or False. "
                f"Received: {name}={in_short(value)}"
            )


def check_number(expected="a finite number", **numbers):
    """Raises a `ValueError` naming the first argument that is no finite number.

    Python's numbers, NumPy's and tensors of one number are numbers; truth values and texts are
    none.
    """
    for name, value in numbers.items():
        try:
            fits = not isinstance(value, (bool, np.bool_, str, bytes)) and math.isfinite(value)
        except (TypeError, ValueError, OverflowError):
            fits = False
        if not fits:
            raise ValueError(
                f"`{name}` is no finite number. Expected {expected}. "
                f"Received: {name}={in_short(value)}"
            )


def check_not_negative(**numbers):
    """Raises a `ValueError` naming the first argument that is below 0, or no finite number."""
    check_number("a number of at least 0", **numbers)
    for name, value in numbers.items():
        if value < 0:
            raise ValueError(
                f"`{name}` is negative. Expected a number of at least 0. Received: {name}={value}"
            )


def check_above_zero(**numbers):
    """Raises a `ValueError` naming the first argument that is not above 0 and finite."""
    check_number("a number above 0", **numbers)
    for name, value in numbers.items():
        if value <= 0:
            raise ValueError(
                f"`{name}` is not positive. Expected a number above 0. Received: {name}={value}"
            )


def check_memory(numbers, size=4, /, **argument):
    """Raises a `ValueError` naming the argument for which more numbers are needed than fit here.

    Args:
        numbers: How many of them there would be, at the least.
        size: int. Bytes a number.
        **argument: The one argument that decides it.
    """
    ((name, value),) = argument.items()
    allowed = _memory()
    if numbers * size > allowed:
        raise ValueError(
            f"`{name}` needs more memory than this machine has. Expected less, for {allowed:,} "
            f"bytes. Received: {name}={in_short(value)}, for {numbers * size:,} bytes"
        )


def check_widths(*widths, **argument):
    """`check_memory` of the weights of dense layers, one behind another, of these widths."""
    check_memory(sum(int(a) * int(b) for a, b in itertools.pairwise(widths)), **argument)


def _memory():
    """A quarter of the bytes of this machine's memory: gradients, moments and copies follow."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
    except (AttributeError, OSError, ValueError):  # Not everywhere.
        return 1 << 40


def check_size(**sizes):
    """Raises a `ValueError` naming the first argument that is not one size, a positive integer."""
    check_integer(1, LARGEST, **sizes)


def check_sizes(**sizes):
    """Raises a `ValueError` naming the first argument that is not made of positive integers.

    Args:
        **sizes: Integers, or tuples of them; `None` stands for a size that is not wanted.
    """
    for name, size in sizes.items():
        several = isinstance(size, (tuple, list))
        for number in size if several else (size,):
            if number is not None or several:
                check_integer(1, LARGEST, **{name: number})


def as_tuple(**argument):
    """The one argument, of several values, as a tuple.

    Raises:
        ValueError: If it is one value, or a text.
    """
    ((name, value),) = argument.items()
    try:
        if not isinstance(value, (str, bytes, dict, set)) and getattr(value, "ndim", 1) == 1:
            return tuple(value)
    except TypeError:
        pass
    raise ValueError(
        f"`{name}` is not several values. Expected a tuple, such as (3,). Received: {name}="
        f"{in_short(value)}"
    )


def as_array(kinds=None, ndim=None, **argument):
    """The one argument as a NumPy array.

    Args:
        kinds: NumPy's letters of the kinds of numbers that will do: all, if it is `None`.
        ndim: int, optional. How many axes it has to have.
        **argument: The one argument.

    Raises:
        ValueError: If it is none: rows of several lengths, texts, objects.
    """
    ((name, value),) = argument.items()
    try:
        array = np.asanyarray(value)
        received = f"{name} of shape {array.shape} and dtype {array.dtype}"
    except Exception as error:  # Whatever an object that is no array raises when it is asked.
        array, received = None, f"{name} of which NumPy says: {error}"
    kinds = "".join(KINDS) if kinds is None and array is None else kinds
    if array is None or kinds and array.dtype.kind not in kinds or ndim not in (None, array.ndim):
        axes = "" if ndim is None else f" with {ndim} ax{'i' if ndim == 1 else 'e'}s"
        numbers = " or ".join(words for kind, words in KINDS.items() if kind in (kinds or KINDS))
        raise ValueError(
            f"`{name}` is no array of numbers. Expected an array{axes} of {numbers}. "
            f"Received: {received}"
        )
    return array


def check_model(**argument):
    """Raises a `ValueError` unless the one argument is a Keras model, or behaves as one."""
    ((name, value),) = argument.items()
    if isinstance(value, type) or not (callable(value) and hasattr(value, "built")):
        raise ValueError(
            f"`{name}` is no model. Expected a player of the zoo, or a built Keras model. "
            f"Received: {name}={in_short(value)}"
        )


def check_image_shape(image_shape, hint=""):
    """Returns the shape of an image as a tuple `(height, width, channels)`.

    Raises:
        ValueError: If it is no three positive integers. `hint` says what else would do.
    """
    if isinstance(image_shape, (int, np.integer)):
        image_shape = (image_shape,)
    image_shape = as_tuple(image_shape=image_shape)
    if len(image_shape) != 3:
        raise ValueError(
            f"`image_shape` does not have three sizes. Expected (height, width, channels){hint}. "
            f"Received: image_shape={image_shape}"
        )
    check_sizes(image_shape=image_shape)
    check_memory(math.prod(image_shape), image_shape=image_shape)
    return image_shape


def check_rate(**rates):
    """Raises a `ValueError` naming the first argument outside of [0, 1)."""
    check_number("a number in [0, 1), the share of units to drop", **rates)
    for name, rate in rates.items():
        if not 0 <= rate < 1:
            raise ValueError(
                f"`{name}` is out of range. Expected a number in [0, 1), the share of units to "
                f"drop. Received: {name}={rate}"
            )


def check_labels(labels, num_classes, count=None):
    """Labels as an int32 array of shape `(n,)`.

    Args:
        labels: Integers in `[0, num_classes)` of shape `(n,)` or `(n, 1)`.
        num_classes: int, or `None` for a player without labels.
        count: int, optional. The `n` that is wanted.

    Raises:
        ValueError: If labels are missing, not wanted, not integers, one-hot, out of range, or
            their number is not `count`.
    """
    if num_classes is None:
        if labels is not None:
            raise ValueError(
                "`labels` are given, and the generator has none. Expected labels=None, or a "
                f"generator made with num_classes. Received: labels={in_short(labels)}"
            )
        return None
    if labels is None:
        raise ValueError(
            "`labels` are missing: the generator is conditional. Expected integers in "
            f"[0, {num_classes}). Received: labels=None"
        )
    check_integer(1, num_classes=num_classes)
    labels = as_array(labels=labels)
    if labels.ndim == 2 and labels.shape[1] == num_classes != 1:
        raise ValueError(
            "`labels` look one-hot. Expected integers of shape (n,): use labels.argmax(axis=1). "
            f"Received: labels of shape {labels.shape} and dtype {labels.dtype}"
        )
    if labels.dtype.kind not in "iu" or labels.ndim > 2 or labels.ndim == 2 and labels.shape[1] > 1:
        raise ValueError(
            "`labels` are not class numbers. Expected integers of shape (n,) in "
            f"[0, {num_classes}). Received: labels of shape {labels.shape} and dtype {labels.dtype}"
        )
    labels = labels.reshape(-1)
    if labels.size and not (0 <= labels.min() and labels.max() < num_classes):
        raise ValueError(
            f"`labels` are out of range. Expected integers in [0, {num_classes}). "
            f"Received: labels from {labels.min()} to {labels.max()}"
        )
    if count is not None:
        check_integer(0, count=count)
    if count is not None and len(labels) != count:
        raise ValueError(
            f"`labels` do not match the samples in number. Expected {count} labels. "
            f"Received: {len(labels)} labels"
        )
    return labels.astype("int32")


def users_level():
    """The `stacklevel` of the first caller outside of the house and Keras: a user's line."""
    frame, level = sys._getframe(1), 1
    house = pathlib.Path(__file__).parents[1]
    here = tuple(f"{house / room}{os.sep}" for room in ("trainers", "zoo"))
    if "keras" in sys.modules:  # It calls callbacks. A command imports it later, in silence.
        here += (f"{pathlib.Path(sys.modules['keras'].__file__).parent}{os.sep}",)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame, level = frame.f_back, level + 1
    return level
