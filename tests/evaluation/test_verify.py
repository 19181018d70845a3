"""Cards that are true, and cards that are not."""

import json

import numpy as np
import pytest

import evaluation
import zoo
from evaluation import measures, verify
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
        "tolerance": 1e-3,
    }
    monkeypatch.setattr(presets, "SHIPPED", tmp_path)
    zoo.save_preset(generator, tmp_path / "points", card={"dataset": "ring", "scores": [entry]})
    return tmp_path / "points" / "card.json"


def _change(path, change):
    card = json.loads(path.read_text())
    change(card["scores"][0])
    path.write_text(json.dumps(card))


def test_a_true_card(preset, capsys):
    ((label, said, found, tolerance, within),) = verify.verify("points")
    assert label == "sliced_wasserstein:500" and within and tolerance == 1e-3
    assert abs(said - found) < 1e-6 and np.isfinite(found)
    assert verify.report(["points"]) == 0
    assert capsys.readouterr().out.startswith("ok  points")


def test_a_toy_that_was_drawn_on_another_processor(preset):
    _change(preset, lambda score: score["protocol"].update(data_hash="0123456789abcdef"))
    assert verify.verify("points")[0][-1]


def test_a_card_that_says_too_much(preset, capsys):
    _change(preset, lambda score: score.update(value=score["value"] - 0.01))
    assert verify.report(["points"]) == 1
    assert capsys.readouterr().out.startswith("OFF points")


def test_a_card_of_another_protocol(preset):
    _change(preset, lambda score: score["protocol"].update(projections=7))
    with pytest.raises(ValueError, match="projections"):
        verify.verify("points")


def test_the_command_fails_where_a_card_is_wrong(preset, monkeypatch):
    from evaluation import __main__ as main

    def status(name):
        main.FLAGS(["evaluation", f"--verify={name}"])
        return main.main([])

    assert status("points") == 0 and status("all") == 0
    _change(preset, lambda score: score.update(value=0.0))
    assert status("all") == 1
    main.FLAGS.unparse_flags()
    main.FLAGS["verify"].unparse()
    assert evaluation.measures is measures
