"""From a recipe to a preset: trained, measured, published and loaded; and what cannot be made."""

import json
import re

import numpy as np
import pytest

import zoo
from tests.trainers.runs.ring import RING, written
from trainers.runs import publish, recipes
from zoo import presets


def test_data_that_are_not_there(tmp_path):
    recipe = recipes.load(
        written(tmp_path, settings={"dataset": str(tmp_path / "pictures")}, selection="last")
    )
    with pytest.raises((ValueError, FileNotFoundError), match="pictures"):
        publish.cook(recipe, tmp_path / "runs", verbose=0)
    assert not (tmp_path / "runs").exists()


def test_from_a_recipe_to_a_preset(tmp_path):
    recipe = recipes.load(written(tmp_path))
    card = publish.publish(recipe, tmp_path / "runs", tmp_path / "presets", verbose=0)
    folder = tmp_path / "presets" / "mine"
    assert card == presets.card(folder)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "seed_0",
        "seed_1",
    ]
    # What was measured is what is loaded: weights that float16 can hold.
    generator = zoo.from_preset(folder)
    for weight in generator.get_weights():
        np.testing.assert_array_equal(weight, weight.astype("float16"))
    modes, distance = card["scores"]
    assert (modes["measure"], modes["name"]) == ("modes", "modes_covered")
    assert modes["protocol"]["samples"] == 400 and distance["protocol"]["samples"] == 10_000
    assert card["checkpoints"].keys() == {"best", "last"}
    assert card["checkpoints"]["best"]["scores"] == card["scores"]
    assert card["checkpoints"]["last"]["epoch"] == 2
    assert card["spread"]["seeds"] == [0, 1]
    figures = card["spread"]["figures"]
    assert sorted(figures) == ["modes:400", "modes:400 high_quality", "sliced_wasserstein"]
    assert figures["sliced_wasserstein"][0] == distance["value"]
    assert figures["modes:400 high_quality"][0] == modes["details"]["high_quality"]
    assert len(set(figures["sliced_wasserstein"])) == 2
    # A target is reached when all seeds reach it.
    covered = min(figures["modes:400"])
    assert card["targets"][0]["found"] == covered
    assert [target["reached"] for target in card["targets"]] == [covered >= 8, True, True]
    assert card["training"]["seconds"] >= 1
    assert re.fullmatch(r"[1-9][0-9]* CPU cores?", card["training"]["device"])
    assert publish.summary(card).startswith("modes:400 ")
    # Once more, and nothing is trained again.
    files = [tmp_path / "runs" / f"seed_{seed}" / "gan.keras" for seed in range(2)]
    before = [path.stat().st_mtime_ns for path in files]
    again = publish.publish(recipe, tmp_path / "runs", tmp_path / "presets", verbose=0)
    assert [path.stat().st_mtime_ns for path in files] == before
    assert again["scores"] == card["scores"]


def test_a_training_that_diverges_makes_no_preset(tmp_path):
    """Steps of 1e30 in the weights overflow at once."""
    optimizer = {"SGD": {"learning_rate": 1e30}}
    rates = {"generator_optimizer": optimizer, "discriminator_optimizer": optimizer}
    recipe = recipes.load(
        written(
            tmp_path,
            compile=rates,
            settings={**RING["settings"], "score": None},
            selection="last",
            seeds=[],
        )
    )
    with pytest.raises(ValueError, match="the training diverged"):
        publish.publish(recipe, tmp_path / "runs", tmp_path / "presets", verbose=0)
    assert not (tmp_path / "presets").exists()


def test_an_installed_package_gets_no_presets(tmp_path, monkeypatch):
    """Before any training; a folder that is named gets them."""
    monkeypatch.setattr(publish, "SOURCE", tmp_path / "site-packages")
    recipe = recipes.load(written(tmp_path))
    for call in (publish.publish, lambda recipe, runs: publish.publish_all(["a"], runs)):
        with pytest.raises(ValueError, match="`--publish_dir` is missing.*site-packages"):
            call(recipe, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
    assert publish.destination(tmp_path / "mine") == tmp_path / "mine"
    with pytest.raises(ValueError, match="`--publish_dir` cannot be made.*is a file"):
        publish.publish(recipe, tmp_path / "runs", __file__)
    assert not (tmp_path / "runs").exists()


def test_shipped_cards_say_what_their_recipes_do():
    """Data, seeds and batches of a card are those of the recipe that made its weights."""
    for name in presets.shipped():
        card, recipe = presets.card(name), recipes.load(name)
        settings = recipe.settings
        assert card["recipe"] == recipe.fingerprint, name
        assert (card["dataset"], card["training"]["seed"]) == (settings.dataset, settings.seed)
        assert card["training"]["batch_size"] == settings.batch_size
        assert card["command"] == f"python -m trainers --recipe={name} --publish"
        assert [score["label"] for score in card["scores"]] == list(recipe.measures)
        seeds = [settings.seed, *recipe.seeds]
        assert (card["spread"] or {"seeds": [settings.seed]})["seeds"] == seeds
        bounds = [[t["score"], t["figure"], t["bound"], t["number"]] for t in card["targets"]]
        assert bounds == [list(target) for target in recipe.targets]


def test_all_of_them(tmp_path, monkeypatch, capsys):
    """One after another; one that fails does not stop the others, one that is there is skipped."""
    small = {**RING, "measures": ["modes:100"], "targets": [], "seeds": []}
    no_data = {**small["settings"], "dataset": str(tmp_path / "pictures")}
    folder = tmp_path / "recipes"
    folder.mkdir()
    for name, settings in (("a_lost", no_data), ("b_small", small["settings"])):
        (folder / f"{name}.json").write_text(json.dumps({**small, "settings": settings}))
    monkeypatch.setattr(recipes, "FOLDER", folder)
    monkeypatch.setattr(presets, "SHIPPED", tmp_path / "presets")
    names = recipes.names()
    assert publish.publish_all(names, tmp_path / "runs", verbose=0) == ["a_lost"]
    out, err = capsys.readouterr()
    assert "b_small: modes:100 " in out and "a_lost: not made" in err and "pictures" in err
    assert [path.name for path in (tmp_path / "presets").iterdir()] == ["b_small"]
    assert presets.card("b_small")["recipe"] == recipes.load("b_small").fingerprint
    assert publish.publish_all(names, tmp_path / "runs", verbose=0) == ["a_lost"]
    assert "b_small: there already" in capsys.readouterr().out
