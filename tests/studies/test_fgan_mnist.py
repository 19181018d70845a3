"""The table by divergence: a row against windows by SciPy, the cards, and what the report sees."""

import gzip

import numpy as np
import pytest
from scipy import special, stats

import zoo
from studies import digits, fgan_mnist
from zoo import presets
from zoo.datasets import in_memory


def _windows(samples, images, sigma):
    """Mean log density under windows, one by one."""
    logs = [
        special.logsumexp(stats.norm.logpdf(image, samples, sigma).sum(axis=1))
        - np.log(len(samples))
        for image in images
    ]
    return np.mean(logs), np.std(logs) / len(logs) ** 0.5


def _flat(images):
    return np.asarray(images).reshape(len(images), -1) / 255


def test_a_row_is_the_log_density_under_windows(monkeypatch):
    (train, _), (test, _) = digits.needed()
    monkeypatch.setattr(digits, "needed", lambda: ((train, None), (test[:100], None)))
    monkeypatch.setattr(fgan_mnist, "PROTOCOLS", {"goodfellow": 250, "fgan": 500})
    monkeypatch.setattr(fgan_mnist, "VALIDATION", slice(50_000, 50_050))
    row = fgan_mnist.measured("kl", False, 3)
    made = zoo.from_preset("mlp_mnist_kl").sample(100, seed=3)
    assert np.array(row["samples"]).shape == (fgan_mnist.SHOWN, 28, 28)
    np.testing.assert_array_equal(row["samples"], made[: fgan_mnist.SHOWN, ..., 0])
    for protocol, count in (("goodfellow", 50), ("fgan", 100)):
        value, error, sigma = row[protocol]
        expected = _windows(_flat(made[:count]), _flat(test[:100:5]), sigma)
        np.testing.assert_allclose((value, error), expected, rtol=1e-6)
    chosen = [
        _windows(_flat(made[:50]), _flat(train[50_000:50_050]), sigma)[0]
        for sigma in np.logspace(-1, 0, 10)
    ]
    assert row["goodfellow"][2] == pytest.approx(np.logspace(-1, 0, 10)[np.argmax(chosen)])


def test_widths_have_the_deviation_and_the_number_of_images(monkeypatch):
    (train, _), (test, _) = digits.needed()
    monkeypatch.setattr(digits, "needed", lambda: ((train, None), (test[:100], None)))
    monkeypatch.setattr(fgan_mnist, "GOLDEN", {50: (0.0, 0.0, 0.1)})
    made = fgan_mnist.by_width(False)
    assert made["images"] == 20
    means, deviations = made["rows"]["50"]
    for mean, deviation, width in zip(means, deviations, fgan_mnist.WIDTHS, strict=True):
        value, error = _windows(_flat(train[:50]), _flat(test[:100:5]), width)
        np.testing.assert_allclose((mean, deviation / 20**0.5), (value, error), rtol=1e-5)


def test_training_images_stand_for_the_last_row():
    np.testing.assert_array_equal(fgan_mnist.taken("real", 7, 0), digits.mnist("train")[0][:7])


def test_the_cards_are_read_with_their_seeds():
    found = presets.card("mlp_mnist_gan")
    rows = fgan_mnist.card("gan")
    value, _, low, high = rows["goodfellow"]
    assert value == next(s["value"] for s in found["scores"] if s["label"] == "parzen")
    figures = found["spread"]["figures"]["parzen"]
    assert (low, high) == (min(figures), max(figures))
    _, _, low, high = fgan_mnist.card("vae")["fgan"]
    assert low == high  # One seed.


def _results(full):
    row = {"samples": np.zeros((fgan_mnist.SHOWN, 28, 28), int).tolist()}
    results = {}
    for name in fgan_mnist.PAPER:
        said = {p: fgan_mnist.card(name)[p][0] for p in fgan_mnist.LABELS} if name != "real" else {}
        values = said or {"goodfellow": 241.2, "fgan": 267.3}
        results[name] = row | {p: [v, 2.1, 0.167] for p, v in values.items()}
    means = [-500.0, -250, -70, 130, 328.56, 320, 240, 170]
    small = [-500.0, -250, -70, 130, 255.0, 267.61, 240, 170]
    deviations = [900.0, 700, 570, 390, 206, 195, 140, 90]
    rows = {"16384": [small, deviations]} | ({"60000": [means, deviations]} if full else {})
    return results | {"widths": {"rows": rows, "images": 10_000 if full else 2_000}}


def test_a_report_judges_what_the_cards_say(tmp_path):
    results = _results(full=True)
    findings = list(fgan_mnist.report(results, tmp_path))
    assert all(f.holds is not False for f in findings)
    assert sum(f.holds is True for f in findings) == 2 * 9 + 2 + 2 + 2
    wide = next(f for f in findings if "5.99" in f.what)
    assert wide.found.startswith("-110,")  # -70 - (5.99 - 5.7) / (7 - 5.7) * 180, by hand.
    results["neyman"]["fgan"][0] += 4
    lost = [f.what for f in fgan_mnist.report(results, tmp_path) if f.holds is False]
    assert len(lost) == 1 and lost[0].startswith("neyman, fgan")
    for name in ("table.png", "samples.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert len((tmp_path / "parzen.csv").read_text().splitlines()) == 11


def test_fewer_samples_are_not_judged_by_the_cards(tmp_path):
    results = _results(full=False)
    results["neyman"]["fgan"][0] -= 90
    findings = list(fgan_mnist.report(results, tmp_path))
    assert [f.holds for f in findings if "log-likelihood in nats" in f.what] == [None] * 18


def test_a_standard_error_is_of_the_images_that_were_measured(tmp_path):
    for full, said in ((True, "± 1.95 at"), (False, "± 4.36 at")):  # 195 over 100 and over 44.7.
        findings = list(fgan_mnist.report(_results(full), tmp_path))
        best = next(f for f in findings if f.what.startswith("16384 training images: the best"))
        assert said in best.found
        wide = next(f for f in findings if "5.99" in f.what)  # The paper's, of 10,000 in either.
        assert wide.found.startswith("-110,")


def test_missing_data_are_refused_before_a_part_is_made(monkeypatch, tmp_path):
    digits.mnist.cache_clear()
    monkeypatch.setattr(in_memory, "MNIST", tmp_path)
    try:
        with pytest.raises(FileNotFoundError, match="MNIST is not on disk.*train-images-idx3"):
            next(iter(fgan_mnist.parts(False, 0)))
        with gzip.open(tmp_path / "train-images-idx3-ubyte.gz", "wb") as file:
            file.write(bytes(16 + 784))
        with pytest.raises(FileNotFoundError, match="train-labels"):
            digits.needed()
    finally:
        digits.mnist.cache_clear()
