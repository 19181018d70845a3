"""Trains each case on one device and on two replicas; run by test_replicas.py in a process of its
own, because a process divides its CPU into devices before TensorFlow starts.

Prints a JSON object: for each case the largest differences of the weights and of the metrics.
"""

import json
import pathlib
import sys
import tempfile
import warnings

import keras
import numpy as np
import tensorflow as tf

CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
# One strategy for all: a second one in a process mixes up TensorFlow's collectives.
MIRRORED = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

import trainers  # noqa: E402
import zoo  # noqa: E402
from trainers import penalties, perturbations  # noqa: E402
from zoo import latents  # noqa: E402

RNG = np.random.default_rng(0)
POINTS = RNG.normal(0.5, 1.0, (64, 4)).astype("float32")
IMAGES = RNG.integers(0, 256, (64, 8, 8, 1)).astype("uint8")
LABELS = RNG.integers(0, 3, 64)


def points(dropout=0.0):
    """Smooth players: rounding flips no ReLU."""
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(16, "tanh"), keras.layers.Dense(4)]
    )
    image = keras.Input((4,))
    x = keras.layers.Dense(16, "tanh")(image)
    features = zoo.layers.Dropout(dropout, seed=1)(x)
    outputs = {"logits": keras.layers.Dense(1)(features)[:, 0], "features": features}
    return generator, keras.Model(image, outputs)


def images(**arguments):
    """A small DCGAN pair."""
    generator = zoo.DCGANGenerator((8, 8, 1), latent_dim=3, filters=4, **arguments)
    return generator, zoo.DCGANDiscriminator((8, 8, 1), filters=4, **arguments)


def pyramid():
    """A small LAPGAN pair of three levels."""
    shape = (8, 8, 1)
    generator = zoo.LaplacianGenerator(shape, latent_dim=3, filters=4, units=(8,))
    return generator, zoo.LaplacianDiscriminator(shape, filters=4, units=(8,))


def case(make, players=points, data=(POINTS,), **compiled):
    """A game: its trainer, players, data and arguments of `compile`."""
    return make, players, data, compiled


CASES = {
    "GAN": case(trainers.GAN),
    "simultaneous": case(lambda *p: trainers.GAN(*p, schedule="simultaneous")),
    "HistoricalAveragingGAN": case(trainers.HistoricalAveragingGAN),
    "FeatureMatchingGAN": case(trainers.FeatureMatchingGAN),
    "FGAN": case(lambda *p: trainers.FGAN(*p, divergence="kl")),
    "WassersteinGAN": case(lambda *p: trainers.WassersteinGAN(*p, discriminator_steps=1)),
    "WassersteinGANGP": case(
        lambda *p: trainers.WassersteinGANGP(*p, weight=0.1, discriminator_steps=1)
    ),
    "UnrolledGAN": case(lambda *p: trainers.UnrolledGAN(*p, unroll_steps=2)),
    "ConsensusGAN": case(lambda *p: trainers.ConsensusGAN(*p, weight=1.0)),
    "LaplacianGAN": case(trainers.LaplacianGAN, pyramid, (IMAGES,)),
    "relativistic_average": case(trainers.GAN, objective="relativistic_average"),
    "perturbed": case(
        trainers.GAN,
        perturbations=[perturbations.InstanceNoise(0.3), perturbations.LabelFlips(0.2)],
    ),
    "penalised": case(
        trainers.GAN,
        discriminator_penalties=[
            penalties.R1(0.1, every=2),
            penalties.GradientPenalty(0.1),
            penalties.DRAGAN(0.1),
        ],
    ),
    "dropout": case(trainers.GAN, lambda: points(0.5)),
    "batch normalisation": case(trainers.GAN, images, (IMAGES,)),
    "labels": case(trainers.GAN, lambda: images(num_classes=3), (IMAGES, LABELS)),
    "mixed precision": case(trainers.GAN, lambda: images(dtype="mixed_float16"), (IMAGES,)),
}


def trained(make, players, data, compiled, strategy, epochs=2, **arguments):
    """A trainer of a case after its epochs under a strategy, and its log."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        gan = make(*players(), **arguments)
        gan.compile(
            generator_optimizer=keras.optimizers.SGD(0.02),
            discriminator_optimizer=keras.optimizers.SGD(0.02),
            ema_decay=0.9,
            **compiled,
        )
    log = gan.fit(*data, batch_size=16, epochs=epochs, verbose=0).history
    return gan, log


def weights(gan):
    """The weights of the players and of the average."""
    return [
        w for m in (gan.generator, gan.discriminator, gan.ema_generator) for w in m.get_weights()
    ]


def difference(a, b):
    """The largest difference between two lists of arrays."""
    return max(float(np.max(np.abs(np.subtract(x, y)))) for x, y in zip(a, b, strict=True))


def compared(name):
    """How far a case on two replicas is from that on one device."""
    one, log = trained(*CASES[name], tf.distribute.get_strategy())
    two, shared = trained(*CASES[name], MIRRORED)
    copies = [
        np.ptp([copy.numpy() for copy in v.value.values], axis=0).max()
        for m in (two.generator, two.discriminator, two.ema_generator)
        for v in m.weights
    ]
    return {
        "weights": difference(weights(one), weights(two)),
        "logs": difference(log.values(), shared.values()),
        "steps": int(two.steps.numpy()),
        "copies": float(max(copies)),
    }


def drawn():
    """Draws of two replicas beside those of one device, for shapes that end inside a block."""
    found = []
    for shape in ((8, 1), (5, 7), (3, 1), (1, 2)):
        draw = tf.function(lambda shape=shape: MIRRORED.run(latents.normal, (shape, (3, 4))))
        parts = MIRRORED.experimental_local_results(draw())
        whole = latents.normal((2 * shape[0], *shape[1:]), (3, 4)).numpy()
        found.append(np.array_equal(np.concatenate([p.numpy() for p in parts]), whole))
    return found


def resumed():
    """How far eight steps in one go are from four, a file, and four."""
    players = CASES["GAN"][:3]
    whole, half = (trained(*players, {}, MIRRORED, epochs=n)[0] for n in (2, 1))
    with tempfile.TemporaryDirectory() as folder, MIRRORED.scope():
        path = pathlib.Path(folder) / "gan.keras"
        half.save(path)
        again = keras.saving.load_model(path)
    again.fit(POINTS, batch_size=16, verbose=0)
    return difference(weights(whole), weights(again))


def refused():
    """The messages of what cannot be."""
    messages = {}
    settings = {
        "batch": lambda: trained(*CASES["GAN"][:2], (POINTS[:15],), {}, MIRRORED),
        "xla": lambda: trained(*CASES["GAN"][:3], {"jit_compile": True}, MIRRORED),
        "rule": lambda: trained(
            lambda *p: trainers.GAN(*p, discriminator_steps=trainers.stopping.UntilConverged()),
            *CASES["GAN"][1:],
            MIRRORED,
        ),
        "warm_up": lambda: trained(
            lambda *p: trainers.WassersteinGAN(*p, warm_up=True), *CASES["GAN"][1:], MIRRORED
        ),
    }
    for name, call in settings.items():
        try:
            call()
        except ValueError as error:
            messages[name] = str(error)
    return messages


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    found = {name: compared(name) for name in CASES}
    print(
        json.dumps({"cases": found, "drawn": drawn(), "resumed": resumed(), "refused": refused()})
    )
    sys.exit(0)
