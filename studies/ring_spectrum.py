"""The eigenvalues of a training step on the ring of eight, for each rule of play.

  python -m studies.ring_spectrum --quick    # nets of 8 tanh units, 75 weights
  python -m studies.ring_spectrum --full     # of 16, 147 weights

A pair of small nets is trained until it moves around the ring. There, every rule makes one step of
SGD on one fixed batch: a map from all weights of both players to themselves. Its derivative is a
matrix; on paper it is written in float64 from the formulas, and it is measured by finite
differences of the library's own step. The players come together where all eigenvalues lie within
the unit circle; imaginary parts are rotation.
"""

import keras
import numpy as np
import tensorflow as tf

import trainers
import zoo
from studies import study, tables
from studies.study import Finding, Study
from zoo import random

RATE, BATCH, LATENTS, NEAR = 0.5, 256, 2, 1e-3
WEIGHT, SLOPE, MEMORY, NOISE = 0.5, 0.5, 0.1, 0.3
TOLERANCE = 2e-3  # Of every entry of the matrix: the steps are float32.
DAMPED = ("R1", "consensus")  # They move eigenvalues to the left (Mescheder et al., 2017).
TURNS = 0.01  # An eigenvalue with a larger imaginary part is of a rotation.


# === On paper ===


class Paper:
    """The game in float64: weights as one vector, losses as formulas.

    Args:
        shapes: Shapes of the generator's four weights, then of the discriminator's.
        real: Data `(batch, 2)`.
        latents: `(batch, 2)` of the discriminator's move, and of the generator's in turn.
        noise: Two pairs `(batch, 2)` for real and generated samples, by move.
    """

    def __init__(self, shapes, real, latents, noise=None):
        self.shapes, self.real, self.latents, self.noise = shapes, real, latents, noise
        self.sizes = [int(np.prod(shape)) for shape in shapes]
        self.of_generator = sum(self.sizes[:4])

    def _nets(self, vector):
        parts = tf.split(vector, self.sizes)
        return [tf.reshape(p, s) for p, s in zip(parts, self.shapes, strict=True)]

    def losses(self, vector, move, slope=0.0):
        """Of the generator and the discriminator, non-saturating, with R1."""
        a, b, c, d, e, f, g, h = self._nets(vector)
        fake = tf.tanh(self.latents[move] @ a + b) @ c + d
        real = self.real
        if self.noise is not None:
            real, fake = real + self.noise[move][0], fake + self.noise[move][1]

        def logit(x):
            return (tf.tanh(x @ e + f) @ g + h)[:, 0]

        of_generator = tf.reduce_mean(tf.nn.softplus(-logit(fake)))
        of_both = tf.nn.softplus(-logit(real)) + tf.nn.softplus(logit(fake))
        # The slope of a net of one hidden layer, in closed form.
        slopes = ((1 - tf.tanh(real @ e + f) ** 2) * g[:, 0]) @ tf.transpose(e)
        penalty = 0.5 * slope * tf.reduce_sum(slopes**2, axis=1)
        return of_generator, tf.reduce_mean(of_both + penalty)

    def field(self, vector, move, slope=0.0):
        """`-(grad_G loss_G, grad_D loss_D)`, one vector."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(vector)
            of_generator, of_discriminator = self.losses(vector, move, slope)
        first = tape.gradient(of_generator, vector)[: self.of_generator]
        second = tape.gradient(of_discriminator, vector)[self.of_generator :]
        return -tf.concat([first, second], axis=0)

    def _only(self, vector, first):
        """A vector of one player's part, and 0 for the other's."""
        mask = np.zeros(sum(self.sizes))
        mask[slice(None, self.of_generator) if first else slice(self.of_generator, None)] = 1.0
        return vector * mask

    def simultaneous(self, vector, slope=0.0):
        return vector + RATE * self.field(vector, 0, slope)

    def alternating(self, vector, slope=0.0):
        vector = vector + RATE * self._only(self.field(vector, 0, slope), False)
        return vector + RATE * self._only(self.field(vector, 1, slope), True)

    def averaged(self, vector):
        """Drawn to the mean of two moments, the present and one before: theta - mean is half."""
        past = tf.stop_gradient(vector)
        return self.simultaneous(vector) - RATE * 2 * MEMORY * (vector - past) / 2

    def consensus(self, vector):
        with tf.GradientTape() as tape:
            tape.watch(vector)
            field = self.field(vector, 0)
            size = 0.5 * tf.reduce_sum(field**2)
        return vector + RATE * (field - WEIGHT * tape.gradient(size, vector))

    def unrolled(self, vector, steps):
        """The discriminator's step; then the generator's, through some more that are undone."""
        vector = vector + RATE * self._only(self.field(vector, 0), False)
        with tf.GradientTape() as tape:
            tape.watch(vector)
            later = vector
            for _ in range(steps):
                later = later + RATE * self._only(self.field(later, 1), False)
            loss = self.losses(later, 1)[0]
        return vector - RATE * self._only(tape.gradient(loss, vector), True)

    def derivative(self, function, vector):
        """The matrix of a map's first derivatives at a point."""
        vector = tf.constant(vector, "float64")
        with tf.GradientTape() as tape:
            tape.watch(vector)
            moved = function(vector)
        return tape.jacobian(moved, vector).numpy()


SIMULTANEOUS = {"schedule": "simultaneous"}
RULES = {
    # Name: trainer, its arguments, those of compile, the step on paper.
    "simultaneous": (trainers.GAN, SIMULTANEOUS, {}, Paper.simultaneous),
    "alternating": (trainers.GAN, {}, {}, Paper.alternating),
    "historical averaging": (
        trainers.HistoricalAveragingGAN,
        {"weight": MEMORY, **SIMULTANEOUS},
        {},
        Paper.averaged,
    ),
    "R1": (
        trainers.GAN,
        SIMULTANEOUS,
        {"discriminator_penalties": trainers.penalties.R1(SLOPE)},
        lambda paper, vector: paper.simultaneous(vector, SLOPE),
    ),
    "consensus": (trainers.ConsensusGAN, {"weight": WEIGHT}, {}, Paper.consensus),
    **{
        f"unrolled {k}": (
            trainers.UnrolledGAN,
            {"unroll_steps": k},
            {},
            lambda paper, vector, k=k: paper.unrolled(vector, k),
        )
        for k in (1, 5)
    },
    "instance noise": (
        trainers.GAN,
        SIMULTANEOUS,
        {"perturbations": trainers.perturbations.InstanceNoise(NOISE)},
        Paper.simultaneous,
    ),
}


# === As played ===


def players(units, seed):
    """Two nets of one hidden layer."""
    keras.utils.set_random_seed(seed)
    generator = [keras.Input((LATENTS,)), keras.layers.Dense(units, "tanh"), keras.layers.Dense(2)]
    discriminator = [keras.Input((2,)), keras.layers.Dense(units, "tanh"), keras.layers.Dense(1)]
    return keras.Sequential(generator), keras.Sequential(discriminator)


def place(units, seed, steps):
    """Where a training by Adam is after some steps: all weights, one vector."""
    gan = trainers.GAN(*players(units, seed), seed=seed, value_range=None)
    adam = {f"{name}_optimizer": keras.optimizers.Adam(1e-2, 0.5) for name in PLAYERS}
    gan.compile(**adam, steps_per_execution=50)
    data = zoo.toys.ring().sample(BATCH * 20, seed).numpy()
    gan.fit(data, batch_size=BATCH, epochs=1, steps_per_epoch=steps, verbose=0)
    return np.concatenate([w.numpy().ravel() for w in weights(gan)])


PLAYERS = ("generator", "discriminator")


def weights(gan):
    """Of both players."""
    return [*gan.generator.trainable_variables, *gan.discriminator.trainable_variables]


def put(gan, vector):
    """Sets both players somewhere."""
    cuts = np.cumsum([int(np.prod(w.shape)) for w in weights(gan)])[:-1]
    for weight, part in zip(weights(gan), np.split(vector, cuts), strict=True):
        weight.assign(part.reshape(weight.shape))


def played(kind, arguments, settings, units, seed):
    """A trainer by SGD, and its step as a function from a vector to a vector."""
    gan = kind(*players(units, seed), seed=seed, value_range=None, **arguments)
    sgd = {f"{name}_optimizer": keras.optimizers.SGD(RATE) for name in PLAYERS}
    gan.compile(**sgd, **settings)
    real = zoo.toys.ring().sample(BATCH, seed + 1)
    once = tf.function(lambda: gan.train_step((real,)), autograph=False)
    first = [(v, v.numpy()) for v in gan.variables]  # The counter, means of the past.

    def step(vector, past=None):
        for variable, value in first:
            variable.assign(value)
        if past is not None:  # A step there before, which it remembers.
            put(gan, past)
            once()
            gan.steps.assign(0)
        put(gan, vector)
        once()
        return np.concatenate([w.numpy().ravel() for w in weights(gan)]).astype("float64")

    return gan, step, real


def on_paper(gan, real):
    """The game of a trainer: its batch, its latents, its noise."""
    latents = [tf.cast(gan.latents(BATCH, gan.key(move)), "float64") for move in (0, 1)]
    noise = None
    if gan.perturbations:
        noise = [
            [
                NOISE * tf.cast(random.normal((BATCH, 2), key.perturbation(0, side)), "float64")
                for side in (0, 1)
            ]
            for key in (gan.key(0), gan.key(1))
        ]
    shapes = [tuple(w.shape) for w in weights(gan)]
    return Paper(shapes, tf.cast(real, "float64"), latents, noise)


def spectrum(name, at, units, seed):
    """Both matrices of a rule at a place."""
    kind, arguments, settings, function = RULES[name]
    gan, step, real = played(kind, arguments, settings, units, seed)
    paper = on_paper(gan, real)
    past = at if kind is trainers.HistoricalAveragingGAN else None
    columns = []
    for direction in np.eye(len(at)):
        ends = [step(at + sign * NEAR * direction, past) for sign in (1, -1)]
        columns.append((ends[0] - ends[1]) / (2 * NEAR))
    return paper.derivative(lambda v: function(paper, v), at), np.stack(columns, axis=1)


# === The study ===


def part(name, units, seed):
    """Eigenvalues of a rule on paper and measured, and how far the matrices are apart."""
    at = place(units, seed, 500)
    paper, found = spectrum(name, at, units, seed)
    values = [np.linalg.eigvals(matrix) for matrix in (paper, found)]
    return {
        "paper": np.stack([values[0].real, values[0].imag], axis=1).tolist(),
        "measured": np.stack([values[1].real, values[1].imag], axis=1).tolist(),
        "off": float(np.abs(paper - found).max()),
        "weights": len(at),
    }


def parts(full, seed):
    """A rule each."""
    for name in RULES:
        slug = name.replace(" ", "_")
        yield slug, lambda name=name: part(name, 16 if full else 8, seed)


def report(results, directory):
    """A row and a finding a rule."""
    rows = [["rule", "largest modulus", "measured", "outside the circle", "largest imaginary part"]]
    for slug, r in results.items():
        name = slug.replace("_", " ")
        paper, found = (np.array(r[key]) @ (1, 1j) for key in ("paper", "measured"))
        rows.append(
            [name, f"{np.abs(paper).max():.4f}", f"{np.abs(found).max():.4f}"]
            + [f"{np.sum(np.abs(paper) > 1 + 1e-4)} of {len(paper)}", f"{paper.imag.max():.4f}"]
        )
        yield Finding(
            f"{name}: largest eigenvalue modulus; entries of {r['weights']}^2 within {TOLERANCE}",
            f"{np.abs(paper).max():.4f}",
            f"{np.abs(found).max():.4f}, off by {r['off']:.1g}",
            r["off"] < TOLERANCE,
        )
    yield from of_rotation(results)
    tables.write(directory / "spectrum", rows)
    draw(results, directory / "spectra.png")


def of_rotation(results):
    """Findings on the pairs that turn: where a rule moves them from where plain play has them."""
    plain = turning(results["simultaneous"]).real.mean()
    for slug, r in results.items():
        name, pairs = slug.replace("_", " "), turning(r)
        largest = max(np.array(r["measured"]) @ (1, 1j), key=abs)
        said = f"{abs(largest):.4f}, {'real' if abs(largest.imag) < TURNS else 'of a pair'}"
        shift = np.nan
        if len(pairs):
            shift = pairs.real.mean() - plain
            said = f"{pairs.real.mean():.4f} ({shift:+.4f}) of {len(pairs)}; {said}"
        exact = -RATE * MEMORY if name == "historical averaging" else None
        expected, holds = "", None
        if exact is not None:
            expected = f"{exact:+.3f} for every eigenvalue"
            holds = abs(shift - exact) < TOLERANCE
        elif name in DAMPED and len(pairs):
            expected, holds = "below 0: they move to the left", shift < -TOLERANCE
        yield Finding(
            f"{name}: mean real part of the pairs that turn by more than {TURNS} (less that of "
            "simultaneous play); the largest eigenvalue",
            expected,
            said,
            holds,
        )


def turning(r):
    """The measured eigenvalues with an imaginary part, one of each pair."""
    values = np.array(r["measured"]) @ (1, 1j)
    return values[values.imag > TURNS]


def draw(results, path):
    """Eigenvalues by the unit circle, a picture a rule."""
    figure = tables.figure(10.0, 5.2)
    angles = np.linspace(-np.pi, np.pi, 2001)
    places = figure.subplots(2, 4).flat
    for axes, (slug, r) in zip(places, results.items(), strict=True):
        axes.plot(np.cos(angles), np.sin(angles), color="0.7", lw=0.8)
        axes.plot(*np.array(r["paper"]).T, "o", ms=5, mfc="none", mec="black", mew=0.7)
        axes.plot(*np.array(r["measured"]).T, ".", ms=3, color="tab:orange")
        axes.set_title(slug.replace("_", " "), fontsize=9)
        axes.set(xlim=(0.8, 1.06), ylim=(-0.2, 0.2))
        axes.tick_params(labelsize=7)
    figure.supxlabel("real part (o on paper, . measured; grey: the unit circle)", fontsize=9)
    figure.supylabel("imaginary part", fontsize=9)
    tables.save(figure, path)


STUDY = Study("ring_spectrum", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
