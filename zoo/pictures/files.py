"""Pictures in files: PNG files and animations, written whole or not at all."""

import os

from PIL import Image

from zoo.files import as_path, replacing
from zoo.pictures.drawing import check_picture, enlarge, grid
from zoo.validation import check_above_zero, check_positive

LAST_FRAME = 4  # An animation holds its last frame this many times longer.
ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}


def save_png(picture, path, scale=1):
    """Writes a picture as a PNG file, whole or not at all; makes the folders it needs.

    Args:
        picture: uint8 picture of shape `(height, width, 1 or 3)`.
        path: Where to write, ending in `.png`.
        scale: int. Enlarges the picture, see `enlarge`.
    """
    path = as_path(path=path)
    check_png(path)
    image = _to_pil(enlarge(picture, scale))
    with replacing(path) as temporary:
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
    path = as_path(path=path)
    check_animation(path)
    check_positive(hold=hold)
    check_above_zero(seconds_per_frame=seconds_per_frame)
    frames = [_frame(picture) for picture in pictures]
    if not frames:
        raise ValueError("`pictures` are empty. Expected at least one. Received: 0 pictures")
    for i, frame in enumerate(frames):
        if frame.size != frames[0].size:
            raise ValueError(
                "`pictures` have several sizes. "
                f"Expected {frames[0].size[0]} x {frames[0].size[1]} pixels. "
                f"Received: frame {i} of {frame.size[0]} x {frame.size[1]} pixels"
            )
    if len({frame.mode for frame in frames}) > 1:
        frames = [frame.convert("RGB") for frame in frames]
    duration = round(1000 * seconds_per_frame)
    options = {"lossless": True} if path.suffix.lower() == ".webp" else {}
    with replacing(path) as temporary:
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
    _check_extension(path, [".png"], "a PNG file")


def check_animation(path):
    """Raises a `ValueError` unless the path ends in an extension that can hold an animation."""
    _check_extension(path, ANIMATIONS, "an animation")


def _check_extension(path, extensions, what):
    suffix = as_path(path=path).suffix.lower()
    if suffix not in extensions:
        raise ValueError(
            f"`path` does not name {what}. Expected a path ending in {', '.join(extensions)}. "
            f"Received: path={str(path)!r}"
        )


def _to_pil(picture):
    picture = check_picture(picture)
    return Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)


def _frame(picture):
    if not isinstance(picture, (str, os.PathLike)):
        return _to_pil(picture)
    with Image.open(picture) as image:
        return image.convert("L" if image.mode == "L" else "RGB")
