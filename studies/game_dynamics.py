"""Why a GAN circles, and what makes it stop: the smallest game, rule by rule.

  python -m studies.game_dynamics --quick     # every rule, two minutes
  python -m studies.game_dynamics --full      # three step sizes

The data are one point, 0; the generator makes one point, theta; the discriminator is linear,
D(x) = psi x. Both have found each other at (0, 0). Each rule of play moves (theta, psi) by a map
whose derivative at (0, 0) is a matrix of two rows: theory says which, and here it is measured at
the library's own training steps. Its largest eigenvalue tells whether the players come home: below
1 they spiral in, at 1 they circle, above 1 they spiral out.
"""

import warnings

import keras
import numpy as np
import tensorflow as tf

import trainers
from studies import study, tables
from studies.study import Finding, Study

SLOPES = {"wasserstein": 1.0, "non_saturating": 0.5}  # Of both losses by psi theta, at (0, 0).
BEYOND = 1e-2  # Where a step is looked at, on both sides of the equilibrium.
TOLERANCE, NOISY = 2e-4, 2e-3  # Of every entry of the matrix; where a mean is taken over noise.
SHOWN, START = 300, (1.0, 0.5)


# === The rules, on paper ===
# The derivative of a step at (0, 0), in the order theta, psi: h is the step, c the slope of the
# losses. Play at once: theta += h c psi, psi -= h c theta.


def _simultaneous(h, c, on_theta=0.0, on_psi=0.0):
    """Both move from the same point; each may be held back by a force on itself."""
    return np.array([[1 - h * on_theta, h * c], [-h * c, 1 - h * on_psi]])


def _alternating(h, c, steps=1, on_theta=0.0, on_psi=0.0):
    """The discriminator makes some steps, and the generator answers the last."""
    first = np.array([[1.0, 0.0], [-h * c, 1 - h * on_psi]])
    second = np.array([[1 - h * on_theta, h * c], [0.0, 1.0]])
    return second @ np.linalg.matrix_power(first, steps)


SIMULTANEOUS = {"schedule": "simultaneous"}
RULES = {
    # Name: trainer, its arguments, those of compile, the matrix.
    "simultaneous": (trainers.GAN, SIMULTANEOUS, {}, _simultaneous),
    "alternating": (trainers.GAN, {}, {}, _alternating),
    "5 discriminator steps": (
        trainers.GAN,
        {"discriminator_steps": 5},
        {},
        lambda h, c: _alternating(h, c, 5),
    ),
    "R1, weight 1": (
        trainers.GAN,
        SIMULTANEOUS,
        {"discriminator_penalties": trainers.penalties.R1(1.0)},
        lambda h, c: _simultaneous(h, c, on_psi=1.0),
    ),
    "R1 + R2, weight 1, alternating": (
        trainers.GAN,
        {},
        {"discriminator_penalties": [trainers.penalties.R1(1.0), trainers.penalties.R2(1.0)]},
        lambda h, c: _alternating(h, c, on_psi=2.0),
    ),
    "consensus, weight 1": (
        trainers.ConsensusGAN,
        {"weight": 1.0},
        {},
        lambda h, c: _simultaneous(h, c, on_theta=c * c, on_psi=c * c),
    ),
    **{
        f"unrolled, {k} step{'s' * (k > 1)}": (
            trainers.UnrolledGAN,
            {"unroll_steps": k},
            {},
            lambda h, c, k=k: _alternating(h, c, on_theta=2 * k * h * c * c),
        )
        for k in (1, 5)
    },
}
OF_LOGITS = {  # What bends the losses themselves: of "non_saturating" alone.
    "instance noise, deviation 1": (
        trainers.GAN,
        SIMULTANEOUS,
        {"perturbations": trainers.perturbations.InstanceNoise(1.0)},
        # E of both softplus has the curvature (1/4)(1 + 1) deviation^2 in psi.
        lambda h, c: _simultaneous(h, c, on_psi=0.5),
    ),
}


# === The rules, played ===


@keras.saving.register_keras_serializable("studies")
class OnePoint(keras.layers.Layer):
    """Makes the point theta of every latent."""

    def build(self, input_shape):
        self.theta = self.add_weight(shape=(1,), initializer="zeros", name="theta")

    def call(self, latents):
        return tf.zeros_like(latents) + self.theta


def game(kind, arguments, settings, objective, rate, batch=2):
    """A compiled trainer of the two numbers, and a step of it."""
    generator = keras.Sequential([keras.Input((1,)), OnePoint()])
    discriminator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    gan = kind(generator, discriminator, value_range=None, **arguments)
    with warnings.catch_warnings():  # That nothing bounds a critic's slope: it is the subject.
        warnings.simplefilter("ignore", UserWarning)
        gan.compile(
            objective=objective,
            generator_optimizer=keras.optimizers.SGD(rate),
            discriminator_optimizer=keras.optimizers.SGD(rate),
            jit_compile=False,
            **settings,
        )
    data = tf.zeros((batch * gan.discriminator_steps, 1))
    played = tf.function(lambda: gan.train_step((data,)), autograph=False)

    def step():
        played()
        return place(gan)

    return gan, step


def place(gan):
    """Where the players stand: theta and psi."""
    return np.array(
        [player.weights[0].numpy().item() for player in (gan.generator, gan.discriminator)]
    )


def put(gan, point):
    """Sets both players somewhere."""
    gan.generator.weights[0].assign([point[0]])
    gan.discriminator.weights[0].assign([[point[1]]])


def measured(gan, step, repeats=1):
    """The derivative of a step at (0, 0), by central differences; a mean where there is noise."""
    matrix = np.zeros((2, 2))
    for column in (0, 1):
        for number in range(repeats):
            ends = []
            for sign in (1, -1):
                gan.steps.assign(number)  # Which decides what is drawn: on both sides the same.
                put(gan, sign * BEYOND * np.eye(2)[column])
                ends.append(step())
            matrix[:, column] += (ends[0] - ends[1]) / (2 * BEYOND * repeats)
    return matrix


def _all(objective):
    return {**RULES, **(OF_LOGITS if objective == "non_saturating" else {})}


def played(objective, rate):
    """Each rule: its matrix on paper and measured, and a walk of the players."""
    made = {}
    for name, (kind, arguments, settings, matrix) in _all(objective).items():
        noisy = name in OF_LOGITS
        gan, step = game(kind, arguments, settings, objective, rate, 20_000 if noisy else 2)
        found = measured(gan, step, 20 if noisy else 1)
        put(gan, START)
        walk = [list(START)] + [step().tolist() for _ in range(SHOWN)]
        made[name] = {
            "paper": matrix(rate, SLOPES[objective]).tolist(),
            "measured": found.tolist(),
            "walk": np.round(walk, 5).tolist(),
        }
    return {"objective": objective, "rate": rate, "rules": made}


def averaged(weight, rate=0.05, steps=4_000):
    """The distance from (0, 0) at the end where each player is drawn to its own past."""
    gan, step = game(
        trainers.HistoricalAveragingGAN,
        {"weight": weight, "schedule": "simultaneous"},
        {},
        "wasserstein",
        rate,
    )
    put(gan, (1.0, 1.0))
    for _ in range(steps):
        end = step()
    return {"radius": float(np.hypot(*end))}


# === The study ===


def parts(full, seed):
    """By objective and step size."""
    for objective in SLOPES:
        for rate in (0.05, 0.1, 0.2) if full else (0.1,):
            yield f"{objective}_{rate}", lambda o=objective, r=rate: played(o, r)
    for weight in (0.0, 0.1):
        yield f"averaged_{weight}", lambda w=weight: averaged(w)


def radius(matrix):
    """The largest modulus of an eigenvalue."""
    return float(np.abs(np.linalg.eigvals(np.array(matrix))).max())


def report(results, directory):
    """A finding a rule: what a step multiplies the distance by."""
    games = [r for r in results.values() if "rules" in r]
    for one in games:
        for name, rule in one["rules"].items():
            paper, found = radius(rule["paper"]), radius(rule["measured"])
            off = np.abs(np.array(rule["paper"]) - rule["measured"]).max()
            yield Finding(
                f"{one['objective']}, h = {one['rate']}: {name}",
                f"{paper:.5f}",
                f"{found:.5f}",
                bool(off < (NOISY if name in OF_LOGITS else TOLERANCE)),
            )
    for weight, golden in ((0.0, 208.58), (0.1, 0.00229)):
        found = results[f"averaged_{weight}"]["radius"]
        yield Finding(
            f"historical averaging, weight {weight}: distance after 4,000 steps of 0.05",
            f"{golden:g}",
            f"{found:.5g}",
            bool(abs(found / golden - 1) < 0.05),
        )
    for one in games:
        if one["rate"] == 0.1:
            draw(one, directory / f"{one['objective']}.png")


def draw(one, path):
    """The walk of each rule over the field in which both players want to go."""
    names = list(one["rules"])
    columns = 3
    rows = -(-len(names) // columns)
    figure = tables.figure(9.0, 2.9 * rows)
    grid = np.linspace(-1.6, 1.6, 13)
    theta, psi = np.meshgrid(grid, grid)
    slope = SLOPES[one["objective"]]
    steep = slope if one["objective"] == "wasserstein" else 1 / (1 + np.exp(psi * theta))
    back = slope if one["objective"] == "wasserstein" else 1 / (1 + np.exp(-psi * theta))
    for axes, name in zip(figure.subplots(rows, columns).flat, names, strict=False):
        rule = one["rules"][name]
        axes.quiver(theta, psi, steep * psi, -back * theta, color="0.8", scale=30, width=0.004)
        walk = np.array(rule["walk"])
        axes.plot(*walk.T, lw=0.9, color="tab:blue")
        axes.plot(*walk[0], "o", color="tab:green", ms=4)
        axes.plot(*walk[-1], "s", color="tab:red", ms=4)
        axes.set_title(f"{name}: |λ| = {radius(rule['measured']):.4f}", fontsize=9)
        axes.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    for axes in figure.axes[len(names) :]:
        axes.axis("off")
    figure.supxlabel("θ, the generator's point (data: 0)", fontsize=9)
    figure.supylabel("ψ, the discriminator's slope", fontsize=9)
    tables.save(figure, path)


STUDY = Study("game_dynamics", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
