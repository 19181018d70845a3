"""Pictures in files: the same pixels, animations frame by frame, whole or not at all."""

import numpy as np
import pytest
from PIL import Image

from zoo import pictures


def _images(count, height=5, width=4, channels=3, seed=0):
    shape = (count, height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, "uint8")


@pytest.mark.parametrize("channels", [1, 3])
def test_save_grid_writes_these_pixels_and_nothing_else(tmp_path, channels):
    images = _images(6, channels=channels)
    path = tmp_path / "new" / "folder" / "grid.png"
    pictures.save_grid(images, path, columns=3)
    expected = pictures.enlarge(pictures.grid(images, 3))
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), expected.squeeze())
    assert [p.name for p in path.parent.iterdir()] == ["grid.png"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "grid.png"
    pictures.save_grid(_images(4), path)
    before = path.read_bytes()

    def fail(self, file, *args, **kwargs):
        file.write_bytes(b"half a picture")
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space"):
        pictures.save_grid(_images(4, seed=1), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["grid.png"]


def test_save_png_refuses_other_files_and_arrays(tmp_path):
    with pytest.raises(
        ValueError,
        match="`path` does not name a PNG file. Expected .* in .png. Received: path='.*a.jpg'",
    ):
        pictures.save_png(_images(1)[0], tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"Received: picture of shape \(5, 4\) and dtype uint8"):
        pictures.save_png(_images(1)[0, ..., 0], tmp_path / "a.png")


@pytest.mark.parametrize("extension", ["gif", "webp", "png", "apng"])
def test_animation_keeps_number_order_and_pixels(tmp_path, extension):
    frames = [pictures.enlarge(np.full((4, 6, 1), 40 * i, "uint8"), 4) for i in range(5)]
    paths = []
    for i, frame in enumerate(frames[:3]):  # Paths and pictures, in one list.
        paths.append(tmp_path / f"{i}.png")
        pictures.save_png(frame, paths[-1])
    path = tmp_path / f"animation.{extension}"
    pictures.save_animation(paths + frames[3:], path, seconds_per_frame=0.1)
    with Image.open(path) as animation:
        assert animation.n_frames == 5
        assert animation.info.get("loop") == 0
        durations = []
        for i, frame in enumerate(frames):
            animation.seek(i)
            pixels = np.asarray(animation.convert("RGB"))
            np.testing.assert_array_equal(pixels, frame.repeat(3, axis=-1))
            durations.append(animation.info["duration"])
    assert durations == [100] * 4 + [400]  # The last frame is held.


def test_an_animation_without_a_seam_holds_no_frame(tmp_path):
    frames = [np.full((4, 4, 1), 50 * i, "uint8") for i in range(3)]
    pictures.save_animation(frames, tmp_path / "loop.gif", 0.1, hold=1)
    with Image.open(tmp_path / "loop.gif") as animation:
        for i in range(3):
            animation.seek(i)
            assert animation.info["duration"] == 100
    with pytest.raises(ValueError, match="Received: hold=0"):
        pictures.save_animation(frames, tmp_path / "loop.gif", hold=0)


def test_animation_of_one_frame(tmp_path):
    path = tmp_path / "one.gif"
    pictures.save_animation([_images(1)[0]], path)
    with Image.open(path) as animation:
        assert animation.n_frames == 1


def test_animation_errors(tmp_path):
    frame = _images(1)[0]
    with pytest.raises(ValueError, match=r"\.gif, \.webp, \.png, \.apng\. Received: path='.*mp4'"):
        pictures.save_animation([frame], tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="`pictures` are empty.*Received: 0 pictures"):
        pictures.save_animation([], tmp_path / "a.gif")
    with pytest.raises(
        ValueError,
        match="`pictures` have several sizes. Expected 4 x 5.*Received: frame 1 of 8 x 10 pixels",
    ):
        pictures.save_animation([frame, pictures.enlarge(frame, 2)], tmp_path / "a.gif")
    with pytest.raises(ValueError, match="Received: seconds_per_frame=0"):
        pictures.save_animation([frame], tmp_path / "a.gif", seconds_per_frame=0)
    assert not list(tmp_path.iterdir())
