"""The Parzen log-likelihood of test images (Goodfellow et al., 2014, table 1)."""

import numpy as np

from evaluation.parzen_windows import check_bandwidths, log_likelihood
from evaluation.samples import check_same_shape, checked_pixels
from evaluation.score import Measure, fingerprint
from zoo.validation import as_array, check_choice, in_short

PROTOCOLS = {"goodfellow": 10_000, "fgan": 16_384}  # How many samples each takes.
BANDWIDTHS = np.logspace(-1, 0, 10)
FOLDS = 3


class ParzenLogLikelihood(Measure):
    """The mean log-likelihood of test images under Gaussian windows on the samples; nats.

    `1/n sum_x log(1/N sum_i N(x; s_i, sigma^2 I))`, with pixels in [0, 1] and no noise added to
    them. The standard error is `SD / sqrt(n)`, over the test images.

    The figure ranks generators poorly: blurred images can beat real ones (Theis et al., 2016).
    It depends on the number of samples and on how sigma was chosen:

    - `"goodfellow"`: 10,000 samples; of ten sigmas from 0.1 to 1 the one under which the
      validation images are likeliest. In the paper these are the first 1,000 of
      `train[50000:60000]`.
    - `"fgan"`: 16,384 samples; the sigma under which every third of the samples is likeliest when
      the windows are on the others (three folds, sample i in fold `i % 3`).

    Args:
        images: Test images: uint8 of shape `(n, ...)`, or floats in [0, 1].
        validation: Images of the same shape, for `"goodfellow"` only.
        protocol: `"goodfellow"` or `"fgan"`.
        bandwidth: One sigma, which is then fixed, or several to choose from;
            `numpy.logspace(-1, 0, 10)` by default.
        real: Training images, optional. Their own figure, with a sigma chosen in the same way,
            comes with every score: give as many as there will be samples.

    Raises:
        ValueError: If the protocol is unknown, images are missing, superfluous, or not pixels, or
            a bandwidth is out of range.

    Example:

    ```python
    import evaluation, zoo

    generator = zoo.from_preset("mlp_mnist_gan")
    (train, _), (test, _) = zoo.datasets.arrays("mnist"), zoo.datasets.arrays("mnist", "test")
    parzen = evaluation.ParzenLogLikelihood(test, train[50000:51000], real=train[:1000])
    score = parzen.evaluate(generator.sample(1000, seed=0))  # the protocol has 10,000 of both
    print(score, score.details["real"])
    ```

    Reference:
        - [Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 5 and table 1.
        - [Nowozin et al., 2016](https://arxiv.org/abs/1606.00709), section 3.2.
        - [Theis et al., 2016](https://arxiv.org/abs/1511.01844), section 3.
    """

    name = "parzen_log_likelihood"
    higher_is_better = True
    blind_to = "means of clusters, which score better than images (Theis et al., 2016)"

    def __init__(self, images, validation=None, protocol="goodfellow", bandwidth=None, real=None):
        check_choice(PROTOCOLS, protocol=protocol)
        given = BANDWIDTHS if bandwidth is None else as_array(bandwidth=bandwidth)
        self.fixed, bandwidths = given.ndim == 0, np.atleast_1d(given)
        self.bandwidths = np.sort(check_bandwidths(bandwidths))
        wanted = protocol == "goodfellow" and not self.fixed
        if wanted != (validation is not None):
            raise ValueError(
                f"`validation` is {'missing' if wanted else 'superfluous'}. Expected images "
                "to choose a bandwidth on with protocol='goodfellow' and without a fixed "
                f"bandwidth, and only then. Received: protocol={protocol!r}, "
                f"bandwidth={in_short(bandwidth)}, "
                f"validation={None if validation is None else in_short(validation)}"
            )
        self.protocol = protocol
        self.images = checked_pixels(images, "images")
        self.validation = self._like_images(validation, "validation")
        self.real = self._like_images(real, "real")
        self._of_real = None

    def evaluate(self, samples, labels=None):
        """The score of samples.

        Args:
            samples: uint8 images of shape `(N, ...)`, or floats in [0, 1].
            labels: Not used.

        Returns:
            A `Score` in nats. Its details are the `bandwidth`; where it was chosen, the
            `selection`, which is the log-likelihood that chose it; and with real images their
            `real`, `real_standard_error`, `real_bandwidth` and `real_count`.

        Raises:
            ValueError: If the samples are not pixels of the images' shape, or too few to choose a
                bandwidth on.
        """
        value, error, details = self._figure(
            self._like_images(as_array(samples=samples), "samples")
        )
        notes = list(self._notes(len(samples), details))
        if self.real is not None:
            if self._of_real is None:
                self._of_real = self._figure(self.real)
            real, real_error, of_real = self._of_real
            details |= {
                "real": real,
                "real_standard_error": real_error,
                "real_bandwidth": of_real["bandwidth"],
                "real_count": len(self.real),
            }
            notes.append(f"The real images are {len(self.real)} of hash {fingerprint(self.real)}.")
            if len(self.real) != len(samples):
                notes.append(
                    f"There are {len(samples)} samples and {len(self.real)} real images: more "
                    "windows give a higher figure."
                )
        return self.score(value, self._protocol(len(samples)), error, details, notes)

    def _figure(self, samples):
        """Mean, standard error and details."""
        sigma, details = self.bandwidths[0], {}
        if not self.fixed:
            likelihoods = self._selection(samples)
            sigma = self.bandwidths[np.argmax(likelihoods)]
            details["selection"] = np.max(likelihoods)
        logs = log_likelihood(samples, self.images, sigma)[0]
        return logs.mean(), logs.std() / np.sqrt(len(logs)), {"bandwidth": sigma, **details}

    def _selection(self, samples):
        """The mean log-likelihood by which a bandwidth is chosen, for each of them."""
        if self.protocol == "goodfellow":
            return log_likelihood(samples, self.validation, self.bandwidths).mean(1)
        if len(samples) < FOLDS:
            raise ValueError(
                f"There are too few `samples` to choose a bandwidth on {FOLDS} folds. Expected at "
                f"least {FOLDS}. Received: samples of shape {samples.shape}"
            )
        fold = np.arange(len(samples)) % FOLDS
        logs = [
            log_likelihood(samples[fold != i], samples[fold == i], self.bandwidths)
            for i in range(FOLDS)
        ]
        return np.concatenate(logs, axis=1).mean(1)

    def _protocol(self, count):
        return {
            "protocol": self.protocol,
            "samples": count,
            "images": len(self.images),
            "images_hash": fingerprint(self.images),
            "image_shape": self.images.shape[1:],
            "scaling": "pixels in [0, 1]",
            "bandwidths": self.bandwidths,
            "bandwidth_by": self._rule(),
        }

    def _rule(self):
        if self.fixed:
            return "fixed"
        if self.protocol == "fgan":
            return f"{FOLDS} folds of the samples"
        return f"{len(self.validation)} validation images of hash {fingerprint(self.validation)}"

    def _notes(self, count, details):
        if count != PROTOCOLS[self.protocol]:
            yield (
                f"The protocol {self.protocol!r} has {PROTOCOLS[self.protocol]} samples, these are "
                f"{count}: more windows give a higher figure."
            )
        ends = self.bandwidths[[0, -1]]
        if not self.fixed and details["bandwidth"] in ends:
            yield (
                f"The best bandwidth, {details['bandwidth']:.4g}, is an end of the range "
                f"{ends[0]:.4g} to {ends[1]:.4g}: a better one may lie outside."
            )

    def _like_images(self, array, name):
        if array is None:
            return None
        array = checked_pixels(array, name)
        check_same_shape(array, self.images, name)
        return array
