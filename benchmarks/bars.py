"""The picture of `benchmarks.speed`: how many times as fast as the keras.io style, cell by cell."""

import numpy as np

BASELINE = "keras.io style"
BARS = {  # Name in the legend: its rows, of which the fastest counts; its colour.
    "here, simultaneous": (["zoo, simultaneous"], "tab:blue"),
    "here, alternating": (["zoo"], "lightskyblue"),
    "TensorFlow tutorial's loop": (["tf.function loop"], "tab:orange"),
    "keras.io style": ([BASELINE], "tab:gray"),
    "PyTorch example": (["PyTorch", "PyTorch, compiled"], "tab:red"),
}


def ratios(rows, names):
    """`(low, median, high)` of how many times as fast the fastest of the rows was; or `None`."""
    found = [name for name in names if name in rows]
    if not found or BASELINE not in rows:
        return None
    best = min(found, key=lambda name: np.median(rows[name]["seconds"]))
    times = np.array(rows[BASELINE]["seconds"]) / np.array(rows[best]["seconds"])
    return np.percentile(times, (25, 50, 75))


def draw(results, path):
    """Writes a PNG file.

    Args:
        results: What `benchmarks.speed` measured: a list of cells.
        path: Where to.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    precisions = sorted({cell["precision"] for cell in results}, reverse=True)
    figure, panels = pyplot.subplots(
        len(precisions), 1, figsize=(12, 3.4 * len(precisions)), layout="constrained", squeeze=False
    )
    for panel, precision in zip(panels[:, 0], precisions, strict=True):
        cells = [cell for cell in results if cell["precision"] == precision]
        for i, (name, (rows, color)) in enumerate(BARS.items()):
            found = [(j, ratios(cell["rows"], rows)) for j, cell in enumerate(cells)]
            found = [(j, three) for j, three in found if three is not None]
            if not found:
                continue
            places = [j + (i - (len(BARS) - 1) / 2) / (len(BARS) + 1) for j, _ in found]
            low, median, high = np.array([three for _, three in found]).T
            spread = [median - low, high - median]
            panel.bar(places, median, 1 / (len(BARS) + 1), color=color, label=name)
            panel.errorbar(places, median, spread, fmt="none", ecolor="0.2", elinewidth=1)
        panel.set_xticks(range(len(cells)), [f"{c['net']}\nbatch {c['batch']}" for c in cells])
        panel.set_ylabel("times as fast")
        panel.set_title(f"{precision}, against the keras.io style", fontsize=11)
        panel.grid(axis="y", alpha=0.3)
        panel.set_axisbelow(True)
    panels[0, 0].legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
