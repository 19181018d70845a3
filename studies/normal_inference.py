"""Can a GAN's distribution be used for inference? A GAN for each of thousands of data sets.

  python -m studies.normal_inference --quick     # 500 data sets, two minutes
  python -m studies.normal_inference --full      # 10,000, and what else decides it

From N(0, 1), n = 100 examples; a GAN learns them, and 10,000 of its draws have the mean X*. How do
X* and the mean X of the data vary, how far are both distribution functions from the true one, and
which intervals hold the true mean 0? `--full` adds how the distances fall with n, other populations
and statistics, and other nets, penalties and stopping. Each part is written when it is done, and is
not made again by the same command. docs/studies/normal_inference.md tells what came out.
"""

import json
import math
import pathlib
import time

import keras
import numpy as np
from absl import flags
from scipy import stats

import trainers
import zoo
from evaluation import confidence_intervals as intervals
from studies import inference_report
from zoo import command
from zoo.files import replacing

FLAGS = flags.FlagValues()
flags.DEFINE_bool("quick", False, "500 data sets and the table alone.", flag_values=FLAGS)
flags.DEFINE_bool("full", False, "10,000 data sets, and every part.", flag_values=FLAGS)
flags.DEFINE_string("output_dir", "runs/normal_inference", "For results.", flag_values=FLAGS)
flags.DEFINE_integer("seed", 0, "Of the data and of the GANs.", 0, flag_values=FLAGS)

N, DRAWS, STEPS, RATE, EMA = 100, 10_000, 1_000, 1e-3, 0.995
STATISTICS = {
    "mean": lambda x: x.mean(-1),
    "variance": lambda x: x.var(-1),
    "median": lambda x: np.median(x, -1),
}
MIXTURE = ((-2.0, 0.5), (1.0, 0.7))  # Two normals of equal weight: means and deviations.


# === Populations ===


def _mixture(rng, shape):
    which = rng.integers(0, 2, shape)
    means, deviations = (np.array(column)[which] for column in zip(*MIXTURE, strict=True))
    return means + deviations * rng.normal(size=shape)


def _mixture_cdf(x):
    return np.mean([stats.norm.cdf(x, *normal) for normal in MIXTURE], axis=0)


def _exact(distribution):
    """The true mean, variance and median, and the point that 5 % exceed."""
    mean, variance = distribution.stats("mv")
    return float(mean), float(variance), float(distribution.median()), float(distribution.isf(0.05))


POPULATIONS = {
    "normal": (lambda r, s: r.normal(size=s), stats.norm.cdf, _exact(stats.norm())),
    "exponential": (lambda r, s: r.exponential(size=s), stats.expon.cdf, _exact(stats.expon())),
    "t5": (lambda r, s: r.standard_t(5, s), stats.t(5).cdf, _exact(stats.t(5))),
    "mixture": (_mixture, _mixture_cdf, None),
}


def truth(population):
    """Mean, variance, median, and the point that 5 % exceed."""
    exact = POPULATIONS[population][2]
    if exact is not None:
        return exact
    grid = np.linspace(-6, 5, 110_001)
    cdf = _mixture_cdf(grid)
    means, deviations = (np.array(column) for column in zip(*MIXTURE, strict=True))
    mean = means.mean()
    variance = (deviations**2 + means**2).mean() - mean**2
    return mean, variance, *(float(np.interp(p, cdf, grid)) for p in (0.5, 0.95))


# === One part ===


def players(units=(16, 16)):
    """The two nets of a member: an affine generator where there are no units."""
    given = {"kernel_initializer": "glorot_uniform"}
    return (
        zoo.MLPGenerator(
            (1,), 1, units, "tanh", output_activation="linear", prior="normal", **given
        ),
        zoo.MLPDiscriminator((1,), (16, 16), "leaky_relu", input_dropout=0.0, dropout=0.0, **given),
    )


def trained(replicates, n=N, population="normal", units=(16, 16), steps=STEPS, **compiled):
    """A `trainers.Replication` of a population, with the settings that are not said."""
    sampler, cdf, _ = POPULATIONS[population]
    edge = truth(population)[3]
    statistics = {**STATISTICS, "tail": lambda x: (x > edge).mean(-1)}
    compiled = {"ema_decay": EMA, **compiled}
    for name in ("generator_optimizer", "discriminator_optimizer"):
        compiled.setdefault(name, keras.optimizers.Adam(RATE, beta_1=0.5))
    return trainers.replicate(
        sampler,
        statistics,
        *players(units),
        replicates=replicates,
        examples=n,
        draws=DRAWS,
        steps=steps,
        cdf=cdf,
        resamples=500,
        seed=FLAGS.seed,
        **compiled,
    )


def with_error(values):
    """A mean over replicates, and its Monte Carlo error."""
    values = np.asarray(values, "float64")
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def variance_with_error(values):
    """A variance over replicates, and its Monte Carlo error from the fourth moment."""
    centred = (np.asarray(values, "float64") - np.mean(values)) ** 2
    return float(centred.mean()), float(centred.std(ddof=1) / math.sqrt(len(centred)))


def plug_in_distance(data):
    """`sup |N(mean, s^2) - N(0, 1)|` of each row: what a fitted normal is off."""
    grid = np.linspace(-6, 6, 2401)
    mean, deviation = data.mean(1, keepdims=True), data.std(1, ddof=1, keepdims=True)
    return np.abs(stats.norm.cdf((grid - mean) / deviation) - stats.norm.cdf(grid)).max(axis=1)


def described(found, population="normal"):
    """What a part is about: estimates, distances and coverage, each with its Monte Carlo error."""
    exact = dict(zip(("mean", "variance", "median"), truth(population), strict=False))
    exact["tail"] = 0.05
    made = {"replicates": len(found.data), "diverged": found.diverged, "seconds": found.seconds}
    for name, right in exact.items():
        statistic = STATISTICS.get(name)
        if name == "tail":
            edge = truth(population)[3]
            statistic = lambda x, edge=edge: (x > edge).mean(-1)  # noqa: E731
        of_data, of_gan = found.of_data[name], found.of_gan[name]
        classical = intervals.bootstrap_interval(found.data, statistic, 500, seed=FLAGS.seed)
        made[name] = {
            "truth": right,
            "data": with_error(of_data),
            "gan": with_error(of_gan),
            "data_variance": variance_with_error(of_data),
            "gan_variance": variance_with_error(of_gan),
            "data_rmse": math.sqrt(np.mean((of_data - right) ** 2)),
            "gan_rmse": math.sqrt(np.mean((of_gan - right) ** 2)),
            "bootstrap": intervals.coverage(classical, right)[:2],
            "gan_bootstrap": intervals.coverage(found.bootstrap[name], right)[:2],
        }
    made["ks"] = {"data": with_error(found.ks_data), "gan": with_error(found.ks_gan)}
    made["gan_is_nearer"] = with_error(found.ks_gan < found.ks_data)
    return made


def table_part(replicates):
    """The lecture's table, with every interval by its name."""
    found = trained(replicates)
    made = described(found)
    made["ks"]["plug_in"] = with_error(plug_in_distance(found.data))
    mean, star = found.of_data["mean"], found.of_gan["mean"]
    known = 1 / math.sqrt(N)
    named = {
        "mean of the data ± 1.96/√n": intervals.normal_interval(mean, known),
        "mean of the GAN ± 1.96/√n": intervals.normal_interval(star, known),
        "Student's t": intervals.t_interval(found.data),
    }
    made["coverage"] = {name: intervals.coverage(ends, 0.0)[:2] for name, ends in named.items()}
    made["coverage"]["percentile bootstrap"] = made["mean"]["bootstrap"]
    made["coverage"]["GAN-bootstrap"] = made["mean"]["gan_bootstrap"]
    made["tolerance"] = intervals.tolerance(0.95, len(mean))
    made["values"] = {
        "mean": [mean[:2000].tolist(), star[:2000].tolist()],
        "ks": [found.ks_data[:2000].tolist(), found.ks_gan[:2000].tolist()],
    }
    return made


R1 = trainers.penalties.R1
VARIANTS = {  # What is otherwise than in the table.
    "affine generator, R1": {"units": (), "discriminator_penalties": R1(1.0)},
    "4 units": {"units": (4, 4)},
    "64 units": {"units": (64, 64)},
    "R1": {"discriminator_penalties": R1(1.0)},
    "no average": {"ema_decay": None},
    "no average, R1": {"ema_decay": None, "discriminator_penalties": R1(1.0)},
    "300 steps": {"steps": 300},
    "3,000 steps": {"steps": 3_000},
}
SIZES = {25: 1000, 50: 1000, 100: 1000, 200: 500, 400: 500, 800: 250, 1600: 250}


def parts(full):
    """The parts of the study by name: functions without arguments."""
    yield "table", lambda: table_part(10_000 if full else 500)
    if not full:
        return
    for n, count in SIZES.items():
        yield f"n_{n}", lambda n=n, count=count: described(trained(count, n))
        yield (
            f"affine_n_{n}",
            lambda n=n, count=count: described(
                trained(count, n, units=(), discriminator_penalties=R1(1.0))
            ),
        )
    for name in POPULATIONS:
        yield (
            f"population_{name}",
            lambda name=name: described(trained(1000, population=name), name),
        )
    for number, (name, other) in enumerate(VARIANTS.items()):
        yield (
            f"variant_{number}",
            lambda name=name, other=other: {"name": name, **described(trained(1000, **other))},
        )


def main(arguments):
    command.no_arguments(arguments)
    if FLAGS.quick == FLAGS.full:
        raise ValueError(
            "`--quick` or `--full` has to be chosen. Expected one of them. "
            f"Received: --quick={FLAGS.quick} --full={FLAGS.full}"
        )
    directory = pathlib.Path(FLAGS.output_dir, "full" if FLAGS.full else "quick")
    directory.mkdir(parents=True, exist_ok=True)
    results, start = {}, time.perf_counter()
    for name, make in parts(FLAGS.full):
        path = directory / f"{name}.{FLAGS.seed}.json"
        if not path.exists():
            made = make()
            with replacing(path) as part:
                part.write_text(json.dumps(made))
            print(f"{name}: {made['seconds']:.0f} s of training, {made['diverged']} diverged")
        results[name] = json.loads(path.read_text())
    inference_report.write(results, directory)
    print(f"{directory}: {(time.perf_counter() - start) / 60:.1f} minutes")


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
