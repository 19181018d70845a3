"""Learning a lower bound of an f-divergence from samples (Nguyen et al., 2010)."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from trainers import density_ratio, divergences
from trainers.steps import apply_gradients
from zoo import tracing
from zoo.players import conditions
from zoo.players.sampling import discriminate, patches, sample_shape
from zoo.validation import as_array, check_integer

LONGEST = 10**6  # Steps; more of them never end.
MANY = 0.2  # A share of log ratios that are cut, beyond what two overlapping laws show.


@dataclasses.dataclass(frozen=True)
class DivergenceEstimate:
    """A lower bound of an f-divergence, from samples.

    Attributes:
        value: float. `mean g_f(v(p)) - mean f*(g_f(v(q)))` over samples the critic has not seen, or
            `f(1)`, the bound of a constant critic (0, but of "gan" -log 4), where that is more.
        standard_error: float. Of the critic's bound, from the spread over those samples.
        name: str. The divergence's name.
        parameters: dict. The divergence's parameters.
        samples: Two ints. Held-out samples of p and of q.
        note: str. What the value should not be taken for, or nothing.
    """

    value: float
    standard_error: float
    name: str
    parameters: dict
    samples: tuple
    note: str = ""


def estimate_divergence(p, q, name, critic=None, steps=1000, seed=0, **parameters):
    """Learns a critic on half of the samples, and bounds `D_f(p || q)` from below on the rest.

    The expected value is at most the divergence, whatever the critic: it is short of it by what
    the critic has not learned. Adam takes at most `steps` steps on batches of up to 512 samples of
    each, with a rate that falls from 0.003 to 0 along a cosine. A fifth of the half that teaches
    validates: the critic is left as it was when its bound there, less the standard error, was
    largest, and a quarter of the steps without a larger one ends the learning.

    What bounds the value from above is the number of samples. No estimator can promise more than
    about `log n` nats of a Kullback-Leibler divergence from n samples (McAllester and Stratos,
    2020), and of a divergence whose f grows faster, such as Pearson's, the largest ratios make the
    most of the value while the fewest samples show them. So the default critic's log ratio is cut
    at `log n`, or below, where the fifth says so after paying for one sample more of each that is
    the worst there may be. Far from p = q, take the value for a bound, not for the divergence.

    Args:
        p: float array `(n, d)`. Samples of the data.
        q: float array `(m, d)`. Samples of the model.
        name: Name, config or `trainers.divergences.Divergence`.
        critic: Keras model from `(batch, d)` to one logit, the v of `g_f(v)`, which is trained in
            place. Defaults to one of log p/q: two layers of 64 rectified units on normal scores of
            the coordinates' ranks and, in up to 10 dimensions, on the distances to neighbours. Half
            of its steps descend the logistic loss, whose gradients are bounded.
        steps: int. Steps of Adam at most.
        seed: int. Of the halves, the batches and the default critic.
        **parameters: The divergence's, as for `trainers.divergences.get`.

    Returns:
        `DivergenceEstimate`.

    Raises:
        ValueError: If the samples are no two arrays `(n, d)` of equal d with at least four finite
            rows, or another argument is unknown or out of range.

    Example:

    ```python
    import numpy as np
    import trainers

    rng = np.random.default_rng(0)
    real, generated = rng.normal(0, 1, (2000, 1)), rng.normal(1, 1, (2000, 1))
    estimate = trainers.estimate_divergence(real, generated, "jensen_shannon")
    print(estimate.value, "+-", estimate.standard_error, estimate.note)
    ```

    Reference:
        - [Nguyen et al., 2010](https://arxiv.org/abs/0809.0853), for the estimator.
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), equation 4.
        - [McAllester and Stratos, 2020](https://arxiv.org/abs/1811.04251), theorem 1.1.
    """
    divergence = divergences.get(name, **parameters)
    check_integer(1, LONGEST, steps=steps)
    check_integer(0, seed=seed)
    p, q = _samples(p, "p"), _samples(q, "q")
    if p.shape[1] != q.shape[1]:
        raise ValueError(
            "`p` and `q` have different dimensions. Expected arrays (n, d) and (m, d). "
            f"Received: p of shape {p.shape} and q of shape {q.shape}"
        )
    rng = np.random.default_rng(seed)
    taught, held_out = _halves(p, q, rng)
    if critic is None:
        critic, games, taught, held_out = _own_critic(divergence, taught, held_out, rng)
    else:
        _check_critic(critic, p.shape[1:])
        games = [density_ratio.LogitGame(divergence)]
    pupil = _Pupil(critic, taught, int(rng.integers(2**31)))
    cap = pupil.learn(games, steps)
    return _estimate(divergence, games[-1], [pupil.outputs(x) for x in held_out], cap)


def _halves(p, q, rng):
    """The samples that teach, p's and q's, each as those of the steps and the fifth; the rest."""
    taught, held_out = [], []
    for samples in (p, q):
        samples = rng.permutation(samples)
        half = len(samples) // 2
        fifth = max(half // 5, 1)
        taught.append((samples[fifth:half], samples[:fifth]))
        held_out.append(samples[half:])
    return taught, held_out


def _own_critic(divergence, taught, held_out, rng):
    """The default critic, its games, and its features in place of the samples."""
    features = density_ratio.Features(*(teaching for teaching, _ in taught))
    taught = [(features(x, own), features(y)) for own, (x, y) in enumerate(taught)]
    held_out = [features(x) for x in held_out]
    limit = max(float(np.log(min(map(len, held_out)))), 1.0)
    logistic = divergences.get("gan")
    games = [density_ratio.RatioGame(d, limit) for d in (logistic, divergence)]
    return density_ratio.critic(held_out[0].shape[1], rng), games, taught, held_out


def _estimate(divergence, game, outputs, cap):
    """The bound on the held-out samples, and what is to be said of it."""
    value, error = _bound(game, outputs, cap)
    floor = float(divergence.f(tf.constant(1.0, "float64"))) + 0.0  # -log 1 is -0.
    notes = []
    if not value >= floor:
        notes.append(
            f"The critic's bound on the held-out samples is {value:.4g}; the value is that of a "
            "constant critic. More samples, or another critic, may find a difference."
        )
        value = floor
    if cap is not None:
        shares = [np.mean(np.abs(x) >= cap) for x in outputs]
        lost = [
            share * cost if share > MANY else 0.0
            for share, cost in zip(shares, game.costs_of(cap), strict=True)
        ]
        if max(lost) > max(error, 0.05 * abs(value)):
            notes.append(
                f"Of the log ratios at samples of p {shares[0]:.0%}, and at those of q "
                f"{shares[1]:.0%}, are cut at {cap:.3g} (log(samples) is {game.limit:.3g}): they "
                "cannot tell how much larger the divergence is."
            )
    return DivergenceEstimate(
        value=value,
        standard_error=error,
        name=divergence.name,
        parameters=divergence.get_config(),
        samples=tuple(map(len, outputs)),
        note=" ".join(notes),
    )


def _bound(game, outputs, cap):
    """The mean bound of a critic's outputs for p and q, and its standard error."""
    real, fake = (terms.numpy() for terms in game.terms(*map(tf.constant, outputs), cap))
    spread = sum(x.var(ddof=1) / x.size if x.size > 1 else 0.0 for x in (real, fake))
    return float(real.mean() - fake.mean()), float(np.sqrt(spread))


def _samples(samples, name):
    array = as_array("iufb", **{name: samples}).astype("float64")
    if array.ndim != 2 or len(array) < 4 or not np.isfinite(array).all():
        raise ValueError(
            f"`{name}` is no set of samples. Expected a finite float array (n, d) with n >= 4: "
            f"half of them teach, the other half tests. Received: {name} of shape {array.shape} "
            f"with {np.sum(~np.isfinite(array))} values that are not finite"
        )
    return array


def _check_critic(critic, wanted):
    """Raises a `ValueError` unless a model takes samples of this shape to one logit."""
    shape = sample_shape(critic, "critic")
    told = conditions.of(critic) is not None
    if told or shape != wanted or patches(critic, "critic") != 1:
        raise ValueError(
            f"`critic` cannot judge the samples. Expected a model from (batch, {wanted[0]}) to one "
            f"logit. Received: critic={critic.name!r} for samples of shape {shape}"
        )


class _Pupil:
    """A critic that learns; what it knows best is what it is left with.

    Args:
        critic: Keras model.
        taught: For p and q, the samples of the steps and those that validate.
        seed: int. Of the batches.
    """

    def __init__(self, critic, taught, seed):
        self.critic, self.seed = critic, seed
        (self.p, valid_p), (self.q, valid_q) = taught
        self.valid = valid_p, valid_q

    def outputs(self, samples):
        """float64 outputs `(n,)`, in chunks."""
        chunks = [
            discriminate(self.critic, tf.constant(samples[k : k + 4096], "float32"))[0]
            for k in range(0, len(samples), 4096)
        ]
        return np.concatenate(chunks).astype("float64")

    def learn(self, games, steps):
        """Takes the steps, an equal part in each game; returns the cap that validates best."""
        variables = self.critic.trainable_variables
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps))
        optimizer.build(variables)
        sizes = [len(x) for x in self.valid]
        self.risks = {cap: games[-1].risk(cap, *sizes) for cap in games[-1].caps}
        ends = [steps * (k + 1) // len(games) for k in range(len(games))]
        start = 0
        for game, end in zip(games, ends, strict=True):
            run = self._steps(game, optimizer, variables)
            best = self._in_game(run, games[-1], start, end, max(steps // 20, 1), steps // 4)
            start = end
        return best

    def _in_game(self, run, game, start, end, stride, patience):
        """The steps from `start` to `end`, as validated by the game that counts."""
        best, weights, cap, since = -np.inf, None, game.caps[0], start
        if start:  # What the game before has taught may be better than all that comes.
            (best, cap), weights = self._validated(game), self.critic.get_weights()
        for first in range(start, end, stride):
            last = min(first + stride, end)
            run(tf.constant(first), tf.constant(last))
            found, candidate = self._validated(game)
            if found > best:
                best, weights, cap, since = found, self.critic.get_weights(), candidate, last
            elif last - since > patience:
                break
        if weights is not None:
            self.critic.set_weights(weights)
        return cap

    def _validated(self, game):
        """The largest safe bound, over the caps, and its cap; `-inf` where none is finite.

        Safe is less by the standard error, and by the cost of what the samples may not have shown.
        """
        outputs = [self.outputs(x) for x in self.valid]
        found = [
            (np.subtract(*_bound(game, outputs, cap)) - risk, cap)
            for cap, risk in self.risks.items()
        ]
        return max(((v, c) for v, c in found if np.isfinite(v)), default=(-np.inf, game.caps[0]))

    def _steps(self, game, optimizer, variables):
        """A function of the first step and the one behind the last: ascends the game's bound."""
        p, q = tf.constant(self.p, "float32"), tf.constant(self.q, "float32")

        def batch(samples, *stream):
            rows = min(len(samples), 512)
            index = tf.random.stateless_uniform((rows,), stream, 0, len(samples), "int32")
            return tf.gather(samples, index)

        def one(step):
            with tf.GradientTape() as tape:
                real, _ = discriminate(self.critic, batch(p, self.seed, 2 * step), training=True)
                fake, _ = discriminate(
                    self.critic, batch(q, self.seed, 2 * step + 1), training=True
                )
                real, fake = game.terms(real, fake)
                loss = tf.reduce_mean(fake) - tf.reduce_mean(real)
            gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
            apply_gradients.apply(optimizer, gradients, variables)
            return (step + 1,)

        def run(start, stop):
            tf.while_loop(lambda step: step < stop, one, (start,))

        return tf.function(tracing.traced(run), autograph=False)
