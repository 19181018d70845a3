"""Whose loss says how far the generator is: a critic's estimate against the exact distance.

  python -m studies.wasserstein_correlation --quick     # one run of each
  python -m studies.wasserstein_correlation --full      # three, with three times the steps

WGAN, section 3.3 and figures 3 and 4: the critic's estimate falls as samples become better, and a
GAN's estimate of the Jensen-Shannon divergence, log 2 - L / 2, does not. The data are the ring of
eight modes; at forty checkpoints of a run the figure stands beside the sliced distance W1 of
samples from data. The GAN has R1, so that it learns: two curves that fall agree in rank whatever
they are, so that the same is asked of the W1 of other runs, and of changes. Then the paper's
example of two parallel lines: W1 is their distance, and the divergence knows nothing of it.
"""

import keras
import numpy as np
from scipy import stats

import trainers
import zoo
from evaluation import sliced_wasserstein, wasserstein
from studies import study, tables
from studies.study import Finding, Study

CHECKPOINTS, SAMPLES, BATCH = 40, 5_000, 256
SETTLED = 2  # Checkpoints in which a critic finds its scale.
APART = (0.0, 0.25, 0.5, 1.0)  # Of the parallel lines.


def _players():
    generator = zoo.MLPGenerator(
        (2,), 2, (64, 64), output_activation="linear", prior="normal",
        kernel_initializer="glorot_uniform",
    )  # fmt: skip
    critic = zoo.MLPDiscriminator(
        (2,), (64, 64), "relu", input_dropout=0.0, dropout=0.0, kernel_initializer="glorot_uniform"
    )
    return generator, critic


def _adam():
    return {
        f"{player}_optimizer": keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.9)
        for player, rate in RATES.items()
    }


def _rmsprop():
    return {f"{player}_optimizer": keras.optimizers.RMSprop(rate) for player, rate in RATES.items()}


RATES = {"generator": 1e-4, "discriminator": 1e-3}  # So that the critic is near its best.
KINDS = {  # Trainer, what it is compiled with, and the figure of its log.
    "WGAN, clipped": (
        lambda seed: trainers.WassersteinGAN(*_players(), clip=0.1, seed=seed),
        _rmsprop,
        "wasserstein_estimate",
    ),
    "WGAN-GP": (
        lambda seed: trainers.WassersteinGANGP(*_players(), weight=1.0, seed=seed),
        _adam,
        "wasserstein_estimate",
    ),
    "GAN": (
        lambda seed: trainers.GAN(*_players(), discriminator_steps=5, seed=seed),
        lambda: _adam() | {"discriminator_penalties": trainers.penalties.R1(0.1)},
        "js_estimate",
    ),
}


def run(kind, steps, seed):
    """The estimate and the exact distance at each checkpoint of a run."""
    keras.utils.set_random_seed(seed)
    make, settings, figure = KINDS[kind]
    gan = make(seed)
    gan.compile(**settings())
    data, held_out = (zoo.toys.ring().sample(50_000, s) for s in (seed, seed + 1))
    rows = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            made = gan.sample(SAMPLES, seed=seed)
            rows.append([float(logs[figure]), float(sliced_wasserstein(made, held_out[:SAMPLES]))])

    gan.fit(
        np.asarray(data, "float32"),
        batch_size=BATCH * gan.discriminator_steps,
        epochs=CHECKPOINTS,
        steps_per_epoch=steps // CHECKPOINTS,
        callbacks=[Look()],
        verbose=0,
    )
    return {"rows": rows}


def lines(seed):
    """Of two parallel lines: W1 exactly and by samples, 2 JS by a critic."""
    rng, rows = np.random.default_rng(seed), []
    for apart in APART:
        ours, theirs = (
            np.stack([np.full(20_000, x), rng.uniform(size=20_000)], axis=1) for x in (0.0, apart)
        )
        found = trainers.estimate_divergence(ours, theirs, "jensen_shannon", seed=seed, steps=500)
        across = wasserstein(ours[:, 0], theirs[:, 0])
        rows.append([apart, float(across), float(found.value)])
    return {"rows": rows}


def parts(full, seed):
    """The lines; a run of each kind and seed."""
    yield "lines", lambda: lines(seed)
    steps = 6_000 if full else 2_000
    for kind in KINDS:
        for k in range(seed, seed + (3 if full else 1)):
            yield f"{kind}_{k}", lambda kind=kind, k=k: run(kind, steps, k)


def report(results, directory):
    """Rank correlations over the runs, and both distances of the lines."""
    for apart, across, js in results["lines"]["rows"]:
        twice = 2 * np.log(2) if apart else 0.0
        yield Finding(
            f"parallel lines {apart:g} apart: W1, and 2 JS by a critic",
            f"{apart:g}, {twice:.3f}",
            f"{across:.3f}, {js:.3f}",
            abs(across - apart) < 1e-6 and abs(js - twice) < 0.02,
        )
    runs = {
        name: np.array(r["rows"]).T
        for name, r in results.items()
        if name.rpartition("_")[0] in KINDS
    }
    for name, (figure, exact) in runs.items():
        others = [other for known, (_, other) in runs.items() if known != name]
        yield from of_run(name, figure, exact, others)
    draw(results, directory / "runs.png")


def of_run(name, figure, exact, others):
    """Findings on a run: whether its figure tells its distance, and not just that both fall.

    The control is the distance in other runs: of that the figure knows nothing but the trend.
    """
    which = KINDS[name.rpartition("_")[0]][2]
    asked = which == "wasserstein_estimate"
    own = _rank(figure, exact)
    yield Finding(
        f"{name}: rank correlation of {which} and W1 (from {exact[0]:.2f} to {exact[-1]:.2f})",
        "at least 0.9" if asked else "",
        f"{own:.3f}",
        own >= 0.9 if asked else None,
    )
    most = max(_rank(figure, other) for other in others)
    yield Finding(
        f"{name}: the same with the W1 of other runs, the largest",
        "",
        f"{most:.3f}",
    )
    steps, late = np.diff(figure), len(exact) // 2
    changes = _rank(steps, np.diff(exact))
    control = max(_rank(steps, np.diff(other)) for other in others)
    yield Finding(
        f"{name}: of changes between checkpoints, with this run's W1 and with others', the largest",
        "",
        f"{changes:.3f}; {control:.3f} (second half: "
        f"{_rank(steps[late:], np.diff(exact)[late:]):.3f})",
    )
    ratio = (figure / exact)[SETTLED:]
    yield Finding(
        f"{name}: {which} over W1 from checkpoint {SETTLED + 1} on, least and largest",
        "",
        f"{ratio.min():.2f}, {ratio.max():.2f}",
    )


def _rank(first, second):
    return float(stats.spearmanr(first, second).statistic)


def draw(results, path):
    """The estimate beside the exact distance, run by run."""
    figure = tables.figure(10.0, 3.0)
    for axes, kind in zip(figure.subplots(1, len(KINDS)), KINDS, strict=True):
        name = next(name for name in results if name.rpartition("_")[0] == kind)
        estimate, exact = np.array(results[name]["rows"]).T
        axes.plot(exact, "k--", lw=1, label="sliced W1 (left)")
        other = axes.twinx()
        other.plot(estimate, "tab:blue", lw=1)
        other.tick_params(axis="y", labelcolor="tab:blue", labelsize=7)
        axes.plot([], [], "tab:blue", label=f"{KINDS[kind][2].replace('_', ' ')} (right)")
        axes.set_title(kind, fontsize=9)
        axes.set_ylim(0)
        other.set_ylim(0)
        axes.set_xlabel("checkpoint", fontsize=8)
        axes.legend(fontsize=7)
    tables.save(figure, path)


STUDY = Study("wasserstein_correlation", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
