"""Cards that are true, and cards that are not."""

import json
import math
import shutil

import numpy as np
import pytest

import zoo
from evaluation import cards, measures, verify
from zoo import presets


@pytest.fixture
def preset(tmp_path, monkeypatch):
    """A preset of points with a true card, the only one that is shipped."""
    generator = zoo.MLPGenerator((2,), 3, (8,), output_activation="linear", prior="normal")
    reference = measures.Reference("ring")
    measure = measures.get("sliced_wasserstein", reference)
    score = measure.evaluate(generator.sample(500, seed=0))
    entry = json.loads(score.to_json()) | {
        "label": "sliced_wasserstein:500",
        "measure": "sliced_wasserstein",
        "count": 500,
        "tolerance": cards.tolerance(score.name, score.value),
    }
    monkeypatch.setattr(presets, "SHIPPED", tmp_path)
    zoo.save_preset(generator, tmp_path / "points", card={"dataset": "ring", "scores": [entry]})
    card = tmp_path / "points" / "card.json"
    found = json.loads(card.read_text())
    found.pop("sha256")  # It is changed below.
    card.write_text(json.dumps(found))
    return card


def _change(path, change):
    """Changes the first score of a card."""
    card = json.loads(path.read_text())
    change(card["scores"][0])
    path.write_text(json.dumps(card))


def test_a_true_card(preset, capsys):
    rows = verify.verify("points")
    assert [row.figure for row in rows] == [
        "value",
        "standard_error",
        "largest",
        "projection_error",
    ]
    assert all(row.within and row.score == "sliced_wasserstein:500" for row in rows)
    assert abs(rows[0].said - rows[0].found) < 1e-6 and np.isfinite(rows[0].found)
    assert rows[0].tolerance == max(0.01 * rows[0].said, 1e-3)
    assert cards.faults(preset.parent) == [] and verify.report(["points"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("ok  points") and len(out.splitlines()) == 1 and err == ""


def test_a_toy_that_was_drawn_on_another_processor(preset):
    _change(preset, lambda score: score["protocol"].update(data_hash="0123456789abcdef"))
    assert all(row.within for row in verify.verify("points"))


def _doctored(details):
    return lambda score: score["details"].update(details)


@pytest.mark.parametrize(
    "change, word",
    [
        (lambda score: score.update(value=score["value"] - 0.1), "sliced_wasserstein:500"),
        (lambda score: score.update(value=math.nan), "sliced_wasserstein:500"),
        (lambda score: score.update(standard_error=0.1), "standard_error"),
        (_doctored({"largest": 9.0}), "largest"),
        (_doctored({"recall": 0.9}), "recall"),
        (lambda score: score.update(tolerance=1e9), "tolerance"),
        (lambda score: score.update(count=400), "samples: the card says 400"),
        (lambda score: score.update(label="modes"), "its measure"),
        (lambda score: score.update(label="sliced_wasserstein:50000"), "its samples"),
    ],
)
def test_a_card_that_says_too_much(preset, capsys, change, word):
    _change(preset, change)
    assert verify.report(["points"]) >= 1
    off = [line for line in capsys.readouterr().out.splitlines() if line.startswith("OFF points")]
    assert any(word in line for line in off)


def test_a_card_of_another_protocol_rank_or_words(preset):
    _change(preset, lambda score: score["protocol"].update(projections=7))
    with pytest.raises(ValueError, match="projections"):
        verify.verify("points")
    _change(preset, lambda score: score["protocol"].update(projections=256))
    _change(preset, lambda score: score.update(notes=["As good as data."]))
    with pytest.raises(ValueError, match="`notes` of sliced_wasserstein.*As good as data"):
        verify.verify("points")
    assert verify.report(["points"]) == 1


def _card(**changes):
    """A card with everything that a recipe writes, and changes to its last target."""
    score = {
        "label": "modes",
        "measure": "modes",
        "count": 400,
        "tolerance": 0.08,
        "name": "modes_covered",
        "value": 8.0,
        "details": {"high_quality": 0.9},
        "protocol": {"samples": 400},
    }
    target = {"score": "modes", "figure": "high_quality", "bound": "at least", "number": 0.8}
    card = {
        "scores": [score],
        "selection": "last of last, best",
        "checkpoints": {
            "last": {"epoch": 3, "scores": [score]},
            "best": {"epoch": 1, "scores": []},
        },
        "training": {"seed": 0, "epochs": 3},
        "targets": [{**target, "found": 0.7, "reached": False}],
        "spread": {
            "seeds": [0, 1],
            "figures": {"modes": [8.0, 7.0], "modes high_quality": [0.9, 0.7]},
        },
    }
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = card
        for key in outer:
            place = place[int(key) if key.isdigit() else key]
        place[last] = value
    return card


@pytest.mark.parametrize(
    "changes, word",
    [
        ({}, None),
        ({"targets__0__reached": True}, "target of modes high_quality, reached"),
        ({"targets__0__found": 0.9}, "target of modes high_quality, found"),
        ({"spread__seeds": [3, 1]}, "spread, the first seed"),
        ({"spread__figures": {"modes high_quality": [0.95, 0.7]}}, "spread, modes high_quality"),
        ({"spread__figures": {"modes": [8.0]}}, "spread, seeds of modes"),
        ({"training__epochs": 4}, "epochs"),
        ({"selection": "best of last, best"}, "scores of the best checkpoint"),
        ({"checkpoints__last__scores": []}, "scores of the last checkpoint"),
    ],
)
def test_a_card_that_contradicts_itself(changes, word):
    card = _card(**changes)
    faults = [*cards._scores(card), *cards._selection(card)]
    faults += [*cards._spread(card), *cards._targets(card)]
    assert not faults if word is None else any(fault.startswith(word) for fault in faults)


def test_every_shipped_card_agrees_with_itself_and_its_files():
    for name in presets.shipped():
        assert cards.faults(presets.SHIPPED / name) == []


@pytest.mark.parametrize("key, value", [("bytes", 3), ("class", "VAE"), ("name", "other")])
def test_a_card_that_says_something_else_of_its_files(preset, key, value):
    card = json.loads(preset.read_text())
    preset.write_text(json.dumps({**card, key: value}))
    (fault,) = cards.faults(preset.parent)
    assert fault.startswith(f"{key}: the card says {value!r}, it is ")
    preset.write_text(json.dumps({**card, "parameters": {"generator": 1}}))
    assert "parameters: the card says {'generator': 1}" in cards.faults(preset.parent)[0]
    (preset.parent / "samples.png").write_bytes(b"")
    assert any(fault.startswith("files: ") for fault in cards.faults(preset.parent))


def test_what_cannot_be_measured_does_not_stop_the_others(preset, tmp_path, capsys):
    """Both are listed, what a card says of its files is checked all the same, and it fails."""
    folder = preset.parent
    for name in ("a_lost", "b_broken"):
        shutil.copytree(folder, tmp_path / name)
        card = json.loads((tmp_path / name / "card.json").read_text())
        text = json.dumps({**card, "name": name, "dataset": "data/gone", "bytes": 1})
        (tmp_path / name / "card.json").write_text(text if name == "a_lost" else "{")
    assert presets.shipped() == ["a_lost", "b_broken", "points"]
    assert verify.report(presets.shipped()) == 4
    out, err = capsys.readouterr()
    lines = [line[:14] for line in out.splitlines()]
    assert lines == [
        "OFF a_lost    ",
        "--- a_lost    ",
        "OFF b_broken  ",
        "--- b_broken  ",
        "ok  points    ",
    ]
    assert "not measured: 2 of 3 presets" in err and "data/gone" in err


def test_the_command_fails_where_a_card_is_wrong(preset, monkeypatch):
    from evaluation import __main__ as main

    def status(name):
        main.FLAGS(["evaluation", f"--verify={name}"])
        return main.main([])

    assert status("points") == 0 and status("all") == 0
    with pytest.raises(ValueError, match="`preset` is unknown.*did you mean 'points'"):
        status("pionts")
    _change(preset, lambda score: score.update(value=0.0))
    assert status("all") == 1
    main.FLAGS.unparse_flags()
    main.FLAGS["verify"].unparse()
