"""Parts of the page as text: nothing is lost, and nothing ends the script that holds them."""

import numpy as np
import pytest

from export.page import packing


@pytest.mark.parametrize("size", [1, 2, 12, 13, 14, 26, 1000, 4097])
def test_letters_and_back(size):
    content = np.random.default_rng(size).bytes(size)
    text = packing.text_of(content)
    assert packing.bytes_of(text, size) == content
    assert len(text) == 2 * -(-8 * size // 13)
    assert not set(text) & set('"<\\\n\r ') and text.isascii() and text.isprintable()


def test_the_letters_are_91_in_the_order_of_ascii():
    """The page finds a letter's place by counting the allowed codes before it."""
    assert len(packing.LETTERS) == 91 == len(set(packing.LETTERS))
    assert list(packing.LETTERS) == sorted(packing.LETTERS)
    assert 91**2 >= 2**packing.BITS > 91


def test_by_hand():
    """13 bits of ones are 8191 = 90 * 91 + 1: the last letter and the second."""
    assert packing.text_of(b"\xff\xf8")[:2] == "~#"
    assert packing.text_of(b"\x00")[:2] == "!!"


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("size", [0, 1, 7, 5000])
def test_a_script_gives_its_content(size, split):
    content = np.random.default_rng(1).bytes(size)
    script = packing.script("a.onnx", content, split)
    assert script.startswith('ganZooAssets["a.onnx"] = {"size": ')
    assert packing.content_of(script) == content
    assert packing.script("a.onnx", content, split) == script, "the same page again is another one"


def test_split_weights_are_smaller():
    weights = np.random.default_rng(0).normal(0, 0.05, 20_000).astype("float16").tobytes()
    plain, split = (len(packing.script("w", weights, split)) for split in (False, True))
    assert split < 0.97 * plain
