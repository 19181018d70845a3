"""What an exported model is asked to be compared with Python, and Python's own answers."""

import dataclasses
import re

import numpy as np

from export import signatures
from zoo import random, untrusted
from zoo.players import conditions, sampling

TRUNCATION = 0.75  # Exact in float32, as which a served model takes it.
ANSWERS = "assets.extra/answers.npz"
KEY = re.compile("([0-9]{1,9})/([^/]+)/(inputs|truth)/([^/]+)")
KEPT = 16  # Seeds of the answers that a version brings along.


@dataclasses.dataclass(frozen=True)
class Question:
    """A call of a signature, and what Python answers.

    Attributes:
        signature: The name of the signature.
        inputs: `{name: array}`.
        truth: `{name: array}`; of PNG files their pixels.
    """

    signature: str
    inputs: dict
    truth: dict


def of(served, count, value_range=sampling.AUTO, default="latents"):
    """Questions to every signature: seeds 0 ... count - 1 at once, and the first alone.

    The answers are made by `zoo.players.sampling`, not by the functions that were exported.

    Args:
        served: `export.served.Served`.
        count: int. Number of seeds; labels come one after the other.
        value_range, default: As of `export.save`.

    Returns:
        A list of `Question`.
    """
    names = list(signatures.of(served, value_range, default=default))
    asker = _Asker(served, value_range)
    named = {signatures.DEFAULT: signatures.DEFAULTS[default]}
    return [
        Question(name, *getattr(asker, named.get(name, name))(np.arange(rows)))
        for rows in (count, 1)
        for name in names
    ]


class _Asker:
    """Methods named as the signatures are: of seeds, the inputs and Python's answer."""

    def __init__(self, served, value_range):
        self.served = served
        self.traits = sampling.traits(served.generator, value_range)
        self.value_range = value_range
        self.output = "images" if self.traits.value_range is not None else "samples"

    def decode(self, seeds):
        told, named = self._told(seeds)
        latents = self._latents(seeds)
        made = self._decoded(latents, told)
        return {"latents": latents, **named}, {self.output: made, **_valid(named, seeds)}

    def sample(self, seeds, truncation=None):
        _, named = self._told(seeds)
        made = sampling.sample(
            self.served.generator,
            len(seeds),
            seed=seeds,
            truncation=truncation,
            batch_size=len(seeds),
            value_range=self.value_range,
            **named,
        )
        inputs = {"seed": seeds.astype("int64"), **named}
        return inputs, {self.output: made, **_valid(named, seeds)}

    def sample_truncated(self, seeds):
        inputs, answer = self.sample(seeds, TRUNCATION)
        limits = {"truncation": np.full(len(seeds), TRUNCATION, "float32")}
        return {**inputs, **limits}, {**answer, **_valid(limits, seeds)}

    def sample_png(self, seeds):
        inputs, answer = self.sample(seeds)
        return inputs, {"png_bytes": answer.pop(self.output), **answer}

    def latents(self, seeds):
        return {"seed": seeds.astype("int64")}, {"latents": self._latents(seeds)}

    def latents_truncated(self, seeds):
        limits = np.full(len(seeds), TRUNCATION, "float32")
        inputs = {"seed": seeds.astype("int64"), "truncation": limits}
        return inputs, {"latents": self._latents(seeds, TRUNCATION), **_valid(inputs, seeds)}

    def score(self, seeds):
        made = self._unit(seeds)
        discriminator = self.served.discriminator
        told, named = self._told(seeds, conditions.of(discriminator))
        logits, _ = sampling.discriminate(discriminator, self._ranged(made), told)
        logits = sampling.per_example(logits, sampling.patches(discriminator)).numpy()
        return {self.output: made, **named}, {"logits": logits, **_valid(named, seeds)}

    def encode(self, seeds):
        made = self._unit(seeds)
        encoded = np.asarray(self.served.encoder(self._ranged(made), training=False))
        mean, log_variance = np.split(encoded.astype("float32"), 2, axis=1)
        return {self.output: made}, {"latents": mean, "log_variance": log_variance}

    def reconstruct(self, seeds):
        inputs, answer = self.encode(seeds)
        return inputs, {self.output: self._decoded(answer["latents"], None)}

    def _told(self, seeds, condition=...):
        """Labels or conditions, as an array and by their name."""
        condition = self.traits.condition if condition is ... else condition
        if condition is None:
            return None, {}
        told = sampling.labels_in_turn(len(seeds), getattr(condition, "num_classes", None))
        if told is None:
            told = condition.drawn(len(seeds), np.random.default_rng(0))
        told = told.astype(condition.dtype)
        return told, {condition.name: told}

    def _latents(self, seeds, truncation=None):
        prior, latent_dim = self.traits.prior, self.traits.latent_dim
        return random.draw_rows(prior, latent_dim, seeds, truncation).numpy()

    def _decoded(self, latents, told):
        return sampling.decode(
            self.served.generator,
            latents,
            told,
            batch_size=len(latents),
            as_float=True,
            value_range=self.value_range,
        )

    def _unit(self, seeds):
        """Samples as a client sends them: pictures in [0, 1]."""
        return self._decoded(self._latents(seeds), self._told(seeds)[0])

    def _ranged(self, samples):
        """Samples in the range that the networks have them in."""
        if self.traits.value_range is None:
            return samples
        low, high = self.traits.value_range
        return samples * (high - low) + low


def _valid(told, seeds):
    return {"valid": np.ones(len(seeds), bool)} if told else {}


def write(path, questions):
    """Keeps questions and their answers in a file of arrays."""
    arrays = {}
    for number, question in enumerate(questions):
        for side in ("inputs", "truth"):
            for name, value in getattr(question, side).items():
                arrays[f"{number}/{question.signature}/{side}/{name}"] = value
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, **arrays)


def read(path):
    """The questions that `write` kept.

    Raises:
        ValueError: If the file is damaged, or declares more than it stores.
    """
    kept = {}
    for key, array in untrusted.read_arrays(path.read_bytes(), path.name).items():
        match = KEY.fullmatch(key)
        if match is None:
            raise ValueError(
                f"`directory` is damaged: {path.name} holds other names. Expected such as "
                f"'0/sample/inputs/seed'. Received: {key!r}"
            )
        number, signature, side, name = match.groups()
        sides = kept.setdefault((int(number), signature), {"inputs": {}, "truth": {}})
        sides[side][name] = array
    return [Question(signature, **sides) for (_, signature), sides in sorted(kept.items())]
