"""One file: every kind of pixel becomes the right 8 bits, upright and in sRGB."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from zoo.datasets import picture_files
from zoo.datasets.picture_files import Scale

UPRIGHT = np.zeros((6, 8, 3), "uint8")
UPRIGHT[:, 4:] = 250  # Black left, nearly white right: no turn leaves it the same.
UPRIGHT[:3, :4] = 90


def png(samples, colour=0, depth=8, before=b"", behind=b""):
    """The bytes of a PNG: Pillow writes no 16-bit colours, and no chunk behind the pixels."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    height, width = samples.shape[:2]
    rows = samples.astype(">u2" if depth == 16 else "u1")
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *(chunk(b"eXIf", e) for e in (before,) if e)]
    parts.append(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))))
    parts += [*(chunk(b"eXIf", e) for e in (behind,) if e), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _exif(orientation):
    exif = Image.Exif()
    exif[picture_files.EXIF_ORIENTATION] = orientation
    return exif


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm", "webp", "tga", "qoi", "jp2", "pcx"])
def test_a_lossless_format_keeps_its_pixels(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype="uint8")
    path = tmp_path / f"a.{suffix}"
    options = {"webp": {"lossless": True}}.get(suffix, {})
    Image.fromarray(pixels).save(path, **options)
    assert path.suffix in picture_files.suffixes() and picture_files.is_picture(path)
    assert picture_files.header(path) == picture_files.Header((6, 8), False, None, None, False)
    np.testing.assert_array_equal(picture_files.decode(path, 3), pixels)


def test_a_file_that_declares_far_more_pixels_than_it_holds(tmp_path):
    """13,000 pixels a side in 40 bytes of zeros: refused before they are made."""
    path = tmp_path / "a.png"
    head = png(np.zeros((1, 1)))
    side = struct.pack(">II", 13_000, 13_000)
    changed = head[12:16] + side + head[24:29]
    path.write_bytes(head[:12] + changed + struct.pack(">I", zlib.crc32(changed)) + head[33:])
    for read in (picture_files.header, picture_files.extrema, lambda p: picture_files.decode(p, 1)):
        with pytest.warns(Image.DecompressionBombWarning):
            tracemalloc.start()
            with pytest.raises(ValueError, match="13000 x 13000 declares more than it stores"):
                read(path)
            assert tracemalloc.get_traced_memory()[1] < 2**20
            tracemalloc.stop()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["tif", "webp", "png", "jpg"])
def test_a_picture_is_turned_upright(tmp_path, suffix, orientation):
    # What a camera stores, by the definition of the tag: row 0 and column 0 are seen where.
    stored = {
        1: UPRIGHT,
        2: UPRIGHT[:, ::-1],
        3: UPRIGHT[::-1, ::-1],
        4: UPRIGHT[::-1],
        5: UPRIGHT.swapaxes(0, 1),
        6: np.rot90(UPRIGHT),
        7: UPRIGHT[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(UPRIGHT, -1),
    }[orientation]
    options = {"webp": {"lossless": True}, "jpg": {"quality": 100, "subsampling": 0}}
    path = tmp_path / f"a.{suffix}"
    image = Image.fromarray(np.ascontiguousarray(stored))
    image.save(path, exif=_exif(orientation), **options.get(suffix, {}))
    assert picture_files.header(path).size == (6, 8)
    off = picture_files.decode(path, 3).astype(int) - UPRIGHT
    assert np.abs(off).max() <= (60 if suffix == "jpg" else 0)


def test_exif_data_behind_the_pixels_of_a_png_count(tmp_path):
    grey = UPRIGHT[..., 0]
    lying = np.rot90(grey)
    exif = _exif(6).tobytes().removeprefix(b"Exif\0\0")
    for name, where in (("a.png", {"before": exif}), ("b.png", {"behind": exif})):
        (tmp_path / name).write_bytes(png(lying, **where))
        assert picture_files.header(tmp_path / name).size == (6, 8)
        np.testing.assert_array_equal(picture_files.decode(tmp_path / name, 1)[..., 0], grey)


def test_transparency_is_laid_over_white(tmp_path):
    half = np.full((2, 2, 4), (200, 0, 0, 128), "uint8")
    Image.fromarray(half).save(tmp_path / "rgba.png")
    Image.fromarray(half[..., [0, 3]]).save(tmp_path / "la.png")
    Image.fromarray(half).save(tmp_path / "a.webp", lossless=True)
    share = 128 / 255
    expected = np.round(np.array([200, 0, 0]) * share + 255 * (1 - share))
    for name, values in (("rgba.png", expected), ("la.png", expected[0]), ("a.webp", expected)):
        off = picture_files.decode(tmp_path / name, 3) - values
        assert np.abs(off).max() <= 1, name
    palette = Image.fromarray(np.array([[0, 1]], "uint8"))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    for name in ("p.png", "p.gif"):
        palette.save(tmp_path / name, transparency=1)
        decoded = picture_files.decode(tmp_path / name, 3)
        np.testing.assert_array_equal(decoded, [[[10, 20, 30], [255, 255, 255]]])


def _swapped_profile():
    """An sRGB profile whose red and green primaries are exchanged."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = data.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_colours_with_a_profile_become_srgb(tmp_path):
    pixels = np.full((2, 2, 3), (250, 120, 10), "uint8")
    for name, profile, expected in (
        ("none.png", None, (250, 120, 10)),
        ("broken.png", b"no profile", (250, 120, 10)),
        ("srgb.png", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), None),
        ("swapped.png", _swapped_profile(), (120, 250, 10)),
    ):
        Image.fromarray(pixels).save(tmp_path / name, icc_profile=profile)
        off = picture_files.decode(tmp_path / name, 3)[0, 0].astype(int) - (
            expected or pixels[0, 0]
        )
        assert np.abs(off).max() <= (2 if name == "swapped.png" else 0), name
    alpha = np.dstack([pixels, np.full((2, 2), 255, "uint8")])
    Image.fromarray(alpha).save(tmp_path / "alpha.png", icc_profile=_swapped_profile())
    off = picture_files.decode(tmp_path / "alpha.png", 3)[0, 0].astype(int) - (120, 250, 10)
    assert np.abs(off).max() <= 2


def test_cmyk_lab_one_bit_and_the_first_frame(tmp_path):
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "cmyk.tif")
    Image.new("LAB", (4, 4), (128, 128, 128)).save(tmp_path / "lab.tif")
    Image.new("1", (4, 4), 1).save(tmp_path / "one.png")
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for name in ("a.gif", "a.webp", "a.tif", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert picture_files.header(tmp_path / name).frames
        off = picture_files.decode(tmp_path / name, 3).astype(int) - (255, 0, 0)
        assert np.abs(off).max() <= 4, name
    assert (picture_files.decode(tmp_path / "cmyk.tif", 3) == (255, 0, 0)).all()
    # L* = 50 (128 of 255) is 18.4 % of light, 119 in sRGB.
    assert np.abs(picture_files.decode(tmp_path / "lab.tif", 3).astype(int) - 119).max() <= 3
    assert (picture_files.decode(tmp_path / "one.png", 1) == 255).all()


def test_files_that_say_their_depth(tmp_path):
    samples = np.random.default_rng(1).integers(0, 4096, (4, 6)).astype("uint16")
    (tmp_path / "a.pgm").write_bytes(b"P5 6 4 4095\n" + samples.astype(">u2").tobytes())
    found = picture_files.header(tmp_path / "a.pgm")
    assert (found.kind, found.depth, found.grey) == ("wide", 16, True)
    decoded = picture_files.decode(tmp_path / "a.pgm", 1)[..., 0].astype(int)
    assert np.abs(decoded - samples / 4095 * 255).max() <= 1
    Image.fromarray(samples * 16).save(tmp_path / "a.jp2")
    decoded = picture_files.decode(tmp_path / "a.jp2", 1)[..., 0]
    np.testing.assert_array_equal(decoded, samples >> 4)


def test_colours_of_16_bits_keep_their_high_byte(tmp_path):
    samples = np.random.default_rng(1).integers(0, 2**16, (4, 6, 3))
    (tmp_path / "a.png").write_bytes(png(samples, 2, 16))
    assert picture_files.header(tmp_path / "a.png").kind == "cut"
    np.testing.assert_array_equal(picture_files.decode(tmp_path / "a.png", 3), samples >> 8)
    low, high = picture_files.extrema(tmp_path / "a.png")
    assert low <= samples.min() and 0 <= high - samples.max() < 256


def test_a_scale_is_linear_and_refuses_what_is_beyond():
    np.testing.assert_array_equal(Scale(12).pixels(np.array([0, 15, 16, 4095])), [0, 0, 1, 255])
    np.testing.assert_array_equal(
        Scale(low=-1.0, high=1.0).pixels(np.array([-1.0, 0.0, 1.0])), [0, 128, 255]
    )
    assert Scale(low=3.0, high=3.0).pixels(np.array([3.0])) == 0
    for scale, samples in ((Scale(12), [4096]), (Scale(12), [-1]), (Scale(), [1.5])):
        with pytest.raises(ValueError, match="`samples` are out of range.*Received"):
            scale.pixels(np.array(samples))
    with pytest.raises(ValueError, match="`samples` are not finite.*Received: NaN"):
        Scale().pixels(np.array([0.0, np.nan]))


def test_what_pillow_knows_by_name_only_is_no_picture(tmp_path):
    assert not picture_files.suffixes() & {".h5", ".mpg", ".eps", ".wmf", ".txt", ".npy"}
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "EPS")
    (tmp_path / "drawing").write_bytes(buffer.getvalue())
    (tmp_path / "words").write_text("words")
    assert not picture_files.is_picture(tmp_path / "drawing")
    assert not picture_files.is_picture(tmp_path / "words")
