"""Can a GAN's distribution be used for inference? One GAN for each of many data sets, and answers.

A replicate is a data set of n examples from a known sampler, and the GAN that learned it. A
statistic T is computed of the data, `T(F_n)`, and of many draws from the GAN, `T(F_n*)`; over
replicates both have a distribution, and both can be held against the truth.
"""

import dataclasses
import time

import numpy as np

from evaluation import confidence_intervals
from evaluation.kolmogorov import ks_distances
from trainers.ensemble import GANEnsemble
from zoo.blocks import slices
from zoo.finite import REMEDY
from zoo.validation import check_integer, check_positive, check_seed

NUMBERS = 2**24  # Draws from GANs at a time.


@dataclasses.dataclass(frozen=True)
class Replication:
    """What became of many data sets and of their GANs.

    Attributes:
        data: `(replicates, n)`, or `(replicates, n, ...)`: without those whose GAN diverged.
        of_data: dict of arrays `(replicates,)`: each statistic of the data.
        of_gan: dict of arrays `(replicates,)`: each statistic of the GAN's draws.
        bootstrap: dict of pairs of arrays `(replicates,)`: each statistic's percentile interval
            over samples of n draws from the GAN.
        ks_data, ks_gan: `(replicates,)`, or `None`: distances to the true distribution function.
        diverged: int. GANs that diverged, which are left out everywhere.
        ensemble: The `trainers.GANEnsemble`.
        seconds: float. Of the training.
    """

    data: np.ndarray
    of_data: dict
    of_gan: dict
    bootstrap: dict
    ks_data: np.ndarray | None
    ks_gan: np.ndarray | None
    diverged: int
    ensemble: GANEnsemble
    seconds: float


def replicate(
    sampler,
    statistics,
    generator,
    discriminator,
    replicates=500,
    examples=100,
    draws=10_000,
    steps=2_000,
    cdf=None,
    resamples=500,
    level=0.95,
    seed=0,
    verbose=0,
    **arguments,
):
    """Draws many data sets, trains a GAN on each, and computes statistics of both.

    Args:
        sampler: Function of (`numpy.random.Generator`, shape) to an array of that shape, or with
            the axes of an example behind it: the population.
        statistics: dict of functions by name, each of an array `(..., n)` of numbers over its last
            axis; of examples with axes of their own, over axis 1 of `(replicates, n, ...)`.
        generator: As for `trainers.GANEnsemble`.
        discriminator: Likewise.
        replicates: int. Data sets, and GANs.
        examples: int. The n of a data set, which is one batch.
        draws: int. Samples of each GAN.
        steps: int. Training steps of each GAN.
        cdf: Function of numbers to probabilities, optional: the population's distribution.
        resamples: int. Samples of n draws for the GAN's bootstrap; 0 for none, as for examples
            with axes of their own.
        level: float in (0, 1). Of the intervals.
        seed: int. It decides the data, the GANs and their draws.
        verbose: As in `fit`.
        **arguments: Of `trainers.GANEnsemble`.

    Returns:
        `Replication`.

    Raises:
        ValueError: If the data or an answer have another shape than is said here, before anything
            is trained; or if every GAN diverged.

    Example:

    ```python
    import numpy as np, trainers, zoo
    from evaluation import confidence_intervals as intervals

    found = trainers.replicate(
        lambda rng, shape: rng.normal(size=shape),
        {"mean": lambda x: x.mean(-1), "median": lambda x: np.median(x, -1)},
        zoo.MLPGenerator((1,), latent_dim=1, units=(8,), output_activation="linear"),
        zoo.MLPDiscriminator((1,), units=(8,), activation="relu", input_dropout=0, dropout=0),
        replicates=20,
        steps=20,
        draws=500,
        resamples=50,
    )
    print(found.of_data["mean"].var(), found.of_gan["mean"].var(), found.diverged)
    print(intervals.coverage(found.bootstrap["mean"], 0.0))
    ```

    Reference:
        - Efron and Tibshirani, 1993, An introduction to the bootstrap, section 6.5: the
          parametric bootstrap, in which the GAN takes the place of the fitted model.
    """
    check_positive(replicates=replicates, examples=examples, draws=draws, steps=steps)
    check_integer(0, resamples=resamples)
    check_seed(seed)
    confidence_intervals.check_level(level=level)
    data = _drawn(sampler, seed, (replicates, examples))
    scalar = data.ndim == 2
    _check_statistics(statistics, data, resamples and scalar)
    _check_cdf(cdf, data)
    ensemble = GANEnsemble(generator, discriminator, replicates, seed=seed, **arguments)
    start = time.perf_counter()
    for epochs, length in ((steps // 100, 100), (1, steps % 100)):
        if epochs and length:
            ensemble.fit(
                data[..., None] if scalar else data,
                batch_size=examples,
                epochs=epochs,
                steps_per_epoch=length,
                shuffle=False,
                verbose=verbose,
            )
    seconds = time.perf_counter() - start
    healthy = np.setdiff1d(np.arange(replicates), ensemble.diverged)
    if not len(healthy):
        raise ValueError(
            "`steps` ended with no GAN to ask: all diverged. Expected some with finite weights: "
            f"{REMEDY}. Received: steps={steps}, after which {replicates} of {replicates} diverged"
        )
    rows = data[healthy]
    parts = []
    for some in slices(len(healthy), max(1, NUMBERS // max(draws, resamples * examples))):
        made = _samples(ensemble, draws, seed, healthy[some])
        parts.append(_looked_at(made[..., 0] if scalar else made, statistics, cdf))
        if resamples and scalar:
            many = _samples(ensemble, resamples * examples, seed + replicates, healthy[some])
            many = many.reshape(len(many), resamples, examples)
            parts[-1]["bootstrap"] = {
                name: confidence_intervals.percentile_interval(function(many), level)
                for name, function in statistics.items()
            }
    own = _looked_at(rows, statistics, cdf)
    return Replication(
        rows,
        own["statistics"],
        {name: np.concatenate([p["statistics"][name] for p in parts]) for name in statistics},
        _joined_intervals(parts),
        own["ks"],
        None if cdf is None else np.concatenate([p["ks"] for p in parts]),
        replicates - len(healthy),
        ensemble,
        seconds,
    )


def _drawn(sampler, seed, shape):
    """The data of all replicates: float32 `(replicates, n, ...)`."""
    if not callable(sampler):
        raise ValueError(
            "`sampler` is no function. Expected one of (numpy.random.Generator, shape) to an array "
            f"of that shape. Received: sampler={sampler!r}"
        )
    data = np.asarray(sampler(np.random.default_rng(seed), shape))
    if data.shape[:2] != shape or data.dtype.kind not in "fiub":
        raise ValueError(
            f"`sampler` does not draw what it was asked for. Expected numbers of shape {shape}, or "
            "with the axes of an example behind it. "
            f"Received: an array of shape {data.shape} and dtype {data.dtype}"
        )
    data = data.astype("float32")
    bad = ~np.isfinite(data).reshape(len(data), -1).all(axis=1)
    if bad.any():
        raise ValueError(
            "`sampler` draws NaN or infinity. Expected finite float32 numbers. Received: bad "
            f"values in {bad.sum()} data sets, first {np.argmax(bad)}"
        )
    return data


def _check_statistics(statistics, data, resampled):
    """Refuses what gives no number of each data set; asked of one data set, some times over."""
    functions = statistics.values() if isinstance(statistics, dict) else ()
    if not functions or not all(map(callable, functions)):
        raise ValueError(
            "`statistics` is no dict of functions. Expected some by name, as in {'mean': lambda x: "
            f"x.mean(-1)}}. Received: statistics={statistics!r}"
        )
    # Two lengths of each kind: an axis that is taken for another cannot have both.
    leading = [(1,), (2,), (3,), *([(1, 2), (1, 3)] if resampled else [])]
    for name, function in statistics.items():
        for shape in leading:
            given = np.array(np.broadcast_to(data[0], (*shape, *data.shape[1:])))
            made = np.shape(function(given))
            if made != shape:
                raise ValueError(
                    f"`statistics` has a function, {name!r}, that does not give one number of each "
                    f"data set. Expected an array of shape {shape} of samples of shape "
                    f"{given.shape}. Received: an array of shape {made}"
                )


def _check_cdf(cdf, data):
    if cdf is None:
        return
    if not callable(cdf) or data.ndim > 2:
        what = f"data of shape {data.shape}" if callable(cdf) else f"cdf={cdf!r}"
        raise ValueError(
            "`cdf` is no distribution function of these data. Expected a function of numbers to "
            f"probabilities, for examples that are numbers, or cdf=None. Received: {what}"
        )
    ks_distances(data[:1], cdf)


def _samples(ensemble, count, seed, members):
    """Draws in the units of the data, of pictures too."""
    samples = ensemble.sample(count, seed=seed, members=members, as_float=True)
    if ensemble.value_range is None:
        return samples
    low, high = ensemble.value_range
    return low + (high - low) * samples


def _looked_at(samples, statistics, cdf):
    return {
        "statistics": {name: np.asarray(f(samples)) for name, f in statistics.items()},
        "ks": None if cdf is None else ks_distances(samples, cdf),
    }


def _joined_intervals(parts):
    named = [part["bootstrap"] for part in parts if "bootstrap" in part]
    return {
        name: tuple(np.concatenate(ends) for ends in zip(*(p[name] for p in named), strict=True))
        for name in (named[0] if named else ())
    }
