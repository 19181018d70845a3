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
from zoo.validation import check_positive, check_seed

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
    check_seed(seed)
    data = np.asarray(sampler(np.random.default_rng(seed), (replicates, examples)), "float32")
    scalar = data.ndim == 2
    ensemble = GANEnsemble(generator, discriminator, replicates, seed=seed, **arguments)
    start = time.perf_counter()
    ensemble.fit(
        data[..., None] if scalar else data,
        batch_size=examples,
        epochs=-(-steps // 100),
        steps_per_epoch=min(steps, 100),
        shuffle=False,
        verbose=verbose,
    )
    seconds = time.perf_counter() - start
    healthy = np.setdiff1d(np.arange(replicates), ensemble.diverged)
    rows = data[healthy]
    parts = []
    for some in slices(len(healthy), max(1, NUMBERS // max(draws, resamples * examples))):
        made = ensemble.sample(draws, seed=seed, members=healthy[some])
        parts.append(_looked_at(made[..., 0] if scalar else made, statistics, cdf))
        if resamples and scalar:
            many = ensemble.sample(
                resamples * examples, seed=seed + replicates, members=healthy[some]
            )
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
