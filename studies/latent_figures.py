"""The figures of the study of latents."""

import numpy as np

from studies import tables

COLOURS = {"linear": "tab:orange", "spherical": "tab:blue"}


def _strip(axes, rows, labels, title, gap=4):
    """Draws rows of pictures `(n, height, width, 1)`, dark on white."""
    lines = [255 - np.concatenate(np.array(row, "uint8"), axis=1)[..., 0] for row in rows]
    blank = np.full((gap, lines[0].shape[1]), 255, "uint8")
    axes.imshow(np.concatenate([p for line in lines for p in (line, blank)][:-1]), cmap="gray")
    height = lines[0].shape[0]
    axes.set_yticks([height / 2 + k * (height + gap) for k in range(len(rows))], labels, fontsize=8)
    axes.set_xticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(title, fontsize=9)


def draw_walks(found, lengths, path):
    """A walk of each kind, the lengths of its latents beside theory, and the largest step."""
    figure = tables.figure(8.4, 5.0)
    above, below = figure.subfigures(2, 1, height_ratios=(2, 3))
    panels = np.atleast_1d(above.subplots(1, len(found)))
    for axes, (preset, r) in zip(panels, found.items(), strict=True):
        rows = [r["linear"]["walk"], r["spherical"]["walk"], r["blend"]]
        _strip(axes, rows, ["linear", "spherical", "pixels blended"], preset)
    norms, steps, beliefs = below.subplots(1, 3)
    for style, (preset, r) in zip(("-", "--"), found.items(), strict=False):
        t = np.linspace(0, 1, len(r["linear"]["norms"]))
        for mode, colour in COLOURS.items():
            norms.plot(t, r[mode]["norms"], style, color=colour, lw=1, label=f"{mode}, {preset}")
            norms.plot(t[::16], lengths(mode, r["dim"], t[::16]), "k+", ms=5)
        for space, marker in (("pixels", "o"), ("features", "s")):
            cut = 16 * 2 ** np.arange(len(r["spherical"]["steps"][space]))
            steps.plot(
                cut, r["spherical"]["steps"][space], style, marker=marker, ms=4,
                color="tab:blue" if space == "pixels" else "tab:green",
                label=f"{space}, {preset}",
            )  # fmt: skip
    norms.plot([], [], "k+", label="theory")
    norms.set_ylim(0, None)
    steps.plot(cut, 8 / cut, "k:", lw=0.8, label="half the step, half the move")
    steps.set(xscale="log", yscale="log")
    steps.set_xticks(cut, cut)
    steps.set_yticks([0.1, 0.2, 0.4], ["0.1", "0.2", "0.4"])
    steps.minorticks_off()
    norms.set_title("mean length of z along a walk", fontsize=9)
    norms.set_xlabel("t", fontsize=8)
    steps.set_title("largest step of an arc / unrelated distance", fontsize=9)
    steps.set_xlabel("steps", fontsize=8)
    kinds = ("ends", "spherical", "linear", "blend")
    for place, (preset, r) in enumerate(found.items()):
        values = [r["confidence"][kind] for kind in kinds]
        at, grey = np.arange(len(kinds)) + 0.38 * place - 0.19, ("0.35", "0.7")[place % 2]
        beliefs.bar(at, values, 0.36, color=grey, label=preset)
    names = ("ends", "arc's\nmiddle", "line's\nmiddle", "pixels\nblended")
    beliefs.set_xticks(range(len(kinds)), names, fontsize=7)
    beliefs.set_ylim(0, 1.0)
    beliefs.set_title("classifier's mean confidence", fontsize=9)
    for side, axes in zip(("left", "center", "right"), (norms, steps, beliefs), strict=True):
        named = axes.get_legend_handles_labels()
        below.legend(*named, loc=f"outside lower {side}", fontsize=6, handlelength=4)
    tables.save(figure, path)


def draw_arithmetic(found, path):
    """The first four trials with three latents, and the share of successes by their number."""
    figure = tables.figure(9.0, 4.6)
    above, below = figure.subfigures(2, 1)
    panels = np.atleast_1d(above.subplots(1, len(found)))
    charts = np.atleast_1d(below.subplots(1, len(found), sharey=True))
    for axes, shares, (concept, r) in zip(panels, charts, found.items(), strict=True):
        rows = []
        for row in r["shown"]:
            row = np.array(row, "uint8")
            bar = np.zeros((1, *row.shape[1:]), "uint8")
            rows.append(np.concatenate([row[:3], bar, row[3:6], bar, row[6:9], bar, row[9:]]))
        _strip(axes, rows, [""] * len(rows), concept)
        axes.set_yticks([])
        side = rows[0].shape[2]
        for place, sign in ((3, "−"), (7, "+"), (11, "=")):
            for k in range(len(rows)):
                middle = side / 2 + (side + 4) * k
                axes.text((place + 0.5) * side, middle, sign, ha="center", va="center")
        axes.set_xticks([(k + 0.5) * side for k in (1, 5, 9, 12)], ["A", "B", "C", "made"])
        counts = sorted(int(key.split()[1]) for key in r["found"] if key.startswith("plain"))
        for kind, line in (("plain", "-"), ("rescaled", "--"), ("C alone", ":")):
            values = [r["found"][f"{kind} {c}"][1] for c in counts]
            shares.plot(counts, values, line, marker=".", label=kind)
        shares.axhline(r["chance"], color="0.5", lw=0.8, label="chance")
        shares.set_xscale("log")
        shares.set_xticks(counts, counts)
        shares.minorticks_off()
        shares.set_ylim(0, 1)
        shares.set_xlabel("latents averaged", fontsize=8)
    charts[0].set_ylabel("successes", fontsize=8)
    charts[0].legend(fontsize=7)
    tables.save(figure, path)


def draw_truncation(r, psis, path):
    """The same draws at each psi, and what is won and lost."""
    figure = tables.figure(8.4, 3.2)
    left, right = figure.subplots(1, 2, width_ratios=(5, 4))
    names = ["none" if psi is None else f"ψ = {psi:g}" for psi in psis]
    _strip(left, [row["shown"] for row in r["found"]], names, "the same draws, truncated")
    at = range(len(psis))
    found = {key: np.array([row[key] for row in r["found"]]) for key in r["found"][0]}
    for key in ("precision", "recall", "confidence"):
        right.plot(at, found[key], marker=".", label=key)
    right.plot(at, found["variety"] / found["variety"][-1], marker=".", label="distance of two")
    right.plot(at, found["latents"], "k:", lw=0.8, label="spread of latents")
    right.set_xticks(at, [name.removeprefix("ψ = ") for name in names])
    right.set_xlabel("ψ", fontsize=9)
    right.set_ylim(0, 1.1)
    right.set_title("fidelity and variety", fontsize=9)
    right.legend(fontsize=7)
    tables.save(figure, path)


def draw_style(found, path):
    """Each row is one latent, each column a class."""
    figure = tables.figure(5.0 * len(found), 2.9)
    panels = np.atleast_1d(figure.subplots(1, len(found)))
    for axes, (preset, r) in zip(panels, found.items(), strict=True):
        shown = np.array(r["shown"], "uint8")
        _strip(axes, shown.reshape(6, 10, *shown.shape[1:]), range(1, 7), preset)
        axes.set_ylabel("latent", fontsize=8)
        axes.set_xticks([14 + 28 * k for k in range(10)], range(10), fontsize=8)
        axes.set_xlabel("class", fontsize=8)
    tables.save(figure, path)
