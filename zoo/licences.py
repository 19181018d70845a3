"""What is known of the data that presets learned from: licences, and names on the Hub."""

OF_DATA = {"mnist": "CC BY-SA 3.0", "keras:fashion_mnist": "MIT"}
ON_THE_HUB = {"mnist": "ylecun/mnist", "keras:fashion_mnist": "zalando-datasets/fashion_mnist"}


def of(card):
    """The licence of the data of a preset's card, or `None`: as far as their makers say."""
    dataset = card.get("dataset")
    return OF_DATA.get(dataset) if isinstance(dataset, str) else None
