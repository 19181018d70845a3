"""Pictures of samples: grids, scatter plots, PNG files and animations.

A picture is a uint8 array of shape `(height, width, 1 or 3)`.
"""

import contextlib
import math
import os
import pathlib

import numpy as np
from PIL import Image

from zoo.validation import check_positive

COMFORTABLE = 960  # Pixels: 8 x 8 digits enlarged below this still fit on a laptop screen.
LARGEST_SCALE = 8
LAST_FRAME = 4  # An animation holds its last frame this many times longer.
PAPER = (255, 255, 255)
FRAME = (255, 192, 0)  # Amber: neither grey nor lost on white.
ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}


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
    images = np.asarray(images)
    _check_images(images)
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    check_positive(columns=columns)
    _check_between(padding, "padding", 0, None)
    _check_between(background, "background", 0, 255)
    images = _opaque(images, background)
    columns = min(columns, count)
    rows = math.ceil(count / columns)
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
    images = np.asarray(images)
    _check_images(images)
    check_positive(thickness=thickness)
    color = tuple(color)
    if len(color) != 3:
        raise ValueError(
            "A colour is red, green and blue. Expected three integers in [0, 255]. "
            f"Received: color={color!r}"
        )
    for part in color:
        _check_between(part, "color", 0, 255)
    images = _opaque(images, 255)
    count, height, width, _ = images.shape
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
                "Real and generated samples have one form. Expected vectors of the same length. "
                f"Received: samples of {dimensions} and real of {real_dimensions} coordinates"
            )
    if limits is None:
        spans = _spans(samples if real is None else real, 0.05 if real is None else 0.25)
    elif len(limits) == 2 and np.all(np.isfinite(limits)) and limits[0] < limits[1]:
        spans = [tuple(limits)] * samples.shape[1]
    else:
        raise ValueError(
            "Limits bound the axes. Expected (low, high) with low < high. "
            f"Received: limits={limits!r}"
        )

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
    if np.ndim(samples) == 4:
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
    picture = _check_picture(picture)
    if scale is None:
        scale = max(1, min(LARGEST_SCALE, COMFORTABLE // max(picture.shape[:2])))
    check_positive(scale=scale)
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def save_png(picture, path, scale=1):
    """Writes a picture as a PNG file, whole or not at all; makes the folders it needs.

    Args:
        picture: uint8 picture of shape `(height, width, 1 or 3)`.
        path: Where to write, ending in `.png`.
        scale: int. Enlarges the picture, see `enlarge`.
    """
    path = pathlib.Path(path)
    check_png(path)
    image = _to_pil(enlarge(picture, scale))
    with _beside(path) as temporary:
        image.save(temporary, "PNG")


def save_grid(images, path, columns=None):
    """Writes a grid of images as a PNG file.

    Small images are enlarged by a whole factor, see `enlarge`: 64 digits of 28 x 28 become a
    picture of 924 x 924 pixels.

    Args:
        images: uint8 array of shape `(n, height, width, channels)` with 1, 3 or 4 channels.
        path: Where to write, ending in `.png`.
        columns: int. Images a row. Defaults to the square root of n, rounded up.
    """
    save_png(enlarge(grid(images, columns)), path)


def save_animation(pictures, path, seconds_per_frame=0.2, hold=LAST_FRAME):
    """Writes pictures as one animation that repeats for ever.

    The last frame is held longer. Equal frames in a row may be stored as one.

    Args:
        pictures: uint8 pictures of one size, or the paths of image files, in order.
        path: Where to write. `.gif` shows everywhere (256 colours a frame); `.webp`, `.png` and
            `.apng` keep every pixel.
        seconds_per_frame: Positive float.
        hold: int, positive. How many times longer the last frame stays; 1 for a seamless loop.

    Raises:
        ValueError: If there are no pictures, their sizes differ, or the extension is another one.
    """
    path = pathlib.Path(path)
    check_animation(path)
    check_positive(hold=hold)
    if not seconds_per_frame > 0:
        raise ValueError(
            "A frame is shown for a while. Expected a positive number of seconds. "
            f"Received: seconds_per_frame={seconds_per_frame}"
        )
    frames = [_frame(picture) for picture in pictures]
    if not frames:
        raise ValueError("An animation shows something. Expected pictures. Received: 0 pictures")
    for i, frame in enumerate(frames):
        if frame.size != frames[0].size:
            raise ValueError(
                "The frames of an animation have one size. "
                f"Expected {frames[0].size[0]} x {frames[0].size[1]} pixels. "
                f"Received: frame {i} of {frame.size[0]} x {frame.size[1]} pixels"
            )
    if len({frame.mode for frame in frames}) > 1:
        frames = [frame.convert("RGB") for frame in frames]
    duration = round(1000 * seconds_per_frame)
    options = {"lossless": True} if path.suffix.lower() == ".webp" else {}
    with _beside(path) as temporary:
        frames[0].save(
            temporary,
            ANIMATIONS[path.suffix.lower()],
            save_all=True,
            append_images=frames[1:],
            duration=[duration] * (len(frames) - 1) + [hold * duration],
            loop=0,
            **options,
        )


def check_png(path):
    """Raises a `ValueError` unless the path ends in `.png`."""
    _check_extension(path, [".png"], "A picture is a PNG file")


def check_animation(path):
    """Raises a `ValueError` unless the path ends in an extension that can hold an animation."""
    _check_extension(path, ANIMATIONS, "The extension names the format of an animation")


def _check_extension(path, known, what):
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in known:
        raise ValueError(
            f"{what}. Expected a path ending in {', '.join(known)}. Received: path={str(path)!r}"
        )


def _opaque(images, background):
    """Images without a fourth channel: what it leaves through is grey `background`."""
    if images.shape[-1] != 4:
        return images
    opacity = images[..., 3:] / 255.0
    return np.round(images[..., :3] * opacity + background * (1.0 - opacity)).astype("uint8")


def _check_images(images):
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or 0 in images.shape:
        raise ValueError(
            "A grid is made of images. Expected an array of shape (n, height, width, channels) "
            f"with 1, 3 or 4 channels. Received: images of shape {images.shape}"
        )
    if images.dtype != np.uint8:
        raise ValueError(
            "Images are integers from 0 to 255. Expected uint8: zoo.Generator.sample returns it. "
            f"Received: images of dtype {images.dtype}"
        )


def _check_picture(picture):
    picture = np.asarray(picture)
    known = picture.ndim == 3 and picture.shape[-1] in (1, 3) and 0 not in picture.shape
    if picture.dtype != np.uint8 or not known:
        raise ValueError(
            "A picture is one image. Expected uint8 of shape (height, width, 1 or 3). "
            f"Received: picture of shape {picture.shape} and dtype {picture.dtype}"
        )
    return picture


def _check_between(value, name, low, high):
    if not isinstance(value, (int, np.integer)) or value < low or high is not None and value > high:
        bound = f"at least {low}" if high is None else f"in [{low}, {high}]"
        raise ValueError(
            f"`{name}` is a whole number. Expected an integer {bound}. Received: {name}={value!r}"
        )


def _check_points(values, name):
    """The first two coordinates as float64 of shape `(n, 1 or 2)`, and how many there were."""
    values = np.asarray(values)
    if values.ndim not in (1, 2) or values.size == 0 or values.dtype.kind not in "fiu":
        raise ValueError(
            "Points are numbers or vectors. Expected an array of shape (n,) or (n, d); images are "
            "uint8 of shape (n, height, width, channels). "
            f"Received: {name} of shape {values.shape} and dtype {values.dtype}"
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


def _to_pil(picture):
    picture = _check_picture(picture)
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)


def _frame(picture):
    if not isinstance(picture, (str, os.PathLike)):
        return _to_pil(picture)
    with Image.open(picture) as image:
        return image.convert("L" if image.mode == "L" else "RGB")


@contextlib.contextmanager
def _beside(path):
    """A temporary path that takes the place of `path` when nothing went wrong."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
