"""The best discriminator, and what a smaller one makes of it (Goodfellow et al., 2014, section 4).

  python -m studies.optimal_discriminator --quick     # five nets, four divergences
  python -m studies.optimal_discriminator --full      # all divergences

Proposition 1: against a fixed generator the best D is p / (p + q), and V is 2 JS(p, q) - log 4. The
data are half N(-2, 0.5^2) and half N(2, 0.5^2), the generator's samples N(0, 2^2). Nets of one
number to 64-64 learn D from 20,000 samples of each, and V is measured on others. Then the bound of
f-GAN, which is short of each divergence by what its critic cannot say.
"""

import keras
import numpy as np

import trainers
import zoo
from evaluation import gaussian_f_divergence
from studies import gaussian_fits, study, tables
from studies.gaussian_fits import GRID
from studies.maximum_likelihood import log_density as log_p
from studies.maximum_likelihood import sample
from studies.study import Finding, Study

Q = (0.0, 2.0)  # Mean and deviation of what is generated.
COUNT = 40_000  # Half of which teaches.
NETS = {"linear": (), "2 units": (2,), "4 units": (4,), "16 units": (16,), "64-64 units": (64, 64)}
PAIR = ((1.0, 1.0), (0.0, 1.5))  # Of the bounds: two Gaussians, mean and deviation.
# Neyman's, the integral of q^2 / p less 1, is finite where q's variance is below 2 of p's.
PAIRS = {"neyman": ((1.0, 1.0), (0.0, 1.2))}
SOME = ("kl", "reverse_kl", "jensen_shannon", "squared_hellinger")
ALL = (*SOME, "jeffrey", "pearson", "neyman", "gan")
SHOWN = np.linspace(-6, 6, 241)
NEAR = 0.02  # Of D and of V.


def log_q(x):
    """Log density of what is generated."""
    return gaussian_fits.log_normal(x, *Q)


def value():
    """V of the best discriminator, and the Jensen-Shannon divergence, by the trapezoidal rule."""
    p, q = np.exp(log_p(GRID)), np.exp(log_q(GRID))
    both = np.logaddexp(log_p(GRID), log_q(GRID))
    best = np.trapezoid(p * (log_p(GRID) - both) + q * (log_q(GRID) - both), GRID)
    js = gaussian_fits.divergence("jensen_shannon", log_p(GRID), *Q) / 2
    return float(best), float(js)


def least():
    """V by the library's best discriminator and its minimax loss, where both densities are one."""
    density = zoo.toys.normal()
    samples = density.sample(1000, 0)
    logits = trainers.optimal_discriminator(density, density, "minimax")(samples)
    loss = trainers.objectives.get("minimax").discriminator_loss(logits, logits)
    return -float(np.mean(loss))


def net(units, seed):
    """A critic of one number."""
    keras.utils.set_random_seed(seed)
    hidden = [keras.layers.Dense(width, "tanh") for width in units]
    return keras.Sequential([keras.Input((1,)), *hidden, keras.layers.Dense(1)])


def taught(units, seed, steps=2_000):
    """V of a net, and its D at `SHOWN`."""
    rng = np.random.default_rng(seed)
    p = sample(rng, (COUNT, 1)).astype("float32")
    q = rng.normal(*Q, (COUNT, 1)).astype("float32")
    critic = net(units, seed)
    found = trainers.estimate_divergence(p, q, "gan", critic, steps=steps, seed=seed)
    logits = critic.predict(SHOWN[:, None].astype("float32"), verbose=0)[:, 0]
    return {
        "value": float(found.value),
        "error": float(found.standard_error),
        "discriminator": (1 / (1 + np.exp(-logits.astype("float64")))).tolist(),
    }


def divergence(name):
    """The exact divergence of a pair."""
    pair = PAIRS.get(name, PAIR)
    if name not in ("jensen_shannon", "gan"):
        return gaussian_f_divergence(name, *pair)
    twice = gaussian_fits.divergence(
        "jensen_shannon", gaussian_fits.log_normal(GRID, *pair[0]), *pair[1]
    )
    return twice - np.log(4) * (name == "gan")


def bound(name, units, seed, steps=1_500):
    """The bound of one divergence between two Gaussians, beside the divergence."""
    rng = np.random.default_rng(seed)
    p, q = (rng.normal(*own, (COUNT, 1)).astype("float32") for own in PAIRS.get(name, PAIR))
    found = trainers.estimate_divergence(p, q, name, net(units, seed), steps=steps, seed=seed)
    exact = divergence(name)
    return {
        "exact": float(exact),
        "value": float(found.value),
        "error": float(found.standard_error),
    }


def parts(full, seed):
    """A net each; a divergence and a critic each."""
    for name, units in NETS.items():
        yield f"net_{name}", lambda units=units: taught(units, seed)
    for name in ALL if full else SOME:
        for critic in ("linear", "16 units"):
            yield f"bound_{name}_{critic}", lambda n=name, c=critic: bound(n, NETS[c], seed)


def report(results, directory):
    """Values by net, and bounds by divergence."""
    best, js = value()
    off = best - 2 * js + np.log(4)
    yield Finding("V(D*, G) - 2 JS + log 4", "0", f"{off:.1e}", abs(off) < 1e-9)
    star = 1 / (1 + np.exp(log_q(SHOWN) - log_p(SHOWN)))
    yield from of_nets(results, star, best)
    same = least()
    yield Finding(
        "V(D*, G) where p = q (-log 4)",
        f"{-np.log(4):.4f}",
        f"{same:.4f}",
        abs(same + np.log(4)) < 1e-6,
    )
    rows = [["divergence", "exact", "linear critic", "16 units"]]
    for key in results:
        if key.startswith("bound_") and key.endswith("_linear"):
            name = key.removeprefix("bound_").removesuffix("_linear")
            linear, wide = (results[f"bound_{name}_{c}"] for c in ("linear", "16 units"))
            said = [f"{r['value']:.4f} ± {r['error']:.4f}" for r in (linear, wide)]
            rows.append([name, f"{wide['exact']:.4f}", *said])
            yield of_bound(name, linear, wide)
    tables.write(directory / "bounds", rows)
    draw(results, star, best, directory / "discriminators.png")


def of_nets(results, star, best):
    """Findings on D and V by the size of the net: each is to be better than the smaller one."""
    weights = np.exp(log_p(SHOWN)) + np.exp(log_q(SHOWN))
    made = [results[f"net_{name}"] for name in NETS]
    distances = [
        np.average(np.abs(np.array(r["discriminator"]) - star), weights=weights) for r in made
    ]
    yield Finding(
        f"mean |D - D*| by net: {', '.join(NETS)}",
        f"falls; less than {NEAR} at last",
        ", ".join(f"{off:.3f}" for off in distances),
        np.all(np.diff(distances) < 0) and distances[-1] < NEAR,
    )
    smaller = -np.log(4)  # Both densities are symmetric: the best line is D = 1/2.
    for name, r in zip(NETS, made, strict=True):
        room = 4 * r["error"]
        if name == "linear":
            said, holds = f"{smaller:.4f}, of D = 1/2", abs(r["value"] - smaller) < NEAR
        else:
            said = f"more than {smaller:.4f}, and at most {best:.4f}"
            holds = smaller < r["value"] < best + room
        yield Finding(f"V of a net: {name}", said, f"{r['value']:.4f} ± {r['error']:.4f}", holds)
        smaller = r["value"]
    yield Finding(
        f"V of D* less V of the last net, {name}",
        f"0, within {NEAR}",
        f"{best - r['value']:.4f} ± {r['error']:.4f}",
        abs(best - r["value"]) < NEAR,
    )


def of_bound(name, linear, wide):
    """Whether a bound is one, and better than a line's; what it is short by is said, not judged."""
    room = 4 * wide["error"]
    short = (wide["exact"] - wide["value"]) / abs(wide["exact"])
    gap = (wide["exact"] - wide["value"]) / wide["error"]
    return Finding(
        f"bound of {name} by 16 units",
        f"more than a line's, {linear['value']:.4f}, and at most {wide['exact']:.4f}",
        f"{wide['value']:.4f} ± {wide['error']:.4f}, short by {short:.1%} ({gap:.1f} errors)",
        linear["value"] + room < wide["value"] < wide["exact"] + room,
    )


def draw(results, star, best, path):
    """Each net's D over both densities, beside D*."""
    figure = tables.figure(11.0, 2.9)
    for axes, name in zip(figure.subplots(1, len(NETS)), NETS, strict=True):
        r = results[f"net_{name}"]
        axes.fill_between(SHOWN, np.exp(log_p(SHOWN)), color="0.85", label="p")
        axes.plot(SHOWN, np.exp(log_q(SHOWN)), color="0.6", lw=1, label="q")
        axes.plot(SHOWN, star, "k--", lw=1, label="D*")
        axes.plot(SHOWN, r["discriminator"], "tab:blue", label="D")
        axes.set_title(f"{name}: V = {r['value']:.3f} ({best:.3f})", fontsize=8)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("x", fontsize=8)
    figure.axes[0].set_ylabel("D, and densities", fontsize=8)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    tables.save(figure, path)


STUDY = Study("optimal_discriminator", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
