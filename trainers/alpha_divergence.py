"""The alpha family of f-divergences, with two meanings of the logit (Nowozin et al., 2016)."""

import math

import keras
import tensorflow as tf

from trainers.divergence_forms import TAIL, Divergence, Domain, logit_below
from zoo.validation import check_choice, check_number

FORMS = ("table", "log_ratio")
NEAR = 0.2  # So close to 1 a logarithm or power of b = 1 + (a-1) t would lose digits of t.


@keras.saving.register_keras_serializable(package="zoo")
class AlphaDivergence(Divergence):
    """The alpha family: `f = (u^a - 1 - a (u-1)) / (a (a-1))`, `T* = (e^((a-1) r) - 1) / (a-1)`.

    `f* = (b^(a/(a-1)) - 1) / a` with `b = 1 + (a-1) t`; for a > 1 it is `-1/a` from b = 0 down.
    Pearson / 2 at a = 2, Neyman / 2 at -1, twice squared Hellinger at 1/2; the Kullback-Leibler
    divergence is the limit at 1, the reverse one at 0. What the discriminator's logit v means:

    - `"table"`, f-GAN's table 6: `g_f = 1/(1-a) - log(1 + e^-v)` for a < 1, else `v`. Just below 1
      it cannot be used: `f'(1)` lies at `v = -1/(1-a)`, and c(0) is 3e3 at a = .8,
      3e10 at .9 and 5e27 at .95.
    - `"log_ratio"`: `g_f = (1 - e^(-(1-a) v)) / (1-a)`, `c = (e^(a v) - 1) / a`, with the optimum
      at `v = log p/q` for every a.

    Args:
        alpha: float other than 0 and 1, whose limits are `ReverseKL` and `KL`.
        form: `"table"` or `"log_ratio"`. Defaults to `"log_ratio"` for 0.8 <= alpha < 1, else
            `"table"`. A config without one, as of a file from before there were two, is a table's.

    Raises:
        ValueError: If alpha is 0, 1 or not finite, or the form is unknown.

    Reference:
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), table 6.
    """

    name = "alpha"

    def __init__(self, alpha, form=None):
        limits = {0: "'reverse_kl', the limit at 0", 1: "'kl', the limit at 1"}
        check_number(alpha=alpha)
        alpha = float(alpha)
        if alpha in limits or not math.isfinite(alpha):
            raise ValueError(
                "`alpha` is 0, 1 or not finite. Expected another number, or "
                f"{limits.get(alpha, 'another divergence')}. Received: alpha={alpha}"
            )
        if form is None:
            form = "log_ratio" if 0.8 <= alpha < 1 else "table"
        check_choice(FORMS, form=form)
        self.alpha = alpha
        self.form = form
        if alpha < 1:
            self.domain = Domain(1.0 / (1.0 - alpha), closed=alpha < 0)

    def get_config(self):
        """`alpha`, and `form` unless it is the one that all files had before there were two."""
        config = {**super().get_config(), "form": self.form}
        if self.form == "table":
            del config["form"]
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The inverse of `get_config`."""
        return super().from_config({"form": "table", **config}, custom_objects)

    def f(self, u):
        # Both are (u^a - 1 - a (u-1)) / (a (a-1)): the one keeps its digits as a -> 0, the other
        # as a -> 1. `multiply_no_nan`: u^a is 0 at u = 0 for a > 0.
        a, r = self.alpha, tf.math.log(u)
        if a < 0.5:
            return (tf.math.expm1(a * r) / a - (u - 1.0)) / (a - 1.0)
        return (tf.math.multiply_no_nan(self._power(r), u) - (u - 1.0)) / a

    def _power(self, r):
        """`(u^(a-1) - 1) / (a-1)` with `r = log u`."""
        return tf.math.expm1((self.alpha - 1.0) * r) / (self.alpha - 1.0)

    def _conjugate(self, t):
        step = (self.alpha - 1.0) * t
        b = 1.0 + step
        if abs(self.alpha - 1.0) <= NEAR:
            log_b = tf.math.log1p(tf.where(b > 0.0, step, 0.0))
        else:
            log_b = tf.math.log(tf.where(b > 0.0, b, 1.0))
        return tf.where(b > 0.0, self._conjugate_of_log(log_b), -1.0 / self.alpha)

    def _conjugate_of_log(self, log_b):
        return tf.math.expm1(self.alpha / (self.alpha - 1.0) * log_b) / self.alpha

    def activation(self, v):
        if self.form == "log_ratio":
            return self.optimal_critic(v)
        return super().activation(v)

    def conjugate_of_activation(self, v):
        """In the table's form for a < 1, `b = (1-a) softplus(-v)`: log b is affine in the tail."""
        if self.form == "log_ratio":
            return tf.math.expm1(self.alpha * v) / self.alpha
        if self.alpha > 1:
            return self._conjugate(v)
        near = tf.math.log(tf.nn.softplus(-tf.where(v > TAIL, 0.0, v)))
        return self._conjugate_of_log(math.log(1.0 - self.alpha) + tf.where(v > TAIL, -v, near))

    def optimal_logit(self, log_ratio):
        if self.form == "log_ratio":
            return tf.identity(log_ratio)
        if self.alpha > 1:
            return self.optimal_critic(log_ratio)
        return logit_below(tf.exp((self.alpha - 1.0) * log_ratio) / (1.0 - self.alpha))

    def optimal_critic(self, log_ratio):
        return self._power(log_ratio)
