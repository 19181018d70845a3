"""What lies between and beyond latents: walks, arithmetic, truncation, style (DCGAN, section 6).

  python -m studies.latent_space --quick     # three shipped generators
  python -m studies.latent_space --full      # four, with some times as many draws

Walks between two latents, straight and along the arc: how long the latents are beside theory, how
large the largest step is beside the distance of unrelated samples, and whether the middle is still
something. Arithmetic with latents of one sample, of three as in the paper, and of more: how often
"thick 3 - thin 3 + thin 7" is a thick 7. Truncation: what is won and what is lost when latents are
kept near 0. And one latent over all classes of a conditional generator: does it keep its style?
"""

import numpy as np

import evaluation
import zoo
from studies import appearance, latent_figures, study, tables
from studies import latent_measures as measures
from studies.latent_measures import COARSE, POINTS
from studies.study import Finding, Study

EXTRACTORS = {
    "dcgan_mnist": "mnist",
    "dcgan_fashion_mnist": "fashion_mnist",
    "conditional_dcgan_mnist": "mnist",
    "conditional_dcgan_fashion_mnist": "fashion_mnist",
}
PLAIN = tuple(EXTRACTORS)[:2]
ATTRIBUTES = {
    "slant": appearance.slant,
    "thickness": appearance.thickness,
    "brightness": appearance.brightness,
}
CONCEPTS = (  # Whose latents are added; the length of z alone makes a digit thick.
    ("dcgan_mnist", "slant"),
    ("dcgan_mnist", "thickness"),
    ("dcgan_fashion_mnist", "brightness"),
)
STYLES = {
    "mnist": {"thickness": appearance.thickness, "slant": appearance.slant},
    "fashion_mnist": {"brightness": appearance.brightness},
}
MODES = ("linear", "spherical")
AVERAGED = (1, 3, 10, 30)  # Latents of a concept.
PSI = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, None)


def _loaded(preset):
    extractor = evaluation.extractors.load(EXTRACTORS[preset])
    return zoo.from_preset(preset), extractor


def codes(net, count, seed, truncation=None):
    """Draws of a generator's prior."""
    drawn = zoo.latents.from_seed(net.prior, count, net.latent_dim, seed, truncation)
    return np.asarray(drawn)


# === Walks ===


def walks(preset, pairs, middles, seed):
    """Lengths, steps and the classifier's confidence along walks."""
    net, extractor = _loaded(preset)
    many = codes(net, 4_000, seed).reshape(2, -1, net.latent_dim)
    found = {"dim": net.latent_dim}
    a, b = many[:, :pairs]
    ends = [zoo.players.decode(net, z[:middles], as_float=True) for z in many]
    blend = (ends[0] + ends[1]) / 2
    found["confidence"] = {"ends": _confidence(extractor, ends[0])}
    found["confidence"]["blend"] = _confidence(extractor, blend)
    path = np.linspace(ends[0][0], ends[1][0], 11)
    found["blend"] = _bytes(path)
    for mode in MODES:
        norms = np.linalg.norm(zoo.latents.walk(*many, POINTS, mode), axis=-1)
        path = zoo.latents.walk(a, b, POINTS, mode)
        images = zoo.players.decode(net, path.reshape(-1, net.latent_dim), as_float=True)
        spaces = {"pixels": images.reshape(*path.shape[:2], -1)}
        spaces["features"] = extractor.features(images).reshape(*path.shape[:2], -1)
        middle = zoo.latents.walk(*many[:, :middles], 3, mode)[1]
        middle = zoo.players.decode(net, middle, as_float=True)
        found["confidence"][mode] = _confidence(extractor, middle)
        found[mode] = {
            "norms": norms.mean(axis=1).tolist(),
            "error": (norms.std(axis=1) / np.sqrt(norms.shape[1])).tolist(),
            "steps": {name: _steps(x).tolist() for name, x in spaces.items()},
            "walk": _bytes(zoo.players.decode(net, zoo.latents.walk(a[0], b[0], 11, mode))),
        }
    return found


def _steps(path):
    """The mean largest step, in units of the distance of unrelated samples: both ends'."""
    apart = np.linalg.norm(path[-1] - path[0], axis=-1).mean()
    return measures.largest_steps(path).mean(axis=1) / apart


def _confidence(extractor, images):
    return float(extractor.probabilities(images).max(axis=1).mean())


def _bytes(images):
    images = np.asarray(images)
    return (images if images.dtype == np.uint8 else np.rint(255 * images).astype("uint8")).tolist()


# === Arithmetic ===


def judged(extractor, attribute, images, wanted, limits):
    """Whether each image is of its class, and whether it has much of the attribute too."""
    right = extractor.probabilities(images).argmax(axis=1) == wanted
    return right, right & (attribute(images) >= limits[wanted, 1])


def arithmetic(preset, name, pool, trials, seed):
    """How often A - B + C is what it should be, by the number of latents averaged."""
    net, extractor = _loaded(preset)
    attribute = ATTRIBUTES[name]
    latents = codes(net, pool, seed)
    images = zoo.players.decode(net, latents)
    classes = extractor.probabilities(images).argmax(axis=1)
    values = attribute(images)
    limits = measures.thirds(classes, values)
    rng, found, shown = np.random.default_rng(seed), {}, []
    much = [np.mean((classes == c) & (values >= limits[c, 1])) for c in range(10)]
    for count in AVERAGED:
        drawn = [measures.trial(rng, classes, values, limits, count) for _ in range(trials)]
        wanted = np.array([other for _, other, _ in drawn])
        made = {
            "plain": [zoo.latents.arithmetic(*(latents[r] for r in rows)) for _, _, rows in drawn],
            "rescaled": [
                zoo.latents.arithmetic(*(latents[r] for r in rows), rescale=True)
                for _, _, rows in drawn
            ],
            "C alone": [latents[rows[2]].mean(axis=0) for _, _, rows in drawn],
        }
        for kind, z in made.items():
            results = zoo.players.decode(net, np.array(z))
            right, both = judged(extractor, attribute, results, wanted, limits)
            length = np.linalg.norm(z, axis=1).mean()
            found[f"{kind} {count}"] = [float(v) for v in (right.mean(), both.mean(), length)]
            if (kind, count) == ("rescaled", 3):
                shown = [
                    _bytes(np.concatenate([*(images[r] for r in rows), result[None]]))
                    for (_, _, rows), result in zip(drawn[:4], results, strict=False)
                ]
    return {"found": found, "chance": float(np.mean(much)), "trials": trials, "shown": shown}


# === Truncation ===


def truncation(preset, count, seed):
    """Variety, confidence, precision and recall as latents are kept near 0."""
    net, extractor = _loaded(preset)
    real, _ = zoo.datasets.arrays("mnist", "test")
    (real,) = evaluation.measures.part([real], 2 * count)
    scores = evaluation.PrecisionRecall(extractor.features(real))
    found = []
    for psi in PSI:
        latents = codes(net, count, seed, psi)
        images = zoo.players.decode(net, latents, as_float=True)
        features, probabilities = extractor.both(images)
        details = scores.evaluate(features).details
        found.append(
            {
                "latents": measures.apart(latents) / np.sqrt(2 * net.latent_dim),
                "variety": measures.apart(images),
                "confidence": float(probabilities.max(axis=1).mean()),
                "precision": float(details["precision"]),
                "recall": float(details["recall"]),
                "shown": _bytes(images[:12]),
            }
        )
    return {"found": found, "count": count}


# === Style ===


def style(preset, count, seed):
    """One latent over all classes: attributes of class j beside those of class k."""
    net, extractor = _loaded(preset)
    latents = codes(net, count, seed)
    labels = np.tile(np.arange(10), count)
    images = zoo.players.decode(net, np.repeat(latents, 10, axis=0), labels)
    right = extractor.probabilities(images).argmax(axis=1) == labels
    rng, found = np.random.default_rng(seed), {}
    for name, attribute in STYLES[EXTRACTORS[preset]].items():
        values = attribute(images).reshape(count, 10)
        mixed = np.stack([rng.permutation(own) for own in values.T], axis=1)
        found[name] = [measures.kept(values), measures.kept(mixed)]
    return {
        "right": float(right.mean()),
        "kept": found,
        "count": count,
        "shown": _bytes(images[:60]),
    }


# === The study ===


def parts(full, seed):
    """A generator and a question each."""
    for preset in PLAIN:
        size = (100, 1_000) if full else (6, 150)
        yield f"walks_{preset}", lambda p=preset, s=size: walks(p, *s, seed)
    for preset, name in CONCEPTS:
        size = (10_000, 1_000) if full else (1_500, 100)
        whole = f"{preset}, {name}"
        yield f"arithmetic_{whole}", lambda p=preset, n=name, s=size: arithmetic(p, n, *s, seed)
    yield f"truncation_{PLAIN[0]}", lambda: truncation(PLAIN[0], 2_000 if full else 300, seed)
    for preset in tuple(EXTRACTORS)[2 : 4 if full else 3]:
        yield f"style_{preset}", lambda p=preset: style(p, 500 if full else 60, seed)


def _of(results, question):
    start = f"{question}_"
    return {name.removeprefix(start): r for name, r in results.items() if name.startswith(start)}


def report(results, directory):
    """A finding for each thing that theory or the paper says."""
    for preset, r in _of(results, "walks").items():
        yield from _of_walks(preset, r)
    rows = [["generator", "latents", "", "of the class", "and much of it", "length of z"]]
    for preset, r in _of(results, "arithmetic").items():
        yield from _of_arithmetic(preset, r)
        for key, values in r["found"].items():
            name, _, count = key.rpartition(" ")
            numbers = [f"{values[0]:.1%}", f"{values[1]:.1%}", f"{values[2]:.2f}"]
            rows.append([preset, count, name, *numbers])
    tables.write(directory / "arithmetic", rows)
    for preset, r in _of(results, "truncation").items():
        yield from _of_truncation(preset, r)
    for preset, r in _of(results, "style").items():
        yield from _of_style(preset, r)
    latent_figures.draw_walks(_of(results, "walks"), measures.lengths, directory / "walks.png")
    latent_figures.draw_arithmetic(_of(results, "arithmetic"), directory / "arithmetic.png")
    (truncated,) = _of(results, "truncation").values()
    latent_figures.draw_truncation(truncated, PSI, directory / "truncation.png")
    latent_figures.draw_style(_of(results, "style"), directory / "style.png")


def _of_walks(preset, r):
    t = np.linspace(0, 1, POINTS)
    for mode in MODES:
        theory = measures.lengths(mode, r["dim"], t)
        found, error = np.array(r[mode]["norms"]), np.array(r[mode]["error"])
        half = POINTS // 2
        yield Finding(
            f"{preset}: mean length of latents in the middle of a {mode} walk",
            f"{theory[half]:.3f}, at the ends {theory[0]:.3f}",
            f"{found[half]:.3f}, {found[0]:.3f}",
            np.all(np.abs(found - theory) < 4 * error),
        )
    for space in ("pixels", "features"):
        steps = r["spherical"]["steps"][space]
        yield Finding(
            f"{preset}: largest of {', '.join(map(str, COARSE))} steps of an arc, in {space}, in "
            "distances of unrelated samples",
            "halves at last with the step, for G is continuous; a jump stays",
            _list(steps),
            steps[-1] < 0.7 * steps[-2],
        )
    c = r["confidence"]
    yield Finding(
        f"{preset}: classifier's confidence at ends, in the middle of arcs, of lines, of blended "
        "pixels",
        "blended pixels least",
        f"{c['ends']:.3f}, {c['spherical']:.3f}, {c['linear']:.3f}, {c['blend']:.3f}",
        c["blend"] < min(c["spherical"], c["linear"]),
    )


def _of_arithmetic(concept, r):
    found = [r["found"][f"rescaled {count}"][1] for count in AVERAGED]
    error = np.sqrt(found[1] * (1 - found[1]) / r["trials"])
    yield Finding(
        f"{concept}: A - B + C, of {', '.join(map(str, AVERAGED))} latents each and of the "
        "prior's length, is of C's class with much of A's attribute",
        f"more than by chance, {r['chance']:.1%}, from 3 on; single latents less",
        ", ".join(f"{value:.1%}" for value in found),
        found[1] > max(r["chance"] + 3 * error, found[0]),
    )
    alone, plain = r["found"]["C alone 30"], r["found"]["plain 30"]
    yield Finding(
        f"{concept}: the mean of 30 of C alone: of its class, and with much of the attribute",
        "of the class, without the attribute",
        f"{alone[0]:.1%}, {alone[1]:.1%} (its length {alone[2]:.2f}; A - B + C as it comes: "
        f"{plain[1]:.1%}, {plain[2]:.2f})",
        alone[1] < found[-1],
    )


def _of_truncation(preset, r):
    theory = np.array([measures.truncated_variance(psi) for psi in PSI]) ** 0.5
    found = {key: np.array([row[key] for row in r["found"]]) for key in r["found"][0]}
    off = np.abs(found["latents"] / theory - 1).max()
    yield Finding(
        f"{preset}: spread of latents by psi, beside that of the truncated normal",
        "ratio 1",
        f"off by {off:.1%} at most",
        off < 0.05,
    )
    yield Finding(
        f"{preset}: distance of two samples by psi = {', '.join(map(_said, PSI))}",
        "to 0 with psi",
        _list(found["variety"]),
        found["variety"][0] < 0.2 * found["variety"][-1],
    )
    yield Finding(
        f"{preset}: recall by psi",
        "falls as psi does, from 1 downwards",
        _list(found["recall"]),
        bool(np.all(np.diff(found["recall"][: PSI.index(1.0) + 1]) > 0)),
    )
    for key in ("precision", "confidence"):
        yield Finding(
            f"{preset}: {key} by psi",
            "rises as psi falls (BigGAN); theory does not say so",
            _list(found[key]),
        )


def _said(psi):
    return "none" if psi is None else f"{psi:g}"


def _list(values):
    return ", ".join(f"{value:.2f}" for value in values)


def _of_style(preset, r):
    yield Finding(
        f"{preset}: samples of {r['count']} latents that are of the class asked for",
        "all",
        f"{r['right']:.1%}",
        r["right"] > 0.9,
    )
    for name, (same, mixed) in r["kept"].items():
        yield Finding(
            f"{preset}: correlation of {name} between classes, one latent; mixed latents",
            "above 0; 0",
            f"{same:.2f}; {mixed:.2f}",
            same > 0.2 and same > mixed + 0.1,
        )


STUDY = Study("latent_space", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
