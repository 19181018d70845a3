"""The picture of an evaluation: samples, what lies nearest to them, and the scores."""

import numpy as np

from zoo import pictures

WIDTH, HEIGHT = 1400, 620  # Pixels.
PANELS = {"samples": 0.015, "neighbours": 0.355}  # Left edges, as shares of the width.
SIDE = 0.325
COLORS = ("tab:blue", "tab:red", "tab:green", "tab:orange")


def write(path, title, scores, samples, neighbours=None, curves=None):
    """Writes an evaluation as a PNG file of 1400 x 620 pixels.

    Args:
        path: Where to write, ending in `.png`.
        title: str.
        scores: List of `Score`.
        samples: uint8 picture `(height, width, channels)` of samples.
        neighbours: uint8 picture, optional: rows of samples with the nearest training image in a
            last column.
        curves: Dict from a name to `(epochs, values)`, optional: scores during the training.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    figure.text(0.015, 0.96, title, va="top", fontsize=16, parse_math=False)
    _image(figure, "samples", "samples", samples)
    if neighbours is not None:
        name = "samples, and in the frame the nearest training image"
        _image(figure, "neighbours", name, neighbours)
    _table(figure, scores, 0.86)
    if curves:
        _curves(figure, curves)
    canvas.draw()
    pictures.save_png(np.array(canvas.buffer_rgba())[..., :3], path)


def _image(figure, panel, name, picture):
    picture = pictures.enlarge(picture, max(1, 460 // max(picture.shape[:2])))
    height, width = picture.shape[:2]
    scale = min(SIDE * WIDTH / width, 0.8 * HEIGHT / height)
    size = (scale * width / WIDTH, scale * height / HEIGHT)
    axes = figure.add_axes((PANELS[panel], 0.845 - size[1], *size))
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="antialiased")
    axes.set_axis_off()
    axes.set_title(name, fontsize=10)


def _table(figure, scores, top):
    for row, score in enumerate(scores):
        error = "" if score.standard_error is None else f" ± {score.standard_error:.2g}"
        arrow = "higher is better" if score.higher_is_better else "lower is better"
        y = top - 0.065 * row
        name = score.name.replace("_", " ")
        figure.text(0.70, y, name, fontsize=11, va="top")
        figure.text(0.70, y - 0.028, arrow, fontsize=8, color="0.45", va="top")
        figure.text(0.985, y, f"{score.value:.4g}{error}", fontsize=11, va="top", ha="right")


def _curves(figure, curves):
    height = 0.3 / len(curves)
    for row, (name, (epochs, values)) in enumerate(curves.items()):
        axes = figure.add_axes((0.74, 0.08 + (len(curves) - 1 - row) * height, 0.245, 0.8 * height))
        axes.plot(epochs, values, marker="o", ms=3, color=COLORS[row % len(COLORS)])
        axes.set_ylabel(name.replace("_", " "), fontsize=8)
        axes.grid(color="0.9")
        axes.set_axisbelow(True)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if row == len(curves) - 1:
            axes.set_xlabel("epoch", fontsize=8)
