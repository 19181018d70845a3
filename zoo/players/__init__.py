"""Players: the base classes of generators and discriminators, and what is done with any of them.

Any other built Keras model is a player too; `traits` says what a generator takes and makes,
`generate` and `discriminate` call a player, `sample` draws.
"""

from zoo.keras_names import policy
from zoo.pixels import from_pixels, to_pixels, to_unit
from zoo.players.base import Discriminator, Generator, logits_and_features
from zoo.players.description import Traits, sample_shape, traits
from zoo.players.sampling import decode, discriminate, generate, sample
from zoo.validation import check_labels, check_positive

__all__ = [
    "Discriminator",
    "Generator",
    "Traits",
    "check_labels",
    "check_positive",
    "decode",
    "discriminate",
    "from_pixels",
    "generate",
    "logits_and_features",
    "policy",
    "sample",
    "sample_shape",
    "to_pixels",
    "to_unit",
    "traits",
]
