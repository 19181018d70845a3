"""One picture file, as Pillow reads it: its header, its largest value, and its 8-bit pixels."""

import contextlib
import dataclasses
import io
import os

import numpy as np
from PIL import Image, ImageCms, ImageOps

from zoo import untrusted

EXIF_ORIENTATION = 0x0112
LYING = 5  # Orientations from here on exchange height and width.
TIFF_BITS = 0x0102
# Formats that Pillow knows by name only: it calls a program, or decodes nothing of them.
WITHOUT_DECODER = {"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"}
OF_FRAMES = ("AVIF", "GIF", "PNG", "TIFF", "WEBP")  # Where further images are no mere previews.
# What Pillow raises for a damaged file, a strange one, or none at all.
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
TAIL = 2**16  # At least as long as EXIF data are.
SCALED = ("integer", "wide", "float")  # Kinds whose samples come whole, beyond 8 bits.
FULL = 16  # Bits of a sample, of files that say so or that Pillow scales to them.


@dataclasses.dataclass(frozen=True)
class Header:
    """What a file says before it is decoded.

    Attributes:
        size: `(height, width)` in pixels, upright.
        grey: Whether it has no colours.
        kind: Of samples beyond 8 bits: `"integer"` (16), `"wide"` (32), `"float"`, or `"cut"` where
            Pillow hands out the high byte only; else `None`.
        depth: Bits of a sample where the file says how many are used, else `None`.
        frames: Whether it holds further images after the first.
    """

    size: tuple
    grey: bool
    kind: str | None
    depth: int | None
    frames: bool


@dataclasses.dataclass(frozen=True)
class Scale:
    """How samples beyond 8 bits become pixels.

    With `bits`, integers keep the highest 8 of so many bits; otherwise `low` and `high` become 0
    and 255: `round(255 (x - low) / (high - low))`.
    """

    bits: int | None = None
    low: float = 0.0
    high: float = 1.0

    def pixels(self, samples):
        """uint8 of the shape of the samples.

        Raises:
            ValueError: If a sample is outside of the scale.
        """
        if not np.isfinite(samples).all():
            raise ValueError("`samples` are not finite. Expected numbers. Received: NaN or inf")
        low, high = (0, 2**self.bits - 1) if self.bits else (self.low, self.high)
        if samples.size and (samples.min() < low or samples.max() > high):
            raise ValueError(
                f"`samples` are out of range. Expected {low:g} to {high:g}. Received: "
                f"{samples.min():g} to {samples.max():g}"
            )
        if self.bits:
            return (samples.astype("int64") >> (self.bits - 8)).astype("uint8")
        span = (high - low) or 1.0  # One value throughout: black.
        return np.round((samples.astype("float64") - low) * (255.0 / span)).astype("uint8")


def suffixes():
    """The suffixes of the files that Pillow decodes, with what its plugins add, in lower case."""
    known = Image.registered_extensions()
    return {s for s, f in known.items() if f in Image.OPEN and f not in WITHOUT_DECODER}


def is_picture(path):
    """Whether the contents of a file are of a format that Pillow decodes."""
    try:
        with Image.open(path) as image:
            return image.format not in WITHOUT_DECODER
    except UNREADABLE:
        return False


@contextlib.contextmanager
def _opened(path):
    """An image to decode, whose pixels are not many more than its file can hold."""
    with Image.open(path) as image:
        width, height = image.size
        sample = 4 if image.mode in ("I", "F") else 2 if image.mode.startswith("I;16") else 1
        declared = width * height * sample * len(image.getbands())
        untrusted.check_sizes(declared, os.path.getsize(path), f"a picture of {width} x {height}")
        yield image


def header(path):
    """The `Header` of a file.

    Raises:
        ValueError: If it declares far more pixels than it can hold.
    """
    with _opened(path) as image:
        width, height = image.size
        # Pillow turns a TIFF by itself, and says the size of the upright one.
        if image.format != "TIFF" and _orientation(image) >= LYING:
            width, height = height, width
        kind = _kind(image)
        grey = image.mode in ("1", "L", "LA") or kind in SCALED
        frames = image.format in OF_FRAMES and getattr(image, "is_animated", False)
        return Header((height, width), grey, kind, _depth(image, kind), frames)


def extrema(path):
    """The smallest and the largest sample of a file beyond 8 bits."""
    with _opened(path) as image:
        cut = _kind(image) == "cut"
        samples = np.asarray(image)
    if cut:  # The low bytes may be anything; an alpha channel is full in any case.
        high_bytes = samples[..., :3] if samples.ndim == 3 else samples
        return int(high_bytes.min()) << 8, (int(high_bytes.max()) << 8) + 255
    if not np.isfinite(samples).all():
        raise ValueError("`samples` are not finite. Expected numbers. Received: NaN or inf")
    return samples.min().item(), samples.max().item()


def decode(path, channels, scales=None):
    """The upright 8-bit pixels of a file.

    Args:
        path: The file.
        channels: 1 or 3.
        scales: dict, optional. The `Scale` of the kinds of `Header` whose files do not say it.

    Returns:
        A uint8 array of shape `(height, width, channels)`.
    """
    with _opened(path) as image:
        kind = _kind(image)
        depth = _depth(image, kind)
        if image.format == "TIFF" or _orientation(image) > 1:
            image = ImageOps.exif_transpose(image)
        if kind in SCALED:
            scale = Scale(depth) if depth else (scales or {}).get(kind, Scale(FULL))
            image = Image.fromarray(scale.pixels(np.asarray(image)))
        else:
            image = _over_white(_in_srgb(image))
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def check(path):
    """Decodes a file, for the error that it may raise."""
    if header(path).kind in SCALED:
        extrema(path)
    else:
        decode(path, 1)


def _orientation(image):
    # Asking a PNG for EXIF data behind its pixels would decode all of it.
    if image.format == "PNG" and not {"exif", "Raw profile type exif", "xmp"} & image.info.keys():
        with open(image.filename, "rb") as file:
            file.seek(0, io.SEEK_END)
            file.seek(max(0, file.tell() - TAIL))
            if b"eXIf" not in file.read():
                return 1
    orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    return orientation if isinstance(orientation, int) else 1


def _kind(image):
    if image.mode == "F":
        return "float"
    if image.mode.startswith("I"):
        return "wide" if image.mode == "I" else "integer"
    # "RGB;16B" is the raw mode of two bytes a sample.
    return "cut" if any(";16" in str(tile[3]) for tile in image.tile) else None


def _depth(image, kind):
    """The bits that the file's samples use, where it says so."""
    if kind in ("integer", "wide") and image.format in ("PPM", "JPEG2000"):
        return FULL  # Pillow has scaled them by what the file says.
    if kind == "integer" and image.format == "TIFF":
        bits = image.tag_v2.get(TIFF_BITS, (FULL,))[0]
        return bits if 8 <= bits < FULL else None  # A container of 16 may hold 12.
    return None


def _in_srgb(image):
    """An image of colours with its profile applied, which is sRGB where it has none."""
    profile = image.info.get("icc_profile")
    if image.mode == "LAB":
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode == "PA":
        image = image.convert("RGBA")
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "LAB"):
        return image  # The values of grey files count as they are.
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(given).lower():
            return image
        target = "RGBA" if image.mode == "RGBA" else "RGB"
        srgb = ImageCms.createProfile("sRGB")
        turned = ImageCms.profileToProfile(image, given, srgb, outputMode=target)
    except (ImageCms.PyCMSError, OSError):  # A damaged profile, or one of another kind of image.
        return image
    if image.mode == "RGB" and "transparency" in image.info:
        return image  # Its one transparent colour is named in the file's own colours.
    return turned


def _over_white(image):
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image
