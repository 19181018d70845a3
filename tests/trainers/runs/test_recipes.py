"""Recipes: those of the project, what a file says, and what is refused."""

import pytest

import zoo
from evaluation import measures
from tests.trainers.runs.ring import RING, written
from trainers.runs import recipes
from trainers.runs.construction import make
from zoo import datasets

# Values of another kind, or out of range, of settings.
WRONG = [
    ("epochs", "10", "of another kind. Expected an integer. Received: epochs='10'"),
    ("epochs", -1, "out of range. Expected a positive integer"),
    ("epochs", 1.5, "of another kind"),
    ("epochs", None, "of another kind. Expected an integer. Received: epochs=None"),
    ("epochs", True, "of another kind"),
    ("jit_compile", True, "of another kind. Expected a text"),
    ("dataset", ["mnist"], "of another kind. Expected a text"),
    ("conditional", 1, "of another kind. Expected true or false"),
    ("learning_rate", "fast", "of another kind. Expected a number, or none"),
    ("learning_rate", -1, "not positive"),
    ("batch_size", 0, "out of range"),
    ("steps_per_execution", 0, "out of range"),
    ("latent_dim", 0, "out of range"),
]


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
        recipes.load(written(tmp_path, **changes)).fingerprint
        for changes in ({}, {"description": "Other words."}, {"targets": []})
    }
    assert len(found) == 1 and len(found.pop()) == 16
    for changes in ({"half": False}, {"generator": {"units": [9]}}, {"selection": "last"}):
        assert recipes.load(written(tmp_path, **changes)).fingerprint not in found | {""}
        found.add(recipes.load(written(tmp_path, **changes)).fingerprint)
    assert recipes.load(written(tmp_path)).fingerprint not in found


def test_what_a_recipe_says(tmp_path):
    recipe = recipes.load(written(tmp_path))
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
        (
            {"selecton": "best"},
            "`selecton` is no key.*did you mean 'selection'.*in '.*mine.json'",
        ),
        *(({"settings": RING["settings"] | {n: v}}, f"`{n}` is {what}") for n, v, what in WRONG),
        ({"sha256": "0" * 64}, "`recipe` is not as it was written.*Received: '[0-9a-f]{64}'"),
        ({"settings": {"epoch": 3}}, "`epoch` is no key of a recipe; did you mean 'epochs'"),
        ({"settings": {"steps": 9}}, "`steps` is no length of a recipe.*settings.epochs.*steps=9"),
        ({"settings": []}, "`settings` has another type. Expected a dict.*mine.json'"),
        ({"generator": []}, "`generator` has another type. Expected a dict"),
        ({"seeds": 3}, "`seeds` has another type. Expected a list"),
        ({"half": "yes"}, "`half` has another type. Expected a bool. Received: half='yes'"),
        ({"selection": "first"}, r"`selection` is unknown. Expected one of \['best', 'last'\]"),
        (
            {"settings": {}, "selection": "best"},
            "`selection` is the best by no score",
        ),
        (
            {"targets": [["modes", "value", "above", 3]]},
            "`targets` holds what is no.*mine.json'",
        ),
        ({"targets": [3]}, "`targets` holds what is no bound.*Received: 3"),
        ({"targets": [["modes:400", "value", "at least", "8"]]}, "`targets` holds what is no"),
        ({"targets": [["modes:400", "value", "at least", float("nan")]]}, "`targets` holds"),
        ({"targets": [[["modes:400"], "value", "at least", 8]]}, "`targets` holds what is no"),
        ({"measures": [3]}, "`measures` holds what is no measure.*Received: 3"),
        ({"measures": ["modes:many"]}, "`measures` holds what is no measure"),
        ({"measures": ["modes:0"]}, "`measures` holds what is no measure"),
        ({"seeds": ["1"]}, "`seed` is not an integer"),
        ({"seeds": [True]}, "`seed` is not an integer"),
        ({"compile": {"generator_optimizer": {"Adm": {}}}}, "`Adm` is an unknown class.*Adam"),
        ({"compile": {"generator_optimizer": {"Adam": 3}}}, "`value` is no class with its"),
        ({"compile": {"discriminator_penalties": [{"R1": {"weight": -1}}]}}, "`weight`"),
    ],
)
def test_recipes_that_are_wrong(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        recipes.load(written(tmp_path, **changes))


def test_recipes_that_are_not_there(tmp_path):
    with pytest.raises(ValueError, match="`recipe` is unknown.*did you.*recipe='dcgan_mnits'"):
        recipes.load("dcgan_mnits")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match="`recipe` is no JSON.*broken.json'"):
        recipes.load(tmp_path / "broken.json")
    with pytest.raises(FileNotFoundError):
        recipes.load(tmp_path / "none.json")
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(ValueError, match="`recipe` has no settings.*card.json'"):
        recipes.load(tmp_path / "card.json")
