"""Points of a toy mixture, drawn as they are needed; a test point is never a train point."""

import tensorflow as tf

from zoo import random, toys
from zoo.datasets.dataset import Dataset, check_split
from zoo.validation import check_positive


class Points(Dataset):
    """The points of a mixture of `zoo.toys`.

    Args:
        name: str. The toy.
        split: `"train"` or `"test"`.
        image_size: Has to be `None`: points have no pixels.
        examples: int. Points in an epoch.

    Raises:
        ValueError: If an argument is wrong.
    """

    dtype = "float32"
    drawn = True

    def __init__(self, name, split, image_size, examples):
        self.split = check_split(split, name)
        if image_size is not None:
            raise ValueError(
                f"`image_size` has no meaning for the points of {name!r}. Expected None. "
                f"Received: image_size={image_size}"
            )
        check_positive(examples=examples)
        self.name, self.mixture, self.count = name, toys.get(name), examples
        self.sample_shape = (self.mixture.dim,)

    def read(self):
        return self.mixture.sample(self.count, (0, self.split)).numpy(), None

    def stream(self, order, labels):
        def batch(indices, epoch, step):
            count = indices.shape[0] or tf.shape(indices)[0]
            seed = random.fold((order.seed, self.split), epoch, step)
            return self.mixture.sample(count, seed)

        return order.dataset(batch)
