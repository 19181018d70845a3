"""A variational autoencoder (Kingma and Welling, 2014): the baseline of GAN tables."""

import math

import keras
import numpy as np
import tensorflow as tf

from zoo import exported, finite, optimizers, pixels, random, tracing
from zoo.mlp import MLPGenerator
from zoo.players import given, sampling
from zoo.players.recorded import KERAS_ARGUMENTS, RecordedModel, refuse_unknown
from zoo.validation import (
    as_tuple,
    check_above_zero,
    check_choice,
    check_integer,
    check_positive,
    check_seed,
    refuse_arguments,
)

LIKELIHOODS = {"bernoulli": "sigmoid", "gaussian": "linear"}  # And the output that belongs to it.
COMPILE = ("jit_compile", "steps_per_execution", "run_eagerly", "auto_scale_loss")  # Of Keras.
EDGE = 1e-6  # A probability of 0 or 1 has no finite logarithm.


@keras.saving.register_keras_serializable(package="zoo")
class VAE(RecordedModel, keras.Model):
    """An encoder and a generator, trained together by `fit` on a bound of the likelihood.

    It maximises `E_q log p(x | z) - KL(q(z | x) || N(0, I)) <= log p(x)`, with the encoder's
    `q = N(mean(x), diag exp log_variance(x))` and one draw of z an example. The logged
    `reconstruction`, `divergence` and their sum `loss` are in nats an image, summed over pixels.

    Its `generator` is a `zoo.MLPGenerator` with a normal prior: it samples, exports and is read
    from a file by `zoo.load` like a GAN's. `sample` draws from it.

    Args:
        image_shape: tuple. Shape of one sample.
        latent_dim: int. Coordinates of a latent.
        units: tuple of int. Width of the generator's hidden layers; the encoder has them in
            reverse order.
        likelihood: `"bernoulli"` (pixels in [0, 1]) or `"gaussian"` (samples of any range).
        scale: Positive float. The Gaussian's standard deviation.
        seed: int. Of the draws.

    Raises:
        ValueError: If a size is not positive, the likelihood unknown, or an argument no argument.

    Example:

    ```python
    import zoo

    x, _ = zoo.datasets.arrays("mnist")
    vae = zoo.VAE((28, 28, 1), latent_dim=20, units=(64,))
    vae.compile()
    vae.fit(x, batch_size=128, epochs=10)
    images = vae.sample(64, seed=0)  # (64, 28, 28, 1), uint8
    ```

    Reference:
        - [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114), sections 2 and 3.
    """

    def __init__(
        self,
        image_shape=(28, 28, 1),
        latent_dim=20,
        units=(500, 500),
        likelihood="bernoulli",
        scale=0.1,
        seed=0,
        **kwargs,
    ):
        refuse_unknown(self, kwargs, KERAS_ARGUMENTS)
        check_choice(LIKELIHOODS, likelihood=likelihood)
        check_above_zero(scale=scale)
        check_seed(seed)
        super().__init__(**kwargs)
        self.units = as_tuple(units=units)
        self.likelihood, self.scale, self.seed = likelihood, float(scale), int(seed)
        self.generator = MLPGenerator(
            image_shape,
            latent_dim,
            self.units,
            output_activation=LIKELIHOODS[likelihood],
            kernel_initializer="glorot_uniform",
            prior="normal",
        )
        self.encoder = _encoder(self.generator.image_shape, latent_dim, self.units[::-1])
        self.steps = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", trainable=False, name="steps"
        )
        names = ("loss", "reconstruction", "divergence")
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True

    def compile(self, optimizer=None, **kwargs):
        """As `keras.Model.compile`; the optimizer defaults to Adam(0.001).

        Raises:
            ValueError: If the optimizer is none, or has moved other weights before; or for a loss
                or metrics: those are the model's own.
        """
        unknown = {name: value for name, value in kwargs.items() if name not in COMPILE}
        refuse_arguments("VAE.compile", unknown, ("optimizer", *COMPILE))
        optimizer = optimizers.taken("optimizer", optimizer or keras.optimizers.Adam(1e-3))
        optimizers.check_met("optimizer", optimizer, self)
        super().compile(optimizer, **kwargs)
        self.optimizer.build(self.trainable_variables)
        self._compile_settings = kwargs
        self._moved = tuple(id(v) for v in self.trainable_variables)

    def get_compile_config(self):
        return keras.saving.serialize_keras_object(
            {"optimizer": self.optimizer, **self._compile_settings}
        )

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    @property
    def metrics(self):
        return list(self.trackers.values())

    def fit(self, x=None, y=None, callbacks=None, **kwargs):
        """Trains on samples: uint8 images, or floats in the generator's range; labels are ignored.

        Raises:
            ValueError: If an array has another shape or range, `x` is a function, or layers were
                frozen or freed since `compile`. In training: if weights become NaN or infinite; no
                callback saves them.
        """
        if self.compiled and self._moved != tuple(id(v) for v in self.trainable_variables):
            raise ValueError(
                "`trainable` of layers was changed since `compile()`, which decides what a step "
                "moves. Expected compile() again before the training. Received: "
                f"{len(self.trainable_variables)} trainable weights, {len(self._moved)} before"
            )
        given.refuse_makers(x)
        counts = ("batch_size", "steps_per_epoch", "validation_batch_size", "validation_steps")
        check_positive(**{n: kwargs[n] for n in counts if kwargs.get(n) is not None})
        ends = ("epochs", "initial_epoch")
        check_integer(0, **{name: kwargs[name] for name in ends if name in kwargs})
        if hasattr(x, "shape"):
            self._check(np.asarray(x))
        return finite.guarded_fit(
            super().fit, self, ("encoder", "generator"), callbacks, x=x, **kwargs
        )

    def _check(self, images):
        shape = self.generator.image_shape
        grey = images.shape[1:] == shape[:-1] and shape[-1:] == (1,)
        inside = True
        span = self.traits.span
        if span and images.dtype.kind == "f":
            inside = images.size == 0 or (images.min() >= -1e-3 and images.max() <= 1 + 1e-3)
        if not (images.shape[1:] == shape or grey) or not inside:
            raise ValueError(
                f"`x` does not fit the generator. Expected shape (n, {shape}), uint8 or floats in "
                f"{span}. Received: x of shape {images.shape} and dtype "
                f"{images.dtype}{'' if inside else f' from {images.min()} to {images.max()}'}"
            )
        if images.dtype.kind in "iu" and images.size:
            low, high = images.min(), images.max()
            given.check_pixels(low, high)
            if images.size >= given.ENOUGH:
                given.warn_of_masks(low, high, self._pixel_range)

    @property
    def _pixel_range(self):
        """What integers 0 ... 255 are mapped to."""
        return self.generator.value_range or (0.0, 1.0)

    def _unpack(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = tf.convert_to_tensor(images)
        if images.dtype.is_integer:
            images = pixels.from_pixels(images, self._pixel_range)
        return tf.reshape(tf.cast(images, "float32"), (-1, *self.generator.image_shape))

    def terms(self, images, seed, training=False):
        """The two terms of the negative bound, in nats an example.

        Args:
            images: float tensor `(batch, *image_shape)` in the generator's range.
            seed: Two integers: the draw of z is a function of them.
            training: bool.

        Returns:
            `-log p(x | z)` and `KL(q || N(0, I))`, each `(batch,)`.
        """
        mean, log_variance = tf.split(self.encoder(images, training=training), 2, axis=-1)
        z = mean + tf.exp(log_variance / 2.0) * random.normal(tf.shape(mean), seed)
        made = self.generator(z, training=training)
        axes = list(range(1, len(images.shape)))
        if self.likelihood == "bernoulli":
            p = tf.clip_by_value(made, EDGE, 1.0 - EDGE)
            log_p = images * tf.math.log(p) + (1.0 - images) * tf.math.log1p(-p)
        else:
            log_p = -tf.square((images - made) / self.scale) / 2.0
            log_p -= math.log(self.scale * math.sqrt(2.0 * math.pi))
        # KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1 - log s^2) / 2
        divergence = tf.square(mean) + tf.exp(log_variance) - 1.0 - log_variance
        return -tf.reduce_sum(log_p, axes), tf.reduce_sum(divergence, 1) / 2.0

    def _make_function(self, step_function):
        return super()._make_function(tracing.traced(step_function))

    def train_step(self, data):
        images = self._unpack(data)
        seed = random.fold((self.seed, 0), self.steps.value)
        with tf.GradientTape() as tape:
            reconstruction, divergence = self.terms(images, seed, training=True)
            loss = self.optimizer.scale_loss(tf.reduce_mean(reconstruction + divergence))
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        self.steps.assign_add(1)
        return self._track(reconstruction, divergence)

    def test_step(self, data):
        seed = random.fold((self.seed, 1), self.trackers["loss"].count)
        return self._track(*self.terms(self._unpack(data), seed))

    def _track(self, reconstruction, divergence):
        self.trackers["loss"].update_state(reconstruction + divergence)
        self.trackers["reconstruction"].update_state(reconstruction)
        self.trackers["divergence"].update_state(divergence)
        return self.get_metrics_result()

    def call(self, images, training=False):
        """Reconstructions: the generator's output at the encoder's mean."""
        mean, _ = tf.split(self.encoder(images, training=training), 2, axis=-1)
        return self.generator(mean, training=training)

    @property
    def sampler(self):
        """The generator, by the name under which trainers have the one that draws samples."""
        return self.generator

    @property
    def traits(self):
        """The traits of the generator: `zoo.players.Traits`."""
        return sampling.traits(self.generator)

    @classmethod
    def from_export(cls, directory, version=None):
        """The autoencoder that an exported version holds: it goes on where it was.

        `export.save(vae, directory, resumable=True)` writes such versions.

        Args:
            directory: The folder of versions, or a version.
            version: int. Defaults to the largest in the folder.

        Raises:
            FileNotFoundError: If there is no such version, or it holds none.
            ValueError: If the version is damaged, or what it holds is none.
        """
        return exported.load_trainer(cls, directory, version)

    def export(self, filepath, **kwargs):
        """Keras's export of the generator; `export.save` writes what a server wants beside it."""
        return self.sampler.export(filepath, **kwargs)

    def sample(self, count, seed=None, **kwargs):
        """Draws samples of the generator. See `zoo.players.sample`."""
        return sampling.sample(self.generator, count, seed=seed, **kwargs)


def _encoder(image_shape, latent_dim, units):
    """Dense layers from a sample to the mean and the log variance of its latent."""
    flatten = keras.layers.Flatten(data_format="channels_last")
    layers = [keras.Input(image_shape, name="images"), flatten]
    layers += [keras.layers.Dense(n, "relu", name=f"dense_{i}") for i, n in enumerate(units)]
    layers.append(keras.layers.Dense(2 * latent_dim, name="latent"))
    return keras.Sequential(layers, name="encoder")
