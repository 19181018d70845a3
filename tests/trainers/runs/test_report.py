"""The report of a training: which curves and pictures are drawn, and where."""

import csv
import math

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from trainers.runs import report
from trainers.runs.log import read_log

COLUMNS = [
    "discriminator_fake",
    "discriminator_loss",
    "discriminator_real",
    "generator_loss",
    "js_estimate",
]
COLORS = {"blue": (31, 119, 180), "red": (214, 39, 40), "green": (44, 160, 44)}


def _write_log(path, epochs, columns=COLUMNS, scale=1.0, seed=0):
    values = np.random.default_rng(seed).uniform(0.1, 0.6, (epochs, len(columns))) * scale
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *columns])
        writer.writerows([i, *row] for i, row in enumerate(values.tolist()))
    return values


def _digits(count=16, channels=1):
    shape = (count, 28, 28, channels)
    return np.random.default_rng(0).integers(0, 256, shape, "uint8")


def _pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def _has(area, color):
    return (np.abs(area - COLORS[color]).sum(axis=-1) < 30).any()


def _areas(figure):
    """Slices (rows, columns) of the picture that each axes covers."""
    areas = []
    for axes in figure.axes:
        left, bottom, right, top = axes.get_window_extent().extents.round().astype(int)
        areas.append((slice(report.HEIGHT - top, report.HEIGHT - bottom), slice(left, right)))
    return areas


def _draw(log_csv, samples, title="MNIST, GAN", notes=None, classic=True):
    log, picture = read_log(log_csv), report._picture(samples)
    return report._figure(log, picture, title, notes, classic)


def test_the_report_shows_curves_and_samples(tmp_path):
    _write_log(tmp_path / "log.csv", 12)
    path = tmp_path / "new" / "report.png"
    report.write(path, tmp_path / "log.csv", _digits(), "MNIST, GAN", notes="seed 0")
    pixels = _pixels(path)
    assert pixels.shape == (800, 1400, 3)
    losses, outputs, samples = _areas(_draw(tmp_path / "log.csv", _digits(), notes="seed 0"))
    assert _has(pixels[losses], "blue") and _has(pixels[losses], "red")
    assert not _has(pixels[losses], "green")
    assert all(_has(pixels[outputs], color) for color in COLORS)
    assert pixels[samples].std() > 30  # Noise fills it.
    np.testing.assert_array_equal(*np.broadcast_arrays(pixels[samples][..., :1], pixels[samples]))


def test_samples_are_shown_in_order_and_shape(tmp_path):
    _write_log(tmp_path / "log.csv", 2)
    greys = np.repeat(np.arange(0, 200, 50, "uint8"), 64).reshape(4, 8, 8, 1)
    figure = _draw(tmp_path / "log.csv", greys)
    pixels = np.array(figure.canvas.buffer_rgba())[..., 0][_areas(figure)[2]]
    height, width = pixels.shape
    assert abs(height - width) <= 1 and height > 600
    ys, xs = (height // 4, -height // 4), (width // 4, -width // 4)
    quarters = [pixels[y, x] for y in ys for x in xs]
    assert quarters == [0, 50, 100, 150]


def _hidden_ticks(figure):
    """Tick labels outside the view exist, but are not drawn."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not low <= tick.get_loc() <= high:
                    hidden.update({tick.label1, tick.label2})
    return hidden


LONG = "WGAN ON WMMMW "


@pytest.mark.parametrize("epochs, scale", [(1, 1e9), (7, 1.0), (7, 1e-6), (1000, 1e9)])
@pytest.mark.parametrize("validation", [False, True])
def test_no_text_is_clipped_or_overlaps(tmp_path, epochs, scale, validation):
    columns = COLUMNS + [f"val_{name}" for name in COLUMNS] * validation
    _write_log(tmp_path / "log.csv", epochs, columns, scale)
    figure = _draw(tmp_path / "log.csv", _digits(4), LONG * 20, LONG * 60)
    hidden = _hidden_ticks(figure)
    boxes = [
        (artist.get_text(), artist.get_window_extent())
        for artist in figure.findobj(Text)
        if artist.get_visible() and artist.get_text().strip() and artist not in hidden
    ]
    assert len(boxes) > 15
    for i, (text, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 1400 and box.y1 <= 800, text
        for other, other_box in boxes[:i]:
            assert not box.overlaps(other_box), (text, other)
        if text != "not in the log":
            for axes in figure.axes:
                assert not box.overlaps(axes.get_window_extent().padded(-3)), text


def test_the_reference_lines(tmp_path):
    _write_log(tmp_path / "log.csv", 3)

    def levels(figure):
        return [
            [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"]
            for axes in figure.axes[:2]
        ]

    figure = _draw(tmp_path / "log.csv", _digits())
    assert levels(figure) == [[2 * math.log(2)], [math.log(2)]]
    figure = _draw(tmp_path / "log.csv", _digits(), classic=False)
    assert levels(figure) == [[], [math.log(2)]]


def test_curves_are_the_columns_of_the_log(tmp_path):
    values = _write_log(tmp_path / "log.csv", 5)
    figure = _draw(tmp_path / "log.csv", _digits())
    drawn = {line.get_label(): line for axes in figure.axes[:2] for line in axes.lines}
    labels = ["D(fake)", "discriminator loss", "D(real)", "generator loss", "JS estimate"]
    for label, column in zip(labels, values.T, strict=True):
        np.testing.assert_array_equal(drawn[label].get_xdata(), [1, 2, 3, 4, 5])
        np.testing.assert_array_equal(drawn[label].get_ydata(), column)


def test_a_critic_is_no_probability(tmp_path):
    columns = [*COLUMNS, "wasserstein_estimate"]
    values = _write_log(tmp_path / "log.csv", 3, columns, scale=50)
    outputs = _draw(tmp_path / "log.csv", _digits(), classic=False).axes[1]
    (line,) = outputs.lines
    assert line.get_label() == "Wasserstein estimate"
    np.testing.assert_array_equal(line.get_ydata(), values[:, -1])


def test_validation_is_dashed_where_it_was_run(tmp_path):
    header = "epoch,generator_loss,val_generator_loss\n"

    def dashed(rows):
        (tmp_path / "log.csv").write_text(header + rows)
        figure = _draw(tmp_path / "log.csv", _digits())
        labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
        return [line.get_xydata().tolist() for line in lines][:1], "validation" in labels

    assert dashed("0,1.0,NA\n1,1.0,NA\n") == ([], False)
    assert dashed("0,1.0,5.0\n1,1.0,NA\n2,1.0,6.0\n") == ([[[1, 5], [3, 6]]], True)


@pytest.mark.parametrize("columns", [[], ["generator_loss"], ["js_estimate"], ["learning_rate"]])
def test_missing_columns(tmp_path, columns):
    _write_log(tmp_path / "log.csv", 3, columns)
    figure = _draw(tmp_path / "log.csv", _digits())
    empty = [any(t.get_text() == "not in the log" for t in axes.texts) for axes in figure.axes]
    assert empty == ["generator_loss" not in columns, "js_estimate" not in columns, False]


@pytest.mark.parametrize("shape", [(50,), (50, 2), (50, 5)])
def test_points_and_ready_pictures(tmp_path, shape):
    _write_log(tmp_path / "log.csv", 3)
    samples = np.random.default_rng(0).normal(size=shape)
    for i, value in enumerate((samples, report._picture(samples))):
        report.write(tmp_path / f"{i}.png", tmp_path / "log.csv", value, "Ring, GAN")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def test_a_diverged_training(tmp_path):
    (tmp_path / "log.csv").write_text(
        "epoch,discriminator_loss,generator_loss,js_estimate\n0,1.0,nan,NA\n1,inf,,nan\n"
    )
    log = read_log(tmp_path / "log.csv")
    assert np.isnan(log["generator_loss"]).all() and np.isnan(log["discriminator_loss"][1])
    report.write(tmp_path / "report.png", tmp_path / "log.csv", _digits(), "MNIST")
    assert _pixels(tmp_path / "report.png").shape == (800, 1400, 3)


@pytest.mark.parametrize("text", ["", "epoch,generator_loss\n", "generator_loss\n1.0\n"])
def test_a_file_that_is_no_log(tmp_path, text):
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(ValueError, match="`log_csv` is no log.*CSVLogger.*log.csv with"):
        report.write(tmp_path / "report.png", tmp_path / "log.csv", _digits(), "MNIST")
    assert not (tmp_path / "report.png").exists()


def test_float_images_are_refused(tmp_path):
    _write_log(tmp_path / "log.csv", 3)
    with pytest.raises(ValueError, match="Expected uint8"):
        report.write(tmp_path / "r.png", tmp_path / "log.csv", _digits() / 255.0, "MNIST")


@pytest.mark.parametrize("epoch, value", [(2, "0.5"), (4, "7")])
def test_the_best_and_the_last_are_both_shown(tmp_path, epoch, value):
    path = tmp_path / "log.csv"
    _write_log(path, 4)
    rows = path.read_text().splitlines()
    scores = ["frechet_distance", "3", "0.5", "nan", "7"]
    path.write_text("\n".join(f"{row},{score}" for row, score in zip(rows, scores, strict=True)))
    log = read_log(path)
    black, white = np.zeros((16, 28, 28, 1), "uint8"), np.full((16, 28, 28, 1), 255, "uint8")
    best = report.Best("frechet_distance", epoch, white)
    figure = report._figure(log, report._picture(black), "title", None, True, best)
    words = [text.get_text() for text in figure.findobj(Text)]
    assert f"best {value}, epoch {epoch}" in words and "last 7" in words
    images = [axes for axes in figure.axes if axes.get_images()]
    if epoch == 4:  # The last one is the best one.
        assert [axes.get_title() for axes in images] == ["samples after epoch 4, the best"]
    else:
        titles = ["samples after epoch 4", "samples of the best, after epoch 2"]
        assert [axes.get_title() for axes in images] == titles
        means = [axes.get_images()[0].get_array().mean() for axes in images]
        assert means[0] < 30 and means[1] > 250
    left = [axes.get_window_extent() for axes in figure.axes if not axes.get_images()]
    assert len(left) == 3
    for upper, lower in zip(left, left[1:], strict=False):
        assert upper.y0 > lower.y1
    plain = report._figure(log, report._picture(black), "title", None, True)
    assert len(plain.axes) == 3  # Two plots and the samples.
