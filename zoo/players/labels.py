"""How labels enter a player: concatenated in every layer, or by projection.

`"concat"` appends the one-hot label to the input of every layer (Mirza and Osindero, 2014; the
conditional nets of DCGAN). With `"projection"` the generator gets an embedding of the label beside
its latents, and the discriminator's logit is `w . f(x) + v_y . f(x)`, with a vector `v_y` a class:
the projection discriminator of Miyato and Koyama, 2018 (arXiv:1802.05637, equation 3), which is the
form of `log p(x, y) / q(x, y)` when both are log-linear in the features f.

Conditions of numbers enter in the same two ways: a vector c in place of the one-hot label, and
`V c` in place of `v_y`.
"""

import keras

from zoo.layers.concat_labels import ConcatLabels
from zoo.players import conditions
from zoo.validation import check_choice, check_size

CONDITIONINGS = ("concat", "projection")
EMBEDDING = 32  # Coordinates of the generator's label embedding.


class Labels:
    """Puts labels, or conditions, into a player's graph, where there are some.

    Args:
        num_classes: int, or `None` for a player without labels.
        conditioning: `"concat"` or `"projection"`.
        dtype: Keras dtype policy.
        num_conditions: int, or `None` for a player without conditions.

    Raises:
        ValueError: If a count is not positive, both are given, or the conditioning is another one.
    """

    def __init__(self, num_classes, conditioning, dtype, num_conditions=None):
        counts = {"num_classes": num_classes, "num_conditions": num_conditions}
        check_size(**{name: count for name, count in counts.items() if count is not None})
        check_choice(CONDITIONINGS, conditioning=conditioning)
        self.condition = conditions.of_counts(**counts)
        self.counts = counts  # What a player hands to its base class.
        self.conditioning, self.dtype = conditioning, dtype
        self.told = self.one_hot = None

    @property
    def joined(self):
        """The one-hot labels (or the conditions) that every layer joins to its input, or `None`."""
        return self.one_hot if self.conditioning == "concat" else None

    @property
    def projected(self):
        """The one-hot labels that are embedded and projected on, or `None`."""
        return self.one_hot if self.conditioning == "projection" else None

    def input(self, shape, name):
        """The player's inputs: the tensor `name`, and `labels` or `conditions` where it has some.

        Returns:
            The inputs for the model, and the tensor.
        """
        tensor = keras.Input(shape, name=name)
        kind = self.condition
        if kind is None:
            return tensor, tensor
        self.told = {kind.name: keras.Input(kind.shape, name=kind.name, dtype=kind.dtype)}
        self.one_hot = kind.encoded(self.told[kind.name])
        return {name: tensor, **self.told}, tensor

    def join(self, x, name, dtype=None):
        """`x` with the one-hot labels appended, or `x` itself where they do not join."""
        if self.joined is None:
            return x
        return ConcatLabels(dtype=dtype or self.dtype, name=name)(x, self.joined)

    def embed(self, latents, initializer):
        """The latents, with an embedding of the label beside them under `"projection"`.

        An initializer that is not needed took its number from Keras's global seed all the same:
        the other weights do not depend on how labels enter.
        """
        if self.projected is None:
            return latents
        embedding = keras.layers.Dense(
            EMBEDDING,
            use_bias=False,
            kernel_initializer=initializer,
            dtype=self.dtype,
            name="label_embedding",
        )(self.projected)
        return ConcatLabels(dtype=self.dtype, name="label_latents")(latents, embedding)

    def project(self, logit, features, initializer, wrap=lambda layer: layer):
        """The logit `(batch, 1)`, plus `v_y . features` under `"projection"`.

        Args:
            logit: `(batch, 1)`.
            features: `(batch, k)`.
            initializer: Of the vectors `v_y`.
            wrap: Function that wraps the layer of the vectors `v_y`: spectral normalization, say.
        """
        if self.projected is None:
            return logit
        vector = wrap(
            keras.layers.Dense(
                features.shape[-1],
                use_bias=False,
                kernel_initializer=initializer,
                dtype="float32",
                name="output_labels",
            )
        )(self.projected)
        product = keras.layers.Dot(1, dtype="float32", name="label_projection")([features, vector])
        return keras.layers.Add(dtype="float32", name="conditional_logit")([logit, product])
