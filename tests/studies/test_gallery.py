"""The page of presets: a section each, with its pictures and what was reached and missed."""

import numpy as np
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
    gallery.FLAGS(["gallery", f"--output_dir={tmp_path}"])
    gallery.main([])
    text = (tmp_path / "gallery.md").read_text()
    assert text.index("## dots") < text.index("## tiny")
    assert "| frechet | 0.5 | 0.75 | value at most 0.4: **missed** (0.5) |" in text
    assert "| modes | 8 | | value at least 8: reached |" in text
    assert "- frechet of seeds [0, 1]: 0.5, 0.625" in text
    assert "2 minutes on two CPU cores" in text
    names = {path.name for path in (tmp_path / "gallery").iterdir()}
    assert names == {"dots.png", "tiny.png", "tiny_walk.png"}
    walk = np.asarray(Image.open(tmp_path / "gallery" / "tiny_walk.png"))
    assert walk.shape[1] > 2 * walk.shape[0] and walk.std() > 0
