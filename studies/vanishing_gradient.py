"""What a generator learns from a discriminator that is too good, and from a noisy one.

  python -m studies.vanishing_gradient --quick     # one discriminator of each kind
  python -m studies.vanishing_gradient --full      # five, with three times the steps

The data are N(-1, 0.1^2), the generator makes mu + 0.1 z and stands at mu = 1: the two hardly
overlap, and a discriminator of 64-64 units learns to tell them, step by step. Meanwhile the slopes
of both generator losses by mu are measured: log(1 - D) of the minimax game dies out as D learns,
-log D does not, but grows and wavers. With instance noise both densities overlap, and the slope of
the minimax loss goes to that of 2 JS of the noisy densities, which is known.
"""

import keras
import numpy as np
import tensorflow as tf

import trainers
import zoo
from studies import gaussian_fits, study, tables
from studies.gaussian_fits import GRID
from studies.study import Finding, Study
from trainers.perturbations import InstanceNoise, LabelFlips

DATA, MADE, SCALE = -1.0, 1.0, 0.1
NOISE, FLIPS, BATCH = 1.0, 0.1, 512
LOSSES = ("minimax", "non_saturating")
CHECKPOINTS = (0, 10, 20, 50, 100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 4500, 6000)


def kinds(steps):
    """What is done to the samples or to their labels, by name."""
    decay = keras.optimizers.schedules.PolynomialDecay(NOISE, steps, end_learning_rate=0.0)
    return {
        "nothing": (),
        "instance noise": InstanceNoise(NOISE),
        "instance noise that decays": InstanceNoise(decay),
        "label flips": LabelFlips(FLIPS),
    }


def exact_slope(noise):
    """`d 2JS / d mu` of the data and of what is made, both with noise, by central differences."""
    scale = (SCALE**2 + noise**2) ** 0.5
    log_p = gaussian_fits.log_normal(GRID, DATA, scale)
    ends = [
        gaussian_fits.divergence("jensen_shannon", log_p, MADE + step, scale)
        for step in (1e-4, -1e-4)
    ]
    return (ends[0] - ends[1]) / 2e-4


def learned(kind, steps, seed):
    """The slopes of both losses by mu, and D on both sides, while D learns."""
    keras.utils.set_random_seed(seed)
    generator = zoo.MLPGenerator((1,), 1, (), output_activation="linear", prior="normal")
    discriminator = zoo.MLPDiscriminator(
        (1,), (64, 64), "relu", input_dropout=0.0, dropout=0.0, kernel_initializer="glorot_uniform"
    )
    kernel, bias = generator.trainable_variables
    kernel.assign([[SCALE]])
    bias.assign([MADE])
    gan = trainers.GAN(generator, discriminator, seed=seed)
    decay = keras.optimizers.schedules.CosineDecay(1e-3, steps)
    gan.compile(
        perturbations=kinds(steps)[kind],
        discriminator_optimizer=keras.optimizers.Adam(decay, beta_1=0.5),
        jit_compile=False,
    )
    rng = tf.random.Generator.from_seed(seed)

    @tf.function
    def step():
        real = DATA + SCALE * rng.normal((BATCH, 1))
        gan.discriminator_step(real, None, gan.key(0))
        gan.steps.assign_add(1)

    @tf.function
    def look():
        key, real = gan.key(1), DATA + SCALE * rng.normal((8 * BATCH, 1))
        with tf.GradientTape(persistent=True) as tape:
            fake = gan.fake(real, None, key, training=True)
            views = gan.generator_views(*gan.perturbed(real, fake, key), None, key)
            means = [
                tf.reduce_mean(
                    trainers.objectives.get(name).generator_loss(*[v.logits for v in views])
                )
                for name in LOSSES
            ]
        slopes = [tape.gradient(mean, bias)[0] for mean in means]
        return slopes + [tf.reduce_mean(tf.sigmoid(view.logits)) for view in views]

    rows = []
    for number in range(steps + 1):
        if number in CHECKPOINTS:
            rows.append([number, *(float(value) for value in look())])
        step()
    return {"rows": rows}


def parts(full, seed):
    """A kind and a seed each."""
    steps = 6_000 if full else 2_000
    for kind in kinds(steps):
        for k in range(seed, seed + (5 if full else 1)):
            yield f"{kind}_{k}", lambda kind=kind, k=k: learned(kind, steps, k)


def _of(results, kind):
    """`(seeds, checkpoints, numbers)` of a kind."""
    return np.array([r["rows"] for name, r in results.items() if name.rpartition("_")[0] == kind])


def report(results, directory):
    """The slopes at the end, beside what theory says."""
    last = {kind: _of(results, kind)[:, -1].mean(axis=0) for kind in kinds(1)}
    first = _of(results, "nothing")[:, 0].mean(axis=0)
    plain = last["nothing"]
    yield Finding(
        f"minimax, slope by mu at the end (at first {first[1]:.3f})",
        "0",
        f"{plain[1]:.2e}",
        abs(plain[1]) < 1e-3,
    )
    yield Finding(
        f"non-saturating, the same (at first {first[2]:.3f})",
        "not 0",
        f"{plain[2]:.3f}",
        abs(plain[2]) > 0.5,
    )
    yield Finding(
        "D of data and of samples",
        "1 and 0",
        f"{plain[3]:.4f}, {plain[4]:.4f}",
        plain[3] > 0.99 > 0.01 > plain[4],
    )
    exact, found = exact_slope(NOISE), last["instance noise"][1]
    yield Finding(
        f"minimax under instance noise of {NOISE:g}: slope of 2 JS",
        f"{exact:.4f}",
        f"{found:.4f}",
        abs(found / exact - 1) < 0.1,
    )
    decayed = last["instance noise that decays"]
    yield Finding(
        "minimax when the noise has decayed",
        "0 again",
        f"{decayed[1]:.4f}",
        abs(decayed[1]) < 0.2 * exact,
    )
    flips = last["label flips"]
    yield Finding(
        f"D of data with {FLIPS:.0%} of labels flipped",
        f"{1 - FLIPS:.1f}",
        f"{flips[3]:.3f}",
        abs(flips[3] - 1 + FLIPS) < 0.03,
    )
    yield Finding("minimax with flipped labels", "small: D is flat", f"{flips[1]:.4f}")
    draw(results, directory / "slopes.png")


def draw(results, path):
    """Both slopes by the discriminator's steps, kind by kind."""
    figure = tables.figure(9.0, 3.2)
    for axes, column, name in zip(figure.subplots(1, 2), (1, 2), LOSSES, strict=True):
        for kind in kinds(1):
            rows = _of(results, kind)
            axes.plot(
                rows[0, :, 0] + 1, np.abs(rows[:, :, column]).mean(axis=0), marker=".", label=kind
            )
        if column == 1:
            axes.axhline(exact_slope(NOISE), color="k", ls="--", lw=0.8, label="2 JS with noise")
        axes.set(xscale="log", yscale="log", xlabel="steps of the discriminator + 1")
        axes.set_title(f"|slope by mu|, {name.replace('_', '-')}", fontsize=9)
    figure.axes[0].legend(fontsize=7)
    tables.save(figure, path)


STUDY = Study("vanishing_gradient", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
