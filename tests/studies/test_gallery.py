"""The page of presets: a section each, with its pictures and what was reached and missed."""

import pathlib

import numpy as np
import pytest
from PIL import Image

import zoo
from studies import gallery
from tests.helpers import tiny_pair
from zoo import presets


def _score(label, value):
    return {"label": label, "name": label, "value": value, "standard_error": None}


def test_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(presets, "SHIPPED", tmp_path / "presets")
    scores = [_score("frechet", 0.5), _score("modes", 8.0)]
    target = {"figure": "value", "bound": "at most", "number": 0.4, "found": 0.5}
    card = {
        "description": "A tiny pair.",
        "scores": scores,
        "checkpoints": {"best": {"scores": scores}, "last": {"scores": [_score("frechet", 0.75)]}},
        "targets": [
            {**target, "score": "frechet", "reached": False},
            {**target, "score": "modes", "bound": "at least", "number": 8.0, "reached": True},
        ],
        "selection": "best of last, best",
        "spread": {"seeds": [0, 1], "figures": {"frechet": [0.5, 0.625], "modes": [8.0, 7.0]}},
        "training": {
            "device": "two CPU cores",
            "seconds": 120,
            "epochs": 3,
            "batch_size": 16,
            "seed": 0,
        },
        "command": "python -m trainers --recipe=tiny --publish",
    }
    zoo.save_preset(tiny_pair(classes=3)[0], tmp_path / "presets" / "tiny", card=card)
    points = zoo.MLPGenerator((2,), 3, (8,), output_activation="linear")
    zoo.save_preset(points, tmp_path / "presets" / "dots", card=card)
    readme = tmp_path / "README.md"
    readme.write_text(f"Before.\n{gallery.BEGIN}\nold\n{gallery.END}\nAfter.\n")
    gallery.FLAGS(["gallery", f"--output_dir={tmp_path}", f"--readme={readme}"])
    gallery.main([])
    head, *rows, tail = readme.read_text().strip().split("\n")
    assert (head, tail) == ("Before.", "After.") and "old" not in rows
    assert [row.split("`")[1] for row in rows if "`" in row] == ["dots", "tiny"]
    with pytest.raises(ValueError, match="no place for the table"):
        gallery.between("Nothing.", rows)
    text = (tmp_path / "gallery.md").read_text()
    assert text.index("## dots") < text.index("## tiny")
    assert "| frechet | 0.5 | 0.75 | value at most 0.4: **missed** (0.5) |" in text
    assert "| modes | 8 |  | value at least 8: reached |" in text
    assert "| score | value | last checkpoint | target |" in text
    assert "published: the best checkpoint." in text
    assert "- frechet of seeds [0, 1]: 0.5, 0.625" in text
    assert "2 minutes on two CPU cores" in text
    names = {path.name for path in (tmp_path / "gallery").iterdir()}
    assert names == {"dots.png", "tiny.png", "tiny_walk.png"}
    walk = np.asarray(Image.open(tmp_path / "gallery" / "tiny_walk.png"))
    assert walk.shape[1] > 2 * walk.shape[0] and walk.std() > 0


def test_the_table_of_the_readme_is_that_of_the_cards():
    text = pathlib.Path("README.md").read_text()
    assert gallery.between(text, gallery.table(zoo.list_presets())) == text


@pytest.mark.parametrize("name", gallery.WORDS)
def test_a_score_in_words(name):
    details = {"high_quality": 0.985, "precision": 0.75, "recall": 0.5, "kl": 0.0625}
    card = {
        "name": "tiny",
        "parameters": {"generator": 1234},
        "bytes": 100_000,
        "training": {"seconds": 90, "device": "1 CPU core"},
        "scores": [
            {"name": name, "value": value, "standard_error": 0.125, "details": details}
            for value in (0.5, 0.75)  # Once: by another protocol, say.
        ],
    }
    words = {
        "conditional_accuracy": "50.0 % recognised as their class",
        "frechet_distance": "Fréchet distance 0.5",
        "parzen_log_likelihood": "Parzen 0 ± 0 nats",
        "modes_covered": "0 modes, 98.5 % within 3 sigma",
        "stacked_modes_covered": "0 of 1,000 modes, KL 0.062",
        "precision_recall": "precision 0.75, recall 0.50",
    }[name]
    assert gallery.table([card])[-1] == f"| `tiny` | 1,234 | 0.1 | 2 | {words} |"
    card["training"]["device"] = "NVIDIA H200"
    assert gallery.table([card])[-1] == f"| `tiny` | 1,234 | 0.1 | 2 (NVIDIA H200) | {words} |"
