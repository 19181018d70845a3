"""The command that makes an extractor of features: what its folder holds."""

import hashlib
import json

import numpy as np
import pytest

from evaluation import extractors as loaded
from studies import extractors
from zoo import datasets, untrusted


@pytest.fixture
def few(monkeypatch):
    """Eleven hundred training and a thousand test digits."""
    arrays = datasets.arrays

    def short(name, split):
        count = {"train": 1100, "test": 1000}[split]
        return tuple(part[:count] for part in arrays(name, split))

    monkeypatch.setattr(datasets, "arrays", short)


def test_a_classifier_its_statistics_and_a_card(few, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "new" / "mnist"
    extractors.FLAGS(["program", "--epochs=1", f"--output_dir={folder}"])
    extractors.main([])
    card = json.loads((folder / "card.json").read_text())
    assert json.loads(capsys.readouterr().out[-len(json.dumps(card, indent=2)) - 1 :]) == card
    assert (card["train_images"], card["test_images"], card["epochs"]) == (1100, 1000, 1)
    assert untrusted.sealed({k: v for k, v in card.items() if k != "seal"}) == card
    for name, found in card["files"].items():
        assert found == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    arrays = np.load(folder / "statistics.npz")
    assert (arrays["train_count"], arrays["test_count"]) == (1100, 1000)
    images, labels = datasets.arrays("mnist", "test")
    monkeypatch.setattr(loaded, "PRESETS", folder.parent)
    features = np.asarray(loaded.load("mnist").features(images), "float64")
    np.testing.assert_allclose(arrays["test_mean"], features.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        arrays["test_covariance"], np.cov(features, rowvar=False), rtol=1e-4, atol=1e-5
    )
    monkeypatch.setattr(extractors, "_measure", lambda folder, train, test: {})
    model = (folder / "classifier.keras").stat().st_mtime_ns
    extractors.main([])
    assert (folder / "classifier.keras").stat().st_mtime_ns == model  # Not trained again.
