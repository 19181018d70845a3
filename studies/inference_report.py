"""Tables and figures of `studies.normal_inference`, of the parts that have been made."""

import math

import numpy as np
from scipy import stats

from studies import tables
from studies.study import Finding

LECTURE = {  # Boulaguiem's table: of X*, and of X.
    "mean": (0.0053, 0.0043),
    "variance": (0.0124, 0.0104),
    "coverage": (0.9509, 0.9508),
}


def fitted_rate(sizes, distances, errors):
    """The slope of log distance by log n, weighted, with its standard error."""
    x, y = np.log(sizes), np.log(distances)
    weights = np.asarray(distances) / np.asarray(errors)
    (slope, _), covariance = np.polyfit(x, y, 1, w=weights, cov="unscaled")
    return float(slope), float(math.sqrt(covariance[0, 0]))


def table_rows(table):
    """The lecture's table beside ours: rows of text."""
    lecture = LECTURE
    yield ["", "GAN: ours", "lecture", "data: ours", "lecture", "theory"]
    yield [
        "mean of X",
        _said(table["mean"]["gan"]),
        f"{lecture['mean'][0]:.4f}",
        _said(table["mean"]["data"]),
        f"{lecture['mean'][1]:.4f}",
        "0",
    ]
    yield [
        "variance of X",
        _said(table["mean"]["gan_variance"], 5),
        f"{lecture['variance'][0]:.4f}",
        _said(table["mean"]["data_variance"], 5),
        f"{lecture['variance'][1]:.4f}",
        "0.01 (Cramér-Rao)",
    ]
    yield ["KS distance", _said(table["ks"]["gan"]), "", _said(table["ks"]["data"]), "", "0.0852"]
    yield ["KS of the fitted normal", "", "", _said(table["ks"]["plug_in"]), "", "0.0402"]
    yield ["GAN is nearer", _said(table["gan_is_nearer"]), "", "", "", ""]
    low, high = table["tolerance"]
    for name, found in table["coverage"].items():
        of_gan = "GAN" in name
        yield [
            f"coverage: {name}",
            _said(found) if of_gan else "",
            f"{lecture['coverage'][0]:.4f} (rule unsaid)" if of_gan else "",
            "" if of_gan else _said(found),
            "" if of_gan else f"{lecture['coverage'][1]:.4f} (rule unsaid)",
            f"0.95, by chance [{low:.4f}, {high:.4f}]",
        ]


def _said(pair, digits=4):
    return f"{pair[0]:.{digits}f} ± {pair[1]:.{digits}f}"


def report(results, directory):
    """Tables and figures of the parts that there are; findings of the first."""
    rows = list(table_rows(results["table"]))
    tables.write(directory / "table", rows)
    _draw_distributions(results["table"]["values"], directory / "distributions.png")
    _draw_coverage(results["table"], directory / "coverage.png")
    sizes = sorted(int(name[2:]) for name in results if name.startswith("n_"))
    sizes = [n for n in sizes if f"affine_n_{n}" in results]
    if len(sizes) > 2:
        tables.write(directory / "rate", list(_rate_rows(results, sizes)))
        _draw_rate(results, sizes, directory / "rate.png")
    others = [name[11:] for name in results if name.startswith("population_")]
    if others:
        tables.write(directory / "populations", list(_population_rows(results, others)))
    variants = [r for name, r in results.items() if name.startswith("variant_")]
    if variants:
        tables.write(directory / "variants", list(_variant_rows(results["table"], variants)))

    yield from _findings(results["table"])


def _findings(table):
    """What theory or the lecture says, beside what came out."""
    lecture, lost = LECTURE, table["diverged"]
    yield Finding("GANs that diverged", "0", f"{lost} of {table['replicates'] + lost}", lost == 0)
    for name, kind, expected, within in (
        ("mean of X", "data", 0.0, 4),
        ("variance of X", "data_variance", 0.01, 4),
    ):
        found, error = table["mean"][kind]
        yield Finding(
            name, f"{expected:g}", _said((found, error)), abs(found - expected) < within * error
        )
    yield Finding("mean of X*", f"lecture: {lecture['mean'][0]}", _said(table["mean"]["gan"]))
    yield Finding(
        "variance of X*", f"lecture: {lecture['variance'][0]}", _said(table["mean"]["gan_variance"])
    )
    found, error = table["ks"]["data"]
    near = abs(found - 0.0852435) < 4 * error
    yield Finding("Kolmogorov-Smirnov distance of F_n", "0.0852", _said((found, error)), near)
    yield Finding("the same of F_n*", "below that of F_n?", _said(table["ks"]["gan"]))
    yield Finding("share of GANs nearer to F than the data", "?", _said(table["gan_is_nearer"]))
    for name, found in table["coverage"].items():
        known = name.startswith("mean of the data")  # Exactly 0.95, whatever the rest is.
        low, high = table["tolerance"]
        near = low <= found[0] <= high if known else None
        yield Finding(f"coverage: {name}", "0.95", _said(found), near)


def _rate_rows(results, sizes):
    yield ["n", "KS of the data", "KS of the GAN", "KS of the affine GAN"]
    for n in sizes:
        own, affine = results[f"n_{n}"]["ks"], results[f"affine_n_{n}"]["ks"]
        yield [str(n), *map(_said, (own["data"], own["gan"], affine["gan"]))]
    found = [
        fitted_rate(sizes, *zip(*(results[f"{kind}n_{n}"]["ks"][of] for n in sizes), strict=True))
        for kind, of in (("", "data"), ("", "gan"), ("affine_", "gan"))
    ]
    yield ["rate n^a, a =", *map(_said, found)]


def _population_rows(results, names):
    yield [
        "population",
        "statistic",
        "truth",
        "rmse of T(F_n)",
        "rmse of T(F_n*)",
        "bootstrap covers",
        "GAN-bootstrap covers",
    ]
    for name in names:
        for statistic in ("mean", "variance", "median", "tail"):
            row = results[f"population_{name}"][statistic]
            yield [
                name,
                statistic,
                f"{row['truth']:.4f}",
                f"{row['data_rmse']:.4f}",
                f"{row['gan_rmse']:.4f}",
                _said(row["bootstrap"], 3),
                _said(row["gan_bootstrap"], 3),
            ]


def _variant_rows(table, variants):
    yield ["what is otherwise", "variance of X*", "KS of the GAN", "GAN is nearer", "diverged"]
    for row in ({"name": "nothing (the table)", **table}, *variants):
        yield [
            row["name"],
            _said(row["mean"]["gan_variance"], 5),
            _said(row["ks"]["gan"]),
            _said(row["gan_is_nearer"], 3),
            str(row["diverged"]),
        ]


def _draw_distributions(values, path):
    figure = tables.figure()
    left, right = figure.subplots(1, 2)
    x = np.linspace(-0.45, 0.45, 300)
    for axes, (title, key) in ((left, ("mean", "mean")), (right, ("KS distance", "ks"))):
        bins = np.linspace(*np.percentile(np.concatenate(values[key]), (0.1, 99.9)), 40)
        for label, some in zip(("of the data", "of the GAN"), values[key], strict=True):
            axes.hist(some, bins, density=True, alpha=0.55, label=label)
        axes.set_title(f"{title}, n = 100")
    left.plot(x, stats.norm.pdf(x, 0, 0.1), "k--", label="N(0, 1/n)")
    right.axvline(0.08524, color="k", ls="--", label="E of the data, exact")
    left.legend()
    right.legend()
    tables.save(figure, path)


def _draw_coverage(table, path):
    figure = tables.figure(7.5)
    axes = figure.subplots()
    names = list(table["coverage"])
    shares, errors = zip(*table["coverage"].values(), strict=True)
    axes.errorbar(shares, range(len(names)), xerr=1.96 * np.array(errors), fmt="o", capsize=3)
    axes.axvspan(*table["tolerance"], color="0.85", label="0.95, by chance")
    axes.axvline(0.95, color="k", lw=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("share of intervals that hold the true mean")
    figure.legend(loc="outside upper right")
    tables.save(figure, path)


def _draw_rate(results, sizes, path):
    figure = tables.figure(6.0)
    axes = figure.subplots()
    for kind, of, label in (
        ("", "data", "data"),
        ("", "gan", "GAN, 16-16"),
        ("affine_", "gan", "GAN, affine"),
    ):
        means, errors = zip(*(results[f"{kind}n_{n}"]["ks"][of] for n in sizes), strict=True)
        axes.errorbar(sizes, means, 1.96 * np.array(errors), marker="o", label=label)
    axes.plot(sizes, 0.85 / np.sqrt(sizes), "k--", lw=0.8, label="0.85 / √n")
    axes.set(xscale="log", yscale="log", xlabel="n", ylabel="mean KS distance to N(0, 1)")
    for axis, ticks in ((axes.xaxis, sizes), (axes.yaxis, (0.02, 0.03, 0.05, 0.1, 0.2))):
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_ticks([], minor=True)
    axes.legend()
    tables.save(figure, path)
