"""The names of classes of well-known data, as their makers list them, in the order of the labels.

Reference:
    - [Xiao et al., 2017](https://arxiv.org/abs/1708.07747), table 1.
    - Krizhevsky, 2009, Learning multiple layers of features from tiny images, section 3.
"""

FASHION = (
    *("T-shirt", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
OF_DATA = {
    "keras:fashion_mnist": FASHION,
    "keras:cifar10": CIFAR10,
    "data/cifar10_jpeg": CIFAR10,
}


def of(card):
    """The names of the classes of a preset's data, or `None`."""
    return OF_DATA.get(card.get("dataset"))
