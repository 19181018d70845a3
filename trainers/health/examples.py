"""Real samples that a training is compared with: a few of whatever form `fit` takes."""

import numpy as np

from trainers.steps import batches, data_checks
from zoo.players import given

ENOUGH, ROOM = 10_000, 2**25  # Samples, and numbers in them.


def gathered(traits, data, name):
    """At most 10,000 samples with their labels, or their conditions, as arrays.

    Args:
        traits: `zoo.players.Traits` of the generator.
        data: An array of samples, `(samples, labels)`, or a data set of batches, of which the
            first are taken. Of an array rows are taken evenly.
        name: The argument that it is.

    Raises:
        ValueError: If they do not fit the generator.
    """
    room = max(2, min(ENOUGH, ROOM // max(int(np.prod(traits.image_shape)), 1)))
    samples, labels = _parts(traits, data, room)
    if len(samples) < 2:
        raise ValueError(
            f"`{name}` has too few samples to compare with. Expected at least 2, better 1,000. "
            f"Received: {name} of {len(samples)} samples"
        )
    rows = np.linspace(0, len(samples) - 1, min(room, len(samples))).astype(int)
    return data_checks.check_samples(
        traits, samples[rows], None if labels is None else np.asarray(labels)[rows]
    )


def _parts(traits, data, room):
    given.refuse_makers(data)
    if isinstance(data, tuple) and len(data) == 2 and hasattr(data[0], "shape"):
        return np.asarray(data[0]), data[1]
    if batches.is_array(data, traits.image_shape):
        return np.asarray(data), None
    samples, labels, count = [], [], 0
    for batch in data:
        some, told = data_checks.check_batch(traits, batch, warns=False)
        samples.append(np.asarray(some))
        labels.append(told)
        count += len(some)
        if count >= room:
            break
    if not samples:
        return np.empty((0, *traits.image_shape)), None
    told = None if labels[0] is None else np.concatenate(labels)
    return np.concatenate(samples), told
