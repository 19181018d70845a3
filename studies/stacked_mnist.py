"""Stacked MNIST: 1,000 modes, three digits in three channels, and how many of them a GAN keeps.

  python -m studies.stacked_mnist --quick    # the plain game and packing 2, 1,000 steps
  python -m studies.stacked_mnist --full      # every rule and K, 2,000 steps

One protocol: DCGAN's pair of 16 filters, 2,000 steps of the generator (1,000 in --quick), batches
of 64 for each step of D, Adam of 2e-3. Rows "D/4" and "D/2" have discriminators with a quarter and
half of the generator's maps, as in unrolled GAN (Metz et al., 2017, appendix D), made so small that
they collapse, and K virtual steps. Modes are counted among 25,600 samples, of the games of --quick
among 5,120. Discriminators under a gradient penalty are not normalized.
"""

import keras
import numpy as np

import trainers
import zoo
from evaluation import extractors
from evaluation.modes import STACKED_SAMPLES, StackedModes, coverage
from studies import collapse_games, study, tables
from studies.study import Finding, Study
from trainers import penalties
from zoo.finite import Diverged
from zoo.layers import MinibatchDiscrimination

SHAPE = (28, 28, 3)
FILTERS, BATCH, RATE = 16, 64, 2e-3
SIZES = {"D/4": FILTERS // 4, "D/2": FILTERS // 2}
WEIGHTS = {penalties.GradientPenalty: 10.0, penalties.R1: 3.0, penalties.R2: 3.0}
PRESET = "stacked_mnist"
# Unrolled GAN's table, as PacGAN confirms it: (modes, KL) by K.
PAPER = {
    "D/4": {0: (30.6, 5.99), 1: (65.4, 5.91), 5: (236.4, 4.67), 10: (327.2, 4.66)},
    "D/2": {0: (628.0, 2.58), 1: (523.6, 2.44), 5: (732.0, 1.66), 10: (817.4, 1.43)},
}
# PacGAN's table 3, nets of DCGAN's size, and what R3GAN reports.
OTHERS = {
    "DCGAN": (99.0, 3.40),
    "ALI": (16.0, 5.40),
    "unrolled GAN": (48.7, 4.32),
    "VEEGAN": (150.0, 2.95),
    "PacDCGAN2": (1000.0, 0.06),
    "R3GAN": (1000.0, 0.029),
}
FLOOR = 0.0196  # KL of 25,600 samples of equally frequent numbers.
KL = 0.06
BOTH = ("generator_optimizer", "discriminator_optimizer")
SHORT, FEW = ("non_saturating", "packing 2"), 5120  # The rules of --quick, and their samples.


def generator():
    """DCGAN's: 64 latents, a dense layer, maps of 32 and 16, normalized."""
    return zoo.DCGANGenerator(SHAPE, 64, FILTERS, 4, (256,))


def discriminator(filters, packing=1, normalized=True, minibatch_discrimination=False):
    """DCGAN's; without `normalized` for gradient penalties, which are an example's own."""
    shape = (*SHAPE[:2], SHAPE[2] * packing)
    whole = zoo.DCGANDiscriminator(shape, filters, 4, (128,), batch_normalization=normalized)
    if not minibatch_discrimination:
        return whole
    features = MinibatchDiscrimination(16, 4)(whole.output["features"])
    return keras.Model(whole.input, keras.layers.Dense(1)(features), name="discriminator")


def counted(samples):
    """Modes and KL of pictures, and how much of it lies in the digits of each channel alone.

    KL(share of the numbers || uniform) is the sum of the three channels' own, KL(share of the
    digits || uniform), and of the total correlation of the channels.
    """
    numbers = StackedModes(extractors.load("mnist")).numbers(samples)
    counts = np.bincount(numbers, minlength=1000).reshape(10, 10, 10)
    own = [coverage(counts.sum(axes))["kl"] for axes in ((1, 2), (0, 2), (0, 1))]
    details = coverage(counts.ravel())
    return {
        "modes": details["covered"],
        "kl": details["kl"],
        "kl_of_digits": sum(own),
        "samples": len(samples),
        "pictures": np.asarray(samples[:16]).tolist(),
    }


def of_data(count):
    """Stacks of the digits that no one has learned from."""
    images, _ = zoo.datasets.arrays("stacked_mnist", "test", examples=count)
    return counted(images)


def of_preset(count):
    """What the shipped generator makes."""
    return counted(np.asarray(zoo.from_preset(PRESET).sample(count, seed=0)))


def game(opponent, trainer, steps, seed, count, compiled=None, examples=BATCH, **arguments):
    """A training of the generator against a discriminator, and what it makes."""
    gan = trainer(generator(), opponent, seed=seed, **arguments)
    adams = {name: keras.optimizers.Adam(RATE, 0.5, 0.99) for name in BOTH}
    gan.compile(**{**adams, **(compiled or {})}, steps_per_execution=10)
    data = zoo.datasets.load("stacked_mnist", batch_size=examples, seed=seed, labels=False)
    try:
        gan.fit(data, epochs=1, steps_per_epoch=steps, verbose=0)
    except Diverged as error:
        print(error, flush=True)
        lost = dict.fromkeys(("modes", "kl", "kl_of_digits"), float("nan"))
        return {**lost, "samples": count, "pictures": [], "steps": steps}
    return {**counted(np.asarray(gan.sample(count, seed=0))), "steps": steps}


def unrolled(filters, k, steps, seed, count):
    """A game of K virtual steps."""
    keras.utils.set_random_seed(seed)
    opponent = discriminator(filters)
    return game(opponent, trainers.UnrolledGAN, steps, seed, count, unroll_steps=k)


def by_rule(rule, steps, seed, count):
    """A game by a rule of `collapse_games`, against a discriminator of the generator's size."""
    keras.utils.set_random_seed(seed)
    arguments, compiled = dict(rule.arguments), dict(rule.compiled)
    slopes = compiled.pop("discriminator_penalties", [])
    if slopes:
        kinds = map(type, slopes)
        compiled["discriminator_penalties"] = [kind(WEIGHTS[kind]) for kind in kinds]
    if rule.trainer is trainers.WassersteinGAN:
        compiled.update({name: rule.optimizer(rule.rate) for name in BOTH})
    opponent = discriminator(FILTERS, rule.packing, not slopes, rule.minibatch_discrimination)
    examples = rule.batch * BATCH // rule.examples
    return game(opponent, rule.trainer, steps, seed, count, compiled, examples, **arguments)


def parts(full, seed):
    """A row of the table each."""
    yield "data", lambda: of_data(STACKED_SAMPLES)
    yield "preset", lambda: of_preset(STACKED_SAMPLES)
    steps, count = (2000, STACKED_SAMPLES) if full else (1000, FEW)
    for name, rule in collapse_games.RULES.items():
        if full or name in SHORT:
            yield (
                f"rule_{collapse_games.slug(name)}",
                lambda rule=rule: by_rule(rule, steps, seed, count),
            )
    for size, filters in SIZES.items() if full else ():
        for k in (0, 1, 5, 10):
            yield (
                f"{size.replace('/', '')}_unrolled_{k}",
                lambda k=k, filters=filters: unrolled(filters, k, steps, seed, count),
            )


def report(results, directory):
    """The table, the findings, and some pictures of each row."""
    rows = [["row", "steps", "samples", "modes", "KL", "of digits", "published modes", "KL"]]
    shown = {}
    for name, r in results.items():
        said = _named(name)
        shown[said] = r
        published = _published(name)
        rows.append(
            [said, str(r.get("steps", "")), f"{r['samples']:,}"]
            + [_told(r["modes"], ".0f"), _told(r["kl"], ".3f"), _told(r["kl_of_digits"], ".3f")]
            + ["" if published is None else f"{value:g}" for value in published or ("", "")]
        )
    rows += [
        [name, "", "25,600", "", "", "", f"{m:g}", f"{kl:g}"] for name, (m, kl) in OTHERS.items()
    ]
    tables.write(directory / "stacked_mnist", rows)
    draw(shown, directory / "pictures.png")
    yield from judged(results)


def _told(value, form):
    return f"{value:{form}}" if np.isfinite(value) else "diverged"


def _named(name):
    for size in SIZES:
        name = name.replace(f"{size.replace('/', '')}_unrolled_", f"{size}, K = ")
    of_rules = {f"rule_{collapse_games.slug(rule)}": rule for rule in collapse_games.RULES}
    return of_rules.get(name, name)


def _published(name):
    size, _, k = name.partition("_unrolled_")
    return PAPER[f"{size[0]}/{size[1:]}"][int(k)] if k and size != "rule" else None


def judged(results):
    """The findings."""
    data, preset = results["data"], results["preset"]
    count = data["samples"]
    yield Finding(
        f"KL of {count:,} stacks of the held-out digits themselves",
        f"{FLOOR} of equal shares, a little more of MNIST's",
        f"{data['kl']:.4f}",
        data["kl"] < 0.03 and data["modes"] >= 999,
    )
    yield Finding(
        f"preset {PRESET}: modes among 25,600 samples",
        "1,000; PacDCGAN2 1,000, DCGAN 99",
        f"{preset['modes']:.0f}",
        preset["modes"] == 1000,
    )
    yield Finding(
        f"preset {PRESET}: KL",
        f"at most {KL}; PacDCGAN2 .06, R3GAN .029",
        f"{preset['kl']:.4f}",
        preset["kl"] <= KL,
    )
    plain, packed = results["rule_non_saturating"], results["rule_packing_2"]
    yield Finding(
        f"modes, and KL, of the plain game and of packing 2 after {plain['steps']:,} steps",
        "more modes, and less KL: PacGAN's 99 and 1,000, 3.40 and .06",
        f"{plain['modes']:.0f} and {packed['modes']:.0f}, {plain['kl']:.2f} and {packed['kl']:.2f}",
        bool(packed["modes"] > plain["modes"] and packed["kl"] < plain["kl"]),
    )
    for size in SIZES:
        slug = size.replace("/", "")
        if f"{slug}_unrolled_0" not in results:
            continue
        first, last = results[f"{slug}_unrolled_0"], results[f"{slug}_unrolled_5"]
        yield Finding(
            f"{size}: modes of K = 0 and of K = 5 after {first['steps']:,} steps",
            f"more by K = 5: {PAPER[size][0][0]} and {PAPER[size][5][0]} after 500,000",
            f"{first['modes']:.0f} and {last['modes']:.0f}",
            last["modes"] > first["modes"],
        )


def draw(shown, path):
    """Twelve pictures a row."""
    figure = tables.figure(7.0, 0.62 * len(shown) + 0.2)
    axes = np.atleast_2d(figure.subplots(len(shown), 1)).ravel()
    for place, (name, r) in zip(axes, shown.items(), strict=True):
        place.set(xticks=[], yticks=[])
        if np.isfinite(r["modes"]):
            pictures = np.asarray(r["pictures"][:12], "uint8")
            place.imshow(np.concatenate(pictures, axis=1), interpolation="nearest")
        else:
            place.text(0.5, 0.5, "diverged", ha="center", va="center", fontsize=8)
        place.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    tables.save(figure, path)


STUDY = Study("stacked_mnist", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
