"""Feature matching: Improved Techniques for Training GANs (Salimans et al., 2016)."""

import functools

import keras
import tensorflow as tf

from trainers.gan import GAN
from trainers.steps import regularization
from trainers.steps.game import View
from zoo import replicas
from zoo.players import conditions
from zoo.players.sampling import discriminate, sample_shape
from zoo.validation import check_choice, in_short, nearest

NORMS = {
    "squared": lambda gap: tf.reduce_sum(tf.square(gap)),
    "l1": lambda gap: tf.reduce_sum(tf.abs(gap)),
}


@keras.saving.register_keras_serializable(package="zoo")
class FeatureMatchingGAN(GAN):
    """The generator matches the mean of features over the data, instead of fooling D.

    The generator minimises `||E f(x) - E f(G(z))||^2` over the batch, or the L1 norm, and has no
    other loss. f is the discriminator's penultimate layer, another layer of it, or another network:
    that one is frozen, runs in inference mode, and is saved with the trainer. The discriminator's
    loss is the objective's.

    A generator can be trained to any test that it knows. `held_out_extractor` is one that it does
    not know: the same distance in its features is logged as `held_out_distance`, and rises against
    `generator_loss` when the generator fits the extractor rather than the data.

    Args:
        generator: A `zoo.Generator`, or a built Keras model from latents to samples.
        discriminator: A `zoo.Discriminator`, or a built Keras model from samples to one logit, then
            with `feature_layer` or `feature_extractor`.
        feature_extractor: Built Keras model from samples, in the generator's range, to features of
            any shape, or another `zoo.Discriminator`. `None` takes the discriminator's.
        feature_layer: str, optional. Name of a layer of the discriminator whose output is matched,
            instead of the `features` that it returns.
        norm: `"squared"` (the formula; the authors' code divides it by the number of features) or
            `"l1"`.
        held_out_extractor: Like `feature_extractor`.
        **kwargs: `discriminator_steps`, `schedule` and `seed` of `GAN`.

    Raises:
        ValueError: If there are no such features, an extractor cannot take the samples, or as
            `GAN`.

    Example:

    ```python
    import trainers, zoo

    gan = trainers.FeatureMatchingGAN(zoo.DCGANGenerator(), zoo.DCGANDiscriminator(), seed=0)
    gan.compile()
    gan.fit(zoo.datasets.load("mnist", batch_size=128), epochs=5)
    ```

    Reference:
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.1.
    """

    mixes_examples = True

    def __init__(
        self,
        generator,
        discriminator,
        feature_extractor=None,
        feature_layer=None,
        norm="squared",
        held_out_extractor=None,
        **kwargs,
    ):
        check_choice(NORMS, norm=norm)
        if feature_extractor is not None and feature_layer is not None:
            raise ValueError(
                "`feature_extractor` and `feature_layer` are both given. Expected one source of "
                f"features. Received: {feature_extractor.name!r} and {feature_layer!r}"
            )
        super().__init__(generator, discriminator, **kwargs)
        self.norm = norm
        self.feature_layer = feature_layer
        self.feature_extractor = self._extractor("feature_extractor", feature_extractor)
        self.held_out_extractor = self._extractor("held_out_extractor", held_out_extractor)
        # Wrapped, so that Keras does not save the discriminator's weights a second time.
        self.feature_model = functools.partial(self._feature_model())
        if held_out_extractor is not None:
            self.trackers["held_out_distance"] = keras.metrics.Mean("held_out_distance")

    def _feature_model(self):
        """The discriminator, with the output of `feature_layer` for its features."""
        player, name = self.discriminator, self.feature_layer
        sequential = isinstance(player, keras.Sequential)
        outputs = player.outputs[0] if sequential else getattr(player, "output", None)
        if name is None:
            known = isinstance(outputs, dict) and "features" in outputs
            if self.feature_extractor is None and not known:
                raise ValueError(
                    "`discriminator` returns no features. Expected a feature_layer (one of "
                    f"{[layer.name for layer in player.layers]}), a feature_extractor or a "
                    f"zoo.Discriminator. Received: discriminator={player.name!r}"
                )
            return player
        names = [layer.name for layer in player.layers]
        if not isinstance(name, str):
            raise ValueError(
                "`feature_layer` is no name. Expected one of "
                f"{names}. Received: feature_layer={in_short(name)}"
            )
        if outputs is None:
            raise ValueError(
                "`feature_layer` cannot be taken out of a discriminator without a graph. Expected "
                "a Sequential or functional discriminator, or a feature_extractor. Received: "
                f"feature_layer={name!r} and discriminator={player.name!r} of class "
                f"{type(player).__name__}"
            )
        if name not in names:
            raise ValueError(
                f"`feature_layer` is no layer of the discriminator. Expected one of {names}"
                f"{nearest(name, names)}. Received: feature_layer={name!r}"
            )
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs
        features = player.get_layer(name).output
        inputs = player.inputs if isinstance(player, keras.Sequential) else player.input
        model = keras.Model(inputs, {"logits": logits, "features": features})
        conditions.take_over(model, player)
        return model

    def _extractor(self, argument, extractor):
        if extractor is None:
            return None
        wanted = sample_shape(self.discriminator)
        try:
            if extractor is self.discriminator:
                raise ValueError("it is the discriminator, which is not frozen")
            if not extractor.built:
                raise ValueError("it is not built")
            told = conditions.of(extractor)
            if told is not None:
                raise ValueError(f"it wants {told.name} too")
            shape = sample_shape(extractor)
            if len(shape) != len(wanted) or any(
                a not in (None, b) for a, b in zip(shape, wanted, strict=True)
            ):
                raise ValueError(f"it takes {shape}")
        except ValueError as error:
            raise ValueError(
                f"`{argument}` cannot take the samples: {error}. Expected a built Keras model of "
                f"one input of shape {wanted}. Received: {argument}={extractor.name!r}"
            ) from None
        return extractor

    def view(self, samples, labels, training):
        seen = discriminate(self.feature_model.func, samples, labels, training=training)
        return View(samples, *seen, regularization.of_call(self.discriminator))

    def generator_losses(self, real, fake):
        """The distance between the means of features, once for each example of the batch."""
        rows = tf.shape(fake.samples)[:1]
        if self.held_out_extractor is not None:
            distance = self._distance(self.held_out_extractor, real, fake)
            self.trackers["held_out_distance"].update_state(distance)
        return tf.fill(rows, self._distance(self.feature_extractor, real, fake))

    def _distance(self, extractor, real, fake):
        means = []
        for view in (real, fake):
            features = view.features
            if extractor is not None:
                features = extractor(view.samples, training=False)
                if isinstance(features, dict):
                    features = features["features"]
            means.append(replicas.mean(tf.reduce_mean(tf.cast(features, "float32"), axis=0)))
        # ||E f(x) - E f(G(z))||, squared or L1
        return NORMS[self.norm](tf.stop_gradient(means[0]) - means[1])
