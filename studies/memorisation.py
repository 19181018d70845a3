"""A net can hold its training pictures; does a GAN of the same generator, on the same pictures?

  python -m studies.memorisation --quick     # 200 digits
  python -m studies.memorisation --full      # 200 and 1,000, with eight times the steps of the GAN

One net is taught by least squares to make picture i of code i, a fixed latent: it holds them, and
between two codes there is a blend of two pictures. A GAN with that generator never sees a picture
of the training set: it is told by the discriminator only which way data lie. Both are measured by
the distance of samples to the nearest training picture, beside that of digits that neither saw.
"""

import keras
import numpy as np
import tensorflow as tf

import evaluation
import trainers
import zoo
from evaluation.features import permutation
from studies import study, tables
from studies.latent_measures import apart
from studies.study import Finding, Study

LATENTS, HELD_OUT, PAIRS, SHOWN = 16, 1_000, 200, 10
NOISE_FROM, NOISE_TO = 0.3, 0.1  # On what D sees, which else knows 200 pictures by heart.
KINDS = {"index": "index net", "gan": "GAN"}


def pictures(count, seed):
    """Training pictures, and held-out ones, both drawn from MNIST's training images."""
    images, _ = zoo.datasets.arrays("mnist")
    rows = permutation(len(images), seed)
    return images[rows[:count]], images[rows[count : count + HELD_OUT]]


def generator(seed):
    """The architecture of both."""
    keras.utils.set_random_seed(seed)
    return zoo.DCGANGenerator((28, 28, 1), LATENTS, filters=16, units=(256,))


def codes(count, seed):
    """The latents of the pictures: draws of the prior that stay."""
    return zoo.latents.from_seed("normal", count, LATENTS, seed).numpy()


def indexed(images, steps, seed):
    """A net that has learned `min mean |G(code_i) - x_i|^2`."""
    net = generator(seed)
    decay = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    net.compile(keras.optimizers.Adam(decay, beta_1=0.5), loss="mse", jit_compile=False)
    pairs = (codes(len(images), seed), images.astype("float32") / 127.5 - 1.0)
    data = tf.data.Dataset.from_tensors(pairs).repeat()
    net.fit(data, epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0)
    return net


def between(net, latents, pairs):
    """Ends, their pixel blends, and what the net makes in the middle of their arcs, in [0, 1]."""
    a, b = latents[pairs[:, 0]], latents[pairs[:, 1]]
    ends = [zoo.players.decode(net, z, as_float=True) for z in (a, b)]
    middle = zoo.latents.walk(a, b, 3, "spherical")[1]
    return ends, (ends[0] + ends[1]) / 2, zoo.players.decode(net, middle, as_float=True)


def blended(ends, blend, middle):
    """The share of middles that are nearer to the blend of both ends than to either end."""

    def off(images):
        return np.square(images - middle).mean(axis=(1, 2, 3))

    return float(np.mean(off(blend) < np.minimum(off(ends[0]), off(ends[1]))))


def confidence(extractor, images):
    """The mean probability of the likeliest class."""
    return float(extractor.probabilities(images).max(axis=1).mean())


def figures_of(samples, images, held_out):
    """What the alarm says of samples, in pixels."""
    alarm = evaluation.Memorisation(images, held_out)
    score = alarm.evaluate(samples)
    keys = ("alarm", "auc", "median", "median_held_out", "low", "high")
    return {"near": float(score.value), **{key: float(score.details[key]) for key in keys}}


def _distances(samples, images):
    return np.round(zoo.neighbours.nearest(samples, images)[1][:, 0], 4).tolist()


def looked_at(net, latents, samples, images, held_out, seed):
    """What is asked of both nets, at latents that are theirs."""
    extractor = evaluation.extractors.load("mnist")
    rng = np.random.default_rng(seed)
    pairs = np.stack([rng.permutation(len(latents))[:2] for _ in range(PAIRS)])
    ends, blend, middle = between(net, latents, pairs)
    path = zoo.latents.walk(*latents[pairs[0]], SHOWN, "spherical")
    nearest, _ = zoo.neighbours.nearest(samples[:SHOWN], images)
    return {
        **figures_of(samples, images, held_out),
        "distances": _distances(samples, images),
        "confidence": {
            "samples": confidence(extractor, samples[:PAIRS]),
            "between": confidence(extractor, middle),
        },
        "blended": blended(ends, blend, middle),
        "walk": zoo.players.decode(net, path).tolist(),
        "shown": samples[:SHOWN].tolist(),
        "nearest": images[nearest[:, 0]].tolist(),
    }


def by_index(count, steps, seed):
    """The net of codes: how well it has them, and what else it makes."""
    images, held_out = pictures(count, seed)
    net, latents = indexed(images, steps, seed), codes(count, seed)
    made = zoo.players.decode(net, latents, as_float=True)
    truth = images.astype("float64") / 255.0
    own, _ = zoo.neighbours.nearest(made, images)
    fresh = zoo.players.decode(net, codes(PAIRS, seed + 1))
    extractor = evaluation.extractors.load("mnist")
    samples = zoo.players.decode(net, latents)
    return {
        "mse": float(np.square(made - truth).mean()),
        "variance": float(truth.var(axis=0).mean()),
        "own": float(np.mean(own[:, 0] == np.arange(count))),
        "fresh": confidence(extractor, fresh),
        "real": confidence(extractor, held_out[:PAIRS]),
        "held_out": _distances(held_out, images),
        **looked_at(net, latents, samples, images, held_out, seed),
    }


def by_game(count, steps, seed, looks=4):
    """A GAN on the same pictures: its samples, and how near they come as it goes on."""
    images, held_out = pictures(count, seed)
    net = generator(seed)  # First, for it sets the seed of all first weights.
    discriminator = zoo.DCGANDiscriminator((28, 28, 1), 16, units=(128,))
    gan = trainers.GAN(net, discriminator, schedule="simultaneous", seed=seed)
    schedule = keras.optimizers.schedules.PolynomialDecay(NOISE_FROM, steps, NOISE_TO)
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
        perturbations=trainers.perturbations.InstanceNoise(schedule),
        ema_decay=0.99,
        jit_compile=False,
    )
    course = []
    for number in range(1, looks + 1):
        gan.fit(images, batch_size=50, epochs=1, steps_per_epoch=steps // looks, verbose=0)
        samples = gan.sample(HELD_OUT, seed=seed)
        score = figures_of(samples, images, held_out)
        course.append([number * steps // looks, score["near"], score["auc"], score["median"]])
    believed = [_believed(discriminator, own) for own in (images, held_out, samples)]
    latents = codes(HELD_OUT, seed)
    return {
        "course": course,
        "believed": believed,
        "variety": apart(samples) / apart(images),
        **looked_at(gan.sampler, latents, samples, images, held_out, seed),
    }


def _believed(discriminator, images):
    logits, _ = zoo.players.discriminate(discriminator, images / np.float32(127.5) - 1)
    return float(tf.reduce_mean(tf.sigmoid(logits)))


def parts(full, seed):
    """Both nets, for each number of pictures."""
    for count in (200, 1_000) if full else (200,):
        yield f"index_{count}", lambda c=count: by_index(c, 1_500 if full else 600, seed)
        yield f"gan_{count}", lambda c=count: by_game(c, 12_000 if full else 1_500, seed)


def report(results, directory):
    """What each holds, and what each makes between two latents."""
    counts = [name.partition("_")[2] for name in results if name.startswith("index_")]
    rows = [["pictures", "", "near", "alarm", "AUC", "median distance", "held out"]]
    rows[0] += ["confidence: samples", "between"]
    for count in counts:
        for kind, said in KINDS.items():
            r = results[f"{kind}_{count}"]
            row = [r[key] for key in ("near", "alarm", "auc", "median", "median_held_out")]
            row += [r["confidence"][key] for key in ("samples", "between")]
            rows.append([count, said, *(f"{value:.3f}" for value in row)])
        yield from _of_index(count, results[f"index_{count}"])
        yield from _of_game(count, results[f"gan_{count}"], results[f"index_{count}"])
    tables.write(directory / "nets", rows)
    index, gan = (results[f"{kind}_{counts[0]}"] for kind in KINDS)
    draw_pictures(index, gan, directory / "pictures.png")
    draw_distances(index, gan, directory / "distances.png")


def _of_index(count, r):
    yield Finding(
        f"index net, {count} pictures: mean squared error (variance {r['variance']:.3f})",
        "near 0: it holds them",
        f"{r['mse']:.5f}",
        r["mse"] < 0.05 * r["variance"],
    )
    yield Finding(
        f"index net, {count} pictures: codes whose nearest picture is their own",
        "all",
        f"{r['own']:.1%}",
        r["own"] > 0.98,
    )
    yield Finding(
        f"index net, {count} pictures: alarm; share nearer than 1 % of held-out digits are",
        "alarm; 100 %",
        f"{_alarm(r)}; {r['near']:.1%}",
        r["alarm"] == 1 and r["near"] > 0.9,
    )
    yield Finding(
        f"index net, {count} pictures: middles nearer to the blend of both ends than to an end",
        "most: a blend",
        f"{r['blended']:.1%}",
        r["blended"] > 0.5,
    )
    held = r["confidence"]
    yield Finding(
        f"index net, {count} pictures: classifier's confidence at codes, between, at new latents",
        f"that of digits, {r['real']:.2f}; then less",
        f"{held['samples']:.2f}, {held['between']:.2f}, {r['fresh']:.2f}",
        held["between"] < held["samples"] - 0.05,
    )


def _of_game(count, r, index):
    yield Finding(
        f"GAN, {count} pictures: distance of two samples, in that of two pictures",
        "about 1; near 0 it makes one picture, and nothing below means anything",
        f"{r['variety']:.2f}",
        r["variety"] > 0.5,
    )
    yield Finding(
        f"GAN, {count} pictures: alarm; share nearer than 1 % of held-out digits are",
        "no alarm; 1 %",
        f"{_alarm(r)}; {r['near']:.1%} ({r['low']:.1%} to {r['high']:.1%})",
        r["alarm"] == 0,
    )
    yield Finding(
        f"GAN, {count} pictures: AUC against held-out digits (index net {index['auc']:.2f})",
        "0.5 of the data's own, 1 of copies",
        " → ".join(f"{row[2]:.2f}" for row in r["course"]),
    )
    yield Finding(
        f"GAN, {count} pictures: classifier's confidence at samples, between",
        f"between more than the index net's {index['confidence']['between']:.2f}",
        f"{r['confidence']['samples']:.2f}, {r['confidence']['between']:.2f}",
        r["confidence"]["between"] > index["confidence"]["between"],
    )
    yield Finding(
        f"GAN, {count} pictures: D on training, held-out and generated pictures",
        "the first two are equal if D knows digits, not these digits",
        ", ".join(f"{value:.2f}" for value in r["believed"]),
    )


def _alarm(r):
    return "alarm" if r["alarm"] else "no alarm"


# === Figures ===


def draw_pictures(index, gan, path):
    """Samples over the training pictures nearest to them, and a walk of each net."""
    rows = {"nearest in training": (index["nearest"], gan["nearest"])}
    rows = {"samples": (index["shown"], gan["shown"]), **rows}
    rows["from z to z′"] = (index["walk"], gan["walk"])
    figure = tables.figure(10.0, 2.6)
    for side, axes in enumerate(figure.subplots(1, 2)):
        lines = [np.concatenate(own[side], axis=1)[..., 0] for own in map(_arrays, rows.values())]
        gap = np.full((4, lines[0].shape[1]), 255, "uint8")
        stacked = [part for line in lines for part in (255 - line, gap)][:-1]
        axes.imshow(np.concatenate(stacked), cmap="gray", vmin=0, vmax=255)
        axes.set_yticks([14 + 32 * k for k in range(len(rows))], rows, fontsize=8)
        axes.set_xticks([])
        axes.set_title(list(KINDS.values())[side], fontsize=9)
    tables.save(figure, path)


def _arrays(pair):
    return [np.array(own, "uint8") for own in pair]


def draw_distances(index, gan, path):
    """Distances to the nearest training picture, and what the classifier believes."""
    figure = tables.figure(9.0, 3.2)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    bins = np.linspace(0, max(*index["held_out"], *gan["distances"]), 50)
    own = {"held-out digits": index["held_out"], "index net": index["distances"]}
    for label, distances in {**own, "GAN": gan["distances"]}.items():
        weights = np.full(len(distances), 1 / len(distances))
        left.hist(distances, bins, weights=weights, histtype="step", label=label)
    left.legend(fontsize=8)
    left.set_xlabel("distance to the nearest training picture, pixels in [0, 1]", fontsize=8)
    left.set_title("share of pictures by distance", fontsize=9)
    labels = ["samples", "between"]
    for place, (name, r) in enumerate(zip(KINDS.values(), (index, gan), strict=True)):
        values = [r["confidence"][key] for key in labels]
        right.bar(np.arange(2) + 0.35 * place - 0.175, values, 0.33, label=name)
    right.axhline(index["real"], color="k", ls="--", lw=0.8, label="held-out digits")
    right.set_xticks(range(2), labels)
    right.set(ylim=(0, 1.0))
    right.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3)
    right.set_title("classifier's mean confidence", fontsize=9)
    tables.save(figure, path)


STUDY = Study("memorisation", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
