"""What has to be known of two players before they meet: shapes, latents, ranges and answers."""

import dataclasses
import math
from typing import NamedTuple

import keras

from zoo import pixels
from zoo.players import conditions, origins, spans
from zoo.validation import check_model

AUTO = "auto"  # The value range that is seen in the model.
USED = ("logits", "features")  # Of a discriminator's outputs.
PICTURE_CHANNELS = (1, 3, 4)  # Grey, RGB, RGB with opacity.
ENDS = {  # What spans this.
    (0.0, 1.0): "a sigmoid (or a softmax)",
    (-1.0, 1.0): "a tanh",
    (0.0, math.inf): "a relu (or a softplus, or their like)",
    (-math.inf, 0.0): "a log_sigmoid (or its like)",
}


@dataclasses.dataclass(frozen=True)
class Traits:
    """What a trainer or an export has to know about a generator.

    Attributes:
        latent_dim: Coordinates of a latent.
        image_shape: Shape of one sample.
        prior: `"normal"` or `"uniform"`.
        num_classes: Number of labels, or `None`.
        value_range: `(low, high)` of the samples, or `None` where they are not pictures.
        span: `(low, high)` that no sample leaves, or `None` where that is not known.
        said: Whether a user has said the value range, or that there is none.
        num_conditions: Numbers of a condition, or `None`.
    """

    latent_dim: int
    image_shape: tuple
    prior: str = "normal"
    num_classes: int | None = None
    value_range: tuple | None = None
    span: tuple | None = None
    said: bool = False
    num_conditions: int | None = None

    @property
    def condition(self):
        """What it takes beside latents: `Classes`, `Conditions` or `None`."""
        return conditions.of_counts(self.num_classes, self.num_conditions)


def traits(generator, value_range=AUTO):
    """The traits of a zoo generator, or what can be read off any other Keras model.

    A plain model takes latents `(batch, latent_dim)` from the normal prior, unless it was made of a
    generator that has another (`zoo.players.origins`). Where it has a second input, that takes
    labels, if it is one of integers, or conditions. What ends the model gives the
    span of its samples (`zoo.players.spans`): `tanh`, `sigmoid` and their like, and after them
    layers that keep or rescale values. Samples of shape `(height, width, 1, 3 or 4)` with a span
    are pictures, and the span is their value range; others, points and signals, are so only if that
    is said.

    Args:
        generator: A built Keras model.
        value_range: `(low, high)` of samples that are pictures, `None` for samples that are not,
            or `"auto"`: what the attribute `value_range` of the generator says, if it has one,
            else what is seen.

    Raises:
        ValueError: If the model is not built or has another form, or `value_range` is no range or
            not the one that is seen.
    """
    check_model(generator=generator)
    if not generator.built:
        raise ValueError(
            "`generator` has no weights yet. Expected a built model: start a Sequential with "
            f"keras.Input((latent_dim,)). Received: generator={generator.name!r}"
        )
    own = getattr(generator, "traits", None)
    if not isinstance(own, Traits):
        own = _read(generator)
        if _is_auto(value_range):
            value_range = getattr(generator, "value_range", AUTO)
    seen = own.span or spans.output_span(generator)
    if _is_auto(value_range):
        _check_seen(seen, own.value_range)
        return dataclasses.replace(own, span=own.value_range or seen)
    value_range = _check_range(value_range)
    _check_seen(seen, value_range)
    return dataclasses.replace(own, value_range=value_range, span=value_range, said=True)


def say_range(generator, value_range):
    """Has a generator say its value range itself, to whoever asks for its traits."""
    if not _is_auto(value_range):
        generator.value_range = _check_range(value_range)


def _is_auto(value_range):
    return isinstance(value_range, str) and value_range == AUTO


def _check_range(value_range):
    """The value range as two floats, or `None`."""
    if value_range is None:
        return None
    return pixels.check_range(
        value_range,
        "; None for samples that are not pictures; or 'auto' for what the generator's last layers "
        "say",
    )


def _check_seen(seen, value_range):
    """Raises a `ValueError` where a value range is not what the last layers give."""
    if None not in (seen, value_range) and seen != tuple(value_range):
        raise ValueError(
            "`value_range` is not what the generator's last layers give. Expected "
            f"({seen[0]:g}, {seen[1]:g}), or None for samples that are not pictures. "
            f"Received: value_range={tuple(value_range)}"
        )


def _read(generator):
    """The traits that can be read off a plain model."""
    shape = _input_shape(generator)
    if shape is None or len(shape) != 2:
        form = conditions.inputs(generator).form
        several = len(keras.tree.flatten(form))
        having = f"input_shape={shape}" if shape else f"{several} inputs"
        if form is None:
            having = "no graph to read its inputs off, as a Sequential or functional model has"
        raise _no_generator(generator, having)
    with spans.outputs(generator, shape) as outputs:
        made = keras.tree.flatten(outputs)
        if len(made) != 1:
            raise _no_generator(generator, f"{len(made)} outputs")
        image_shape, span = tuple(made[0].shape[1:]), spans.span(made[0])
    pictures = span if are_pictures(image_shape) else None
    told = dataclasses.asdict(condition) if (condition := conditions.of(generator)) else {}
    origin = origins.of(generator)
    (pictures,) = origin.ranges or (pictures,)
    return Traits(shape[-1], image_shape, origin.prior, value_range=pictures, span=span, **told)


def _no_generator(generator, having):
    return ValueError(
        "`generator` does not map latents of shape (batch, latent_dim) to samples. Expected "
        "a plain Keras model that does, with one more input for labels or conditions if need be. "
        f"Received: generator={generator.name!r} with {having}"
    )


def are_pictures(shape):
    """Whether samples of this shape are taken for pictures, when nothing else is said."""
    return len(shape) == 3 and shape[-1] in PICTURE_CHANNELS


# === Discriminators ===


def sample_shape(discriminator, argument="discriminator"):
    """The shape of one sample that the discriminator takes, without the batch axis.

    Args:
        discriminator: A built Keras model.
        argument: What it is called where it comes from, for the messages.

    Raises:
        ValueError: If it does not say which.
    """
    check_model(**{argument: discriminator})
    shape = _input_shape(discriminator) if discriminator.built else None
    if shape is None:
        raise ValueError(
            f"`{argument}` does not say what samples it takes. Expected a built model from "
            "samples, and labels or conditions if need be, to one logit, or to a map of them. "
            f"Received: {argument}={discriminator.name!r}"
        )
    return shape[1:]


class Answers(NamedTuple):
    """What a discriminator answers.

    Attributes:
        patches: int. Logits a sample.
        unseen: bool. Whether what ends it cannot be looked into, and may bound them.
        unused: Tuple of the names of what it answers beside `logits` and `features`.
    """

    patches: int
    unseen: bool = False
    unused: tuple = ()


def patches(discriminator, argument="discriminator"):
    """How many logits a discriminator gives a sample: the `patches` of `answers`."""
    return answers(discriminator, argument).patches


def answers(discriminator, argument="discriminator"):
    """The `Answers` of a discriminator: a logit a sample, or as many as its map has cells.

    A map `(batch, height, width, 1)` judges one patch of the sample in each cell; the answer to the
    sample is then their mean ("averaging all responses to provide the ultimate output of D").

    Args:
        discriminator: A built Keras model.
        argument: What it is called where it comes from, for the messages.

    Raises:
        ValueError: If it answers anything else than logits, which can be any number.

    Reference:
        - [Isola et al., 2017](https://arxiv.org/abs/1611.07004), section 3.2.2.
    """
    with spans.outputs(discriminator, _input_shape(discriminator)) as answer:
        named = answer.get("logits", ()) if isinstance(answer, dict) else answer
        tensors = keras.tree.flatten(named)
        if len(tensors) != 1:
            what = "a dict" if isinstance(answer, dict) else "several outputs,"
            raise _no_logits(argument, discriminator, f"{what} without one of logits", answer)
        sizes, span = tuple(tensors[0].shape[1:]), spans.bounds(tensors[0])
        unseen = spans.ends_unseen(tensors[0])
        unused = tuple(sorted({*answer} - {*USED})) if isinstance(answer, dict) else ()
    if None in sizes or math.prod(sizes) != 1 and (len(sizes) == 1 or sizes[-1] != 1):
        raise _no_logits(argument, discriminator, "several numbers a sample, no map", answer)
    if span is not None:
        last = ENDS.get(span, "an activation")
        raise ValueError(
            f"`{argument}` ends in {last}, which bounds its answers to {_said(*span)}, and "
            "objectives take logits, any numbers: a sigmoid belongs to the loss. Expected "
            "a last layer without activation: Dense(1), and not Dense(1, activation='sigmoid'). "
            f"Received: {argument}={discriminator.name!r}"
        )
    return Answers(math.prod(sizes), unseen, unused)


def _said(low, high):
    """An interval in words."""
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"[{low:g}, {high:g}]"


def _no_logits(argument, discriminator, what, answer):
    shapes = keras.tree.map_structure(lambda x: tuple(x.shape), answer)
    return ValueError(
        f"`{argument}` answers {what}. Expected one logit a sample, of shape (batch, 1) or "
        "(batch,); a map of one logit a patch, of shape (batch, height, width, 1); or a dict that "
        "has such `logits`. Give keras.Model the output that tells real from generated alone. "
        f"Received: {argument}={discriminator.name!r} with outputs {shapes}"
    )


def _input_shape(model):
    """The shape of a model's latents or samples, or `None` where it does not say."""
    main = conditions.inputs(model).main
    if main is not None:
        return tuple(main.shape)
    shape = getattr(model, "input_shape", None)
    if shape is None and not hasattr(model, "inputs"):  # A subclass knows what it was called on.
        shape = (model.get_build_config() or {}).get("input_shape")
        if isinstance(shape, (tuple, list)) and all(isinstance(n, int) for n in shape[1:]):
            shape = (None, *shape[1:])
    return shape if isinstance(shape, tuple) and shape[:1] == (None,) else None
