"""Recipes: read and refused; and one that is trained, measured, published and loaded."""

import json
import re

import numpy as np
import pytest

import zoo
from evaluation import measures
from trainers.runs import publish, recipes
from trainers.runs.settings import make
from zoo import datasets, presets

RING = {
    "description": "A small game on the ring.",
    "settings": {
        "dataset": "ring",
        "generator": "mlp",
        "latent_dim": 4,
        "epochs": 2,
        "batch_size": 20_000,
        "score": "modes",
        "score_samples": 500,
    },
    "generator": {"units": [8]},
    "discriminator": {"units": [8]},
    "compile": {"generator_optimizer": {"Adam": {"learning_rate": 0.001}}},
    "selection": "best",
    "measures": ["modes:400", "sliced_wasserstein"],
    "targets": [
        ["modes:400", "value", "at least", 8],
        ["sliced_wasserstein", "value", "at most", 100],
        ["modes:400", "high_quality", "at least", 0],
    ],
    "seeds": [1, 2],
}


def _written(tmp_path, **changes):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**RING, **changes}))
    return str(path)


@pytest.mark.parametrize("name", recipes.names())
def test_the_recipes_of_the_project(name):
    """Each makes a trainer, whose measures are known."""
    recipe = recipes.load(name)
    assert recipe.description and recipe.measures and recipe.targets
    assert {measure for _, measure, _ in recipe.counts()} <= measures.MEASURES.keys()
    shapes = {"ring": (2,), "mnist": (28, 28, 1), "keras:fashion_mnist": (28, 28, 1)}
    shape = shapes.get(recipe.settings.dataset, (32, 32, 3))
    kind = "float32" if shape == (2,) else "uint8"
    info = datasets.DatasetInfo(recipe.settings.dataset, shape, kind, 10, 1000)
    trainer = make(recipe.settings, info, recipe.details)
    assert tuple(trainer.sampler.image_shape) == shape


@pytest.mark.parametrize("card", zoo.list_presets(), ids=lambda card: card["name"])
def test_shipped_presets_are_those_of_their_recipes(card):
    assert card["recipe"] == recipes.load(card["name"]).fingerprint


def test_beside_a_recipe_for_an_accelerator_stands_one_for_a_cpu():
    found = {name: recipes.load(name).device for name in recipes.names()}
    needed = {f"{name}_cpu" for name, device in found.items() if device}
    assert needed and needed == {name for name in found if name.endswith("_cpu")}
    assert not any(found[name] for name in needed)


def test_a_fingerprint_is_of_what_decides_the_weights(tmp_path):
    found = {
        recipes.load(_written(tmp_path, **changes)).fingerprint
        for changes in ({}, {"description": "Other words."}, {"targets": []})
    }
    assert len(found) == 1 and len(found.pop()) == 16
    for changes in ({"half": False}, {"generator": {"units": [9]}}, {"selection": "last"}):
        assert recipes.load(_written(tmp_path, **changes)).fingerprint not in found | {""}
        found.add(recipes.load(_written(tmp_path, **changes)).fingerprint)
    assert recipes.load(_written(tmp_path)).fingerprint not in found


def test_what_a_recipe_says(tmp_path):
    recipe = recipes.load(_written(tmp_path))
    assert recipe.name == "mine" and recipe.half and recipe.device == ""
    assert recipe.settings.latent_dim == 4 and recipe.details.generator == {"units": [8]}
    assert recipe.counts() == [
        ("modes:400", "modes", 400),
        ("sliced_wasserstein", "sliced_wasserstein", 10_000),
    ]
    assert recipe.with_seed(7).settings.seed == 7 and recipe.settings.seed == 0


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"selecton": "best"}, "no such key; did you mean 'selection'"),
        ({"settings": {"epoch": 3}}, "no such key; did you mean 'epochs'"),
        ({"settings": []}, "the recipe to be a dict"),
        ({"generator": []}, "generator to be a dict"),
        ({"seeds": 3}, "seeds to be a list|seeds to be a tuple"),
        ({"half": "yes"}, "half to be a bool"),
        ({"selection": "first"}, r"Expected one of \('last', 'best'\)"),
        ({"settings": {}, "selection": "best"}, "best by a score"),
        ({"targets": [["modes", "value", "above", 3]]}, "A target is a bound"),
    ],
)
def test_recipes_that_are_wrong(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        recipes.load(_written(tmp_path, **changes))


def test_recipes_that_are_not_there(tmp_path):
    with pytest.raises(ValueError, match="Unknown recipe.*Received: 'dcgan_mnits'"):
        recipes.load("dcgan_mnits")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match="no JSON"):
        recipes.load(tmp_path / "broken.json")
    with pytest.raises(FileNotFoundError):
        recipes.load(tmp_path / "none.json")


def test_data_that_are_not_there(tmp_path):
    recipe = recipes.load(
        _written(tmp_path, settings={"dataset": str(tmp_path / "pictures")}, selection="last")
    )
    with pytest.raises((ValueError, FileNotFoundError), match="pictures"):
        publish.cook(recipe, tmp_path / "runs", verbose=0)
    assert not (tmp_path / "runs").exists()


def test_from_a_recipe_to_a_preset(tmp_path):
    recipe = recipes.load(_written(tmp_path))
    card = publish.publish(recipe, tmp_path / "runs", tmp_path / "presets", verbose=0)
    folder = tmp_path / "presets" / "mine"
    assert card == presets.card(folder)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "seed_0",
        "seed_1",
        "seed_2",
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
    assert card["spread"]["seeds"] == [0, 1, 2]
    figures = card["spread"]["figures"]
    assert sorted(figures) == ["modes:400", "modes:400 high_quality", "sliced_wasserstein"]
    assert figures["sliced_wasserstein"][0] == distance["value"]
    assert figures["modes:400 high_quality"][0] == modes["details"]["high_quality"]
    assert len(set(figures["sliced_wasserstein"])) == 3
    # A target is reached when all seeds reach it.
    covered = min(figures["modes:400"])
    assert card["targets"][0]["found"] == covered
    assert [target["reached"] for target in card["targets"]] == [covered >= 8, True, True]
    judged = publish._judged(
        ["sliced_wasserstein", "value", "at most", figures["sliced_wasserstein"][0]],
        [[{"label": "sliced_wasserstein", "value": v}] for v in figures["sliced_wasserstein"]],
    )
    assert judged["found"] == max(figures["sliced_wasserstein"])
    for unknown in ([0.1, float("nan")], [float("nan"), 0.1]):
        trials = [[{"label": "loss", "value": value}] for value in unknown]
        assert not publish._judged(["loss", "value", "at most", 1.0], trials)["reached"]
    assert card["training"]["seconds"] >= 1
    assert re.fullmatch(r"[1-9][0-9]* CPU cores?", card["training"]["device"])
    assert publish.summary(card).startswith("modes:400 ")
    # Once more, and nothing is trained again.
    files = [tmp_path / "runs" / f"seed_{seed}" / "gan.keras" for seed in range(3)]
    before = [path.stat().st_mtime_ns for path in files]
    again = publish.publish(recipe, tmp_path / "runs", tmp_path / "presets", verbose=0)
    assert [path.stat().st_mtime_ns for path in files] == before
    assert again["scores"] == card["scores"]


def test_a_training_that_diverges_makes_no_preset(tmp_path):
    """Steps of 1e30 in the weights overflow at once."""
    optimizer = {"SGD": {"learning_rate": 1e30}}
    rates = {"generator_optimizer": optimizer, "discriminator_optimizer": optimizer}
    recipe = recipes.load(
        _written(
            tmp_path,
            compile=rates,
            settings={**RING["settings"], "score": None},
            selection="last",
            seeds=[],
        )
    )
    with pytest.raises(ValueError, match="no numbers any more.*gan.keras' stays"):
        publish.publish(recipe, tmp_path / "runs", tmp_path / "presets", verbose=0)
    assert not (tmp_path / "presets").exists()


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
