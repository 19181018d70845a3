"""Tables as CSV and Markdown, and figures that are written whole or not at all."""

import csv

import numpy as np

from zoo.files import replacing


def markdown(rows):
    """A Markdown table of rows of text; the first is its head."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"


def write(path, rows):
    """Writes rows of text as `path.csv` and `path.md`, and prints them."""
    with replacing(path.with_suffix(".csv")) as part, open(part, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    with replacing(path.with_suffix(".md")) as part:
        part.write_text(markdown(rows))
    print(markdown(rows), flush=True)


def told(values, form="{:.2f}"):
    """Mean and deviation of seeds; where some diverged, of how many the mean is."""
    every = np.asarray(values, "float64")
    values = every[np.isfinite(every)]
    if not len(values):
        return "diverged"
    said = form.format(values.mean())
    if len(values) > 1:
        said += f" ± {form.format(values.std(ddof=1))}"
    return said if len(values) == len(every) else f"{said} ({len(values)} of {len(every)})"


def figure(width=9.0, height=3.4):
    """A matplotlib figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure, path):
    """Writes a figure as PNG."""
    with replacing(path) as part:
        figure.savefig(part, dpi=110, format="png")
