"""What each f-divergence makes of a mixture: one Gaussian against two modes (f-GAN, section 2.5).

  python -m studies.fgan_mixture --quick     # 4 games a divergence
  python -m studies.fgan_mixture --full      # 10, with three times the steps

The data are 0.33 N(-1, 0.25^2) + 0.67 N(2, 2), the generator is mu + sigma z, and V has two layers
of 64 tanh units; the batches are of 1,024 examples. Beside the (mu, sigma) of each game stand those
of the least divergence, by quadrature and minimisation.
"""

import numpy as np

import zoo
from studies import gaussian_fits, study, tables
from studies.gaussian_fits import DIVERGENCES, GRID
from studies.study import Finding, Study

# The exact optimum to six digits, known from elsewhere: divergence, mean, deviation.
GOLDEN = {
    "kl": (0.288093, 1.010000, 1.830444),
    "reverse_kl": (0.250673, 1.584093, 1.629423),
    "jensen_shannon": (0.129827, 1.312515, 1.752473),
    "jeffrey": (0.579101, 1.324916, 1.702270),
    "pearson": (0.661622, 0.566320, 1.926751),
}
MIXTURE = zoo.toys.mixture()
STARTS = ((0.0, 2.5), (2.5, 2.5))  # Of the games, in turn: half a unit or more from each optimum.
PAPER = {  # Learned by the paper's games: divergence, mean, deviation.
    "kl": (0.2801, 1.0335, 1.8236),
    "reverse_kl": (0.2415, 1.5624, 1.6403),
    "jensen_shannon": (0.1226, 1.2854, 1.7659),
    "jeffrey": (0.5151, 1.2295, 1.8087),
    "pearson": (0.6379, 0.6157, 1.9031),
}
NEAR = 0.1  # Of the mean and the deviation after training.


def log_density(x):
    """Of the data."""
    return MIXTURE.log_density(np.asarray(x)[:, None])


def sample(rng, shape):
    """Data by the seed of a NumPy generator."""
    seed = int(rng.integers(2**31))
    return np.asarray(MIXTURE.sample(int(np.prod(shape)), seed)).reshape(shape)


def fitted(name, members, steps, seed):
    """Both fits by one divergence."""
    starts = [STARTS[k % len(STARTS)] for k in range(members)]
    games = gaussian_fits.learned(name, sample, starts, steps, seed)
    return {"exact": gaussian_fits.exact(name, log_density(GRID)), **games}


def parts(full, seed):
    """A divergence each."""
    members, steps = (10, 6_000) if full else (4, 2_000)
    for name in DIVERGENCES:
        yield name, lambda name=name: fitted(name, members, steps, seed)


def report(results, directory):
    """The paper's table beside ours."""
    rows = [["f", "D exact", "D learned", "paper", "mu exact", "learned", "paper"]]
    rows[0] += ["sigma exact", "learned", "paper"]
    means = {}
    for name, r in results.items():
        row, paper = [name], PAPER[name]
        columns = zip(r["exact"], ("bound", "mean", "scale"), paper, strict=True)
        for exact, key, published in columns:
            row += [f"{exact:.4f}", tables.told(r[key], "{:.3f}"), f"{published:.4f}"]
        rows.append(row)
        off = np.abs(np.array(r["exact"]) - GOLDEN[name]).max()
        yield Finding(
            f"{name}: exact (D, mu, sigma)",
            ", ".join(f"{v:.4f}" for v in GOLDEN[name]),
            ", ".join(f"{v:.4f}" for v in r["exact"]),
            bool(off < 2e-5),
        )
        yield from gaussian_fits.lost(name, r)
        means[name] = np.nanmean(r["mean"]) if np.isfinite(r["mean"]).any() else np.nan
        for key, exact in (("mean", r["exact"][1]), ("scale", r["exact"][2])):
            yield Finding(
                f"{name}: {key} of {len(r[key])} games",
                f"{exact:.3f}",
                tables.told(r[key], "{:.3f}"),
                _near(r[key], exact),
            )
    tables.write(directory / "mixture", rows)
    order = ["pearson", "kl", "jensen_shannon", "jeffrey", "reverse_kl"]
    found = sorted(means, key=means.get)
    yield Finding(
        "order of the means; of jensen_shannon and jeffrey, .012 apart, either",
        "pearson < kl < jensen_shannon, jeffrey < reverse_kl",
        " < ".join(found),
        found[:2] == order[:2] and found[-1] == order[-1]
        if np.isfinite(list(means.values())).all()
        else None,
    )
    draw(results, directory / "densities.png")


def _near(values, exact):
    """Whether all games that did not diverge, if any, are near."""
    finite = np.array([value for value in values if np.isfinite(value)])
    return bool(len(finite)) and bool(np.abs(finite - exact).max() < NEAR)


def draw(results, path):
    """Data, best and learned Gaussian of each divergence."""
    figure = tables.figure(10.0, 2.6)
    x = np.linspace(-4, 7, 600)
    for axes, (name, r) in zip(figure.subplots(1, len(results)), results.items(), strict=True):
        axes.fill_between(x, np.exp(log_density(x)), color="0.85", label="data")
        for mean, scale in zip(r["mean"], r["scale"], strict=True):
            axes.plot(x, np.exp(gaussian_fits.log_normal(x, mean, scale)), "tab:orange", lw=0.8)
        axes.plot(x, np.exp(gaussian_fits.log_normal(x, *r["exact"][1:])), "k--", lw=1.2)
        axes.set_title(name.replace("_", " "), fontsize=9)
        axes.set_xlabel("x", fontsize=8)
        axes.tick_params(labelsize=7)
    figure.axes[0].set_ylabel("density", fontsize=8)
    figure.axes[0].plot([], [], "k--", label="least divergence")
    figure.axes[0].plot([], [], "tab:orange", label="games")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    tables.save(figure, path)


STUDY = Study("fgan_mixture", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
