"""How many modes the samples reach: mixtures of known centres, and stacked digits."""

import numpy as np

from evaluation.features import check_extractor
from evaluation.samples import check_numbers
from evaluation.score import Measure
from zoo.blocks import slices
from zoo.validation import as_array, check_above_zero, in_short

BLOCK = 4096
FEW, SEVERAL = 1, 20  # Two rules of counting: a sample is enough, or twenty are.
# A third, by which generators are ranked: this share of what the mode should have. A uniform cloud
# or a circle through the ring's modes has less than a tenth in each.
FAIR = 0.25
RANKED_BY = ("captured", "overlap")
STACKED_CLASSES = 1000
STACKED_SAMPLES = 25_600  # VEEGAN's and PacGAN's number of samples.


def coverage(counts, weights=None, total=None):
    """What a histogram over modes says.

    Args:
        counts: Integers of shape `(modes,)`: samples of each mode.
        weights: Floats of shape `(modes,)` of sum 1. Defaults to equal ones.
        total: int. All samples, with those of no mode. Defaults to the sum of the counts.

    Returns:
        dict of `covered` (modes with a sample), `covered_20` (modes with 20), `kl` (the
        divergence KL(share of the samples || weights) in nats, infinite without a sample),
        `captured` (modes with at least `weight / 4` of all samples) and `overlap`,
        `sum_k min(count_k / total, weight_k)`: 1 less the total variation distance between the
        samples and the mixture, sorted into the modes and the rest.
    """
    counts = np.asarray(counts, "float64")
    weights = np.full(len(counts), 1 / len(counts)) if weights is None else np.asarray(weights)
    total = max(counts.sum() if total is None else total, 1.0)
    share = counts / max(counts.sum(), 1.0)
    some = share > 0
    divergence = np.sum(share[some] * np.log(share[some] / weights[some])) if some.any() else np.inf
    return {
        "covered": int(np.sum(counts >= FEW)),
        "covered_20": int(np.sum(counts >= SEVERAL)),
        "kl": float(divergence),
        "captured": int(np.sum((counts > 0) & (counts / total >= FAIR * weights))),
        "overlap": float(np.minimum(counts / total, weights).sum()),
    }


class ModeCoverage(Measure):
    """Modes of a mixture that samples reach, the share of good samples, and how even they are.

    A sample belongs to the nearest centre, measured in that mode's scale, and is of high quality
    when it lies within `radius` scales of it. A mode is covered when at least one high-quality
    sample belongs to it. The details have the count of modes with at least 20 of them
    (`covered_20`), `high_quality` (the share of such samples), and `kl`, the divergence
    KL(shares of the modes among high-quality samples || the mixture's weights) in nats.

    The figure is the papers': one stray sample covers a mode, and it ends at the number of modes.
    So two scores rank by two other details first: the modes `captured`, with high-quality samples
    for at least a quarter of their weight, and the `overlap`
    `sum_k min(high-quality share of mode k, weight_k)`, which strays, lost modes and uneven ones
    lower alike: 1 less the total variation distance between the two histograms.

    Args:
        mixture: A `zoo.toys.Mixture`, such as `zoo.toys.ring()`: anything with `centres (modes,
            dim)`, `scales (modes,)` and `weights (modes,)`.
        radius: Positive float. In scales. A perfect model has a high quality of
            `P(chi^2_dim <= radius^2)`: 0.9889 in two dimensions at 3.

    Reference:
        - [Metz et al., 2017](https://arxiv.org/abs/1611.02163), section 3.1; [Srivastava et al.,
          2017](https://arxiv.org/abs/1705.07761), section 4.1.
    """

    name = "modes_covered"
    higher_is_better = True
    ranked_by = RANKED_BY

    def __init__(self, mixture, radius=3.0):
        check_above_zero(radius=radius)
        if not all(hasattr(mixture, name) for name in ("centres", "scales", "weights")):
            raise ValueError(
                "`mixture` has no modes. Expected a zoo.toys.Mixture, such as zoo.toys.ring(). "
                f"Received: mixture={in_short(mixture)}"
            )
        self.mixture, self.radius = mixture, float(radius)

    def counts(self, samples):
        """High-quality samples of each mode: integers of shape `(modes,)`.

        Raises:
            ValueError: If the samples are no finite points of the mixture's dimension.
        """
        samples = as_array(samples=samples)
        check_numbers(samples)
        centres, scales = self.mixture.centres, self.mixture.scales
        if samples.ndim != 2 or samples.shape[1] != centres.shape[1]:
            raise ValueError(
                "`samples` are not points of the mixture's space. Expected shape "
                f"(n, {centres.shape[1]}). Received: samples of shape {samples.shape}"
            )
        counts = np.zeros(len(centres), "int64")
        for rows in slices(len(samples), BLOCK):
            block = samples[rows].astype("float64")
            distances = np.linalg.norm(block[:, None] - centres, axis=2) / scales
            nearest = distances.argmin(axis=1)
            good = distances.min(axis=1) <= self.radius
            counts += np.bincount(nearest[good], minlength=len(centres))
        return counts

    def evaluate(self, samples, labels=None):
        """The modes that points `(n, dim)` cover, a `Score`."""
        counts = self.counts(samples)
        protocol = {
            "mixture": getattr(self.mixture, "name", None),
            "modes": len(counts),
            "radius": self.radius,
            "samples": len(samples),
        }
        details = coverage(counts, self.mixture.weights, len(samples))
        details["high_quality"] = counts.sum() / len(samples)
        return self.score(details.pop("covered"), protocol, details=details)


class StackedModes(Measure):
    """Modes of stacked digits that samples reach: three digits in three channels, 1,000 numbers.

    Each channel is classified by itself; a number is covered when at least one sample shows it.
    The detail `kl` is KL(share of the numbers || uniform) in nats, which is above 0 even for
    perfect samples: 0.0196 ± 0.0009 at 25,600 of equally frequent digits, and 0.026 of MNIST's.
    Two scores rank by `captured` and `overlap` first, as of `ModeCoverage`; every sample shows some
    number, however poor it is.

    Args:
        extractor: An `evaluation.extractors.Extractor` of one digit, `(28, 28, 1)`.

    Raises:
        ValueError: If the extractor does not see one of ten digits.

    Reference:
        - [Metz et al., 2017](https://arxiv.org/abs/1611.02163), section 3.3.1; [Lin et al.,
          2018](https://arxiv.org/abs/1712.04086), section 4.2, for the number of samples.
    """

    name = "stacked_modes_covered"
    higher_is_better = True
    ranked_by = RANKED_BY
    blind_to = "samples that show no digits, each of which counts as some number"

    def __init__(self, extractor):
        check_extractor(extractor, needed=True)
        if extractor.num_classes != 10 or extractor.image_shape[-1] != 1:
            raise ValueError(
                "`extractor` does not see one of ten digits. Expected one of grey images with 10 "
                f"classes. Received: image_shape={extractor.image_shape} and "
                f"{extractor.num_classes} classes"
            )
        self.extractor = extractor

    def numbers(self, samples):
        """The number that each sample shows, `100 a + 10 b + c` for digits a, b, c in R, G, B.

        Raises:
            ValueError: If the samples are no images with three channels that the extractor sees.
        """
        samples = as_array(samples=samples)
        check_numbers(samples)
        if samples.ndim != 4 or samples.shape[-1] != 3:
            raise ValueError(
                "`samples` are not images with three channels. Expected shape (n, height, width, "
                f"3). Received: samples of shape {samples.shape}"
            )
        digits = [
            self.extractor.probabilities(samples[..., channel, None]).argmax(axis=1)
            for channel in range(3)
        ]
        return digits[0] * 100 + digits[1] * 10 + digits[2]

    def evaluate(self, samples, labels=None):
        """The numbers that images `(n, 28, 28, 3)` cover, a `Score`."""
        counts = np.bincount(self.numbers(samples), minlength=STACKED_CLASSES)
        details = coverage(counts)
        protocol = {"samples": len(samples), "classifier": self.extractor.protocol}
        notes = ()
        if len(samples) != STACKED_SAMPLES:
            notes = (f"The literature counts modes among {STACKED_SAMPLES:,} samples.",)
        return self.score(details.pop("covered"), protocol, details=details, notes=notes)
