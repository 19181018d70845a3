"""How labels enter a player: joined to every layer, or embedded once and projected on.

`"concat"` appends the one-hot label to the input of every layer (Mirza and Osindero, 2014; the
conditional nets of DCGAN). With `"projection"` the generator gets an embedding of the label beside
its latents, and the discriminator's logit is `w . f(x) + v_y . f(x)`, with a vector `v_y` a class:
the projection discriminator of Miyato and Koyama, 2018 (arXiv:1802.05637, equation 3), which is the
form of `log p(x, y) / q(x, y)` when both are log-linear in the features f.
"""

import keras

from zoo.layers import ConcatLabels

CONDITIONINGS = ("concat", "projection")
EMBEDDING = 32  # Coordinates of the generator's label embedding.


def check_conditioning(conditioning):
    """Raises a `ValueError` unless it is `"concat"` or `"projection"`."""
    if conditioning not in CONDITIONINGS:
        raise ValueError(
            f"Unknown conditioning. Expected one of {CONDITIONINGS}. "
            f"Received: conditioning={conditioning!r}"
        )


def joined(one_hot, conditioning):
    """The labels that every layer joins to its input, or `None`."""
    return one_hot if conditioning == "concat" else None


def embed_labels(x, one_hot, conditioning, initializer, dtype):
    """Latents with the label's embedding beside them, where that is how labels enter."""
    if one_hot is None or conditioning != "projection":
        return x
    embedding = keras.layers.Dense(
        EMBEDDING,
        use_bias=False,
        kernel_initializer=initializer,
        dtype=dtype,
        name="label_embedding",
    )(one_hot)
    return ConcatLabels(dtype=dtype, name="label_latents")(x, embedding)


def project_labels(logit, features, one_hot, conditioning, initializer):
    """The logit `(batch, 1)` with `v_y . features` added, where that is how labels enter."""
    if one_hot is None or conditioning != "projection":
        return logit
    vector = keras.layers.Dense(
        features.shape[-1],
        use_bias=False,
        kernel_initializer=initializer,
        dtype="float32",
        name="output_labels",
    )(one_hot)
    product = keras.layers.Dot(1, dtype="float32", name="label_projection")([features, vector])
    return keras.layers.Add(dtype="float32", name="conditional_logit")([logit, product])
