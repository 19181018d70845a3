"""Image folders: layouts, channels, sizes, and what cannot be read."""

import weakref

import numpy as np
import pytest
from PIL import Image

from zoo import datasets
from zoo.datasets import dataset, image_folder, picture_files
from zoo.datasets.order import Order


def _pixels(seed, height=6, width=8, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype="uint8")


def _save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def test_a_flat_folder_gives_its_files_in_sorted_order(tmp_path):
    expected = [_save(tmp_path / f"{name}.png", _pixels(i)) for i, name in enumerate("abc")]
    (tmp_path / "notes.txt").write_text("no image")
    images, labels = datasets.arrays(tmp_path)
    np.testing.assert_array_equal(images, expected)
    assert labels is None
    assert datasets.info(tmp_path) == datasets.DatasetInfo(
        str(tmp_path), (6, 8, 3), "uint8", None, 3
    )
    batch = next(iter(datasets.load(tmp_path, batch_size=2, shuffle=False)))
    np.testing.assert_array_equal(batch, expected[:2])


def test_class_folders_give_labels_and_splits_share_them(tmp_path):
    for i, name in enumerate(("train/cat/1", "train/ape/1", "train/cow/deep/1", "test/cow/1")):
        _save(tmp_path / f"{name}.png", _pixels(i))
    images, labels = datasets.arrays(tmp_path)
    np.testing.assert_array_equal(labels, [0, 1, 2])
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(images[2], _pixels(2))
    # The test images have no ape and no cat, and the cow is still class 2.
    np.testing.assert_array_equal(datasets.arrays(tmp_path, "test")[1], [2])
    assert datasets.info(tmp_path, "test").num_classes == 3
    images, labels = next(iter(datasets.load(tmp_path, batch_size=3, shuffle=False)))
    np.testing.assert_array_equal(labels, [0, 1, 2])


def test_grey_files_have_one_channel_unless_one_is_in_colour(tmp_path):
    grey = _save(tmp_path / "a.png", _pixels(0, channels=1))
    deep = _pixels(1, channels=1).astype("uint16") * 256 + 77
    _save(tmp_path / "b.png", deep)
    _save(tmp_path / "c.bmp", grey)
    images, _ = datasets.arrays(tmp_path)
    assert images.shape == (3, 6, 8, 1)
    np.testing.assert_array_equal(images[:, ..., 0], [grey, deep >> 8, grey])
    colour = _save(tmp_path / "d.png", _pixels(2))
    images, _ = datasets.arrays(tmp_path)
    np.testing.assert_array_equal(images[3], colour)
    np.testing.assert_array_equal(images[1], np.repeat((deep >> 8)[..., None], 3, axis=-1))


def test_alpha_cmyk_gif_and_orientation(tmp_path):
    clear = np.dstack([_pixels(0), np.zeros((6, 8), "uint8")])
    _save(tmp_path / "alpha.png", clear)
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "animated.gif", save_all=True, append_images=frames[1:])
    Image.new("CMYK", (8, 6), (0, 255, 255, 0)).save(tmp_path / "cmyk.jpg", quality=95)
    exif = Image.Exif()
    exif[image_folder.EXIF_ORIENTATION] = 6
    upright = Image.new("RGB", (8, 6), "red")
    upright.paste("blue", (0, 0, 8, 3))  # Blue above red...
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    lying.save(tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    alpha, animated, cmyk, turned = datasets.arrays(tmp_path)[0].astype(int)
    assert (alpha == 255).all()
    assert (animated == [255, 0, 0]).all()
    assert np.abs(cmyk - [255, 0, 0]).max() < 10
    assert np.abs(turned[0] - [0, 0, 255]).max() < 40  # ...and so it is once it stands.
    assert np.abs(turned[-1] - [255, 0, 0]).max() < 40


def test_mixed_sizes_need_an_image_size(tmp_path):
    _save(tmp_path / "a.png", _pixels(0))
    _save(tmp_path / "b.jpeg", _pixels(1, 20, 10))
    with pytest.raises(
        ValueError, match="several sizes.*image_size.*a.png of 6x8.*b.jpeg of 20x10"
    ):
        datasets.load(tmp_path)
    (batch,) = datasets.load(tmp_path, image_size=(4, 5), batch_size=2)
    assert batch.shape == (2, 4, 5, 3) and batch.dtype == "uint8"


def test_resize_crops_the_centre_and_does_not_alias():
    # 4 x 8: the square window is columns 2 to 5.
    image = np.zeros((4, 8, 1), "uint8")
    image[:, 2:6] = 200
    np.testing.assert_array_equal(image_folder.resize(image, (2, 2)), np.full((2, 2, 1), 200))
    same = _pixels(3)[None]
    np.testing.assert_array_equal(image_folder.resize(same, (6, 8)), same)
    # One-pixel stripes above the target's resolution are grey; without antialiasing, 0 or 255.
    stripes = np.tile(np.array([0, 255], "uint8"), 32).reshape(1, 64, 1).repeat(64, axis=0)
    inner = image_folder.resize(stripes, (16, 16)).numpy()[2:-2, 2:-2].astype(int)
    assert np.abs(inner - 127.5).max() < 3
    pillow = np.asarray(
        Image.fromarray(_pixels(4, 64, 64)).resize((16, 16), Image.Resampling.BICUBIC)
    )
    ours = image_folder.resize(_pixels(4, 64, 64), (16, 16)).numpy()
    assert np.abs(ours.astype(int) - pillow).max() <= 2


def test_a_folder_beyond_memory_streams_the_same_batches(tmp_path, monkeypatch):
    for i in range(10):
        _save(tmp_path / "ab"[i % 2] / f"{i}.png", _pixels(i))
    arguments = {"batch_size": 3, "seed": 4, "repeat": True, "start_step": 2, "image_size": 5}
    in_memory = list(datasets.load(tmp_path, **arguments).take(7))
    monkeypatch.setattr(dataset, "MEMORY_LIMIT", 0)
    streamed = datasets.load(tmp_path, **arguments)
    assert streamed.element_spec[0].shape == (3, 5, 5, 3)
    for (images, labels), (expected, expected_labels) in zip(
        streamed.take(7), in_memory, strict=True
    ):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, expected_labels)
    uneven = list(datasets.load(tmp_path, batch_size=4, drop_remainder=False, labels=False))
    assert [len(images) for images in uneven] == [4, 4, 2]


def test_unreadable_files_are_named_and_counted(tmp_path):
    _save(tmp_path / "good.png", _pixels(0))
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ValueError, match="2 of 3 image files cannot be read.*empty.jpg.*text.png"):
        datasets.load(tmp_path)
    (tmp_path / "text.png").unlink()
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "empty.jpg").unlink()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="1 of 2 image files cannot be read.*half.png"):
        datasets.load(tmp_path)


def test_unreadable_files_are_left_out_when_asked(tmp_path):
    for k, name in enumerate(("a", "b", "c")):
        (tmp_path / name).mkdir()
        _save(tmp_path / name / "1.png", _pixels(k))
    whole = (tmp_path / "b" / "1.png").read_bytes()
    (tmp_path / "b" / "2.png").write_bytes(whole[: len(whole) // 2])  # Its header can be read.
    (tmp_path / "a" / "0.jpg").touch()
    with pytest.warns(UserWarning, match="2 of 5 image files cannot be read and are left out"):
        images, labels = datasets.arrays(tmp_path, skip_unreadable=True)
    np.testing.assert_array_equal(labels, [0, 1, 2])
    np.testing.assert_array_equal(images, np.stack([_pixels(k) for k in range(3)]))
    for name in ("a", "b", "c"):
        (tmp_path / name / "1.png").write_text("not an image")
    with pytest.raises(ValueError, match="5 of 5 image files cannot be read"):
        datasets.info(tmp_path, skip_unreadable=True)


def test_errors_of_layout(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="`name` is a folder that does not exist.*missing.*Received: name="
    ):
        datasets.load(tmp_path / "missing")
    with pytest.raises(ValueError, match="`name` is a folder without images.*jpg.*Received: name="):
        datasets.load(tmp_path)
    _save(tmp_path / "a.png", _pixels(0))
    with pytest.raises(ValueError, match="`split` is unknown.*train.*Received: split='test'"):
        datasets.load(tmp_path, "test")
    _save(tmp_path / "cat" / "a.png", _pixels(0))
    with pytest.raises(ValueError, match="one or the other.*Received: 1 images beside 1 folders"):
        datasets.load(tmp_path)


@pytest.mark.parametrize("image_size", [0, -3, 2.5, (4,), (4, 4, 3), "8"])
def test_a_bad_image_size_is_refused(image_size):
    with pytest.raises(
        ValueError, match="`image_size` is not a size.*height and the width.*Received: image_size="
    ):
        datasets.load("mnist", image_size=image_size)


def test_images_and_batches_are_resized_alike():
    """In one process, first one, then the other: no trace of unknown rank comes of it."""
    images = np.random.default_rng(0).integers(0, 256, (3, 9, 13, 1)).astype("uint8")
    one = image_folder.resize(images[0], (6, 6))
    many = image_folder.resize(images, (6, 6))
    wider = image_folder.resize(images[1:, :, :11], (6, 6))
    assert one.shape == (6, 6, 1) and many.shape == (3, 6, 6, 1) and wider.shape == (2, 6, 6, 1)
    np.testing.assert_array_equal(many[0], one)
    np.testing.assert_array_equal(image_folder.resize(images[2], (6, 6)), many[2])


@pytest.mark.parametrize("limit", [0, 2**31])
def test_full_sizes_are_held_one_a_thread(tmp_path, monkeypatch, limit):
    for i in range(40):
        _save(tmp_path / f"{i}.png", _pixels(i, 32, 32))
    alive, most = set(), []

    def decode(*arguments):
        image = picture_files.decode(*arguments)
        alive.add(id(image))
        weakref.finalize(image, alive.discard, id(image))
        most.append(len(alive))
        return image

    monkeypatch.setattr(image_folder, "decode", decode)
    monkeypatch.setattr(dataset, "MEMORY_LIMIT", limit)
    assert sum(len(batch) for batch in datasets.load(tmp_path, image_size=8, batch_size=8)) == 40
    assert len(most) == 40 and max(most) <= 2 * image_folder.WORKERS


def test_large_batches_are_not_decoded_side_by_side(tmp_path, monkeypatch):
    for i in range(2):
        _save(tmp_path / f"{i}.png", _pixels(i))
    asked = []
    monkeypatch.setattr(dataset, "MEMORY_LIMIT", 0)
    monkeypatch.setattr(Order, "dataset", lambda self, make, workers: asked.append(workers))
    for limit in (2**30, 6 * 8 * 3 * 2, 1):
        monkeypatch.setattr(image_folder, "PARALLEL_BYTES", limit)
        datasets.load(tmp_path, batch_size=2)
    assert asked == [image_folder.WORKERS, 1, 1]
