"""What smoothed and flipped labels and instance noise make of D, and then of the whole game.

  python -m studies.noise_and_labels --quick     # 6 games a kind
  python -m studies.noise_and_labels --full      # 32, with five times the steps

First p and q stand still on the line, and a discriminator learns under each kind: theory says which
D is the best one, and it is not p / (p + q) any more. Then the whole game on a ring of eight modes,
many seeds at once: modes, share of good samples and Jensen-Shannon divergence, with their spread.
"""

import keras
import numpy as np
import tensorflow as tf
from scipy import special

import evaluation
import trainers
import zoo
from studies import study, tables
from studies.gaussian_fits import log_normal
from studies.study import Finding, Study
from trainers.objectives import NonSaturating
from trainers.perturbations import InstanceNoise, LabelFlips

REAL, FAKE = 0.9, 0.1  # Targets of the smoothed labels.
FLIPS, NOISE = 0.1, 0.5
CENTRES, SCALE = (-1.5, 1.5), 0.4  # The data on the line: two modes of equal weight.
Q = (0.5, 1.0)  # Mean and deviation of what is generated there.
GRID = np.linspace(-4.5, 4.5, 361)
FEW = 0.05  # Where p is below this share of q, there are no data.
RING = zoo.toys.ring(8, 2.0, 0.1)
SIDE, CELLS, SAMPLES = 3.2, 64, 20_000  # Of the squares in which samples are counted.
TARGETS = {  # What D should say of data and of samples, on average over flips.
    "nothing": (1.0, 0.0),
    "one-sided smoothing": (REAL, 0.0),
    "two-sided smoothing": (REAL, FAKE),
    "label flips": (1 - FLIPS, FLIPS),
    "instance noise": (1.0, 0.0),
    "noise that decays": (1.0, 0.0),
}


def kinds(steps):
    """Objective and perturbations of each kind; noise is gone after three quarters of the steps."""
    decay = keras.optimizers.schedules.PolynomialDecay(NOISE, 3 * steps // 4, 0.0)
    plain = NonSaturating()
    return {
        "nothing": (plain, ()),
        "one-sided smoothing": (NonSaturating(REAL), ()),
        "two-sided smoothing": (NonSaturating(REAL, FAKE), ()),
        "label flips": (plain, LabelFlips(FLIPS)),
        "instance noise": (plain, InstanceNoise(NOISE)),
        "noise that decays": (plain, InstanceNoise(decay)),
    }


# === The best discriminator ===


def densities(kind, x):
    """p and q as D sees them: with instance noise both are convolved with it."""
    noise = NOISE if kind == "instance noise" else 0.0
    width, wide = np.hypot(SCALE, noise), np.hypot(Q[1], noise)
    p = np.mean([np.exp(log_normal(x, centre, width)) for centre in CENTRES], axis=0)
    return p, np.exp(log_normal(x, Q[0], wide))


def best(kind, x):
    """`(a p + b q) / (p + q)`, with what D should say of data, a, and of samples, b."""
    (a, b), (p, q) = TARGETS[kind], densities(kind, x)
    return (a * p + b * q) / (p + q)


def pull(kind, d):
    """The mean of |d (-log D) / dx| over those samples of q that lie where there are no data.

    Args:
        kind: Of `TARGETS`.
        d: D on `GRID`.
    """
    p, q = densities("nothing", GRID)
    return float(np.average(np.abs(np.gradient(np.log(d), GRID)), weights=q * (p < FEW * q)))


def learned(kind, steps, seed, batch=512):
    """D on `GRID` of a net that has learned while p and q stood still."""
    keras.utils.set_random_seed(seed)
    generator = zoo.MLPGenerator((1,), 1, (), output_activation="linear", prior="normal")
    kernel, bias = generator.trainable_variables
    kernel.assign([[Q[1]]])
    bias.assign([Q[0]])
    discriminator = zoo.MLPDiscriminator(
        (1,), (64, 64), "tanh", input_dropout=0.0, dropout=0.0, kernel_initializer="glorot_uniform"
    )
    gan = trainers.GAN(generator, discriminator, seed=seed)
    objective, perturbations = kinds(steps)[kind]
    decay = keras.optimizers.schedules.CosineDecay(5e-3, steps)
    gan.compile(
        objective=objective,
        perturbations=perturbations,
        discriminator_optimizer=keras.optimizers.Adam(decay, beta_1=0.5),
        jit_compile=False,
    )
    data = zoo.toys.Mixture([[centre] for centre in CENTRES], SCALE)

    @tf.function
    def step():
        gan.discriminator_step(data.sample(batch, gan.key(1).value), None, gan.key(0))
        gan.steps.assign_add(1)

    for _ in range(steps):
        step()
    logits, _ = zoo.players.discriminate(discriminator, GRID[:, None].astype("float32"))
    return {"discriminator": special.expit(logits.numpy().astype("float64")).tolist()}


# === The whole game ===


def masses(mixture=RING):
    """The mass of a mixture in each cell of the square, and what is outside of it."""
    edges = np.linspace(-SIDE, SIDE, CELLS + 1)
    total = np.zeros((CELLS, CELLS))
    parts = zip(mixture.centres, mixture.scales, mixture.weights, strict=True)
    for centre, scale, weight in parts:
        x, y = (np.diff(special.ndtr((edges - c) / scale)) for c in centre)
        total += weight * np.outer(x, y)
    return np.append(total.ravel(), max(0.0, 1.0 - total.sum()))


def jensen_shannon(points, wanted):
    """The divergence, in nats, of points sorted into cells from the masses of these."""
    edges = np.linspace(-SIDE, SIDE, CELLS + 1)
    counts, _, _ = np.histogram2d(*points.T, (edges, edges))
    found = np.append(counts.ravel(), len(points) - counts.sum()) / len(points)
    half = (found + wanted) / 2
    return float(sum(special.rel_entr(own, half).sum() for own in (found, wanted)) / 2)


def played(kind, members, steps, seed):
    """How the games of a kind end, a list of one number a game for each figure."""
    keras.utils.set_random_seed(seed)
    shared = {"kernel_initializer": "glorot_uniform"}
    objective, perturbations = kinds(steps)[kind]
    ensemble = trainers.GANEnsemble(
        zoo.MLPGenerator((2,), 8, (64, 64), "relu", output_activation="linear", **shared),
        zoo.MLPDiscriminator((2,), (64, 64), "relu", input_dropout=0.0, dropout=0.0, **shared),
        members,
        objective=objective,
        perturbations=perturbations,
        generator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(2e-3, beta_1=0.5),
        ema_decay=0.99,
        jit_compile=False,
        seed=seed,
    )
    data = np.stack([RING.sample(SAMPLES, seed + k) for k in range(members)])
    history = ensemble.fit(
        data, batch_size=128, epochs=steps // 100, steps_per_epoch=100, verbose=0
    )
    made = np.full((members, SAMPLES, 2), np.nan)
    whole = np.setdiff1d(np.arange(members), ensemble.diverged)
    if len(whole):
        made[whole] = ensemble.sample(SAMPLES, members=whole, seed=seed + members)
    measure, wanted = evaluation.ModeCoverage(RING), masses()
    lost = {"captured": np.nan, "high_quality": np.nan}
    finite = np.isin(np.arange(members), whole)
    scores = [
        measure.evaluate(points).details if own else lost
        for points, own in zip(made, finite, strict=True)
    ]
    data_side, own = (
        np.mean(history.members[f"discriminator_{side}"][-5:], axis=0) for side in ("real", "fake")
    )
    return {
        "modes": [score["captured"] for score in scores],
        "good": [float(score["high_quality"]) for score in scores],
        "js": [
            jensen_shannon(points, wanted) if own else np.nan
            for points, own in zip(made, finite, strict=True)
        ],
        "believed": ((data_side + own) / 2).tolist(),
        "apart": (data_side - own).tolist(),
        "points": np.round(made[whole[0] if len(whole) else 0][:1500], 2).tolist(),
    }


def floor(seed):
    """The same figures of as many data."""
    points = np.asarray(RING.sample(SAMPLES, seed + 1))
    details = evaluation.ModeCoverage(RING).evaluate(points).details
    return {"good": float(details["high_quality"]), "js": jensen_shannon(points, masses())}


# === The study ===


def parts(full, seed):
    """A net of each kind; the games of each kind."""
    yield "floor", lambda: floor(seed)
    for kind in TARGETS:
        yield f"fixed_{kind}", lambda k=kind: learned(k, 4_000 if full else 1_000, seed)
    members, steps = (32, 6_000) if full else (6, 1_200)
    for kind in TARGETS:
        yield f"game_{kind}", lambda k=kind: played(k, members, steps, seed)


def _said(values, digits=3):
    return tables.told(values, f"{{:.{digits}f}}")


def report(results, directory):
    """What D became beside the best one, and how the games ended."""
    yield from _of_fixed(results)
    rows = [["", "modes of 8", "good samples", "JS, nats", "mean of D"]]
    rows += [
        [kind, _said(r["modes"], 1), _said(r["good"]), _said(r["js"]), _said(r["believed"])]
        for kind, r in ((kind, results[f"game_{kind}"]) for kind in TARGETS)
    ]
    real = results["floor"]
    rows.append(["as many data", "8", f"{real['good']:.3f}", f"{real['js']:.3f}", ""])
    tables.write(directory / "games", rows)
    yield from _of_games(results)
    draw_fixed(results, directory / "discriminators.png")
    draw_games(results, directory / "games.png")


def _of_fixed(results):
    found = {kind: np.array(results[f"fixed_{kind}"]["discriminator"]) for kind in TARGETS}
    for kind, d in found.items():
        p, q = densities(kind, GRID)
        off = np.average(np.abs(d - best(kind, GRID)), weights=p + q)
        plain = np.average(np.abs(d - best("nothing", GRID)), weights=p + q)
        yield Finding(
            f"{kind}: mean |D - D*|, p and q fixed",
            "0",
            f"{off:.3f} (from p / (p + q): {plain:.3f})",
            off < 0.03,
        )
    of_best = {kind: pull(kind, best(kind, GRID)) for kind in TARGETS}
    pulls = {kind: pull(kind, d) for kind, d in found.items()}
    for kind in ("nothing", "one-sided smoothing", "two-sided smoothing"):
        yield Finding(
            f"{kind}: mean slope of -log D on samples where there are no data",
            f"{of_best[kind]:.2f} of D*",
            f"{pulls[kind]:.2f}",
        )
    one, two = "one-sided smoothing", "two-sided smoothing"
    yield Finding(
        "that slope, two-sided over one-sided smoothing",
        f"{of_best[two] / of_best[one]:.2f} of D*; less than half",
        f"{pulls[two] / pulls[one]:.2f}",
        pulls[two] < pulls[one] / 2,
    )


def _of_games(results):
    games = {kind: results[f"game_{kind}"] for kind in TARGETS}
    for kind, r in games.items():
        wanted = sum(TARGETS[kind]) / 2
        yield Finding(
            f"game, {kind}: mean of D over data and samples, and what D says more of data",
            f"{wanted:.2f}, whatever q is; more than 0",
            f"{_said(r['believed'])}; {_said(r['apart'])}",
            abs(np.nanmean(r["believed"]) - wanted) < 0.02 and np.nanmean(r["apart"]) > 0,
        )
    for kind, r in games.items():
        lost = int(np.sum(~np.isfinite(r["js"])))
        if lost:
            said = f"{lost} of {len(r['js'])} (nan)"
            yield Finding(f"game, {kind}: games that diverged", "0", said, False)
        yield Finding(
            f"game, {kind}: modes, good samples, JS of {len(r['js'])} games",
            "",
            f"{_said(r['modes'], 1)}; {_said(r['good'])}; {_said(r['js'])}",
        )
    fixed, decayed = (np.nanmean(games[k]["good"]) for k in ("instance noise", "noise that decays"))
    yield Finding(
        f"share of good samples: noise that decays, and noise of {NOISE:g} to the end",
        "more where it decays",
        f"{decayed:.3f}, {fixed:.3f}",
        decayed > fixed,
    )


# === Figures ===


def draw_fixed(results, path):
    """D beside the best one, kind by kind, over both densities as D sees them."""
    figure = tables.figure(10.0, 4.6)
    for axes, kind in zip(figure.subplots(2, 3, sharex=True).flat, TARGETS, strict=True):
        p, q = densities(kind, GRID)
        axes.fill_between(GRID, p, color="0.85", label="p, the data")
        axes.plot(GRID, q, color="tab:green", lw=0.8, label="q, the samples")
        axes.plot(GRID, best(kind, GRID), "k--", lw=1.2, label="best D")
        axes.plot(GRID, results[f"fixed_{kind}"]["discriminator"], "tab:blue", lw=1, label="D")
        for target in TARGETS[kind]:
            axes.axhline(target, color="tab:red", lw=0.5)
        axes.set_title(kind, fontsize=9)
        axes.set(ylim=(-0.03, 1.05), xlim=(GRID[0], GRID[-1]))
    for axes in figure.axes[3:]:
        axes.set_xlabel("x", fontsize=9)
    figure.supylabel("D, and densities", fontsize=9)
    figure.axes[0].plot([], [], "tab:red", lw=0.5, label="targets")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    tables.save(figure, path)


def draw_games(results, path):
    """The samples of the first game of each kind, and both figures of all of them."""
    figure = tables.figure(10.0, 5.0)
    above, below = figure.subfigures(2, 1, height_ratios=(2, 3))
    for axes, kind in zip(above.subplots(1, len(TARGETS)), TARGETS, strict=True):
        axes.plot(*np.array(results[f"game_{kind}"]["points"]).T, ",", color="tab:blue")
        axes.plot(*RING.centres.T, "x", color="tab:red", ms=4, mew=0.8)
        axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
        axes.set_title(kind, fontsize=8)
    said = {"modes": "modes of 8", "good": "share of good samples", "js": "JS, nats"}
    for axes, (key, title) in zip(below.subplots(1, 3), said.items(), strict=True):
        for place, kind in enumerate(TARGETS):
            values = results[f"game_{kind}"][key]
            spread = place + np.linspace(-0.2, 0.2, len(values))
            axes.plot(spread, values, ".", color="tab:blue", ms=4)
            axes.plot(place, np.nanmean(values), "_", color="k", ms=16)
        if key != "modes":
            axes.axhline(results["floor"][key], color="0.5", ls="--", lw=0.8)
        axes.set_xticks(range(len(TARGETS)), TARGETS, rotation=35, ha="right", fontsize=7)
        axes.set_title(title, fontsize=9)
    tables.save(figure, path)


STUDY = Study("noise_and_labels", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
