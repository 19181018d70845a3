"""What bounds a generator's digits as a training set: the 1-nearest-neighbour error, taken apart.

  python -m studies.nearest_neighbours --quick     # 10,000 samples, a third of the test digits
  python -m studies.nearest_neighbours --full      # 50,000 samples at a time, all test digits

DCGAN (first version), table 2: 50,000 generated labelled digits teach the nearest-neighbour rule
as well as 50,000 real ones. The preset conditional_dcgan_mnist does not. Each test digit has a
distance to its nearest sample of its own class, and one to its nearest sample of another; it is
taken wrongly when the second is less. What changes these two, and by how much: labels that are
wrong, how many samples there are and how varied, what they lack in sharpness, offsets, and which
of them are kept.
"""

import functools

import numpy as np
from scipy import ndimage

import evaluation
import zoo
from studies import digits, neighbour_report, study
from studies.neighbour_distances import nearest
from studies.study import Study
from zoo import random
from zoo.players import sampling

PRESET = "conditional_dcgan_mnist"
FULL, QUICK = (50_000, 1), (10_000, 3)  # Samples of a block; one of so many test digits.
BLOCKS = {True: 4, False: 2}  # By whether it is in full.
SIZES = (200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 60_000)
SURE = 0.99
OTHER = {  # Latents: the truncation, and what their draws are multiplied by.
    "truncation 2": (2.0, 1.0),
    "latents x 0.8": (None, 0.8),
    "latents x 1.2": (None, 1.2),
}
CHOSEN = "latents x 0.8"  # Of which as many again are drawn, to choose from.
BLUR, FLOOR = 0.7, 32  # Standard deviation in pixels; a grey level that is taken for paper.


@functools.cache
def player(role):
    """The preset's generator or discriminator."""
    return zoo.from_preset(PRESET, role)


def asked(every):
    """One of so many test digits, and their labels."""
    return tuple(array[::every] for array in digits.mnist("test"))


def labels_of(count):
    """As many labels of each digit, in turn."""
    return sampling.labels_in_turn(count, 10)


@functools.lru_cache(2)
def drawn(count, seed, name=None):
    """Samples of the preset; with a name of `OTHER` of other latents than it has learned from."""
    generator, (limit, scale) = player("generator"), OTHER.get(name, (None, 1.0))
    first = random.from_seed(generator.prior, count, generator.latent_dim, seed, limit).numpy()
    return sampling.decode(generator, scale * first, labels_of(count), 500)


def logits(images, labels):
    """How real the discriminator finds labelled uint8 images, `(n,)`."""
    discriminator = player("discriminator")
    found = []
    for start in range(0, len(images), 500):
        rows = slice(start, start + 500)
        given = {"images": images[rows] / np.float32(127.5) - 1, "labels": labels[rows]}
        found.append(np.asarray(sampling.logits_of(discriminator.predict_on_batch(given))).ravel())
    return np.concatenate(found)


def only(labels, kept):
    """Labels with -1, which is left out, where something is not kept."""
    return np.where(kept, labels, -1)


def best_half(values, labels):
    """Of each class those whose values are above its median."""
    medians = np.array([np.median(values[labels == c]) for c in range(10)])
    return values > medians[labels]


def accepted(values, seed):
    """Rejection by a discriminator's logits log p/q: `u < (p/q) / max`, the 95th percentile as max.

    Reference:
        - [Azadi et al., 2019](https://arxiv.org/abs/1810.06758), without its threshold gamma.
    """
    draws = np.random.default_rng(seed).uniform(size=len(values))
    return np.log(draws) < values - np.quantile(values, 0.95)


def versions(images, labels, seed):
    """Labels by what is kept of a block of samples, or by which label it gets."""
    count = len(images)
    chances = evaluation.extractors.load("mnist").probabilities(images)
    seen = chances.argmax(axis=1)
    score = logits(images, labels)
    return {
        **sizes(labels),
        "recognised": only(labels, seen == labels),
        "relabelled": seen,
        "sure": only(labels, chances[np.arange(count), labels] >= SURE),
        "best half by D": only(labels, best_half(score, labels)),
        "rejection by D": only(labels, accepted(score, seed)),
    }


def sizes(labels):
    """The first n, by n; all of them under their own number."""
    numbers = {n for n in SIZES if n < len(labels)} | {len(labels)}
    return {str(n): only(labels, np.arange(len(labels)) < n) for n in sorted(numbers)}


def block(full, seed):
    """Distances to one block of samples in all its versions, and how many these keep."""
    count, every = FULL if full else QUICK
    images, labels = drawn(count, seed), labels_of(count)
    given = versions(images, labels, seed)
    made = nearest(*asked(every), images, given)
    return {"distances": made, "kept": {k: float(np.mean(v >= 0)) for k, v in given.items()}}


def more(full, seed):
    """Distances to another block, and to its better half."""
    count, every = FULL if full else QUICK
    images, labels = drawn(count, seed), labels_of(count)
    half = best_half(logits(images, labels), labels)
    given = {str(count): labels, "best half by D": only(labels, half)}
    return {"distances": nearest(*asked(every), images, given)}


def real(full):
    """Distances to the first n training digits."""
    images, labels = digits.mnist("train")
    count, every = (len(images), FULL[1]) if full else QUICK
    return {"distances": nearest(*asked(every), images[:count], sizes(labels[:count]))}


def other_latents(full, name, seed):
    """Distances to samples of other latents."""
    count, every = FULL if full else QUICK
    images = drawn(count, seed, name)
    return {"distances": nearest(*asked(every), images, {"all": labels_of(count)})}


def chosen(full, seed):
    """Distances to the best of twice as many samples of latents near 0, if they are recognised."""
    count, every = FULL if full else QUICK
    images, labels = drawn(2 * count, seed, CHOSEN), labels_of(2 * count)
    half = best_half(logits(images, labels), labels)
    images, labels = images[half], labels[half]
    seen = evaluation.extractors.load("mnist").probabilities(images).argmax(axis=1)
    kept = only(labels, seen == labels)
    return {"distances": nearest(*asked(every), images, {"all": kept})}


def blurred(images, scale):
    """Images under a Gaussian of so many pixels."""
    return np.rint(ndimage.gaussian_filter(images.astype("f4"), (0, scale, scale, 0))).astype("u1")


def sharpened(images, scale):
    """Images, and what a blur takes from them once more."""
    flat = images.astype("f4")
    wider = ndimage.gaussian_filter(flat, (0, scale, scale, 0))
    return np.rint(np.clip(2 * flat - wider, 0, 255)).astype("u1")


def cleaned(images):
    """Images whose nearly white is white, and whose nearly black is black."""
    return np.where(images < FLOOR, 0, np.where(images > 255 - FLOOR, 255, images)).astype("u1")


CHANGES = {  # Of the training images, and of the test digits.
    "samples blurred": (lambda x: blurred(x, BLUR / 2), None),
    "samples sharpened": (lambda x: sharpened(x, BLUR), None),
    "samples cleaned": (cleaned, None),
    "all blurred": (lambda x: blurred(x, BLUR), lambda x: blurred(x, BLUR)),
    "all blurred twice as wide": (lambda x: blurred(x, 2 * BLUR), lambda x: blurred(x, 2 * BLUR)),
}
MOVED = 5  # One of so many test digits is looked for in nine places.


def changed(full, name, seed):
    """Distances after a change of the images, to samples and to real digits."""
    count, every = FULL if full else QUICK
    ours, theirs = CHANGES[name]
    test, truth = asked(every)
    test = theirs(test) if theirs else test
    train, labels = (array[:count] for array in digits.mnist("train"))
    pairs = {"samples": (drawn(count, seed), labels_of(count)), "real": (train, labels)}
    if theirs is None:  # Real digits need no cure.
        pairs.pop("real")
    return {
        of: nearest(test, truth, ours(images), {"all": numbers})["all"]
        for of, (images, numbers) in pairs.items()
    }


def moved(full, seed):
    """Distances from test digits that may lie a pixel off, to samples and to real digits."""
    count, every = FULL if full else QUICK
    (test, truth), train = asked(MOVED * every), digits.mnist("train")
    places = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    nine = np.concatenate([np.roll(test, place, axis=(1, 2)) for place in places])
    made = {}
    pairs = {"samples": (drawn(count, seed), labels_of(count))}
    pairs["real"] = tuple(array[:count] for array in train)
    for of, (images, numbers) in pairs.items():
        found = nearest(nine, np.tile(truth, 9), images, {"all": numbers})["all"]
        made[of] = {k: np.reshape(v, (9, -1)).min(axis=0).tolist() for k, v in found.items()}
        made[f"{of}, not moved"] = {
            k: np.reshape(v, (9, -1))[places.index((0, 0))].tolist() for k, v in found.items()
        }
    return made


def traits(full, seed):
    """Of samples and of real digits: paper, ink, and what a neighbour of a pixel differs by."""
    count = FULL[0] if full else QUICK[0]
    made = {"samples": drawn(count, seed), "real": digits.mnist("train")[0][:count]}
    return {
        name: {
            "paper": float((images == 0).mean()),
            "faint": float(((images > 0) & (images < FLOOR)).mean()),
            "ink": float(images.mean()),
            "edges": float(np.abs(np.diff(images.astype("f4"), axis=2)).mean()),
            "pictures": images[:30, ..., 0].tolist(),
        }
        for name, images in made.items()
    }


def parts(full, seed):
    """What each change makes of the distances."""
    digits.needed()
    yield "real", lambda: real(full)
    yield "block_0", lambda: block(full, seed)
    for b in range(1, BLOCKS[full]):
        yield f"block_{b}", lambda b=b: more(full, seed + b)
    yield "traits", lambda: traits(full, seed)
    for name in OTHER:
        yield name, lambda name=name: other_latents(full, name, seed)
    yield "chosen", lambda: chosen(full, seed)
    for name in CHANGES:
        yield name, lambda name=name: changed(full, name, seed)
    yield "moved", lambda: moved(full, seed)


STUDY = Study("nearest_neighbours", parts, neighbour_report.report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
