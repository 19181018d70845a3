"""What each player minimises, per example, from logits (Goodfellow et al., 2014, and others).

`v` is the discriminator's logit and `D = sigmoid(v)` its probability that a sample is real.
"""

import keras
import tensorflow as tf

from trainers import divergences, other_names
from trainers.answers import js_estimate as js_estimate
from trainers.answers import probabilities
from trainers.objective import Objective, check_logits
from zoo import replicas
from zoo.validation import check_choice, check_number, nearest


def _binary_cross_entropy(logits, target):
    """`-target log D - (1 - target) log(1 - D)`, from logits; nothing cancels at large ones."""
    terms = [(target, -logits), (1.0 - target, logits)]
    return sum(share * tf.nn.softplus(v) for share, v in terms if share)


@keras.saving.register_keras_serializable(package="zoo")
class Minimax(Objective):
    """The two-player game with value `V = E log D(x) + E log(1 - D(G(z)))`.

    The discriminator minimises `-V`, the generator `E log(1 - D(G(z)))`. When the discriminator
    wins, `d loss / dv = -D` goes to 0: the generator's loss saturates.

    With label smoothing the discriminator's cross entropy has other targets than 1 and 0, and its
    optimum is `D* = (real_target p + fake_target q) / (p + q)`. One-sided smoothing, 0.9 and 0, is
    the usual one: a `fake_target` above 0 rewards samples where there are no data.

    Args:
        real_target: float in (0, 1]. What D should say of real samples.
        fake_target: float in [0, 1), below `real_target`. What D should say of generated ones.

    Raises:
        ValueError: If the targets are out of range.

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), equation 1.
        - [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 3.4, for smoothing.
    """

    estimates_js = True

    def __init__(self, real_target=1.0, fake_target=0.0):
        check_number("a probability", real_target=real_target, fake_target=fake_target)
        if not 0 <= fake_target < real_target <= 1:
            raise ValueError(
                "`real_target` and `fake_target` are no probabilities in this order. Expected "
                "0 <= fake_target < real_target <= 1. "
                f"Received: real_target={real_target}, fake_target={fake_target}"
            )
        self.real_target = float(real_target)
        self.fake_target = float(fake_target)

    def discriminator_loss(self, real_logits, fake_logits):
        """`-log D(x) - log(1 - D(G(z))) = softplus(-v_real) + softplus(v_fake)`, unsmoothed."""
        check_logits(real_logits, fake_logits)
        real = _binary_cross_entropy(real_logits, self.real_target)
        return real + _binary_cross_entropy(fake_logits, self.fake_target)

    def generator_loss(self, real_logits, fake_logits):
        """`log(1 - D(G(z))) = -softplus(v_fake)`."""
        check_logits(real_logits, fake_logits)
        return -tf.nn.softplus(fake_logits)

    def answers(self, real_logits, fake_logits):
        """`D(x)` and `D(G(z))`, the probabilities of being real."""
        return probabilities(real_logits, fake_logits)

    def optimal_logit(self, log_ratio):
        """`log D* / (1 - D*)`, with `D* = (real_target p + fake_target q) / (p + q)`."""

        def log_mean(real, fake):  # log (real p + fake q) / (p + q)
            logs = [tf.math.log(tf.constant(t, log_ratio.dtype)) for t in (real, fake)]
            shares = tf.math.log_sigmoid(log_ratio), tf.math.log_sigmoid(-log_ratio)
            return tf.reduce_logsumexp([logs[0] + shares[0], logs[1] + shares[1]], axis=0)

        above = log_mean(self.real_target, self.fake_target)
        return above - log_mean(1.0 - self.real_target, 1.0 - self.fake_target)


@keras.saving.register_keras_serializable(package="zoo")
class NonSaturating(Minimax):
    """Minimax for the discriminator; the generator minimises `-E log D(G(z))`.

    The game has the same fixed point, and `d loss / dv = -(1 - D)` stays near -1 while the
    discriminator wins. Arguments as `Minimax`.

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 3.
    """

    def generator_loss(self, real_logits, fake_logits):
        """`-log D(G(z)) = softplus(-v_fake)`."""
        check_logits(real_logits, fake_logits)
        return tf.nn.softplus(-fake_logits)


@keras.saving.register_keras_serializable(package="zoo")
class LeastSquares(Objective):
    """Least squares GAN: the logit itself is pulled to 1 on real and to 0 on generated samples.

    Reference:
        - [Mao et al., 2017](https://arxiv.org/abs/1611.04076), equation 9.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        """`(v_real - 1)^2 / 2 + v_fake^2 / 2`."""
        check_logits(real_logits, fake_logits)
        return (tf.square(real_logits - 1.0) + tf.square(fake_logits)) / 2.0

    def generator_loss(self, real_logits, fake_logits):
        """`(v_fake - 1)^2 / 2`."""
        check_logits(real_logits, fake_logits)
        return tf.square(fake_logits - 1.0) / 2.0

    def optimal_logit(self, log_ratio):
        """`p / (p + q)`."""
        return tf.sigmoid(log_ratio)


@keras.saving.register_keras_serializable(package="zoo")
class Wasserstein(Objective):
    """The critic estimates a Wasserstein distance: `E v(x) - E v(G(z))`, over Lipschitz critics.

    It has a meaning only where something bounds the critic's slope: clipping, or a penalty.

    Reference:
        - [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), equation 2.
    """

    needs_bounded_slope = True

    def discriminator_loss(self, real_logits, fake_logits):
        """`v_fake - v_real`."""
        check_logits(real_logits, fake_logits)
        return fake_logits - real_logits

    def generator_loss(self, real_logits, fake_logits):
        """`-v_fake`."""
        check_logits(real_logits, fake_logits)
        return -fake_logits


@keras.saving.register_keras_serializable(package="zoo")
class Hinge(Wasserstein):
    """The critic stops where it is right by a margin of 1; the generator as in `Wasserstein`.

    Reference:
        - [Lim and Ye, 2017](https://arxiv.org/abs/1705.02894), section 3.
        - [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), equations 16 and 17.
    """

    needs_bounded_slope = False

    def discriminator_loss(self, real_logits, fake_logits):
        """`max(0, 1 - v_real) + max(0, 1 + v_fake)`."""
        check_logits(real_logits, fake_logits)
        return tf.nn.relu(1.0 - real_logits) + tf.nn.relu(1.0 + fake_logits)

    def optimal_logit(self, log_ratio):
        """1 where p > q, -1 where p < q."""
        return tf.sign(log_ratio)


@keras.saving.register_keras_serializable(package="zoo")
class RelativisticAverage(Objective):
    """Each sample is more real than the average one of the other kind, or it is not.

    With `d_real = v_real - mean(v_fake)` and `d_fake = v_fake - mean(v_real)`. Both losses need
    the logits of real samples, and the means couple the examples of a batch.

    Reference:
        - [Jolicoeur-Martineau, 2019](https://arxiv.org/abs/1807.00734), section 4.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        """`softplus(-d_real) + softplus(d_fake)`."""
        check_logits(real_logits, fake_logits)
        real, fake = self._relative(real_logits, fake_logits)
        return tf.nn.softplus(-real) + tf.nn.softplus(fake)

    def _relative(self, real_logits, fake_logits):
        """`d_real` and `d_fake`."""
        real = real_logits - replicas.mean(tf.reduce_mean(fake_logits))
        return real, fake_logits - replicas.mean(tf.reduce_mean(real_logits))

    def answers(self, real_logits, fake_logits):
        """The probabilities `sigmoid(d)` of being more real than the average of the other kind."""
        return probabilities(*self._relative(real_logits, fake_logits))

    def generator_loss(self, real_logits, fake_logits):
        """The same with real and generated samples exchanged."""
        return self.discriminator_loss(fake_logits, real_logits)


@keras.saving.register_keras_serializable(package="zoo")
class RelativisticPairing(Objective):
    """Each generated sample is compared with one real sample of its batch.

    With the penalties R1 and R2 on both sides this is the loss of R3GAN.

    Reference:
        - [Jolicoeur-Martineau, 2019](https://arxiv.org/abs/1807.00734), section 3.
        - [Huang et al., 2024](https://arxiv.org/abs/2501.05441), equation 2.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        """`softplus(-(v_real - v_fake))`."""
        check_logits(real_logits, fake_logits)
        return tf.nn.softplus(fake_logits - real_logits)

    def generator_loss(self, real_logits, fake_logits):
        """`softplus(-(v_fake - v_real))`."""
        return self.discriminator_loss(fake_logits, real_logits)

    def answers(self, real_logits, fake_logits):
        """The probabilities `sigmoid(v - v')` of being the real one of a pair."""
        return probabilities(real_logits - fake_logits, fake_logits - real_logits)

    def optimal_logit(self, log_ratio):
        """`r`, up to a constant: Bayes' rule for which of a pair is the real one."""
        return tf.identity(log_ratio)


GENERATOR_LOSSES = {
    "replacement": lambda divergence, fake: -divergence.activation(fake),
    "exact": lambda divergence, fake: -divergence.conjugate_of_activation(fake),
}


@keras.saving.register_keras_serializable(package="zoo")
class FDivergence(Objective):
    """The variational bound `E g_f(v_real) - E f*(g_f(v_fake)) <= D_f(data || generator)`.

    The discriminator maximises it. The generator minimises it (`"exact"`), or takes the
    replacement of the paper's section 3.2 and maximises `E g_f(v_fake)`, whose gradient does not
    vanish while the discriminator wins. With the divergence `"gan"` the two are `Minimax` and
    `NonSaturating`.

    Where the generator can equal the data, both have that fixed point. Where it cannot, the
    replacement leads elsewhere: its gradient at the optimal discriminator, `-E_grad-q f'(p/q)`, is
    that of another divergence. `"kl"` then descends the reverse KL, `"pearson"` twice the KL, and
    `"reverse_kl"` half of Neyman's; `"gan"` descends `KL(q || p) - 2 JS`. Take `"exact"` to fit
    the divergence that you name.

    Args:
        divergence: Name, config or `trainers.divergences.Divergence`.
        generator: `"replacement"` or `"exact"`.

    Raises:
        ValueError: If either is unknown.

    Reference:
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), equations 6 and 9, section 3.2.
        - [Arjovsky and Bottou, 2017](https://arxiv.org/abs/1701.04862), theorem 2.5, for `"gan"`.
    """

    def __init__(self, divergence, generator="replacement"):
        check_choice(GENERATOR_LOSSES, generator=generator)
        self.divergence = divergences.get(divergence)
        self.generator = generator

    def bound(self, real_logits, fake_logits):
        """`g_f(v_real) - f*(g_f(v_fake))`, float `(batch,)`: its mean is a lower bound of D_f."""
        check_logits(real_logits, fake_logits)
        real = self.divergence.activation(real_logits)
        return real - self.divergence.conjugate_of_activation(fake_logits)

    def discriminator_loss(self, real_logits, fake_logits):
        """`-g_f(v_real) + f*(g_f(v_fake))`."""
        return -self.bound(real_logits, fake_logits)

    def generator_loss(self, real_logits, fake_logits):
        """`-g_f(v_fake)`, or `-f*(g_f(v_fake))` when exact."""
        check_logits(real_logits, fake_logits)
        return GENERATOR_LOSSES[self.generator](self.divergence, fake_logits)

    @property
    def estimates_js(self):
        """Whether its discriminator is that of the Jensen-Shannon divergence."""
        return isinstance(self.divergence, (divergences.GANDivergence, divergences.JensenShannon))

    def answers(self, real_logits, fake_logits):
        """The probabilities `u / (1 + u)` for the density ratios that the logits imply."""
        return self.divergence.probability(real_logits), self.divergence.probability(fake_logits)

    def optimal_logit(self, log_ratio):
        """The v with `g_f(v) = f'(p/q)`."""
        return self.divergence.optimal_logit(log_ratio)

    def serialized(self, name, value):
        # The divergence itself: however it was named, two of one divergence are equal.
        value = self.divergence if name == "divergence" else value
        return super().serialized(name, value)


OBJECTIVES = {
    "hinge": Hinge,
    "least_squares": LeastSquares,
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "relativistic_average": RelativisticAverage,
    "relativistic_pairing": RelativisticPairing,
    "wasserstein": Wasserstein,
}


def get(objective, **parameters):
    """An `Objective` from its name and parameters, its config, or itself.

    The name of a divergence gives its `FDivergence`: `get("kl", generator="exact")`,
    `get("alpha", alpha=0.3)`.

    Raises:
        ValueError: If the name is unknown (the nearest known ones are offered), the parameters are
            not the objective's, or the value is something else.
    """
    if isinstance(objective, dict):
        objective = keras.saving.deserialize_keras_object(objective)
    if isinstance(objective, Objective) and not parameters:
        return objective
    if isinstance(objective, str) and objective in OBJECTIVES:
        cls = OBJECTIVES[objective]
        arguments = cls.argument_names()
        if not set(parameters) <= set(arguments):
            raise ValueError(
                f"`parameters` are not those of {objective!r}. Expected some of "
                f"{sorted(arguments)}. Received: parameters={parameters}"
            )
        return cls(**parameters)
    if isinstance(objective, str) and objective in divergences.DIVERGENCES:
        kind = {k: parameters.pop(k) for k in ("generator",) if k in parameters}
        return FDivergence(divergences.get(objective, **parameters), **kind)
    names = sorted({*OBJECTIVES, *divergences.DIVERGENCES})
    raise ValueError(
        f"`objective` is unknown. Expected one of {names}, or a trainers.objectives.Objective by "
        f"itself{nearest(objective, names, other_names.OBJECTIVES)}"
        f"{other_names.hint(objective)}. "
        f"Received: objective={objective!r}, parameters={parameters}"
    )
