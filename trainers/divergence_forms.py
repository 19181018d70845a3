"""The divergences of f-GAN in forms that neither cancel nor overflow (Nowozin et al., 2016).

`trainers.divergences.TABLE` has the formulas side by side, and says what u, v, t and r are.
"""

import math
from typing import NamedTuple

import keras
import tensorflow as tf

from zoo.players.recorded import Recorded

TAIL = 30.0  # From here on log softplus(-v) is -v, within 5e-14.


class Domain(NamedTuple):
    """Where f* is finite: from minus infinity up to `upper`, which belongs to it if `closed`."""

    upper: float = math.inf
    closed: bool = False


class Divergence(Recorded):
    """One row of f-GAN's tables. All functions are elementwise on float tensors, of their dtype.

    A subclass, registered with `keras.saving.register_keras_serializable`, defines `f` and
    `_conjugate`, and of the rest what differs or has a more stable form.

    Attributes:
        name: str. What `get` knows it by.
        domain: `Domain` of f*.
        threshold: float, `f'(1)`. `T > threshold` says that p > q.
        logit_slope: float. Unless `optimal_logit` is overridden, `T* = g_f(logit_slope r)`.

    Reference:
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), tables 1, 2 and 6.
    """

    name = None
    domain = Domain()
    threshold = 0.0
    logit_slope = 1.0

    def f(self, u):
        """`f(u)` of a density ratio `u > 0`."""
        raise NotImplementedError(f"{type(self).__name__} has to define f")

    def conjugate(self, t):
        """`f*(t) = sup_u t u - f(u)`, infinite outside the domain.

        Of a logit take `conjugate_of_activation`: `t = g_f(v)` may round to the domain's end.
        """
        upper = self.domain.upper
        outside = t > upper if self.domain.closed else t >= upper
        inside = tf.where(outside, -1.0, t)  # -1 lies in every domain: no NaN in the gradient.
        return tf.where(outside, math.inf, self._conjugate(inside))

    def _conjugate(self, t):
        raise NotImplementedError(f"{type(self).__name__} has to define _conjugate")

    def activation(self, v):
        """`g_f(v)`, increasing from the line into the domain: `v`, or `upper - log(1 + e^-v)`."""
        upper = self.domain.upper
        return tf.identity(v) if math.isinf(upper) else upper - tf.nn.softplus(-v)

    def conjugate_of_activation(self, v):
        """`c(v) = f*(g_f(v))`, in a form that neither cancels nor overflows before its value."""
        return self._conjugate(self.activation(v))

    def optimal_logit(self, log_ratio):
        """The v with `g_f(v) = T*`."""
        return self.logit_slope * log_ratio

    def probability(self, v):
        """`D = u / (1 + u)`, the probability of being real for the ratio u where v is optimal.

        `T = f'(u)` has the inverse `u = f*'(T)`: the slope of `c` by that of `g_f`, both at v.
        """
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(v)
            conjugate, critic = self.conjugate_of_activation(v), self.activation(v)
        log_ratio = tf.math.log(tape.gradient(conjugate, v)) - tf.math.log(tape.gradient(critic, v))
        # Where neither has a slope left, v is so far out that its sign tells.
        return tf.sigmoid(tf.where(tf.math.is_nan(log_ratio), math.inf * tf.sign(v), log_ratio))

    def optimal_critic(self, log_ratio):
        """`T* = f'(p/q)`, which attains the supremum, from `r = log p/q`."""
        return self.activation(self.optimal_logit(log_ratio))


def logit_below(gap):
    """The v with `softplus(-v) = gap`."""
    return -gap - tf.math.log(-tf.math.expm1(-gap))


class _BelowExponential(Divergence):
    """`g_f = upper - e^-v`."""

    def activation(self, v):
        return self.domain.upper - tf.exp(-v)


@keras.saving.register_keras_serializable(package="zoo")
class KL(Divergence):
    """Kullback-Leibler, `KL(P || Q)`: `f = u log u`, `f* = e^(t-1)`, `g_f = v`, `T* = 1 + r`."""

    name, threshold = "kl", 1.0

    def f(self, u):
        return tf.math.xlogy(u, u)

    def _conjugate(self, t):
        return tf.exp(t - 1.0)

    def optimal_logit(self, log_ratio):
        return 1.0 + log_ratio


@keras.saving.register_keras_serializable(package="zoo")
class ReverseKL(_BelowExponential):
    """`KL(Q || P)`: `f = -log u`, `f* = -1 - log(-t)`, `g_f = -e^-v`, `c = v - 1`, `T* = -e^-r`."""

    name, domain, threshold = "reverse_kl", Domain(0.0), -1.0

    def f(self, u):
        return -tf.math.log(u)

    def _conjugate(self, t):
        return -1.0 - tf.math.log(-t)

    def conjugate_of_activation(self, v):
        return v - 1.0


@keras.saving.register_keras_serializable(package="zoo")
class Pearson(Divergence):
    """Pearson's chi-squared: `f = (u-1)^2`, `f* = t^2/4 + t` (-1 below t = -2), `g_f = v`.

    It is the integral of `(p-q)^2 / q`; tables that print `/ p` beside this f mean `Neyman`, and
    those without the branch below -2 punish `v < -2`. `T* = 2 (e^r - 1)`.
    """

    name = "pearson"

    def f(self, u):
        return tf.square(u - 1.0)

    def _conjugate(self, t):
        return tf.square(1.0 + tf.maximum(t, -2.0) / 2.0) - 1.0

    def optimal_logit(self, log_ratio):
        return 2.0 * tf.math.expm1(log_ratio)


@keras.saving.register_keras_serializable(package="zoo")
class Neyman(_BelowExponential):
    """Neyman's chi-squared, the integral of `(p-q)^2 / p`: `f = (1-u)^2 / u`.

    `f* = 2 - 2 sqrt(1-t)`, `g_f = 1 - e^-v`, `c = 2 - 2 e^(-v/2)`, `T* = 1 - e^-2r`.
    """

    name, domain, logit_slope = "neyman", Domain(1.0, closed=True), 2.0

    def f(self, u):
        return tf.square(1.0 - u) / u

    def _conjugate(self, t):
        return 2.0 - 2.0 * tf.sqrt(1.0 - t)

    def conjugate_of_activation(self, v):
        return -2.0 * tf.math.expm1(-v / 2.0)


@keras.saving.register_keras_serializable(package="zoo")
class SquaredHellinger(_BelowExponential):
    """The integral of `(sqrt p - sqrt q)^2`: `f = (sqrt u - 1)^2`, `f* = t / (1-t)`.

    `g_f = 1 - e^-v`, `c = e^v - 1`, `T* = 1 - e^(-r/2)`.
    """

    name, domain, logit_slope = "squared_hellinger", Domain(1.0), 0.5

    def f(self, u):
        return tf.square(tf.sqrt(u) - 1.0)

    def _conjugate(self, t):
        return t / (1.0 - t)

    def conjugate_of_activation(self, v):
        return tf.math.expm1(v)


@tf.custom_gradient
def log_wright_omega(s):
    """The x with `e^x + x = s`: the logarithm of Wright's omega, `W(e^s)`. `dx/ds = 1/(1 + e^x)`.

    Newton's method, which falls monotonically from any start on the right of the root.
    """
    x = tf.math.log(tf.maximum(s, 1.0)) + tf.minimum(s, 0.0)
    for _ in range(6):
        w = tf.exp(x)
        x -= (w + x - s) / (w + 1.0)
    # The derivative asks this function again, so that it has derivatives of its own.
    return x, lambda upstream: upstream * tf.sigmoid(-log_wright_omega(s))


@keras.saving.register_keras_serializable(package="zoo")
class Jeffrey(Divergence):
    """`KL(P || Q) + KL(Q || P)`: `f = (u-1) log u`, `g_f = v`, `T* = 1 + r - e^-r`.

    `f* = w + 1/w + t - 2` with `w + log w = 1 - t`, so `w = W(e^(1-t))`, Lambert's function.
    """

    name = "jeffrey"

    def f(self, u):
        return (u - 1.0) * tf.math.log(u)

    def _conjugate(self, t):
        x = log_wright_omega(1.0 - t)
        return tf.math.expm1(-x) - x  # w + t = 1 - log w: nothing cancels for t -> -inf.

    def optimal_logit(self, log_ratio):
        return log_ratio - tf.math.expm1(-log_ratio)


@keras.saving.register_keras_serializable(package="zoo")
class GANDivergence(Divergence):
    """The value of the original game, `2 JS - log 4`: `f = u log u - (u+1) log(u+1)`.

    `f* = -log(1 - e^t)`, `g_f = log sigmoid(v)`, `c = -log(1 - sigmoid(v))`, `T* = log sigmoid(r)`:
    the bound is `E log D(x) + E log(1 - D(G(z)))`, with a plus. f(1) is not 0, hence the `-log 4`.
    """

    name, domain, threshold = "gan", Domain(0.0), -math.log(2.0)

    def f(self, u):
        return tf.math.xlogy(u, u / (1.0 + u)) - tf.math.log1p(u)

    def _conjugate(self, t):
        return -tf.math.log(-tf.math.expm1(t))

    def conjugate_of_activation(self, v):
        return tf.nn.softplus(v)


@keras.saving.register_keras_serializable(package="zoo")
class JensenShannon(GANDivergence):
    """`2 JS`, at most log 4: `f = u log u - (u+1) log((1+u)/2)`, `f* = -log(2 - e^t)`.

    `g_f = log 2 - log(1 + e^-v)`, `c = log(1 + e^v) - log 2`, `T* = log 2 + log sigmoid(r)`. This f
    is the paper's Jensen-Shannon, and its values are twice JS: a factor 1/2 printed beside it is
    wrong (`WeightedJensenShannon(0.5)` is JS). So is `-log(2 exp t)`, where a minus got lost.
    """

    name, domain, threshold = "jensen_shannon", Domain(math.log(2.0)), 0.0

    def f(self, u):
        return tf.math.xlogy(u, 2.0 * u / (1.0 + u)) - tf.math.log((1.0 + u) / 2.0)

    def _conjugate(self, t):
        return -tf.math.log1p(-tf.math.expm1(t))

    def conjugate_of_activation(self, v):
        return tf.nn.softplus(v) - math.log(2.0)


@keras.saving.register_keras_serializable(package="zoo")
class WeightedJensenShannon(Divergence):
    """`pi KL(P || M) + (1 - pi) KL(Q || M)` with `M = pi P + (1 - pi) Q`.

    `f = pi u log u - (1-pi+pi u) log(1-pi+pi u)`, `f* = (1-pi) log((1-pi) / (1 - pi e^(t/pi)))`,
    `g_f = -pi log pi - log(1 + e^-v)`, `T* = pi log(e^r / (1-pi+pi e^r))`.

    Args:
        pi: float in (0, 1). The weight of P, not the circle's constant.
    """

    name = "weighted_jensen_shannon"

    def __init__(self, pi):
        if not 0 < pi < 1:
            raise ValueError(
                "`pi`, the weight of the data, is out of range. Expected a number in (0, 1). "
                f"Received: pi={pi}"
            )
        self.pi = pi
        self.domain = Domain(-pi * math.log(pi))

    def f(self, u):
        m = 1.0 - self.pi + self.pi * u
        return self.pi * tf.math.xlogy(u, u / m) - (1.0 - self.pi) * tf.math.log(m)

    def _conjugate(self, t):
        odds = self.pi / (1.0 - self.pi)
        return -(1.0 - self.pi) * tf.math.log1p(-odds * tf.math.expm1(t / self.pi))

    def conjugate_of_activation(self, v):
        """`(1-pi) (log(1-pi) - log(1 - e^(-softplus(-v)/pi)))`, affine in v in the tail."""
        gap = tf.nn.softplus(-tf.where(v > TAIL, 0.0, v))
        near = tf.math.log(-tf.math.expm1(-gap / self.pi))
        rest = tf.where(v > TAIL, -v - math.log(self.pi), near)
        return (1.0 - self.pi) * (math.log(1.0 - self.pi) - rest)

    def _gap(self, log_ratio):
        """`upper - T*`."""
        return self.pi * tf.nn.softplus(math.log(1.0 / self.pi - 1.0) - log_ratio)

    def optimal_logit(self, log_ratio):
        return logit_below(self._gap(log_ratio))

    def optimal_critic(self, log_ratio):
        return self.domain.upper - self._gap(log_ratio)


@keras.saving.register_keras_serializable(package="zoo")
class TotalVariation(Divergence):
    """Half the integral of `|p - q|`: `f = |u-1| / 2`, `f* = max(t, -1/2)` up to t = 1/2.

    `g_f = c = tanh(v) / 2`, `T* = sign(r) / 2`, which no finite v reaches. f has a kink at 1:
    `f'(1)` may be anything in [-1/2, 1/2], and 0 is taken.
    """

    name, domain = "total_variation", Domain(0.5, closed=True)

    def f(self, u):
        return tf.abs(u - 1.0) / 2.0

    def _conjugate(self, t):
        return tf.maximum(t, -0.5)

    def activation(self, v):
        return tf.tanh(v) / 2.0

    def probability(self, v):
        """`1/2 + T`: f' has no inverse, and at the optimum this says which density is larger."""
        return tf.sigmoid(2.0 * v)

    def optimal_logit(self, log_ratio):
        return tf.math.multiply_no_nan(math.inf * tf.ones_like(log_ratio), tf.sign(log_ratio))

    def optimal_critic(self, log_ratio):
        return tf.sign(log_ratio) / 2.0
