"""Names of classes, for presets that hold none."""

import zoo
from export.page import class_names


def test_every_presets_data():
    """Digits are their own names, and points and stacks of digits have no classes."""
    data = {card["dataset"] for card in zoo.list_presets()}
    named = {name for name in data if class_names.of({"dataset": name})}
    assert data - named == {"mnist", "ring", "stacked_mnist"}
    assert all(len(set(names)) == 10 for names in class_names.OF_DATA.values())


def test_fashion():
    names = class_names.of({"dataset": "keras:fashion_mnist"})
    assert names[1] == "Trouser" and names[9] == "Ankle boot"
