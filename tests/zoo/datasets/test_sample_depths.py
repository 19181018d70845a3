"""Samples beyond 8 bits: one scale for a folder, the right values, and what was taken is said."""

import warnings

import numpy as np
import pytest
from PIL import Image

from tests.zoo.datasets.test_picture_files import png
from zoo import datasets
from zoo.datasets import sample_depths


def _samples(bits, seed=0, dtype="uint16"):
    samples = np.random.default_rng(seed).integers(0, 2**bits, (6, 8)).astype(dtype)
    samples.flat[0] = 2**bits - 1
    return samples


def _save(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(samples).save(path)
    return samples


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_fewer_bits_in_files_of_16_are_found_and_said(tmp_path, bits, suffix):
    bright = _save(tmp_path / f"a.{suffix}", _samples(bits))
    dark = _save(tmp_path / f"b.{suffix}", _samples(bits, 1) // 4)
    match = f"`bit_depth` is taken to be {bits}: the largest.*is {2**bits - 1}"
    with pytest.warns(UserWarning, match=match):
        images, _ = datasets.arrays(tmp_path)
    # One scale for both: what is dark stays so.
    np.testing.assert_array_equal(images[..., 0], np.stack([bright, dark]) >> (bits - 8))
    assert len(np.unique(images)) > 40
    exact = np.stack([bright, dark]) * (255 / (2**bits - 1))
    assert np.abs(images[..., 0] - exact).max() < 1


def test_all_16_bits_need_no_word_and_a_given_depth_none_either(tmp_path):
    full = _save(tmp_path / "full" / "a.png", _samples(16))
    dark = _save(tmp_path / "dark" / "a.png", _samples(12))
    np.testing.assert_array_equal(datasets.arrays(tmp_path / "full")[0][0, ..., 0], full >> 8)
    images, _ = datasets.arrays(tmp_path / "dark", bit_depth=16)
    np.testing.assert_array_equal(images[0, ..., 0], dark >> 8)
    images, _ = datasets.arrays(tmp_path / "dark", bit_depth=12)
    np.testing.assert_array_equal(images[0, ..., 0], dark >> 4)
    with pytest.raises(ValueError, match=r"cannot be read.*a.png \(`samples` are out of range"):
        datasets.arrays(tmp_path / "dark", bit_depth=10)


def test_the_scale_is_that_of_all_splits(tmp_path):
    _save(tmp_path / "train" / "a.png", _samples(14))
    dark = _save(tmp_path / "test" / "a.png", _samples(10))
    for split in ("train", "test"):
        with pytest.warns(UserWarning, match="taken to be 14"):
            images, _ = datasets.arrays(tmp_path, split)
    np.testing.assert_array_equal(images[0, ..., 0], dark >> 6)


def test_floats_and_negative_integers(tmp_path):
    unit = np.linspace(0, 1, 48, dtype="float32").reshape(6, 8)
    for name, samples, expected, match in (
        ("unit", unit, np.round(unit * 255), "0 became black and 1 white"),
        ("bytes", unit * 200, np.round(unit * 200), "0 became black and 255 white"),
        ("other", unit * 900 - 100, np.round(unit * 255), "-100 became black and 800 white"),
        ("signed", _samples(10, dtype="int32") - 300, None, "-300.*became black and white"),
    ):
        if expected is None:
            expected = np.round((samples - samples.min()) / np.ptp(samples) * 255)
            match = f"{samples.min()} and {samples.max()}.*became black and white"
        _save(tmp_path / name / "a.tif", samples)
        with pytest.warns(UserWarning, match=match):
            images, _ = datasets.arrays(tmp_path / name)
        np.testing.assert_array_equal(images[0, ..., 0], expected)


def test_not_a_number_is_an_unreadable_file(tmp_path):
    samples = np.ones((6, 8), "float32")
    _save(tmp_path / "good.tif", samples)
    samples[0, 0] = np.nan
    _save(tmp_path / "bad.tif", samples)
    with (
        pytest.warns(UserWarning, match="0 became black"),
        pytest.raises(ValueError, match=r"1 of 2 image files.*bad.tif \(`samples` are not finite"),
    ):
        datasets.arrays(tmp_path)
    with (
        pytest.warns(UserWarning, match="1 of 2 image files cannot be read and are left out"),
        pytest.warns(UserWarning, match="unsaid in 1 files of floats"),
    ):
        assert datasets.info(tmp_path, skip_unreadable=True).count == 1


def test_colours_of_which_pillow_would_cut_the_bits_are_refused(tmp_path):
    samples = np.random.default_rng(0).integers(0, 4096, (6, 8, 3))
    (tmp_path / "a.png").write_bytes(png(samples, 2, 16))
    with pytest.raises(ValueError, match="`name` is a folder of 1 colour files of 16 bits.*8 bits"):
        datasets.arrays(tmp_path)
    images, _ = datasets.arrays(tmp_path, bit_depth=16)
    np.testing.assert_array_equal(images[0], samples >> 8)
    (tmp_path / "b.png").write_bytes(png(samples * 16, 2, 16))
    np.testing.assert_array_equal(datasets.arrays(tmp_path)[0][1], samples >> 4)


@pytest.mark.parametrize("bit_depth", [7, 33, 12.0, "12"])
def test_a_bad_depth_is_refused(bit_depth):
    with pytest.raises(ValueError, match="`bit_depth` is out of range.*Received: bit_depth="):
        sample_depths.check_depth(bit_depth)


def test_folders_of_8_bits_say_nothing(tmp_path):
    _save(tmp_path / "a.png", _samples(8, dtype="uint8"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        datasets.arrays(tmp_path)
