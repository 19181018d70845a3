"""The signatures of a served model: what it can be asked, and the functions that answer."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from zoo import pixels, random
from zoo.players import conditions, sampling
from zoo.validation import check_choice

PNG_CHANNELS = (1, 3, 4)  # Grey, RGB, RGB with opacity: what viewers agree on.
DEFAULT = "serving_default"
DECODE = "decode"
DEFAULTS = {"latents": DECODE, "sample": "sample", "sample_png": "sample_png"}


@dataclasses.dataclass(frozen=True)
class Signature:
    """One thing that a served model can be asked.

    Attributes:
        function: From tensors, as `inputs` has them, to a dict of tensors.
        inputs: List of `tf.TensorSpec` with names. The first axis of each counts the rows.
    """

    function: Callable
    inputs: list


def of(served, value_range=sampling.AUTO, draw_rows=random.draw_rows, default="latents"):
    """The signatures of a served model, `{name: Signature}`, the default first.

    Args:
        served: `export.served.Served`.
        value_range: As of `export.save`.
        draw_rows: Function of prior, latent_dim, seeds and truncation: `zoo.random.draw_rows`, or
            one of other operations with the same answer.
        default: A name of `DEFAULTS`: what `serving_default` answers.

    Raises:
        ValueError: If the default is unknown, or this model has no such signature.
    """
    check_choice(DEFAULTS, default=default)
    traits = sampling.traits(served.generator, value_range)
    signatures = _of_generator(served.generator, traits, draw_rows)
    if served.discriminator is not None:
        signatures["score"] = _of_discriminator(served.discriminator, traits)
    if served.encoder is not None:
        signatures |= _of_autoencoder(served.encoder, served.generator, traits)
    return _with_default(signatures, default, traits.image_shape)


def _of_generator(generator, traits, draw_rows):
    """What draws latents and what makes samples of them."""
    pictures, output, condition = traits.value_range is not None, _output(traits), traits.condition
    told = conditions.spec(condition)
    seed = tf.TensorSpec((None,), "int64", name="seed")
    latents = tf.TensorSpec((None, traits.latent_dim), "float32", name="latents")
    truncation = tf.TensorSpec((None,), "float32", name="truncation")

    def draw(seed, truncation=None):
        return draw_rows(traits.prior, traits.latent_dim, seed, truncation)

    def sample(latents, labels):
        made = _decoded(generator, traits, latents, labels)
        return pixels.to_pixels(made) if pictures else made

    def decoded(latents, labels):
        return {output: _decoded(generator, traits, latents, labels)}

    def sampled(seed, labels):
        return {output: sample(draw(seed), labels)}

    def sampled_truncated(seed, truncation, labels):
        fits, truncation = _fitting(truncation)
        return {output: _blank(fits, sample(draw(seed, truncation), labels)), "valid": fits}

    sampled = _guarded(condition, sampled)

    def sampled_png(*inputs):
        answer = sampled(*inputs)
        return {"png_bytes": tf.io.encode_png(answer.pop(output)), **answer}

    def drawn(seed):
        return {"latents": draw(seed)}

    def drawn_truncated(seed, truncation):
        fits, truncation = _fitting(truncation)
        return {"latents": _blank(fits, draw(seed, truncation)), "valid": fits}

    signatures = {
        DECODE: Signature(_padded(_guarded(condition, decoded)), [latents, *told]),
        "sample": Signature(_padded(sampled), [seed, *told]),
        "sample_truncated": Signature(
            _padded(_guarded(condition, sampled_truncated)), [seed, truncation, *told]
        ),
        "latents": Signature(drawn, [seed]),
        "latents_truncated": Signature(drawn_truncated, [seed, truncation]),
    }
    if pictures and len(traits.image_shape) == 3 and traits.image_shape[-1] in PNG_CHANNELS:
        signatures["sample_png"] = Signature(_padded(sampled_png), [seed, *told])
    return signatures


def _of_discriminator(discriminator, traits):
    """`score`: the logits of samples."""
    judge, patches = conditions.of(discriminator), sampling.patches(discriminator)

    def score(samples, labels):
        logits, _ = sampling.discriminate(discriminator, _from_unit(samples, traits), labels)
        return {"logits": sampling.per_example(logits, patches)}

    return Signature(_padded(_guarded(judge, score)), [_samples(traits), *conditions.spec(judge)])


def _of_autoencoder(encoder, generator, traits):
    """`encode` and `reconstruct`, of samples."""

    def encode(samples):
        encoded = encoder(_from_unit(samples, traits), training=False)
        mean, log_variance = tf.split(tf.cast(encoded, "float32"), 2, axis=-1)
        return {"latents": mean, "log_variance": log_variance}

    def reconstruct(samples):
        return {_output(traits): _decoded(generator, traits, encode(samples)["latents"])}

    functions = {"encode": encode, "reconstruct": reconstruct}
    return {name: Signature(_padded(f), [_samples(traits)]) for name, f in functions.items()}


def _output(traits):
    """What samples are called."""
    return "samples" if traits.value_range is None else "images"


def _samples(traits):
    return tf.TensorSpec((None, *traits.image_shape), "float32", name=_output(traits))


def _decoded(generator, traits, latents, labels=None):
    """Samples of latents, pictures in [0, 1]."""
    made = sampling.generate(generator, latents, labels, training=False)
    if traits.value_range is None:
        return tf.cast(made, "float32")
    return pixels.to_unit(made, traits.value_range)


def _from_unit(samples, traits):
    """Samples as the networks have them, of pictures in [0, 1]."""
    if traits.value_range is None:
        return samples
    low, high = traits.value_range
    return samples * (high - low) + low


def decoder(signatures):
    """The name of the signature of latents: `decode` where there is one, else the default.

    Args:
        signatures: Names of signatures, such as a card has them.
    """
    return DECODE if DECODE in signatures else DEFAULT


def _with_default(signatures, default, shape):
    """The default first: instead of `decode`, or besides under its own name."""
    name = DEFAULTS[default]
    if name not in signatures:
        raise ValueError(
            f"`default` cannot be {default!r} of samples that are no pictures of "
            f"{', '.join(map(str, PNG_CHANNELS[:-1]))} or {PNG_CHANNELS[-1]} channels. Expected "
            f"'latents' or 'sample'. Received: default={default!r}, of samples of shape {shape}"
        )
    first = signatures.pop(name) if name == DECODE else signatures[name]
    return {DEFAULT: first, **signatures}


def _guarded(condition, function):
    """The function of inputs of which the last is told, with an answer for what makes no sense.

    Rows with a label that is no class, or a condition that is no number, are zero, and `valid` says
    which. An assertion would fail the requests of others that a server merged into the batch.
    """
    if condition is None:
        return lambda *inputs: function(*inputs, None)

    def call(*inputs):
        *inputs, told = inputs
        if condition.shape:
            fits = tf.reduce_all(tf.math.is_finite(told), axis=1)
        else:
            fits = (told >= 0) & (told < condition.num_classes)
        answer = function(*inputs, _blank(fits, told))
        fits &= answer.pop("valid", True)
        return {**{name: _blank(fits, value) for name, value in answer.items()}, "valid": fits}

    return call


def _fitting(truncation):
    """Which truncations make sense, and all of them with another in the place of those others."""
    fits = truncation > 0  # Infinity too, which cuts nothing.
    return fits, tf.where(fits, truncation, 1.0)


def _blank(fits, value):
    fits = tf.reshape(fits, (-1, *[1] * (len(value.shape) - 1)))
    return tf.where(fits, value, tf.zeros((), value.dtype))


def _padded(function):
    """The function for any number of rows.

    No rows are answered as one row that is cut off: oneDNN's convolutions give an empty batch the
    shape of their input.
    """

    def call(*inputs):
        rows = tf.shape(inputs[0])[0]
        spare = tf.cast(rows == 0, "int32")
        padded = [tf.concat([x, tf.zeros([spare, *x.shape[1:]], x.dtype)], axis=0) for x in inputs]
        return {name: value[:rows] for name, value in function(*padded).items()}

    return call
