"""Mode collapse on the ring of 8 and the grid of 25: every objective and update rule, one protocol.

  python -m studies.collapse --quick     # five rules, three seeds, 1,000 steps
  python -m studies.collapse --full      # all, ten seeds, 4,000 steps; most 16,000 on the grid

Both nets have two layers of 64 units, latents are N(0, I_2), Adam(0.001, 0.5), batches of 128.
`collapse_games` has the rules, and what the Wasserstein games and the best rule have instead.
"""

import numpy as np

import zoo
from studies import collapse_games as games
from studies import study, tables
from studies.study import Finding, Study

TOYS = ("ring", "grid")
QUICK = ("non_saturating", "R1", "relativistic pairing, R1 + R2", "unrolled 5", "packing 4")
PANELS = ("non_saturating", "unrolled 5", "relativistic pairing, R1 + R2", "packing 4")
DOTS = 300
STAGES = 4
BEST = "R1, simultaneous, noise that decays"
# PacGAN, tables 1 and 2: modes, share within three deviations, KL of the shares.
PACGAN = {"ring": {"packing 2": (7.9, 0.956)}, "grid": {"packing 4": (24.8, 0.936)}}
LONG_STEPS = 16_000  # Of the best rule, and of most on the grid, where 4,000 leave a cloud.
# Those whose seeds are trained as one, but the f-GANs, and the cheapest unrolled game.
LONG = [name for name, rule in games.RULES.items() if rule.together and "f-GAN" not in name]
LONG.append("unrolled 1")
# How the names of rules against collapse begin.
AGAINST = ("packing", "unrolled", "relativistic pairing")
KL = 0.04  # What PacGAN reports of the grid, by packing 4.
SHARE = 0.5  # Of samples within three deviations: a circle through the ring has 7 %.


def row(rule, name, seeds, steps, units=games.UNITS):
    """Figures of each seed, `{measure: [one a seed]}`, and dots of the first at every stage."""
    toy = zoo.toys.get(name)
    samples = games.played(rule, toy, steps, seeds, STAGES, units)
    held_out = toy.sample(games.DRAWN, (0, 2)).numpy()
    found = [games.measured(toy, x, held_out) for x in samples[-1]]
    dots = np.nan_to_num(samples[:, 0, :DOTS], nan=1e6).clip(-1e3, 1e3)
    return {
        **{key: [one[key] for one in found] for key in games.MEASURES},
        "dots": np.round(dots.astype("float64"), 3).tolist(),
        "steps": steps,
    }


def ideal(name, seeds):
    """The figures of data themselves."""
    toy = zoo.toys.get(name)
    held_out = toy.sample(games.DRAWN, (0, 2)).numpy()
    found = [
        games.measured(toy, toy.sample(games.DRAWN, (seed, 3)).numpy(), held_out) for seed in seeds
    ]
    return {key: [one[key] for one in found] for key in games.MEASURES}


def slug(toy, rule):
    """The name of a part."""
    return f"{toy}_{games.slug(rule)}"


def parts(full, seed):
    """A rule on a toy each."""
    count, steps = (10, 4_000) if full else (3, 1_000)
    seeds = range(seed, seed + count)
    names = games.RULES if full else QUICK
    for toy in TOYS:
        yield f"{toy}_data", lambda toy=toy: ideal(toy, seeds)
        if full:
            yield (
                slug(toy, "best"),
                lambda toy=toy: row(games.BEST, toy, seeds, LONG_STEPS, games.BEST_UNITS),
            )
        for name in names:
            rule = games.RULES[name]
            yield slug(toy, name), lambda toy=toy, rule=rule: row(rule, toy, seeds, steps)
    for name in LONG if full else ():
        rule = games.RULES[name]
        yield slug("grid_long", name), lambda rule=rule: row(rule, "grid", seeds, LONG_STEPS)


def report(results, directory):
    """A table of each toy, the findings, and the panels."""
    for toy in TOYS:
        rows = [
            ["rule", "steps", "modes", "with 20", "within 3 sigma, %", "width", "KL", "sliced W1"]
            + ["diverged"]
        ]
        named = {"data": results[f"{toy}_data"]}
        if slug(toy, "best") in results:
            named[BEST] = results[slug(toy, "best")]
        for name in games.RULES:
            if slug(toy, name) in results:
                named[name] = results[slug(toy, name)]
        longer = {name: results.get(slug(f"{toy}_long", name)) for name in LONG}
        longer = {name: r for name, r in longer.items() if r is not None}
        for name, r in (*named.items(), *longer.items()):
            lost = int(np.sum(~np.isfinite(r["modes"])))
            rows.append(
                [
                    name,
                    f"{r.get('steps', '')}",
                    tables.told(r["modes"], "{:.1f}"),
                    tables.told(r["modes_20"], "{:.1f}"),
                    tables.told(100 * np.asarray(r["good"]), "{:.1f}"),
                    tables.told(r["width"]),
                    tables.told(r["kl"], "{:.3f}"),
                    tables.told(r["sliced"], "{:.3f}"),
                    f"{lost}",
                ]
            )
        tables.write(directory / toy, rows)
        yield from judged(toy, named)
        for some in (named, longer) if longer else (named,):
            yield from against_collapse(toy, some)
        draw(toy, {**named, **longer}, directory / f"{toy}_evolution.png")


def _compared(some, others):
    """Whether the mean of some is above that of others, 1, or below, -1, by more than two standard
    errors of the difference; 0 of neither. A game that diverged has nothing."""
    some, others = (np.nan_to_num(np.array(v), nan=0.0) for v in (some, others))
    error = np.sqrt(sum(v.var(ddof=1) / len(v) for v in (some, others)))
    apart = some.mean() - others.mean()
    return int(np.sign(apart)) if abs(apart) > 2 * error else 0


def _with_error(values):
    """Mean and standard error; a game that diverged has 0."""
    values = np.nan_to_num(np.array(values), nan=0.0)
    return f"{values.mean():.1f} (error {values.std(ddof=1) / np.sqrt(len(values)):.1f})"


def judged(toy, named):
    """The findings of one toy."""
    modes = len(zoo.toys.get(toy).centres)
    data = named["data"]
    yield Finding(
        f"{toy}: within 3 sigma of the data themselves, %",
        "98.9 (1 - exp(-9/2))",
        tables.told(100 * np.asarray(data["good"])),
        abs(np.mean(data["good"]) - (1 - np.exp(-4.5))) < 0.003,
    )
    if BEST in named:
        best = named[BEST]
        for key, said in (("modes", "one sample"), ("modes_20", "20 samples")):
            yield Finding(
                f"{toy}: modes by the best rule with {said}, {len(best[key])} seeds",
                f"{modes} in all",
                ", ".join(f"{v:.0f}" for v in best[key]),
                all(v == modes for v in best[key]),
            )
        yield Finding(
            f"{toy}: KL of its shares, the largest of all seeds",
            f"at most {KL}",
            f"{np.max(best['kl']):.4f}",
            all(v <= KL for v in best["kl"]),
        )
        yield Finding(
            f"{toy}: within 3 sigma by it, %, the least of all seeds",
            f"above {100 * SHARE:.0f}; PacGAN {100 * next(iter(PACGAN[toy].values()))[1]:.1f}",
            f"{100 * np.min(best['good']):.1f}, mean {tables.told(100 * np.asarray(best['good']))}",
            all(v > SHARE for v in best["good"]),
        )
    for name, r in named.items():
        lost = int(np.sum(~np.isfinite(r["modes"])))
        if lost:
            yield Finding(f"{toy}: games of {name} that diverged", "0", f"{lost}")


def against_collapse(toy, named):
    """Whether rules against collapse have more modes than the plain game, by twenty samples each.

    It does not hold where they have fewer, or hit fewer once: those that are left are then full. A
    cloud hits every mode once and has none with twenty: while the plain game has not one, nothing
    is judged. A game that diverged has none.
    """
    plain = named["non_saturating"]
    learned = np.nan_to_num(plain["modes_20"], nan=0.0).mean() >= 1
    for name, r in named.items():
        if name.startswith(AGAINST):
            published = PACGAN[toy].get(name)
            said = "more than non_saturating, by two errors, and no fewer hit once" * bool(learned)
            if published:
                said += "; " * bool(said) + f"PacGAN: {published[0]} modes"
            found = f"{_with_error(r['modes_20'])}, non_saturating {_with_error(plain['modes_20'])}"
            more, hit = (_compared(r[key], plain[key]) for key in ("modes_20", "modes"))
            holds = None
            if learned:
                holds = {1: True, 0: None, -1: False}[more]
                found += f": {('fewer', 'no difference', 'more')[more + 1]}"
                if hit < 0:
                    holds = False
                    found += f"; hit once {_with_error(r['modes'])}, {_with_error(plain['modes'])}"
            yield Finding(
                f"{toy}, {r['steps']:,} steps: modes of {name} with 20 samples",
                said,
                found,
                holds,
            )


def draw(toy, named, path):
    """Dots of one generator while it learns, a row a rule."""
    centres = zoo.toys.get(toy).centres
    reach = 1.25 * np.abs(centres).max()
    shown = [name for name in (*PANELS, BEST) if name in named]
    figure = tables.figure(1.7 * STAGES, 1.75 * len(shown))
    axes = np.atleast_2d(figure.subplots(len(shown), STAGES))
    for number, (line, name) in enumerate(zip(axes, shown, strict=True)):
        steps = named[name]["steps"]
        for stage, (place, dots) in enumerate(zip(line, named[name]["dots"], strict=True)):
            place.plot(*centres.T, "o", ms=7, mfc="none", mec="0.7", lw=0)
            place.plot(*np.array(dots).T, ".", ms=2.5, color="tab:orange")
            place.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
            place.set_aspect("equal")
            if not number or steps != named[shown[number - 1]]["steps"]:
                place.set_title(f"{steps * (stage + 1) // STAGES} steps", fontsize=8)
        line[0].set_ylabel(name.replace(", ", ",\n").replace(": ", ":\n"), fontsize=8)
    tables.save(figure, path)


STUDY = Study("collapse", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
