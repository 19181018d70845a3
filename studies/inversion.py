"""What unrolling gives back: held-out digits, looked for among a generator's samples.

  python -m studies.inversion --quick     # two seeds, a third of the steps
  python -m studies.inversion --full      # four

Unrolled GAN, section 3.4.2 and its table of errors: for each image the latents are sought whose
sample is nearest, argmin_z |G(z) - x|^2 by L-BFGS from several starts, for generators that look
K = 0, 1, 5 and 10 steps of the discriminator ahead and have all else in common. A generator that
has collapsed cannot make the image. (The paper seeks training images; ours are held out.) As in
the paper's section on small discriminators, D has a quarter of G's width, which is what makes the
game without unrolling collapse.
"""

import keras
import numpy as np
from scipy import stats

import evaluation
import trainers
import zoo
from studies import digits, study, tables
from studies.study import Finding, Study
from zoo.finite import Diverged

KS = (0, 1, 5, 10)
PAPER = {  # CIFAR-10: mean squared error, its deviation, and how often it is the least of the four.
    0: (0.0231, 0.0024, 0.0063),
    1: (0.0195, 0.0021, 0.2297),
    5: (0.0200, 0.0023, 0.1531),
    10: (0.0181, 0.0018, 0.6109),
}
LATENT, WIDTH, BATCH, RATE = 32, 128, 64, 1e-3
STEPS, SEEDS = 1_500, 4
IMAGES, STARTS, DESCENT = 128, 3, 100  # Held-out digits, draws for each, gradients for each draw.
SAMPLES = 1_000
SHOWN = 8


def players(seed):
    """A generator of two layers, and a discriminator of one that has a quarter of their width."""
    keras.utils.set_random_seed(seed)
    shared = {"kernel_initializer": "glorot_uniform"}
    generator = zoo.MLPGenerator((28, 28, 1), LATENT, (WIDTH, WIDTH), prior="normal", **shared)
    discriminator = zoo.MLPDiscriminator(
        (28, 28, 1), (WIDTH // 4,), "leaky_relu", input_dropout=0.0, dropout=0.0, **shared
    )
    return generator, discriminator


def trained(k, steps, seed):
    """A generator that looked k steps ahead; `None` of a game that diverged."""
    gan = trainers.UnrolledGAN(*players(seed), unroll_steps=k, seed=seed)
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(RATE, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(RATE, beta_1=0.5),
        jit_compile=False,
        steps_per_execution=50,
    )
    images, _ = digits.mnist("train")
    try:
        gan.fit(images, batch_size=BATCH, epochs=1, steps_per_epoch=steps, verbose=0)
    except Diverged as error:
        print(f"K = {k}, seed {seed}: {error}", flush=True)
        return None
    return gan.generator


def held_out():
    """Test digits, the same for all."""
    images, _ = digits.mnist("test")
    return images[np.sort(np.random.default_rng(0).permutation(len(images))[:IMAGES])]


def telling(first, last):
    """The images whose errors differ most from K = 0 to K = 10, `|a - b| / ((a + b) / 2)`, as in
    the paper's figure."""
    a, b = np.asarray(first), np.asarray(last)
    return np.argsort(-np.abs(a - b) / ((a + b) / 2), kind="stable")[:SHOWN]


def mean_distance(samples):
    """The mean Euclidean distance of pairs of samples `(n, ...)`, of pixels in [0, 1]."""
    flat = np.asarray(samples).reshape(len(samples), -1) / 255.0
    half = len(flat) // 2
    return float(np.sqrt(((flat[:half] - flat[half : 2 * half]) ** 2).sum(axis=1)).mean())


def effective_classes(counts):
    """`exp(entropy)` of shares of classes: how many equally frequent ones are as varied."""
    shares = np.asarray(counts) / np.sum(counts)
    return float(np.exp(stats.entropy(shares)))


def sought(generator):
    """What inversion finds of the held-out digits, and how varied the samples are; else NaN."""
    if generator is None:
        blank = np.zeros((IMAGES, 28, 28), int)
        lost = {"mse": [np.nan] * IMAGES, "distance": np.nan, "classes": np.nan}
        return {**lost, "pictures": blank.tolist(), "samples": blank[:SHOWN].tolist()}
    found = zoo.latents.invert(generator, held_out(), starts=STARTS, steps=DESCENT, seed=0)
    samples = generator.sample(SAMPLES, seed=0)
    classes = evaluation.extractors.load("mnist").probabilities(samples).argmax(axis=1)
    pictures = np.rint(255 * found.reconstructions[..., 0])
    return {
        "mse": found.mse.tolist(),
        "pictures": pictures.astype(int).tolist(),
        "samples": samples[:SHOWN, ..., 0].tolist(),
        "distance": mean_distance(samples),
        "classes": effective_classes(np.bincount(classes, minlength=10)),
    }


def data():
    """The same of real digits, and the error of the mean training image."""
    train, labels = digits.mnist("train")
    mean, wanted = train.mean(axis=0) / 255, held_out() / 255
    return {
        "mse": ((wanted - mean) ** 2).mean(axis=(1, 2, 3)).tolist(),
        "distance": mean_distance(train[:SAMPLES]),
        "classes": effective_classes(np.bincount(labels)),
    }


def parts(full, seed):
    """A run for each K and seed, seed by seed."""
    digits.needed()
    yield "data", data
    steps, seeds = (STEPS, SEEDS) if full else (STEPS // 3, 2)
    for s in range(seed, seed + seeds):
        for k in KS:
            yield f"{k}_{s}", lambda k=k, s=s: sought(trained(k, steps, s))


def runs(results):
    """`{K: [result of each seed]}`."""
    return {k: [r for name, r in results.items() if name.startswith(f"{k}_")] for k in KS}


def errors(results):
    """Mean squared errors `(K, seeds, images)`."""
    return np.array([[r["mse"] for r in rs] for rs in runs(results).values()])


def report(results, directory):
    """The errors over K, by seed; the table beside the paper's; what was found."""
    mse = errors(results)
    by_seed = mse.mean(axis=2)
    finite = np.where(np.isnan(mse), np.inf, mse)  # What diverged is the least of none.
    least = (finite.argmin(axis=0)[..., None] == np.arange(len(KS))).mean(axis=(0, 1))
    tables.write(directory / "errors", table(results, by_seed, least))
    base = np.mean(results["data"]["mse"])
    for k, values in zip(KS[1:], by_seed[1:], strict=True):
        change = values - by_seed[0]
        yield Finding(
            f"K = {k}: change of the mean squared error against K = 0, seed by seed",
            f"below 0 in each (the paper, CIFAR-10: {PAPER[k][0] - PAPER[0][0]:.4f})",
            ", ".join(f"{value:.4f}" for value in change),
            bool((change < 0).all()),
        )
    rank = stats.spearmanr(np.repeat(KS, by_seed.shape[1]), by_seed.ravel())
    yield Finding(
        f"rank correlation of K and the error over {by_seed.size} runs (p of no relation)",
        "below 0, p below 0.05",
        f"{rank.statistic:.2f} ({rank.pvalue:.1g})",
        rank.statistic < 0 and rank.pvalue < 0.05,
    )
    yield Finding(
        "K = 10 has the least error of the four, share of the images",
        f"more than a quarter (the paper: {PAPER[10][2]:.0%})",
        f"{least[-1]:.0%}",
        least[-1] > 1 / len(KS),
    )
    yield Finding(
        "K = 0 against the mean of all training images",
        "a collapsed generator can be worse than one picture",
        f"{by_seed[0].mean():.4f} and {base:.4f}",
    )
    for what, name in (("distance", "pairwise distance"), ("classes", "effective classes")):
        means = [np.mean([r[what] for r in rs]) for rs in runs(results).values()]
        yield Finding(
            f"{name} of samples at K = {', '.join(map(str, KS))}",
            f"{results['data'][what]:.2f} of data; more at K = 10 than at K = 0",
            ", ".join(f"{mean:.2f}" for mean in means),
            means[-1] > means[0],
        )
    draw(results, by_seed, directory / "errors.png")
    panel(results, directory / "digits.png")


def table(results, by_seed, least):
    """Rows of text, a K each."""
    rows = [["K", "mean squared error", "of seeds", "least of the four", "pairwise distance"]]
    rows[0] += ["effective classes", "the paper, CIFAR-10", "least"]
    for i, (k, rs) in enumerate(runs(results).items()):
        value, deviation, often = PAPER[k]
        rows.append([
            str(k),
            f"{by_seed[i].mean():.4f} ± {by_seed[i].std(ddof=1):.4f}",
            ", ".join(f"{v:.4f}" for v in by_seed[i]),
            f"{least[i]:.1%}",
            f"{np.mean([r['distance'] for r in rs]):.2f}",
            f"{np.mean([r['classes'] for r in rs]):.1f}",
            f"{value} ± {deviation}",
            f"{often:.1%}",
        ])  # fmt: skip
    return rows


def draw(results, by_seed, path):
    """The errors over K, a line a seed; the distances of samples."""
    figure = tables.figure(8.0, 3.0)
    left, right = figure.subplots(1, 2)
    places = range(len(KS))
    left.plot(places, by_seed, "o-", ms=3, lw=0.8, color="tab:blue", alpha=0.6)
    left.plot(places, by_seed.mean(axis=1), "k_", ms=16)
    base = np.mean(results["data"]["mse"])
    left.axhline(base, color="0.5", ls="--", lw=1)
    left.annotate("the mean training image", (1.4, 1.02 * base), fontsize=7)
    left.set_ylabel("mean squared error", fontsize=8)
    distances = [[r["distance"] for r in rs] for rs in runs(results).values()]
    right.plot(places, distances, "o-", ms=3, lw=0.8, color="tab:orange", alpha=0.6)
    right.axhline(results["data"]["distance"], color="0.5", ls="--", lw=1)
    right.annotate("data", (0, 0.94 * results["data"]["distance"]), fontsize=7)
    right.set_ylabel("distance of two samples", fontsize=8)
    for axes in (left, right):
        axes.set_xticks(places, KS)
        axes.set_xlabel("K, steps looked ahead", fontsize=8)
        axes.set_ylim(0)
    tables.save(figure, path)


def panel(results, path):
    """Digits, what each K finds of them, and samples; of the first seed.

    The digits are the most telling ones, and the first of all, which no one has chosen.
    """
    figure = tables.figure(10.0, 2.4)
    left, middle, right = figure.subplots(1, 3)
    first = {k: rs[0] for k, rs in runs(results).items()}
    chosen = {
        left: telling(first[KS[0]]["mse"], first[KS[-1]]["mse"]),
        middle: np.arange(SHOWN),
    }
    rows = {
        axes: {
            "held out": held_out()[shown][..., 0],
            **{f"K = {k}": np.asarray(r["pictures"])[shown] for k, r in first.items()},
        }
        for axes, shown in chosen.items()
    }
    rows[right] = {f"K = {k}": r["samples"] for k, r in first.items()}
    for axes, pictures in rows.items():
        lines = [np.concatenate(np.array(row), axis=1) for row in pictures.values()]
        axes.imshow(
            255 - np.concatenate(lines), cmap="gray", vmin=0, vmax=255, interpolation="nearest"
        )
        axes.set_yticks(28 * np.arange(len(lines)) + 14, list(pictures))
        axes.tick_params(axis="y", labelsize=8, length=0)
        axes.set_xticks([])
    left.set_title("found: the errors that differ most", fontsize=9)
    middle.set_title("found: the first digits", fontsize=9)
    right.set_title("samples", fontsize=9)
    tables.save(figure, path)


STUDY = Study("inversion", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
