"""Maximum likelihood is one divergence among others: who covers both modes, and who chooses one.

  python -m studies.maximum_likelihood --quick     # by quadrature, and a game from each start
  python -m studies.maximum_likelihood --full      # five games from each start

The data are two modes, half N(-2, 0.5^2) and half N(2, 0.5^2); the model is one Gaussian. Its
likelihood is greatest where KL(p || q) is least, because E_p log q = -H(p) - KL(p || q). The same
Gaussian is fitted by KL, by reverse KL and by Jensen-Shannon, each from three starts: exactly, and
as a game of f-GAN. Of each stand the shares of its mass on the modes and in the valley between.
"""

import numpy as np
from scipy import stats

from studies import gaussian_fits, study, tables
from studies.gaussian_fits import GRID
from studies.study import Finding, Study

CENTRES, SCALE = (-2.0, 2.0), 0.5
STARTS = ((-2.0, 1.0), (0.0, 3.0), (2.0, 1.0))  # No answer but those on the modes is near.
COMPARED = ("kl", "reverse_kl", "jensen_shannon")
VALLEY = 0.8  # Where |x| is less, the data have 1 % of their mass.
MOST_LIKELY = (0.0, (CENTRES[1] ** 2 + SCALE**2) ** 0.5)  # Mean and deviation of the data.
NEAR = 0.15
WORSE = 2.0  # An answer is bad if its divergence is so many times the least.


def log_density(x):
    """Of the data."""
    own = [gaussian_fits.log_normal(x, centre, SCALE) for centre in CENTRES]
    return np.logaddexp(*own) - np.log(2)


def sample(rng, shape):
    """Data of a NumPy generator."""
    return rng.choice(CENTRES, shape) + SCALE * rng.normal(size=shape)


def likelihood(seed, count=100_000):
    """The mean log likelihood by the deviation of q: on paper, of a sample, and by KL."""
    scales = np.linspace(1.2, 3.2, 81)
    data, p = sample(np.random.default_rng(seed), count), np.exp(log_density(GRID))
    entropy = -np.trapezoid(p * log_density(GRID), GRID)
    kl = [gaussian_fits.divergence("kl", log_density(GRID), 0.0, s) for s in scales]
    exact = [np.trapezoid(p * gaussian_fits.log_normal(GRID, 0.0, s), GRID) for s in scales]
    drawn = [gaussian_fits.log_normal(data, 0.0, s).mean() for s in scales]
    off = np.abs(np.array(exact) + entropy + kl).max()
    return {
        "scales": scales.tolist(),
        "exact": np.array(exact).tolist(),
        "sample": np.array(drawn).tolist(),
        "kl": kl,
        "entropy": float(entropy),
        "off": float(off),
    }


def fitted(name, repeats, steps, seed):
    """The exact fit and the games of one divergence, from each start."""
    exact = [gaussian_fits.exact(name, log_density(GRID), start) for start in STARTS]
    starts = [start for start in STARTS for _ in range(repeats)]
    games = gaussian_fits.learned(name, sample, starts, steps, seed)
    return {"exact": exact, "repeats": repeats, **games}


def parts(full, seed):
    """The likelihood, and a divergence each."""
    repeats, steps = (5, 8_000) if full else (1, 3_000)
    yield "likelihood", lambda: likelihood(seed)
    for name in COMPARED:
        yield name, lambda name=name: fitted(name, repeats, steps, seed)


def shares(mean, scale):
    """The mass of a Gaussian left, in the valley, and right; and `E_q log p` of it."""
    q = stats.norm(mean, scale)
    inside = q.cdf([-VALLEY, VALLEY])
    believed = np.trapezoid(q.pdf(GRID) * log_density(GRID), GRID)
    return inside[0], inside[1] - inside[0], 1 - inside[1], float(believed)


def report(results, directory):
    """A row for each fit, and what the words mean in numbers."""
    own = results["likelihood"]
    yield Finding(
        "E_p log q + H(p) + KL(p || q), at most", "0", f"{own['off']:.1e}", own["off"] < 1e-8
    )
    best = own["scales"][int(np.argmax(own["sample"]))]
    least = own["scales"][int(np.argmin(own["kl"]))]
    yield Finding(
        "deviation of most likelihood (sample) and of least KL",
        f"{MOST_LIKELY[1]:.3f}",
        f"{best:.3f}, {least:.3f}",
        abs(best - MOST_LIKELY[1]) < 0.05 and abs(least - MOST_LIKELY[1]) < 0.026,
    )
    rows = [
        [
            "divergence",
            "start",
            "",
            "mean",
            "deviation",
            "D",
            "left",
            "valley",
            "right",
            "E_q log p",
        ]
    ]
    for name in COMPARED:
        r = results[name]
        for k, start in enumerate(STARTS):
            value, mean, scale = r["exact"][k]
            rows.append(_row(name, start, "exact", mean, scale, value))
            some = slice(k * r["repeats"], (k + 1) * r["repeats"])
            for one in zip(r["mean"][some], r["scale"][some], r["bound"][some], strict=True):
                rows.append(_row(name, start, "game", *one))
    tables.write(directory / "fits", rows)
    for name in COMPARED:
        yield from _of_divergence(name, results[name])
    draw(results, directory / "fits.png")


def _row(name, start, kind, mean, scale, value):
    numbers = (mean, scale, value, *shares(mean, scale))
    return [name, f"({start[0]:g}, {start[1]:g})", kind, *(f"{v:.3f}" for v in numbers)]


def _of_divergence(name, r):
    found = np.array([e[1:] for e in r["exact"]])
    games = np.array([r["mean"], r["scale"]]).T
    off = np.abs(games[:, None] - found).max(axis=2).min(axis=1)
    yield from gaussian_fits.lost(name, r)
    whole = np.isfinite(games).all(axis=1)
    values = np.array([e[0] for e in r["exact"]])
    good = np.repeat(values < WORSE * values.min(), r["repeats"])
    for kind, some in (("good", good & whole), ("bad", ~good & whole)):
        if some.any():
            yield Finding(
                f"{name}: games by a {kind} answer that end within {NEAR} of one",
                f"{some.sum()} of {some.sum()}",
                f"{(off[some] < NEAR).sum()} of {some.sum()}",
                (off[some] < NEAR).all() if kind == "good" else None,
            )
    valley = [shares(*fit)[1] for fit in found]
    kinds = len(np.unique(np.round(found, 2), axis=0))
    if name == "kl":
        said, holds = "one answer, and much in the valley", kinds == 1 and min(valley) > 0.2
    elif name == "reverse_kl":
        said, holds = (
            "an answer a mode, valley as empty as the data's",
            kinds >= 2 and min(valley) < 0.02,
        )
    else:
        said, holds = "between", None
    text = f"{kinds} answer{'s' * (kinds > 1)} from {len(STARTS)} starts"
    text += f"; valley {min(valley):.3f} to {max(valley):.3f}"
    yield Finding(
        f"{name}: answers, and mass in the valley (data: {_data_valley():.3f})", said, text, holds
    )


def _data_valley():
    inside = np.abs(GRID) < VALLEY
    return float(np.trapezoid(np.exp(log_density(GRID[inside])), GRID[inside]))


def draw(results, path):
    """The likelihood, and the fits of each divergence from each start."""
    figure = tables.figure(11.0, 2.8)
    first, *others = figure.subplots(1, 1 + len(COMPARED))
    own = results["likelihood"]
    first.plot(own["scales"], own["sample"], label="mean log q of a sample")
    first.plot(own["scales"], -own["entropy"] - np.array(own["kl"]), "k--", label="-H - KL")
    first.set_title("likelihood by deviation", fontsize=9)
    first.set_xlabel("deviation of q", fontsize=8)
    first.set_ylabel("E log q, nats", fontsize=8)
    first.tick_params(labelsize=7)
    first.legend(fontsize=7)
    x = np.linspace(-6, 6, 500)
    for axes, name in zip(others, COMPARED, strict=True):
        axes.fill_between(x, np.exp(log_density(x)), color="0.85", label="data")
        for k, (_, mean, scale) in enumerate(results[name]["exact"]):
            best = {"label": "least, by a start"} if k == 0 else {}
            axes.plot(x, np.exp(gaussian_fits.log_normal(x, mean, scale)), "k--", lw=1, **best)
            some = slice(k * results[name]["repeats"], (k + 1) * results[name]["repeats"])
            for fit in zip(results[name]["mean"][some], results[name]["scale"][some], strict=True):
                axes.plot(x, np.exp(gaussian_fits.log_normal(x, *fit)), f"C{k}", lw=3 - k)
            axes.plot([], [], f"C{k}", label=f"games, start {k + 1}")
        axes.set_title(name.replace("_", " "), fontsize=9)
        axes.set_ylim(0)
        axes.set_xlabel("x", fontsize=8)
        axes.tick_params(labelsize=7)
    others[0].set_ylabel("density", fontsize=8)
    others[0].set_ylim(0, 0.66)  # Room for the legend.
    others[0].legend(fontsize=6)
    tables.save(figure, path)


STUDY = Study("maximum_likelihood", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
