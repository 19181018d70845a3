"""Stacked MNIST: 1,000 modes, three digits in three channels, and how many of them a GAN keeps.

  python -m studies.stacked_mnist --quick    # dense nets, 1,000 steps
  python -m studies.stacked_mnist --full     # every K and rule, 1,500 steps, as well

The nets of the rows "D/4" and "D/2" are those of unrolled GAN (Metz et al., 2017, appendix D):
discriminators with a quarter and half of the generator's maps, made so small that they collapse.
The paper has 500,000 steps; ours are fewer, so that these rows say where it begins, not where it
ends. Modes are counted among 25,600 samples. Discriminators whose slope is penalised are not
normalized.
"""

import keras
import numpy as np

import trainers
import zoo
from evaluation import extractors
from evaluation.modes import STACKED_SAMPLES, StackedModes, coverage
from studies import collapse_games, study, tables
from studies.study import Finding, Study
from zoo.finite import Diverged
from zoo.layers import MinibatchDiscrimination

SHAPE = (28, 28, 3)
LATENTS, BATCH = 256, 128
SIZES = {"D/4": (2, 4, 8), "D/2": (4, 8, 16)}
FEATURES = "features"  # The layer that feature matching compares.
WIDE = 1024  # Units of the dense nets' layers.
WEIGHT, CLIPPED_RATE = 10.0, 5e-5  # Of penalties of the slope, and of the clipped critic's RMSProp.
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
MISSING = "missed: there is no such preset yet"
# Rules on points that the rows of K have already.
LEFT_OUT = ("unrolled 1", "unrolled 5", "unrolled 10", "non_saturating")


def generator():
    """256 latents to 28 x 28 x 3: maps of 64, 32, 16, 8, normalized, as the paper's."""
    layers = [keras.Input((LATENTS,)), keras.layers.Dense(4 * 4 * 64, use_bias=False)]
    layers += [zoo.BatchNormalization(), keras.layers.ReLU()]
    layers += [keras.layers.Reshape((4, 4, 64))]
    for filters, crop in ((32, 1), (16, 0), (8, 0)):
        layers += [
            keras.layers.Conv2DTranspose(
                filters, 3, 2, "same", use_bias=False, data_format="channels_last"
            )
        ]
        if crop:  # 8 x 8 to 7 x 7.
            layers += [keras.layers.Cropping2D(((0, crop), (0, crop)), data_format="channels_last")]
        layers += [zoo.BatchNormalization(), keras.layers.ReLU()]
    layers += [
        keras.layers.Conv2D(3, 3, padding="same", activation="tanh", data_format="channels_last")
    ]
    return keras.Sequential(layers, name="generator")


def discriminator(filters, packing=1, normalized=True, closeness=False):
    """Three strided convolutions to one logit; without `normalized` for penalties of the slope."""
    layers = [keras.Input((*SHAPE[:2], SHAPE[2] * packing))]
    for count in filters:
        layers += [keras.layers.Conv2D(count, 3, 2, "same", data_format="channels_last")]
        layers += [zoo.BatchNormalization()] * normalized + [keras.layers.LeakyReLU(0.3)]
    layers += [keras.layers.Flatten(name=FEATURES)]
    layers += [MinibatchDiscrimination(16, 4)] * closeness + [keras.layers.Dense(1)]
    return keras.Sequential(layers, name="discriminator")


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
        "covered_20": details["covered_20"],
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
    """A training of the paper's generator against a discriminator, and what it makes."""
    gan = trainer(generator(), opponent, seed=seed, **arguments)
    rates = {"generator_optimizer": 1e-4, "discriminator_optimizer": 2e-4}
    adams = {name: keras.optimizers.Adam(rate, 0.5, 0.99) for name, rate in rates.items()}
    gan.compile(**{**adams, **(compiled or {})}, steps_per_execution=10)
    return trained(gan, examples, steps, seed, count)


def trained(gan, examples, steps, seed, count):
    """What a GAN makes after so many steps of so many examples; NaN of one that diverged."""
    data = zoo.datasets.load("stacked_mnist", batch_size=examples, seed=seed, labels=False)
    try:
        gan.fit(data, epochs=1, steps_per_epoch=steps, verbose=0)
    except Diverged as error:
        print(error, flush=True)
        lost = dict.fromkeys(("modes", "kl", "kl_of_digits", "covered_20"), float("nan"))
        return {
            **lost,
            "samples": count,
            "pictures": np.zeros((16, *SHAPE)).tolist(),
            "steps": steps,
        }
    return {**counted(np.asarray(gan.sample(count, seed=0))), "steps": steps}


def unrolled(filters, k, steps, seed, count):
    """A game of K virtual steps."""
    keras.utils.set_random_seed(seed)
    opponent = discriminator(filters)
    return game(opponent, trainers.UnrolledGAN, steps, seed, count, unroll_steps=k)


def dense(steps, seed, count):
    """Wide dense nets, by relativistic pairing with R1 and R2, the rate along a cosine to its end.

    More steps are worse: 4,000 have 948 modes and a KL of .67. The digits' shapes degrade.
    """
    keras.utils.set_random_seed(seed)
    given = {"kernel_initializer": "he_normal", "dtype": "mixed_bfloat16"}
    pair = (
        zoo.MLPGenerator(SHAPE, 64, (WIDE, WIDE), prior="normal", **given),
        zoo.MLPDiscriminator(
            SHAPE, (WIDE, WIDE), "leaky_relu", input_dropout=0.0, dropout=0.0, **given
        ),
    )
    gan = trainers.GAN(*pair, seed=seed)
    rates = [keras.optimizers.schedules.CosineDecay(5e-4, steps, 0.02) for _ in pair]
    adams = [keras.optimizers.Adam(rate, 0.5, 0.99) for rate in rates]
    slopes = [trainers.penalties.R1(1.0), trainers.penalties.R2(1.0)]
    gan.compile(
        "relativistic_pairing",
        *adams,
        discriminator_penalties=slopes,
        ema_decay=0.999,
        steps_per_execution=10,
    )
    return trained(gan, 64, steps, seed, count)


def by_rule(rule, steps, seed, count):
    """A game by a rule of `collapse_games`, against the discriminator of D/2."""
    keras.utils.set_random_seed(seed)
    arguments, compiled = dict(rule.arguments), dict(rule.compiled)
    slopes = compiled.pop("discriminator_penalties", [])
    if slopes:
        compiled["discriminator_penalties"] = [type(slope)(WEIGHT) for slope in slopes]
    if rule.trainer is trainers.WassersteinGAN:
        both = ("generator_optimizer", "discriminator_optimizer")
        compiled.update({name: rule.optimizer(CLIPPED_RATE) for name in both})
    if rule.trainer is trainers.FeatureMatchingGAN:
        arguments["feature_layer"] = FEATURES
    opponent = discriminator(SIZES["D/2"], rule.packing, not slopes, rule.closeness)
    examples = rule.batch * BATCH // rule.examples
    return game(opponent, rule.trainer, steps, seed, count, compiled, examples, **arguments)


def parts(full, seed):
    """A row of the table each."""
    count, steps = STACKED_SAMPLES, 1500
    yield "data", lambda: of_data(count)
    if PRESET in zoo.list_presets():
        yield "preset", lambda: of_preset(STACKED_SAMPLES)
    yield "dense", lambda: dense(1000, seed, count)
    for size, filters in SIZES.items() if full else ():
        for k in (0, 1, 5, 10):
            yield (
                f"{size.replace('/', '')}_unrolled_{k}",
                lambda k=k, filters=filters: unrolled(filters, k, steps, seed, count),
            )
    if full:
        for name, rule in collapse_games.RULES.items():
            if name not in LEFT_OUT:
                yield (
                    f"rule_{collapse_games.slug(name)}",
                    lambda rule=rule: by_rule(rule, steps, seed, count),
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
            + [*(("", "") if published is None else map(str, published))]
        )
    rows += [
        [name, "", "25,600", "", "", "", f"{m:.1f}", f"{kl}"] for name, (m, kl) in OTHERS.items()
    ]
    tables.write(directory / "stacked_mnist", rows)
    draw(shown, directory / "pictures.png")
    yield from judged(results)


def _told(value, form):
    return f"{value:{form}}" if np.isfinite(value) else "diverged"


def _named(name):
    for size in SIZES:
        name = name.replace(f"{size.replace('/', '')}_unrolled_", f"{size}, K = ")
    return name.replace("rule_", "D/2, ").replace("_", " ")


def _published(name):
    size, _, k = name.partition("_unrolled_")
    return PAPER[f"{size[0]}/{size[1:]}"][int(k)] if k else None


def judged(results):
    """The findings."""
    data, preset = results["data"], results.get("preset")
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
        f"{preset['modes']:.0f}" if preset else MISSING,
        preset["modes"] == 1000 if preset else None,
    )
    yield Finding(
        f"preset {PRESET}: KL",
        f"at most {KL}; PacDCGAN2 .06, R3GAN .029",
        f"{preset['kl']:.4f}" if preset else MISSING,
        preset["kl"] <= KL if preset else None,
    )
    wide = results["dense"]
    yield Finding(
        f"dense nets, {wide['steps']:,} steps: modes of {count:,} samples, KL, of that the digits'",
        f"1,000, at most {KL}",
        f"{wide['modes']:.0f}, {wide['kl']:.3f}, {wide['kl_of_digits']:.3f}",
    )
    for size in SIZES:
        slug = size.replace("/", "")
        if f"{slug}_unrolled_0" not in results:
            continue
        first, last = results[f"{slug}_unrolled_0"], results[f"{slug}_unrolled_5"]
        yield Finding(
            f"{size}: modes of K = 0 and of K = 5 after {first['steps']:,} steps",
            f"{PAPER[size][0][0]} and {PAPER[size][5][0]} after 500,000",
            f"{first['modes']:.0f} and {last['modes']:.0f}",
        )


def draw(shown, path):
    """Twelve pictures a row."""
    figure = tables.figure(7.0, 0.62 * len(shown) + 0.2)
    axes = np.atleast_2d(figure.subplots(len(shown), 1)).ravel()
    for place, (name, r) in zip(axes, shown.items(), strict=True):
        pictures = np.asarray(r["pictures"][:12], "uint8")
        place.imshow(np.concatenate(pictures, axis=1))
        place.set(xticks=[], yticks=[])
        place.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    tables.save(figure, path)


STUDY = Study("stacked_mnist", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
