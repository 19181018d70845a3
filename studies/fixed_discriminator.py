"""Against a discriminator that stands still a generator makes one point (lecture 000, theorem 3).

  python -m studies.fixed_discriminator --quick     # one generator, six rounds
  python -m studies.fixed_discriminator --full      # five generators

Of a fixed D the best generator puts all its mass where D is largest: min E_q log(1 - D) is reached
by a point, and its value is log(1 - max D). First on five points, where q is a softmax; then a net
that descends E_q -log D, whose answer is the same and whose slope does not vanish,
on the line, whose samples shrink to one point and whose derivative dG/dz goes to 0. Then the
discriminator may answer, as the best one against what the generator makes now, and stands still
again: the generator leaves for another point. That is how a game without an end looks.
"""

import keras
import numpy as np
import tensorflow as tf

import trainers
import zoo
from studies import study, tables
from studies.gaussian_fits import log_normal
from studies.study import Finding, Study

ON_POINTS = (0.2, 0.65, 0.4, 0.7, 0.1)  # D of five points.
CENTRES, SCALE = (-1.5, 1.5), 1.0  # The data: two modes of equal weight.
WIDE, NARROW = 2.5, 0.8  # Deviations of what D has seen long ago, and of what is made now.
ROUNDS, STEPS, EVERY = 6, 400, 10
SHRUNK = 0.1  # Of the spread and the slope at first: what may be left at the end of a round.


def on_points(steps=4_000, rate=0.5):
    """Descends `sum q log(1 - D)` over the logits of q, by the library's loss."""
    loss = trainers.objectives.get("minimax").generator_loss
    d = np.array(ON_POINTS)
    believed = tf.constant(np.log(d / (1 - d)))
    logits = tf.Variable(np.zeros(len(d)))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(tf.nn.softmax(logits) * loss(believed, believed))
        logits.assign_sub(rate * tape.gradient(value, logits))
        return value

    values = [float(step()) for _ in range(steps)]
    return {
        "values": values[::50],
        "value": values[-1],
        "mass": tf.nn.softmax(logits).numpy().tolist(),
    }


@keras.saving.register_keras_serializable("studies")
class Against(keras.layers.Layer):
    """The logit of the best discriminator against half N(at, NARROW^2) and half N(0, WIDE^2)."""

    def build(self, input_shape):
        self.at = self.add_weight(
            shape=(), initializer="zeros", name="at"
        )  # No step is made of it.

    def call(self, x):
        data = [log_normal(x, centre, SCALE) for centre in CENTRES]
        data = [own - np.log(len(CENTRES)) for own in data]
        made = [log_normal(x, self.at, NARROW), log_normal(x, 0.0, WIDE)]
        return tf.reduce_logsumexp(data, axis=0) - tf.reduce_logsumexp(made, axis=0) + np.log(2.0)


def on_the_line(seed):
    """A generator in rounds, each against a discriminator that stands still."""
    keras.utils.set_random_seed(seed)
    wide = keras.initializers.VarianceScaling(3.0, "fan_avg", "uniform")  # Three times Glorot's.
    generator = zoo.MLPGenerator(
        (1,), 1, (32, 32), "tanh", output_activation="linear", prior="normal",
        kernel_initializer=wide,
    )  # fmt: skip
    against = Against()
    discriminator = keras.Sequential([keras.Input((1,)), against])
    against.at.assign(CENTRES[0])  # It has seen the left mode made: the right one looks real.
    gan = trainers.GAN(generator, discriminator, seed=seed, value_range=None)
    gan.compile(generator_optimizer=keras.optimizers.Adam(3e-3, beta_1=0.5), jit_compile=False)
    real, latents = tf.zeros((256, 1)), tf.constant(np.linspace(-2, 2, 81)[:, None], "float32")

    @tf.function
    def step():
        gan.generator_step(real, None, gan.key(0))
        gan.steps.assign_add(1)

    @tf.function
    def look():
        with tf.GradientTape() as tape:
            tape.watch(latents)
            made = generator(latents)
        return made, tape.gradient(made, latents)

    walk = []
    for number in range(ROUNDS):
        for k in range(STEPS):
            if k % EVERY == 0 or k == STEPS - 1:
                made, slope = look()
                walk.append(
                    [
                        number * STEPS + k,
                        float(np.mean(made)),
                        float(np.std(made)),
                        float(np.abs(slope).mean()),
                    ]
                )
            step()
        grid = np.linspace(-4, 4, 1601)[:, None].astype("float32")
        best = grid[np.argmax(discriminator.predict(grid, batch_size=2048, verbose=0)), 0]
        walk[-1].append(float(best))
        against.at.assign(walk[-1][1])
    return {"walk": walk}


def parts(full, seed):
    """The points; a net for each seed."""
    yield "points", on_points
    for k in range(seed, seed + (5 if full else 1)):
        yield f"line_{k}", lambda k=k: on_the_line(k)


def report(results, directory):
    """Where the mass went, how wide it was, and how often it left."""
    points = results["points"]
    best = int(np.argmax(ON_POINTS))
    exact = np.log(1 - max(ON_POINTS))
    yield Finding(
        "mass of q on the point where D is largest",
        "1",
        f"{points['mass'][best]:.4f}",
        points["mass"][best] > 0.99,
    )
    yield Finding(
        "value, log(1 - max D)",
        f"{exact:.4f}",
        f"{points['value']:.4f}",
        abs(points["value"] - exact) < 0.01,
    )
    for name in (name for name in results if name.startswith("line_")):
        walk = results[name]["walk"]
        ends = [row for row in walk if len(row) == 5]
        first = walk[0]
        spread = max(row[2] for row in ends)
        slope = max(row[3] for row in ends)
        yield Finding(
            f"{name}: widest spread at the end of a round (at first {first[2]:.2f})",
            "0",
            f"{spread:.3f}",
            spread < SHRUNK * first[2],
        )
        yield Finding(
            f"{name}: largest mean |dG/dz| at the end of a round (at first {first[3]:.2f})",
            "0",
            f"{slope:.3f}",
            slope < SHRUNK * first[3],
        )
        places = [row[1] for row in ends]
        off = max(abs(row[1] - row[4]) for row in ends)
        yield Finding(
            f"{name}: largest distance from the argmax of D", "0", f"{off:.3f}", off < 0.05
        )
        moves = np.abs(np.diff(places))
        yield Finding(
            f"{name}: how far it moves when D has answered, at least",
            "a mode",
            f"{moves.min():.2f}; places {', '.join(f'{p:.2f}' for p in places)}",
            moves.min() > 1.0,
        )
    draw(results, directory / "rounds.png")


def draw(results, path):
    """The mean and the spread of what the generator makes, round by round."""
    figure = tables.figure(9.0, 3.2)
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    left.bar(range(len(ON_POINTS)), ON_POINTS, color="0.8", label="D")
    left.bar(range(len(ON_POINTS)), results["points"]["mass"], width=0.4, label="q at the end")
    left.legend(fontsize=8)
    left.set_title("five points", fontsize=9)
    left.set_xlabel("point", fontsize=9)
    left.set_ylabel("D, and mass of q", fontsize=9)
    name = next(name for name in results if name.startswith("line_"))
    steps, mean, spread, *_ = np.array([row[:4] for row in results[name]["walk"]]).T
    right.fill_between(steps, mean - 2 * spread, mean + 2 * spread, alpha=0.3)
    right.plot(steps, mean)
    for k, centre in enumerate(CENTRES):
        right.axhline(centre, color="0.7", ls="--", lw=0.8, label=None if k else "modes of p")
    right.legend(fontsize=8, loc="upper right")
    for number in range(1, ROUNDS):
        right.axvline(number * STEPS, color="tab:red", lw=0.6)
    right.set_title("G(z), mean and twice its spread; D answers at the red lines", fontsize=9)
    right.set_xlabel("steps of the generator", fontsize=9)
    right.set_ylabel("x", fontsize=9)
    tables.save(figure, path)


STUDY = Study("fixed_discriminator", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
