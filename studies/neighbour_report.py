"""What the distances to samples and to real digits say: findings, tables and figures."""

import numpy as np

from studies import digits, tables
from studies.neighbour_distances import both, crossed, error, worth
from studies.study import Finding
from zoo import presets

CARD, GOLDEN = "conditional_dcgan_mnist", {50_000: 0.0334, 60_000: 0.0309}
PAPER = 0.0298  # With 50,000 generated digits.
KEPT = ("recognised", "relabelled", "sure", "rejection by D")


class Reading:
    """The results of the parts, by what they mean."""

    def __init__(self, results):
        self.results = results
        self.blocks = [r["distances"] for name, r in results.items() if name.startswith("block_")]
        self.kept = results["block_0"]["kept"]
        self.count = max(int(name) for name in self.blocks[0] if name.isdigit())
        self.samples = [block[str(self.count)] for block in self.blocks]
        self.real = {int(name): found for name, found in results["real"]["distances"].items()}
        self.rows = len(self.samples[0]["own"])
        self.full = 60_000 in self.real
        self.truth = digits.mnist("test")[1][:: round(10_000 / self.rows)]

    def curve(self):
        """`{n: distances}` of samples: within the first block, then block after block."""
        found = {int(n): d for n, d in self.blocks[0].items() if n.isdigit()}
        for number in range(1, len(self.samples)):
            found[(number + 1) * self.count] = both(*self.samples[: number + 1])
        return found

    def variants(self):
        """`{name: (distances, number of training images)}` that stand beside the first block."""
        first, n = self.blocks[0], self.count
        found = {name: (first[name], round(n * self.kept[name])) for name in KEPT}
        halves = [block["best half by D"] for block in self.blocks[:2]]
        found["best half of twice as many by D"] = both(*halves), n
        for name, result in self.results.items():
            if name.startswith(("latents", "truncation")):
                found[name] = result["distances"]["all"], n
        found["latents x 0.8, best half by D, recognised"] = (
            self.results["chosen"]["distances"]["all"], n
        )  # fmt: skip
        for name, result in self.results.items():
            if name.startswith("samples "):
                found[name] = result["samples"], n
        for number in range(2, len(self.samples) + 1):
            found[f"{number} times as many"] = both(*self.samples[:number]), number * n
        return found


def own(distances, among=slice(None)):
    """The mean distance to the nearest of the own class, of pixels in [0, 1]."""
    return float(np.sqrt(np.asarray(distances["own"], float)[among]).mean() / 255)


def wrong(distances):
    """Which test digits are nearer to another class."""
    return np.asarray(distances["other"]) < np.asarray(distances["own"])


def change(ours, base):
    """The difference of two errors on the same test digits, and its standard error."""
    difference = wrong(ours).astype(int) - wrong(base)
    return difference.mean(), difference.std(ddof=1) / len(difference) ** 0.5


def report(results, directory):
    """The table of what lowers the error, the table of classes, the curves, the findings."""
    reading = Reading(results)
    tables.write(directory / "variants", variant_rows(reading))
    tables.write(directory / "classes", class_rows(reading))
    draw(reading, directory / "errors.png")
    panel(results["traits"], directory / "digits.png")
    yield from of_numbers(reading)
    yield from of_causes(reading)
    yield from of_cures(reading)


def of_numbers(reading):
    """Findings on how many samples are worth how many real digits."""
    card = {score["label"]: score for score in presets.card(CARD)["scores"]}
    n, real = reading.count, reading.real
    for number, value in GOLDEN.items():
        if number in real:
            found = error(real[number])
            yield Finding(
                f"{number} real digits", f"{value:.2%}", f"{found:.2%}", abs(found - value) < 5e-5
            )
    errors = [error(found) for found in reading.samples]
    said = card["nearest_neighbour:50000"]["value"]
    yield Finding(
        f"{n} samples, {len(errors)} draws",
        f"{said:.2%} of 50000 on the card",
        f"{np.mean(errors):.2%} ± {np.std(errors, ddof=1):.2%}",
        abs(errors[0] - said) <= 0.001 if reading.full else None,
    )
    yield Finding(
        f"{n} samples against as many real digits",
        f"no more (the paper: {PAPER:.2%} with 50000)",
        f"{errors[0]:.2%} and {error(real[n]):.2%}",
        errors[0] <= error(real[n]),
    )
    curves = {k: error(d) for k, d in real.items()}, {k: own(d) for k, d in real.items()}
    for name, found in (("", reading.samples[0]), ("all ", both(*reading.samples))):
        number = n if not name else n * len(reading.samples)
        yield Finding(
            f"real digits that {name}{number} samples are worth: by the error, by the distance to "
            "the own class",
            "",
            f"{worth(error(found), curves[0]):.0f}, {worth(own(found), curves[1]):.0f}",
        )


def of_causes(reading):
    """Findings on which of the two distances is to blame."""
    ours, real = reading.samples[0], reading.real[reading.count]
    for number, found in ((1, ours), (len(reading.samples), both(*reading.samples))):
        which = f"{number * reading.count} samples"
        yield Finding(
            f"own class of {which} against other classes of real digits; the reverse",
            f"{error(found):.2%} of samples, {error(real):.2%} of real digits",
            f"{error(crossed(found, real)):.2%}; {error(crossed(real, found)):.2%}",
        )
        yield Finding(
            f"mean distance to the own class, {which} and real digits",
            "",
            f"{own(found):.3f}, {own(real):.3f}",
        )
        lost = wrong(found) & ~wrong(real)
        yield Finding(
            f"the same of the digits that {which} alone take wrongly ({lost.mean():.2%})",
            "",
            f"{own(found, lost):.3f}, {own(real, lost):.3f}" if lost.any() else "none",
        )
    name = "recognised"
    value, deviation = change(reading.blocks[0][name], ours)
    yield Finding(
        f"without what the extractor takes for another digit ({1 - reading.kept[name]:.2%})",
        "",
        f"{value:+.2%} ± {deviation:.2%}",
    )
    for name, result in reading.results.items():
        if "real" in result and "samples" in result and name != "traits":
            yield Finding(
                f"{name}: samples, real digits",
                "",
                f"{error(result['samples']):.2%}, {error(result['real']):.2%}",
            )
    moved = reading.results["moved"]
    found = [error(moved[f"{name}, not moved"]) for name in ("samples", "real")]
    yield Finding(
        f"the same {len(moved['real']['own'])} test digits, not moved: samples, real digits",
        "",
        ", ".join(f"{value:.2%}" for value in found),
    )


def of_cures(reading):
    """Findings on which change reaches the error of as many real digits."""
    base = error(reading.real[reading.count])
    found = {k: (error(d), n) for k, (d, n) in reading.variants().items()}
    few = {k: v for k, (v, n) in found.items() if n <= reading.count}
    best = min(few, key=few.get)
    yield Finding(
        f"the least error of at most {reading.count} samples",
        f"{base:.2%} of as many real digits",
        f"{few[best]:.2%}: {best}",
    )
    many = [n for n, d in reading.curve().items() if error(d) <= base]
    yield Finding(
        f"samples as they come that reach {base:.2%}",
        "",
        f"{min(many)}" if many else f"more than {max(reading.curve())}",
    )


def variant_rows(reading):
    """Rows of text, a variant each: its error, and the change against the first block."""
    base = reading.samples[0]
    rows = [["samples", "number", "error", "change", "distance to the own class"]]
    listed = {"as they come": (base, reading.count), **reading.variants()}
    for name, (found, count) in listed.items():
        value, deviation = change(found, base)
        moved = f"{value:+.2%} ± {deviation:.2%}" if found is not base else ""
        rows.append([name, str(count), f"{error(found):.2%}", moved, f"{own(found):.3f}"])
    real = reading.real[reading.count]
    value, deviation = change(real, base)
    rows.append([
        "real digits", str(reading.count), f"{error(real):.2%}",
        f"{value:+.2%} ± {deviation:.2%}", f"{own(real):.3f}",
    ])  # fmt: skip
    return rows


def class_rows(reading):
    """Rows of text, a digit each: both errors, and what the samples are worth by the distance."""
    rows = [["digit", "samples", "real digits", "worth in real digits of all, by the distance"]]
    ours, real = reading.samples[0], reading.real[reading.count]
    for digit in range(10):
        among = reading.truth == digit
        curve = {n: own(d, among) for n, d in reading.real.items()}
        rows.append([
            str(digit), f"{error(ours, among):.2%}", f"{error(real, among):.2%}",
            f"{worth(own(ours, among), curve):.0f}",
        ])  # fmt: skip
    return rows


def draw(reading, path):
    """Errors over the number of training images; and of every variant."""
    figure = tables.figure(10.0, 4.0)
    left, right = figure.subplots(1, 2)
    for name, curve in (("real digits", reading.real), ("samples", reading.curve())):
        left.loglog(list(curve), [100 * error(d) for d in curve.values()], "o-", ms=3, label=name)
    base = 100 * error(reading.real[reading.count])
    left.axhline(base, color="0.5", ls="--", lw=1, label=f"{reading.count:,} real digits")
    left.set_xlabel("training images", fontsize=8)
    left.set_ylabel("error of the nearest neighbour, %", fontsize=8)
    ticks = [
        t for t in (2, 3, 4, 5, 7, 10, 15, 20, 30) if left.get_ylim()[0] < t < left.get_ylim()[1]
    ]
    left.set_yticks(ticks, ticks)
    left.minorticks_off()
    left.legend(fontsize=8)
    listed = {"as they come": (reading.samples[0], 0), **reading.variants()}
    values = [100 * error(d) for d, _ in listed.values()]
    bars = [(v * (100 - v) / reading.rows) ** 0.5 for v in values]
    right.errorbar(values, range(len(values)), xerr=bars, fmt="o", ms=3, lw=1)
    right.axvline(base, color="0.5", ls="--", lw=1)
    right.set_yticks(range(len(values)), list(listed), fontsize=7)
    right.invert_yaxis()
    right.set_xlabel(f"%; dashed: {reading.count:,} real digits", fontsize=8)
    tables.save(figure, path)


def _both(traits):
    return {name: traits[name] for name in ("samples", "real")}


def panel(traits, path):
    """Thirty of each."""
    figure = tables.figure(8.0, 2.2)
    for axes, (name, found) in zip(figure.subplots(1, 2), _both(traits).items(), strict=True):
        rows = np.array(found["pictures"]).reshape(3, 10, 28, 28)
        lines = [np.concatenate(row, axis=1) for row in rows]
        axes.imshow(255 - np.concatenate(lines), cmap="gray", vmin=0, vmax=255)
        axes.set_title(
            f"{name}: {found['paper']:.1%} white, {found['faint']:.1%} faint, "
            f"ink {found['ink']:.1f}, edges {found['edges']:.1f}",
            fontsize=8,
        )
        axes.set_axis_off()
    tables.save(figure, path)
