"""Distances against brute force, what is kept by hand, the worth in real digits, the report."""

import json

import numpy as np
import pytest
from scipy import ndimage

import zoo
from studies import digits, nearest_neighbours, neighbour_report
from studies import neighbour_distances as distances


def _brute(queries, images, labels, truth, own):
    """The least squared distance over the images of the own class, or of all others."""
    found = []
    for x, y in zip(queries.astype(int), truth, strict=True):
        kept = (labels == y) if own else (labels != y) & (labels >= 0)
        squares = ((images[kept].astype(int) - x) ** 2).reshape(kept.sum(), -1).sum(axis=1)
        found.append(squares.min())
    return found


def test_distances_are_exact_and_by_class(monkeypatch):
    monkeypatch.setattr(distances, "BLOCK", 64)  # Several blocks, the last one uneven.
    monkeypatch.setattr(distances, "QUERIES", 32)
    (train, labels), (test, truth) = digits.needed()
    queries, images, labels = test[:50], train[:300], labels[:300]
    queries, images = queries.copy(), images.copy()
    queries[0], images[0] = 255, 0  # The furthest that there is: 784 x 255^2.
    changed = np.where(np.arange(300) < 150, labels, -1)
    changed[:20] = (labels[:20] + 1) % 10
    given = {"all": labels, "changed": changed}
    for name, found in distances.nearest(queries, truth[:50], images, given).items():
        for key in ("own", "other"):
            brute = _brute(queries, images, given[name], truth[:50], key == "own")
            np.testing.assert_array_equal(found[key], brute)


def test_the_error_is_that_of_the_nearest_image():
    (train, labels), (test, truth) = digits.needed()
    found = distances.nearest(test[:200], truth[:200], train[:1000], {"all": labels[:1000]})["all"]
    nearest, _ = zoo.neighbours.nearest(test[:200], train[:1000])
    wrong = labels[nearest[:, 0]] != truth[:200]
    assert 0 < wrong.sum() and distances.error(found) == wrong.mean()
    fours = truth[:200] == 4
    assert distances.error(found, fours) == wrong[fours].mean()


def test_a_class_without_images_is_far():
    images = np.zeros((2, 2, 2, 1), "uint8")
    found = distances.nearest(images, np.array([0, 1]), images, {"all": np.array([0, 0])})["all"]
    assert found == {"own": [0, distances.FAR], "other": [distances.FAR, 0]}


def test_sets_together_and_crossed():
    one, two = {"own": [4, 9], "other": [5, 5]}, {"own": [6, 1], "other": [3, 7]}
    together = distances.both(one, two)
    np.testing.assert_array_equal(together["own"], [4, 1])
    np.testing.assert_array_equal(together["other"], [3, 5])
    assert distances.error(one) == 0.5 and distances.error(together) == 0.5
    assert distances.error(distances.crossed(one, two)) == 1.0  # 3 < 4, 7 < 9.
    assert distances.error(distances.crossed(two, one)) == 0.5  # 5 < 6.
    assert neighbour_report.own(one) == pytest.approx(2.5 / 255)


def test_worth_is_on_the_power_law_and_beyond_it():
    curve = {n: 3.0 * n**-0.25 for n in (100, 1_000, 10_000)}
    for n in (50, 100, 300, 1_000, 7_000, 40_000):
        assert distances.worth(3.0 * n**-0.25, curve) == pytest.approx(n)
    bent = {10: 1.0, 100: 0.1, 1_000: 0.05}
    assert distances.worth(0.5, bent) == pytest.approx(20)
    flat = {100: 0.5, 10_000: 0.5}  # Of a few digits two sizes can err alike.
    assert distances.worth(0.5, flat) == pytest.approx(1_000)
    assert distances.worth(0.05 / 2**0.5, bent) == pytest.approx(1_000 * 10**0.5)


def test_what_is_kept():
    labels = np.arange(40) % 10
    values = np.arange(40.0)
    half = nearest_neighbours.best_half(values, labels)
    np.testing.assert_array_equal(half, np.arange(40) >= 20)  # Two of each digit.
    values = np.where(labels == 3, 1000.0, values)  # Within a digit, not among all.
    assert nearest_neighbours.best_half(values, labels)[labels != 3].sum() == 18
    np.testing.assert_array_equal(
        nearest_neighbours.only(np.array([1, 2, 3]), np.array([True, False, True])), [1, -1, 3]
    )
    named = nearest_neighbours.sizes(np.arange(700) % 10)
    assert {name: int((found >= 0).sum()) for name, found in named.items()} == {
        "200": 200, "500": 500, "700": 700,
    }  # fmt: skip


def test_rejection_turns_one_density_into_another():
    """Samples of N(0, 1), logits log p/q for N(0.5, 0.5^2): what is accepted is p."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=200_000)
    logits = -((x - 0.5) ** 2) / (2 * 0.25) - np.log(0.5) + x**2 / 2
    kept = x[nearest_neighbours.accepted(logits, 1)]
    # The 95th percentile in place of the maximum flattens the peak a little.
    assert kept.mean() == pytest.approx(0.5, abs=0.05)
    assert kept.std() == pytest.approx(0.5, abs=0.05)


def test_changes_of_images():
    image = np.zeros((2, 9, 9, 1), "uint8")
    image[0, 4, 4], image[1, 2, 3], image[1, 5, 5] = 255, 20, 240
    expected = ndimage.gaussian_filter(image[0, ..., 0].astype(float), 0.7)
    np.testing.assert_allclose(nearest_neighbours.blurred(image, 0.7)[0, ..., 0], expected, atol=1)
    assert nearest_neighbours.blurred(image, 0.7)[1, 4, 4] < 30  # Nothing comes from another.
    cleaned = nearest_neighbours.cleaned(image)
    assert cleaned[1, 2, 3] == 0 and cleaned[1, 5, 5] == 255 and cleaned[0].sum() == 255
    sharp = nearest_neighbours.sharpened(image, 0.7)
    assert sharp[0, 4, 4] == 255 and sharp[0, 4, 5] == 0


def test_logits_are_the_discriminators():
    (train, labels) = digits.mnist("train")
    found = nearest_neighbours.logits(train[:6], labels[:6])
    critic = zoo.from_preset(nearest_neighbours.PRESET, "discriminator")
    outputs = critic(
        {"images": train[:6].astype("float32") / 127.5 - 1, "labels": labels[:6]}, training=False
    )
    np.testing.assert_allclose(found, np.ravel(outputs["logits"]), atol=1e-4)


def _distances(wrong, rows=1_000, level=2e6):
    """Distances with so many test digits taken wrongly, the same for all sets."""
    own = np.full(rows, level)
    other = np.where(np.arange(rows) < wrong, level - 1, level + 1)
    return {"own": own.tolist(), "other": other.tolist()}


def _results(ours=60, theirs=50):
    names = (*neighbour_report.KEPT, "best half by D")
    block = {"distances": {n: _distances(ours) for n in (*names, "200", "10000")}}
    block["kept"] = dict.fromkeys(block["distances"], 0.9)
    real = {"200": _distances(200, level=4e6), "10000": _distances(theirs)}
    pair = {"samples": _distances(ours), "real": _distances(theirs)}
    found = {"paper": 0.8, "faint": 0.01, "ink": 33.0, "edges": 8.0}
    found["pictures"] = np.zeros((30, 28, 28), int).tolist()
    results = {"real": {"distances": real}, "block_0": block, "block_1": block}
    results |= {name: {"distances": {"all": _distances(55)}} for name in nearest_neighbours.OTHER}
    results["chosen"] = {"distances": {"all": _distances(56)}}
    results |= {name: dict(pair) for name in nearest_neighbours.CHANGES}
    for name, (_, theirs) in nearest_neighbours.CHANGES.items():
        if theirs is None:
            results[name].pop("real")
    results["moved"] = pair | {f"{name}, not moved": found for name, found in pair.items()}
    return results | {"traits": {"samples": found, "real": found}}


def test_a_report_says_what_is_reached(tmp_path):
    findings = {f.what: f for f in neighbour_report.report(_results(), tmp_path)}
    assert findings["10000 samples against as many real digits"].holds is False
    assert findings["10000 samples against as many real digits"].found == "6.00% and 5.00%"
    assert findings["the least error of at most 10000 samples"].found.startswith("5.50%: trunc")
    assert findings["samples as they come that reach 5.00%"].found == "more than 20000"
    alone = findings["the same of the digits that 10000 samples alone take wrongly (1.00%)"]
    assert alone.found == f"{2e6**0.5 / 255:.3f}, {2e6**0.5 / 255:.3f}"
    rows = (tmp_path / "variants.csv").read_text().splitlines()
    # Of 1,000 digits ten are taken wrongly less often: their standard error is 0.31 %.
    assert any(row.startswith("real digits,10000,5.00%,-1.00% ± 0.31%") for row in rows)
    findings = {f.what: f for f in neighbour_report.report(_results(40), tmp_path)}
    assert findings["10000 samples against as many real digits"].holds is True
    for name in ("errors.png", "digits.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_every_part_is_made_and_reported(tmp_path, monkeypatch):
    """With a few samples, whose distances are those of plain loops."""
    monkeypatch.setattr(nearest_neighbours, "QUICK", (400, 100))
    monkeypatch.setattr(nearest_neighbours, "SIZES", (200, 300))
    parts = dict(nearest_neighbours.parts(False, 0))
    made = json.loads(json.dumps({name: part() for name, part in parts.items()}))
    test, truth = nearest_neighbours.asked(100)
    images, labels = nearest_neighbours.drawn(400, 0), nearest_neighbours.labels_of(400)
    found = made["block_0"]["distances"]["400"]
    for key in ("own", "other"):
        assert found[key] == _brute(test, images, labels, truth, key == "own")
    assert np.mean(np.less(found["other"], found["own"])) < 0.25  # Of labels at random .9.
    real = made["real"]["distances"]
    assert np.mean(real["200"]["own"]) > np.mean(real["400"]["own"])  # Fewer are further.
    moved = made["moved"]
    assert np.all(np.array(moved["samples"]["own"]) <= moved["samples, not moved"]["own"])
    assert np.any(np.array(moved["real"]["own"]) < moved["real, not moved"]["own"])
    blurred = made["all blurred"]
    assert np.mean(blurred["samples"]["own"]) < np.mean(found["own"])
    assert made["traits"]["samples"]["ink"] == pytest.approx(images.mean())
    findings = list(neighbour_report.report(made, tmp_path))
    assert any("samples against as many real digits" in finding.what for finding in findings)
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")
