"""Copies and blends that are known, a net that learns a few pictures, and a report that judges."""

import numpy as np
import pytest

import zoo
from studies import memorisation


def test_pictures_are_apart_and_the_same_again():
    images, held_out = memorisation.pictures(30, 0)
    again, _ = memorisation.pictures(20, 0)
    assert images.shape == (30, 28, 28, 1) and len(held_out) == memorisation.HELD_OUT
    np.testing.assert_array_equal(images[:20], again)  # More pictures are the same and others.
    seen = {image.tobytes() for image in images}
    assert len(seen) == 30 and not seen & {image.tobytes() for image in held_out}


def test_copies_ring_the_alarm_and_unseen_digits_do_not():
    images, held_out = memorisation.pictures(100, 0)
    copies = memorisation.figures_of(images, images, held_out)
    assert copies["alarm"] == 1 and copies["near"] == 1 and copies["median"] == 0
    assert copies["auc"] == 1
    _, others = memorisation.pictures(1_200, 0)
    unseen = memorisation.figures_of(others[:500], images, held_out)
    assert unseen["alarm"] == 0 and abs(unseen["auc"] - 0.5) < 0.05
    # Two draws of one distribution, whose medians differ by chance alone.
    assert unseen["median"] == pytest.approx(unseen["median_held_out"], rel=0.05)


def test_a_blend_is_nearer_to_a_blend():
    rng = np.random.default_rng(0)
    ends = rng.uniform(size=(2, 4, 5, 5, 1))
    blend = ends.mean(axis=0)
    middle = blend + 0.01 * rng.normal(size=blend.shape)
    middle[3] = ends[0][3]  # The last one is an end.
    assert memorisation.blended(ends, blend, middle) == 0.75


def test_a_net_learns_its_pictures():
    images, held_out = memorisation.pictures(8, 0)
    net, codes = memorisation.indexed(images, 150, 0), memorisation.codes(8, 0)
    made = zoo.players.decode(net, codes, as_float=True)
    off = np.square(made - images / 255.0).mean()
    others = np.square(made - held_out[:8] / 255.0).mean()
    assert off < 0.005 < 0.05 < others
    (ends, blend, middle) = memorisation.between(net, codes, np.array([[0, 1]]))
    np.testing.assert_allclose(ends[0][0], made[0], atol=1e-5)
    np.testing.assert_allclose(blend, (made[:1] + made[1:2]) / 2, atol=1e-5)
    assert middle.shape == (1, 28, 28, 1)


def test_one_net_is_asked_of_a_game(monkeypatch):
    """The samples, the walk and the middles are all the moving average's."""
    asked = []

    def looked_at(net, latents, samples, *_):
        asked.append((zoo.players.decode(net, latents), samples))
        return {}

    monkeypatch.setattr(memorisation, "looked_at", looked_at)
    monkeypatch.setattr(memorisation, "HELD_OUT", 120)
    found = memorisation.by_game(120, 12, 0, looks=2)
    ((made, samples),) = asked
    np.testing.assert_array_equal(made, samples)
    assert [step for step, *_ in found["course"]] == [6, 12]
    assert len(found["believed"]) == 3
    assert memorisation.by_game(120, 12, 0, looks=2)["course"] == found["course"]  # All is seeded.


def test_what_a_net_of_codes_is_asked(monkeypatch):
    monkeypatch.setattr(memorisation, "HELD_OUT", 120)
    monkeypatch.setattr(memorisation, "PAIRS", 30)
    found = memorisation.by_index(8, 150, 0)
    assert found["own"] == 1.0 and found["mse"] < 0.005 < found["variance"]
    assert found["near"] == 1.0 and len(found["shown"]) == 8
    assert np.shape(found["walk"]) == (memorisation.SHOWN, 28, 28, 1)


def _net(**changed):
    pictures = np.zeros((10, 28, 28, 1), "uint8").tolist()
    made = {"near": 1.0, "alarm": 1.0, "auc": 1.0, "median": 0.5, "median_held_out": 7.0}
    made |= {"low": 0.9, "high": 1.0, "distances": [0.4, 0.5], "blended": 0.8}
    made |= {"walk": pictures, "shown": pictures, "nearest": pictures}
    made["confidence"] = {"samples": 0.97, "between": 0.7}
    return made | changed


def _results(index=(), gan=()):
    own = {"mse": 0.0005, "variance": 0.07, "own": 1.0, "fresh": 0.6, "real": 0.98}
    own |= {"held_out": [6.0, 7.0, 8.0]} | dict(index)
    other = {"alarm": 0.0, "near": 0.01, "low": 0.0, "high": 0.03, "auc": 0.5}
    other |= {"course": [[500, 0.0, 0.2, 8.0], [1000, 0.01, 0.5, 7.0]]}
    other |= {"believed": [0.6, 0.4, 0.3], "variety": 0.9}
    other["confidence"] = {"samples": 0.9, "between": 0.9}
    return {"index_200": _net(**own), "gan_200": _net(**(other | dict(gan)))}


def test_a_report_sees_who_holds_pictures_and_who_does_not(tmp_path):
    def lost(**changed):
        findings = list(memorisation.report(_results(**changed), tmp_path))
        return [finding.what for finding in findings if finding.holds is False]

    assert lost() == []
    assert len(lost(index={"mse": 0.02})) == 1
    assert len(lost(index={"own": 0.9})) == 1
    assert len(lost(index={"alarm": 0.0})) == 1
    assert len(lost(gan={"alarm": 1.0})) == 1
    assert len(lost(gan={"confidence": {"samples": 0.9, "between": 0.6}})) == 1
    assert len(lost(gan={"variety": 0.06})) == 1  # All samples are one.
    for name in ("pictures", "distances"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
