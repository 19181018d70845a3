"""Drawing of samples as pictures: grids of images, scatter plots and histograms of points."""

import math

import numpy as np

from zoo.validation import LARGEST, as_array, as_tuple, check_integer, check_memory, check_positive

COMFORTABLE = 960  # Pixels: 8 x 8 digits enlarged below this still fit on a laptop screen.
LARGEST_SCALE = 8
SMALLEST, LARGEST_SIDE = 16, 1 << 14  # Pixels of a scatter plot's sides.
PAPER = (255, 255, 255)
FRAME = (255, 192, 0)  # Amber: neither grey nor lost on white.


def grid(images, columns=None, padding=1, background=255):
    """Places images row by row in one picture.

    Image i stands in row `i // columns` and column `i % columns`; its first pixel is at
    `(row * (height + padding), column * (width + padding))`. A last row that is not full is left
    as background.

    Args:
        images: uint8 array of shape `(n, height, width, channels)` with 1, 3 or 4 channels. A
            fourth channel is opacity: such images are laid over the background.
        columns: int. Images a row. Defaults to the square root of n, rounded up.
        padding: int, 0 or more. Pixels of background between images.
        background: int in [0, 255]. The grey of what no image covers.

    Returns:
        A uint8 picture of shape `(height, width, 1)`, or `(height, width, 3)` for 3 or 4 channels.

    Raises:
        ValueError: If the images are not uint8, or of another shape, or a number is out of range.
    """
    images = as_array(images=images)
    _check_images(images)
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    check_positive(columns=columns)
    check_integer(0, LARGEST, padding=padding)
    _check_between(background, "background", 0, 255)
    images = _opaque(images, background)
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    area = rows * (height + padding) * columns * (width + padding)
    check_memory(area * channels, 1, padding=padding)
    picture = np.full(
        (
            rows * (height + padding) - padding,
            columns * (width + padding) - padding,
            images.shape[-1],
        ),
        background,
        "uint8",
    )
    for i, image in enumerate(images):
        top = i // columns * (height + padding)
        left = i % columns * (width + padding)
        picture[top : top + height, left : left + width] = image
    return picture


def framed(images, color=FRAME, thickness=1):
    """Images with a frame around each, in colour.

    Args:
        images: uint8 array of shape `(n, height, width, channels)` with 1, 3 or 4 channels.
        color: Red, green and blue of the frame, integers in [0, 255].
        thickness: int, positive. Pixels of frame on each side.

    Returns:
        A uint8 array of shape `(n, height + 2 thickness, width + 2 thickness, 3)`.

    Raises:
        ValueError: If the images are not uint8, or of another shape, or a number is out of range.
    """
    images = as_array(images=images)
    _check_images(images)
    check_integer(1, LARGEST, thickness=thickness)
    color = as_tuple(color=color)
    if len(color) != 3:
        raise ValueError(
            "`color` does not have three components. Expected red, green and blue, "
            f"three integers in [0, 255]. Received: color={color!r}"
        )
    for level in color:
        _check_between(level, "color", 0, 255)
    images = _opaque(images, 255)
    count, height, width, _ = images.shape
    area = (height + 2 * thickness) * (width + 2 * thickness)
    check_memory(3 * count * area, 1, thickness=thickness)
    picture = np.empty((count, height + 2 * thickness, width + 2 * thickness, 3), "uint8")
    picture[:] = color
    picture[:, thickness:-thickness, thickness:-thickness] = images
    return picture


def points(samples, real=None, limits=None, size=(480, 480)):
    """Draws samples that are not images: a histogram of numbers, a scatter plot of vectors.

    Vectors of more than two coordinates are drawn by their first two, and the title says so. It
    also counts the samples that the picture does not show: outside the limits, or not finite.

    Args:
        samples: Array of shape `(n,)` or `(n, d)`: what the generator made.
        real: Array of the same form, optional, drawn behind the samples.
        limits: `(low, high)` of every axis. Defaults to the range of `real` and a quarter more on
            both sides, so that pictures of one training can be compared; without `real` to the
            range of the samples.
        size: `(width, height)` in pixels.

    Returns:
        A uint8 picture of shape `(height, width, 3)`.

    Raises:
        ValueError: If the samples are no numbers or vectors, `real` has another number of
            coordinates, or the limits are not increasing.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    samples, dimensions = _check_points(samples, "samples")
    if real is not None:
        real, real_dimensions = _check_points(real, "real")
        if real_dimensions != dimensions:
            raise ValueError(
                "`samples` and `real` have different lengths. Expected vectors of the same length. "
                f"Received: samples of {dimensions} and real of {real_dimensions} coordinates"
            )
    if limits is None:
        spans = _spans(samples if real is None else real, 0.05 if real is None else 0.25)
    else:
        spans = [_checked_limits(limits)] * samples.shape[1]
    size = as_tuple(size=size)
    if len(size) != 2:
        raise ValueError(
            "`size` is not that of a picture. Expected (width, height) in pixels. "
            f"Received: size={size}"
        )
    check_integer(SMALLEST, LARGEST_SIDE, size=min(size, key=_order))
    check_integer(SMALLEST, LARGEST_SIDE, size=max(size, key=_order))

    figure = Figure(figsize=(size[0] / 100, size[1] / 100), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    series = [(real, "real", "0.6"), (samples, "generated", "tab:red")]
    for values, label, color in series[real is None :]:
        seen = values[_inside(values, spans)]
        label = f"{label} ({len(values)})"
        if dimensions == 1:
            edges = np.linspace(*spans[0], 61)
            # Counts over all the samples, so that what is outside is missing from the area.
            weights = np.full(len(seen), 1.0 / (len(values) * (edges[1] - edges[0])))
            axes.hist(
                seen[:, 0], edges, weights=weights, color=color, label=label, histtype="stepfilled"
            )
            axes.patches[-1].set_alpha(0.6)
        else:
            axes.scatter(seen[:, 0], seen[:, 1], s=6, color=color, label=label, linewidths=0)
    axes.set_xlim(spans[0])
    if dimensions == 1:
        axes.set_ylabel("density")
    else:
        axes.set_ylim(spans[1])
    title = f"coordinates 0 and 1 of {dimensions}" if dimensions > 2 else ""
    hidden = np.count_nonzero(~_inside(samples, spans))
    if hidden:
        title += f"{', ' if title else ''}{hidden} of {len(samples)} not shown"
    axes.set_title(title, fontsize=10)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, markerscale=2)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def _order(side):
    """What sorts the sides of a picture; those that are no integers before all others."""
    return side if isinstance(side, (int, np.integer)) else -math.inf


def _checked_limits(limits):
    limits = as_array(limits=limits)
    two = limits.dtype.kind in "iuf" and limits.shape == (2,) and np.all(np.isfinite(limits))
    if not two or not limits[0] < limits[1]:
        raise ValueError(
            "`limits` are not two increasing numbers. Expected (low, high) with low < high. "
            f"Received: limits={tuple(limits.tolist()) if limits.ndim else limits}"
        )
    return tuple(limits.tolist())


def draw(samples, columns=None, real=None, limits=None):
    """A picture of any samples, at a size comfortable to look at.

    Args:
        samples: uint8 images of shape `(n, height, width, channels)`, drawn by `grid` and
            enlarged; or numbers and vectors, drawn by `points`.
        columns: int. Images a row.
        real: Real samples to draw behind points.
        limits: `(low, high)` of the axes for points.

    Returns:
        A uint8 picture.
    """
    samples = as_array(samples=samples)
    if samples.ndim == 4:
        return enlarge(grid(samples, columns))
    return points(samples, real, limits)


def enlarge(picture, scale=None):
    """Repeats every pixel `scale` times in both directions (nearest neighbour).

    Args:
        picture: uint8 picture.
        scale: int. Defaults to the largest scale up to 8 that keeps both sides within 960 pixels,
            and to 1 for larger pictures: 8 x 8 digits of 28 x 28 are enlarged four times.

    Returns:
        A uint8 picture.
    """
    picture = check_picture(picture)
    if scale is None:
        scale = max(1, min(LARGEST_SCALE, COMFORTABLE // max(picture.shape[:2])))
    check_integer(1, LARGEST, scale=scale)
    check_memory(picture.size * int(scale) ** 2, 1, scale=scale)
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def _opaque(images, background):
    """Images without a fourth channel: what it leaves through is grey `background`."""
    if images.shape[-1] != 4:
        return images
    opacity = images[..., 3:] / 255.0
    return np.round(images[..., :3] * opacity + background * (1.0 - opacity)).astype("uint8")


def _check_images(images):
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or 0 in images.shape:
        raise ValueError(
            "`images` have another shape than images. Expected an array of shape (n, height, "
            f"width, channels) with 1, 3 or 4 channels. Received: images of shape {images.shape}"
        )
    if images.dtype != np.uint8:
        raise ValueError(
            "`images` are not integers from 0 to 255. Expected uint8, as zoo.Generator.sample "
            f"gives. Received: images of dtype {images.dtype}"
        )


def check_picture(picture):
    """Returns a picture as an array, or raises a `ValueError` if it is none."""
    picture = as_array(picture=picture)
    fits = picture.ndim == 3 and picture.shape[-1] in (1, 3) and 0 not in picture.shape
    if picture.dtype != np.uint8 or not fits:
        raise ValueError(
            "`picture` has another shape or type than a picture. Expected uint8 of shape "
            f"(height, width, 1 or 3). Received: picture of shape {picture.shape} and dtype "
            f"{picture.dtype}"
        )
    return picture


def _check_between(value, name, low, high):
    if not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(
            f"`{name}` is out of range. Expected an integer in [{low}, {high}]. "
            f"Received: {name}={value!r}"
        )


def _check_points(values, name):
    """The first two coordinates as float64 of shape `(n, 1 or 2)`, and how many there were."""
    values = as_array(**{name: values})
    if values.ndim not in (1, 2) or values.size == 0 or values.dtype.kind not in "fiu":
        raise ValueError(
            f"`{name}` are not numbers or vectors. Expected an array of shape (n,) or (n, d); "
            f"images are uint8 of shape (n, height, width, channels). Received: {name} of shape "
            f"{values.shape} and dtype {values.dtype}"
        )
    values = values.reshape(len(values), -1)
    return values[:, :2].astype("float64"), values.shape[1]


def _spans(values, margin):
    """One `(low, high)` a coordinate: the range of the finite values and a margin."""
    spans = []
    for column in values.T:
        column = column[np.isfinite(column)]
        low, high = (column.min(), column.max()) if len(column) else (0.0, 0.0)
        room = margin * (high - low) or max(1.0, abs(low))
        spans.append((low - room, high + room))
    return spans


def _inside(values, spans):
    low, high = np.transpose(spans)
    return np.all((low <= values) & (values <= high), axis=1)
