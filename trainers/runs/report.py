"""The report of a training: its losses, its discriminator and its samples on one picture."""

import dataclasses
import math
import textwrap

import numpy as np

from trainers.runs.log import read_log
from zoo import pictures

WIDTH, HEIGHT = 1400, 800  # Pixels.
PANEL = (750, 40, 620, 620)  # Left, bottom, width and height of the samples, in pixels.
# What the report draws: the columns of each plot, how they are called, and their colour.
LOSSES = {
    "discriminator_loss": ("discriminator loss", "tab:blue"),
    "generator_loss": ("generator loss", "tab:red"),
    "loss": ("negative bound, nats", "tab:blue"),  # Of an autoencoder.
    "reconstruction": ("reconstruction", "tab:orange"),
    "divergence": ("KL divergence", "tab:green"),
}
OUTPUTS = {
    "discriminator_real": ("D(real)", "tab:blue"),
    "discriminator_fake": ("D(fake)", "tab:red"),
    "js_estimate": ("JS estimate", "tab:green"),
}
CRITIC = {"wasserstein_estimate": ("Wasserstein estimate", "tab:green")}


@dataclasses.dataclass(frozen=True)
class Best:
    """What a report says of the scores of a training.

    Attributes:
        name: The measure, a column of the log.
        epoch: int. After how many epochs it was best.
        samples: What the best trainer samples: as those of the last one.
    """

    name: str
    epoch: int
    samples: np.ndarray


def write(path, log_csv, samples, title, notes=None, classic=True, score=None, marks=()):
    """Writes the report of a training as a PNG file of 1400 x 800 pixels.

    On the left the losses per epoch; under them the mean of D on real and on generated samples, as
    the objective reads its logits, with the discriminator's estimate of the Jensen-Shannon
    divergence, whose ceiling is log 2, where it makes one; a Wasserstein critic has its own
    estimate there. On the right samples. A column that the log does not have is left out;
    validation is dashed.

    Where the objective is the classic one, a discriminator that cannot tell real from generated
    (D = 1/2) has the loss 2 log 2, which is drawn for reference.

    Args:
        path: Where to write, ending in `.png`.
        log_csv: Path of the file that `keras.callbacks.CSVLogger` wrote.
        samples: What the trained generator samples: uint8 images `(n, height, width, channels)`,
            points `(n,)` or `(n, d)`, or a picture of them, uint8 `(height, width, 1 or 3)`.
        title: str. Names the dataset and the trainer.
        notes: str, optional. Small print under the title, cut after two lines.
        classic: bool. Whether the discriminator minimises -log D(x) - log(1 - D(G(z))); for other
            objectives the line at 2 log 2 has no meaning and is not drawn.
        score: `Best`, optional. Its curve is drawn with the best and the last epoch in numbers,
            and the samples of both stand one above the other unless they are the same.
        marks: Pairs of an epoch and a word, such as a trouble that was named then: a line at each.

    Raises:
        ValueError: If the log or the samples cannot be read as such.

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 4.
    """
    figure = _figure(read_log(log_csv), _picture(samples), title, notes, classic, score, marks)
    pictures.save_png(np.array(figure.canvas.buffer_rgba())[..., :3], path)


def _figure(log, picture, title, notes, classic, score=None, marks=()):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    _write(figure, 0.97, title, 100, 1, fontsize=16)
    _write(figure, 0.922, notes or "", 185, 2, fontsize=9.5, color="0.3")
    scored = score is not None and np.any(np.isfinite(log.get(score.name, [])))
    places = (
        ((0.625, 0.19), (0.35, 0.19), (0.08, 0.19)) if scored else ((0.49, 0.325), (0.08, 0.325))
    )
    plots = [figure.add_axes((0.06, bottom, 0.44, height)) for bottom, height in places]

    losses, outputs = plots[:2]
    _curves(losses, log, LOSSES, "loss")
    if classic and "discriminator_loss" in log:
        _level(losses, 2 * math.log(2), "2 log 2", "tab:blue")

    if "wasserstein_estimate" in log:
        _curves(outputs, log, CRITIC, "estimate")
    else:
        name = "D" if scored else "mean of D"
        name += ", estimate of JS" if "js_estimate" in log else ""
        _curves(outputs, log, OUTPUTS, name)
        low, high = outputs.get_ylim()
        outputs.set_ylim(min(low, -0.04), max(high, 1.04))
        if "js_estimate" in log:
            _level(outputs, math.log(2), "log 2", "tab:green")

    last = f"samples after epoch {log['epoch'][-1]:.0f}"
    left, bottom, width, height = PANEL
    if scored:
        _score(plots[2], log, score)
    if scored and score.epoch < log["epoch"][-1]:
        half = (height - 30) // 2
        _panel(figure, picture, (left, bottom, width, half), last)
        best = f"samples of the best, after epoch {score.epoch}"
        _panel(figure, _picture(score.samples), (left, bottom + half + 30, width, half), best)
    else:
        _panel(figure, picture, PANEL, f"{last}, the best" if scored else last)
    for axes in plots:
        _finish(axes, log["epoch"])
    _mark(losses, marks)
    plots[-1].set_xlabel("epoch")
    canvas.draw()
    return figure


def _score(axes, log, score):
    """Draws the curve of a score, and says where it was best."""
    seen = np.flatnonzero(np.isfinite(log[score.name]))
    epochs, values = log["epoch"][seen], log[score.name][seen]
    name = score.name.replace("_", " ")
    axes.plot(epochs, values, color="tab:purple", marker="o", ms=3, label=f"last {values[-1]:.4g}")
    for best in np.flatnonzero(epochs == score.epoch):  # None where the log has lost it.
        label = f"best {values[best]:.4g}, epoch {score.epoch}"
        axes.plot(epochs[best], values[best], "*", color="tab:purple", ms=11, label=label)
    axes.set_ylabel(name)


def _panel(figure, picture, place, title):
    """A picture in the middle of the upper edge of a place in pixels."""
    left, bottom, width, height = place
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (scale * picture.shape[1] / WIDTH, scale * picture.shape[0] / HEIGHT)
    image = figure.add_axes(
        ((left + width / 2) / WIDTH - size[0] / 2, (bottom + height) / HEIGHT - size[1], *size)
    )
    image.imshow(picture, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="antialiased")
    image.set_axis_off()
    image.set_title(title, fontsize=10)


def _write(figure, top, text, width, count, **style):
    """Writes at most `count` lines; three dots stand where the text was cut."""
    artist = figure.text(0.02, top, "", va="top", parse_math=False, **style)
    while not artist.get_text() or artist.get_window_extent().x1 > 0.98 * WIDTH:
        lines = textwrap.wrap(text, width) or [" "]
        if len(lines) > count:
            lines = lines[:count]
            lines[-1] = lines[-1][: width - 2] + " …"
        artist.set_text("\n".join(lines))
        width = int(0.95 * width)


def _picture(samples):
    """The samples as a picture at least as large as the panel."""
    width, height = PANEL[2:]
    if np.ndim(samples) < 3:
        return pictures.points(samples, size=(width, height))
    picture = samples if np.ndim(samples) == 3 else pictures.grid(samples)
    # Whole pixels first, so that making it smaller to fit leaves their edges sharp.
    scale = min(width / np.shape(picture)[1], height / np.shape(picture)[0])
    return pictures.enlarge(picture, math.ceil(scale))


def _curves(axes, log, columns, label):
    marker = "o" if len(log["epoch"]) <= 30 else None
    for column, (name, color) in columns.items():
        if column in log:
            axes.plot(log["epoch"], log[column], color=color, label=name, marker=marker, ms=3)
        validation = log.get(f"val_{column}", np.array([]))
        seen = np.flatnonzero(np.isfinite(validation))  # Not every epoch has to be validated.
        if len(seen):
            x, y = log["epoch"][seen], validation[seen]
            axes.plot(x, y, "--", color=color, marker=marker, ms=3)
    axes.set_ylabel(label)
    if not axes.lines:
        axes.text(0.5, 0.5, "not in the log", transform=axes.transAxes, ha="center", va="center")


def _level(axes, value, name, color):
    axes.axhline(value, color=color, linestyle=":", linewidth=1.2, label=name)


def _mark(axes, marks):
    """A line at each epoch, and its word along it; one that lies outside stands at the edge."""
    low, high = axes.get_xlim()
    for epoch, word in marks:
        at = min(max(epoch, low), high)
        axes.axvline(at, color="tab:orange", linewidth=1.2, zorder=0)
        axes.text(
            at,
            0.97,
            word.replace("_", " "),
            transform=axes.get_xaxis_transform(),
            rotation=90,
            ha="right",
            va="top",
            fontsize=8,
            color="tab:orange",
        )


def _finish(axes, epochs):
    room = max(0.5, 0.02 * (epochs[-1] - epochs[0]))
    axes.set_xlim(epochs[0] - room, epochs[-1] + room)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    if any(line.get_linestyle() == "--" for line in axes.lines):
        axes.plot([], [], "--", color="0.5", label="validation")
    if axes.lines:
        # Above the plot, where no curve runs under it.
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=5,
            frameon=False,
            fontsize=9,
            columnspacing=1.2,
            borderaxespad=0.2,
        )
