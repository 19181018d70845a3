"""Whether two players can play together: what one makes, the other has to be able to judge."""

from zoo import sampling


def check(traits, discriminator):
    """How many logits the discriminator gives a sample: 1, or one for each patch of a map.

    Args:
        traits: `zoo.players.Traits` of the generator.
        discriminator: A Keras model.

    Raises:
        ValueError: If it is not built, sees other samples or labels than the generator makes, or
            answers anything else than logits.
    """
    if not discriminator.built:
        raise ValueError(
            "`discriminator` has no weights yet. Expected a built model: start a Sequential "
            "with keras.Input(image_shape). "
            f"Received: discriminator={discriminator.name!r}"
        )
    shape = sampling.sample_shape(discriminator)
    if shape != traits.image_shape:
        more = shape[:-1] == traits.image_shape[:-1] and shape[-1] > traits.image_shape[-1]
        hint = "; labels are no channels, but players of zoo take num_classes" if more else ""
        raise ValueError(
            f"`discriminator` cannot see what the generator makes. Expected equal shapes{hint}. "
            f"Received: a generator of {traits.image_shape} and a discriminator of {shape}"
        )
    classes = getattr(discriminator, "num_classes", None)
    if classes is not None and classes != traits.num_classes:
        raise ValueError(
            "`discriminator` is conditional, and the generator has other labels. Expected "
            f"a generator with num_classes={classes}. "
            f"Received: a generator with num_classes={traits.num_classes}"
        )
    return sampling.patches(discriminator)
