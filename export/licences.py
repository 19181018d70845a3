"""The licences of the data that presets learned from, as far as their makers say."""

OF_DATA = {"mnist": "CC BY-SA 3.0", "keras:fashion_mnist": "MIT"}


def of(card):
    """The licence of the data of a preset's card, or `None`."""
    return OF_DATA.get(card.get("dataset"))
