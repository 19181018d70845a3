"""Which files of a folder are pictures, of which class and split, and what is said of the rest."""

import logging
import os
import shutil
import unicodedata
import warnings

import numpy as np
import pytest
from PIL import Image

from zoo import datasets
from zoo.datasets import folder_files


def _make(root, *names):
    """Tiny pictures; a name with `:N` stands for N of them."""
    for name in names:
        stem, _, count = name.partition(":")
        for i in range(int(count or 1)):
            path = root / (stem.format(i) if count else stem)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4), (len(str(path)) % 256, i, 0)).save(path)
    return root


def _names(root, split="train", **source):
    opened = datasets.open(root, split, **source)
    paths = [os.path.relpath(path, root) for path in opened.paths]
    return paths, opened.labels, opened.class_names


def test_every_format_that_pillow_decodes_is_read(tmp_path):
    suffixes = "jpg jpeg jfif png webp tif tiff bmp gif ppm tga jp2 qoi ico avif".split()
    _make(tmp_path, *(f"a.{suffix}" for suffix in suffixes if suffix not in ("ico", "jfif")))
    shutil.copy(tmp_path / "a.png", tmp_path / "A.PNG")
    shutil.copy(tmp_path / "a.jpg", tmp_path / "a.jfif")
    shutil.copy(tmp_path / "a.jpg", tmp_path / "download")
    shutil.copy(tmp_path / "a.jpg", tmp_path / "tweet.jpg_large")
    Image.new("RGB", (16, 16)).save(tmp_path / "a.ico")
    assert datasets.info(tmp_path, image_size=4).count == len(suffixes) + 3
    assert datasets.arrays(tmp_path, image_size=4)[0].shape == (18, 4, 4, 3)


def test_what_is_left_out_is_said_in_one_line(tmp_path, caplog):
    _make(tmp_path, "a.png")
    for name in ("b.heic", "c.heic", "film.mp4"):
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic\0\0" + bytes(range(256)))
    (tmp_path / "notes.txt").write_text("words")
    match = r"4 files of .*: 2 \.heic \(first: b.heic\), 1 \.mp4 .*, 1 \.txt \(first: notes.txt\)"
    with pytest.warns(UserWarning, match=match):
        assert datasets.info(tmp_path).count == 1
    for name in ("b.heic", "c.heic", "film.mp4"):
        (tmp_path / name).unlink()
    with caplog.at_level(logging.WARNING, "zoo.datasets"):  # Mere text: no warning, a line.
        datasets.info(tmp_path)
    assert "1 files of" in caplog.text and "notes.txt" in caplog.text


def test_what_systems_put_into_folders_makes_no_noise(tmp_path, caplog):
    _make(tmp_path, "a/1.png", "b/1.png", "__MACOSX/a/1.png", "a/.ipynb_checkpoints/1.png")
    _make(tmp_path, "b/@eaDir/1.png", "a/._1.png", ".thumbnails/1.png")
    for name in ("a/Thumbs.db", ".DS_Store", "b/desktop.ini"):
        (tmp_path / name).write_bytes(bytes(200))
    assert _names(tmp_path)[0] == ["a/1.png", "b/1.png"]
    assert not caplog.records


@pytest.mark.parametrize("level", ["val", "valid", "validation", "Val", "test", "testing"])
def test_the_folders_of_splits_are_no_classes(tmp_path, level):
    """What lies in val/ or validation/ beside train/ is neither a class nor training data."""
    _make(tmp_path, "train/ape/1.png", "train/cow/1.png", f"{level}/cow/2.png")
    paths, labels, names = _names(tmp_path)
    assert paths == ["train/ape/1.png", "train/cow/1.png"] and names == ("ape", "cow")
    own = "test" if level.startswith("test") else "validation"
    for split in {own, "test"}:  # Where there is one of both, "test" means it.
        paths, labels, names = _names(tmp_path, split)
        assert paths == [f"{level}/cow/2.png"] and names == ("ape", "cow")
        np.testing.assert_array_equal(labels, [1])


def test_three_levels_and_other_spellings(tmp_path):
    three = _make(tmp_path / "three", "train/1.png", "val/2.png", "test/3.png")
    for split, name in (("train", "1"), ("val", "2"), ("validation", "2"), ("test", "3")):
        assert _names(three, split)[0][0].endswith(f"{name}.png")
    scans = _make(tmp_path / "scans", "Training/a/1.png", "Testing/a/2.png")
    assert _names(scans, "test")[0] == ["Testing/a/2.png"]


def test_names_of_splits_that_are_classes(tmp_path):
    checks = _make(tmp_path / "checks", "valid/1.png", "invalid/1.png")
    assert _names(checks)[2] == ("invalid", "valid")
    sports = _make(tmp_path / "sports", "match/1.png", "training/1.png")
    assert _names(sports)[2] == ("match", "training")
    vehicles = _make(tmp_path / "vehicles", "train/1.png", "car/1.png", "bus/1.png")
    with pytest.raises(ValueError, match="`name` is a folder whose train/ may be.*bus/, car/"):
        datasets.open(vehicles)


def test_layouts_with_two_meanings(tmp_path):
    two = _make(tmp_path / "two", "train/a/1.png", "val/a/1.png", "valid/a/1.png")
    with pytest.raises(ValueError, match="two folders for one split.*val, valid"):
        datasets.open(two)
    above = _make(tmp_path / "above", "archive/train/a/1.png", "archive/test/a/1.png")
    with pytest.raises(ValueError, match="`name` is a folder above the splits. Expected .*archive"):
        datasets.open(above)
    beside = _make(tmp_path / "beside", "train/a/1.png", "test/a/1.png", "new/1.png", "loose.png")
    with pytest.warns(UserWarning, match="2 images beside test/, train/ are in no split: new/"):
        assert datasets.info(beside).count == 1


def test_test_images_without_classes(tmp_path):
    _make(tmp_path, "train/a/1.png", "train/b/1.png", "test/1.png")
    assert datasets.info(tmp_path).num_classes == 2
    info = datasets.info(tmp_path, "test")
    assert (info.num_classes, info.class_names, info.count) == (None, None, 1)
    (tmp_path / "test" / "1.png").unlink()
    with pytest.raises(ValueError, match="`name` is a folder without images.*test"):
        datasets.info(tmp_path, "test")


def test_names_links_and_depths_of_all_kinds(tmp_path):
    _make(tmp_path, "blå bær/deep er/1 é.png", "blå bær/1.png", "blå bær/1.jpg", "ape/1.png")
    _make(tmp_path / "elsewhere", "x/9.png")
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("blå bær", "ape"):
        (folder / name).symlink_to(tmp_path / name)
    (tmp_path / "ape" / "link").symlink_to(tmp_path / "elsewhere" / "x")
    (tmp_path / "ape" / "again").symlink_to(tmp_path / "ape")  # A loop.
    paths, labels, names = _names(folder)
    assert names == ("ape", "blå bær")
    assert paths[:2] == ["ape/1.png", "ape/link/9.png"]
    assert len(paths) == 5 and labels.tolist() == [0, 0, 1, 1, 1]
    (folder / "ape" / "2.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="1 of 6 image files cannot be read.*2.png"):
        datasets.open(folder)


def test_an_accent_is_one_class_however_it_is_written(tmp_path):
    for split, form in (("train", "NFC"), ("test", "NFD")):
        _make(tmp_path, f"{split}/{unicodedata.normalize(form, 'thé')}/1.png")
    assert datasets.info(tmp_path, "test").class_names == ("thé",)


def test_classes_without_images_are_said(tmp_path):
    _make(tmp_path, "a/1.png", "c/1.png")
    (tmp_path / "b").mkdir()
    with pytest.warns(UserWarning, match="folders without an image are no classes: b"):
        assert datasets.info(tmp_path).class_names == ("a", "c")
    split = _make(tmp_path / "split", "train/a/1.png", "test/a/1.png", "test/z/1.png")
    with pytest.warns(UserWarning, match="classes without a training image: z"):
        assert datasets.info(split).num_classes == 2


def test_one_class_and_one_picture(tmp_path):
    _make(tmp_path, "only/1.png")
    info = datasets.info(tmp_path)
    assert (info.count, info.num_classes, info.class_names) == (1, 1, ("only",))
    images, labels = next(iter(datasets.load(tmp_path, batch_size=8)))
    assert images.shape == (1, 4, 4, 3) and labels.numpy().tolist() == [0]


@pytest.mark.parametrize(
    "name, remedy",
    [
        ("a.npy", "np.load.*from_arrays"),
        ("a.mat", "loadmat.*from_arrays"),
        ("a.heic", "register_heif_opener"),
        ("a.zip", "Unpack it"),
    ],
)
def test_a_folder_of_something_else_has_a_remedy(tmp_path, name, remedy):
    (tmp_path / name).write_bytes(bytes(100))
    with pytest.raises(ValueError, match=rf"without images.*1 \{name[1:]} \(first.*{remedy}"):
        datasets.open(tmp_path)


def test_a_file_is_no_folder(tmp_path, monkeypatch):
    _make(tmp_path, "a.png")
    (tmp_path / "set.zip").write_bytes(bytes(100))
    np.save(tmp_path / "a.npy", np.zeros(3))
    for name, remedy in (
        ("a.png", "folder that it is in"),
        ("set.zip", "unpack"),
        ("a.npy", "np.load"),
    ):
        with pytest.raises(NotADirectoryError, match=f"`name` is a file and not.*{remedy}.*{name}"):
            datasets.open(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotADirectoryError, match="`name` is a file"):
        datasets.open("set.zip")
    with pytest.raises(ValueError, match="`name` is unknown.*Received: name=''"):
        datasets.open("")


def test_what_may_not_be_read_is_named(tmp_path, monkeypatch):
    _make(tmp_path, "a/1.png", "b/1.png")
    scandir = os.scandir

    def refuse(folder):
        if os.path.basename(folder) == "b":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError, match="`name` is a folder that cannot be listed.*/b .Perm"):
        datasets.open(tmp_path)


def test_a_share_is_held_out_of_every_class_alike(tmp_path):
    _make(tmp_path, "a/{}.png:20", "b/{}.png:10", "c/{}.png:1")
    train, train_labels, names = _names(tmp_path, validation_split=0.2)
    test, test_labels, test_names = _names(tmp_path, "test", validation_split=0.2)
    assert names == test_names == ("a", "b", "c")
    assert not set(train) & set(test) and len(train) + len(test) == 31
    assert np.bincount(test_labels, minlength=3).tolist() == [4, 2, 0]
    assert np.bincount(train_labels).tolist() == [16, 8, 1]
    assert _names(tmp_path, "validation", validation_split=0.2)[0] == test
    images, labels = datasets.arrays(tmp_path, "test", validation_split=0.2)
    assert images.shape == (6, 4, 4, 3) and labels.tolist() == test_labels.tolist()
    # Not the order of the batches but a seed of its own decides.
    assert _names(tmp_path, "test", validation_split=0.2, split_seed=1)[0] != test
    loaded = datasets.load(tmp_path, "test", 6, seed=9, validation_split=0.2, labels=False)
    assert sorted(map(bytes, next(iter(loaded)).numpy())) == sorted(map(bytes, images))


def test_the_names_of_the_files_decide_what_is_held_out(tmp_path):
    here = _make(tmp_path / "here", "{}.png:30")
    shutil.copytree(here, tmp_path / "moved")
    test = _names(here, "test", validation_split=0.1)[0]
    assert test == _names(tmp_path / "moved", "test", validation_split=0.1)[0] and len(test) == 3
    for name in ("new.png", "newer.png"):
        shutil.copy(here / "0.png", here / name)
    assert len(set(test) - set(_names(here, "test", validation_split=0.1)[0])) <= 2
    level = _make(tmp_path / "level", "train/{}.png:10")
    assert len(_names(level, "test", validation_split=0.3)[0]) == 3


def test_a_share_that_cannot_be_held_out_is_refused(tmp_path):
    _make(tmp_path, "flat/{}.png:3", "levels/train/1.png", "levels/val/1.png")
    for share in (0, 1, 1.5, -0.1, "0.1", True):
        with pytest.raises(ValueError, match="`validation_split` is out of range.*Received"):
            datasets.open(tmp_path / "flat", validation_split=share)
    with pytest.raises(ValueError, match="`validation_split` holds out no image.*0.1 of 3 images"):
        datasets.open(tmp_path / "flat", validation_split=0.1)
    with pytest.raises(ValueError, match="`validation_split` is given.*a split of its own.*val/"):
        datasets.open(tmp_path / "levels", validation_split=0.5)
    with pytest.raises(ValueError, match="`validation_split` has no meaning for 'mnist'"):
        datasets.open("mnist", validation_split=0.1)
    with pytest.raises(ValueError, match="`split` is unknown.*validation_split=0.1.*split='test'"):
        datasets.open(tmp_path / "flat", "test")


def test_text_is_told_from_what_may_be_a_picture(tmp_path):
    (tmp_path / "a.txt").write_text("é" * 2000)
    (tmp_path / "b.svg").write_text("<svg/>")
    (tmp_path / "c.bin").write_bytes(b"\xff\x00\x12")
    files = [tmp_path / name for name in ("a.txt", "b.svg", "c.bin")]
    assert [folder_files.lost([file]) for file in files] == [False, True, True]


def test_images_that_are_enlarged_are_said_and_mixed_sizes_too(tmp_path, caplog):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    Image.new("RGB", (20, 12)).save(tmp_path / "b.png")
    match = "`image_size` is larger than 1 of 2 images.*enlarged to 10x10.*a.png of 8x8"
    with pytest.warns(UserWarning, match=match):
        datasets.info(tmp_path, image_size=10)
    assert "2 sizes, from 8x8 to 12x20" in caplog.text
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        datasets.info(tmp_path, image_size=8)
