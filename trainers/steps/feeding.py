"""The methods of a Keras model that take data, besides `fit`: each checks them first."""

import tensorflow as tf

from trainers.steps import checks, inputs
from trainers.steps.compilation import PLAYERS
from zoo import finite, progress, tracing

CACHED = "_use_cached_eval_dataset"  # Keras's own word to `evaluate`.


class Feeding:
    """A mixin of a trainer: `evaluate`, `predict` and single batches."""

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """The metrics on other real samples, with both players in inference mode.

        Takes what `keras.Model.evaluate` takes, and samples in every form that `fit` takes.

        Raises:
            ValueError: If the data do not fit the players, or weights are NaN or infinite.
        """
        self._check_compiled()
        checks.refuse_unknown_of_method(self, "evaluate", kwargs, more=(CACHED,))
        inputs.refuse_weights(sample_weight=kwargs.pop("sample_weight", None))
        kwargs["callbacks"] = progress.with_bar(kwargs.get("callbacks"), kwargs.get("verbose"))
        if kwargs.get(CACHED):  # Of `fit`, which has checked it.
            return super().evaluate(x, **kwargs)
        self._check_finite()
        feed = inputs.for_evaluate(self, x, y, batch_size, kwargs.pop("steps", None))
        with feed.reading():
            return super().evaluate(feed.dataset, **kwargs)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step on one batch of samples, or of samples and labels, checked as by `fit`."""
        self._check_compiled()
        inputs.refuse_weights(sample_weight=sample_weight, class_weight=class_weight)
        x, y = inputs.for_batch(self, x, y, training=True)
        return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """The metrics on one batch, checked as by `evaluate`."""
        self._check_compiled()
        inputs.refuse_weights(sample_weight=sample_weight)
        self._check_finite()
        x, y = inputs.for_batch(self, x, y, training=False)
        return super().test_on_batch(x, y, return_dict=return_dict)

    def predict(self, x=None, **kwargs):
        """Samples of given latents `(n, latent_dim)`; of `{"latents": ..., "labels": ...}` too.

        `sample` draws the latents itself.
        """
        checks.refuse_unknown_of_method(self, "predict", kwargs)
        inputs.check_latents(self.traits, x)
        finite.check_weights(self.sampler, "generator")
        return super().predict(x, **kwargs)

    def _check_finite(self):
        for name in PLAYERS:
            finite.check_weights(getattr(self, name), name)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing: both players arrive built, and Keras's look would use up a stream's batch."""

    def _make_function(self, step_function):
        """Keras's function of a step that does nothing before its data are there.

        In a graph, what does not depend on the data (the counter of steps, draws, statistics of
        generated samples) would also run where the iterator says that there are none left.
        """

        def step(data):
            tensors = [x for x in tf.nest.flatten(data) if tf.is_tensor(x)]
            with tracing.released(), tf.control_dependencies(tensors):
                return step_function(data)

        return super()._make_function(step)
