"""Ten thousand GANs at once: the rate of an ensemble beside a loop over one compiled step.

  python -m benchmarks.ensemble [--members=10000] [--steps=2000]

Generators 1-16-16-1 against discriminators 1-16-16-1, alternating steps of Adam on batches of 100.
In each round the ensemble makes `--steps` steps of all members, and one GAN makes a few hundred of
its own, one compiled step at a time. Beside them stand the machine's product of two matrices and
its copy of an array, by which it is told what bounds the ensemble.
"""

import time

import numpy as np
import tensorflow as tf
from absl import flags

import trainers
import zoo
from trainers.ensembles import training
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_integer("members", 2_000, "GANs.", 1, flag_values=FLAGS)
flags.DEFINE_integer("steps", 100, "Steps of each member in a round.", 1, flag_values=FLAGS)
flags.DEFINE_integer("rounds", 3, "Rounds; the first of each is not counted.", 1, flag_values=FLAGS)

BATCH, WIDTH, ALONE = 100, 16, 300
GOAL = 10_000 * 2_000  # Members times steps of the lecture's study.


def players():
    """The two nets of a member."""
    units = (WIDTH, WIDTH)
    return (
        zoo.MLPGenerator(
            (1,),
            latent_dim=1,
            units=units,
            output_activation="linear",
            kernel_initializer="glorot_uniform",
        ),
        zoo.MLPDiscriminator(
            (1,),
            units=units,
            activation="relu",
            input_dropout=0.0,
            dropout=0.0,
            kernel_initializer="glorot_uniform",
        ),
    )


def operations():
    """Floating point operations of the products of one member's step.

    A pass of a net is `2 (1 w + w w + w 1)` an example. The discriminator's step: the generator
    once, the discriminator on twice the batch, and twice that back. The generator's: each once,
    the discriminator once back to its samples, the generator twice back.
    """
    once = 2 * (WIDTH + WIDTH**2 + WIDTH) * BATCH
    return once * (1 + 2 + 4) + once * (2 + 1 + 2)


def seconds(function):
    """Wall time of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def product():
    """Operations a second of the product of two matrices."""
    a = tf.random.stateless_normal((2048, 2048), (0, 0))
    np.asarray(a @ a)
    return 2 * 2048**3 / min(seconds(lambda: np.asarray(a @ a)) for _ in range(5))


def copy():
    """Bytes a second that a copy reads and writes."""
    a = np.ones(2**26, "float32")
    b = np.empty_like(a)
    return 2 * a.nbytes / min(seconds(lambda: np.copyto(b, a)) for _ in range(5))


def main(arguments):
    members, steps = FLAGS.members, FLAGS.steps
    data = np.random.default_rng(0).normal(size=(members, BATCH, 1)).astype("float32")
    ensemble = trainers.GANEnsemble(*players(), members=members)
    alone = trainers.GAN(*players())
    alone.compile()

    def together():
        ensemble.fit(
            data, batch_size=BATCH, steps_per_epoch=steps, shuffle=False, epochs=1, verbose=0
        )

    def apart():
        alone.fit(data[0], batch_size=BATCH, steps_per_epoch=ALONE, shuffle=False, verbose=0)

    first = seconds(together), seconds(apart)
    rates, singles, peaks = [], [], []
    for number in range(FLAGS.rounds):
        rates.append(seconds(together) / members / steps)
        singles.append(seconds(apart) / ALONE)
        peaks.append(product())
        print(
            f"  round {number + 1}: {rates[-1] * 1e6:7.2f} us a member and step, "
            f"{singles[-1] * 1e6:7.0f} us alone, product {peaks[-1] / 1e9:.0f} GFLOP/s",
            flush=True,
        )
    low, median, high = np.percentile(rates, (25, 50, 75))
    single, peak = np.median(singles), np.median(peaks)
    size = training.chunk_size(ensemble, BATCH)
    state = sum(v.numpy().nbytes for v in training.state(ensemble)) / members
    print(
        f"{members} members in chunks of {size}, first call {first[0]:.0f} s (compiles)\n"
        f"{median * 1e6:.1f} us a member and step [{low * 1e6:.1f} ... {high * 1e6:.1f}]: "
        f"{GOAL * median / 60:.1f} minutes for 10,000 members and 2,000 steps\n"
        f"a loop over one compiled step: {single * 1e6:.0f} us, "
        f"{GOAL * single / 60:.0f} minutes: {single / median:.0f} times as long\n"
        f"products: {operations() / 1e3:.0f} kFLOP a step, {operations() / median / peak:.0%} of "
        f"the machine's {peak / 1e9:.0f} GFLOP/s\n"
        f"state {state / 1e3:.1f} kB a member, {state * members / 1e6:.0f} MB; read and written "
        f"once a chunk's stay ({steps} steps): {2 * state / steps / median / copy():.2%} of the "
        f"machine's bandwidth"
    )


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
