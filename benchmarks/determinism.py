"""Whether a run repeats itself: each trainer twice from one seed, with all weights compared.

  python -m benchmarks.determinism --repeats=3

Twenty steps on MNIST, the plain GAN by XLA too; once as TensorFlow is, and
once with `tf.config.experimental.enable_op_determinism()`. The autoencoder has batches of 4,096.
"""

import keras
import numpy as np
import tensorflow as tf
from absl import flags

import trainers
import zoo
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_integer("repeats", 3, "Runs of each.", lower_bound=2, flag_values=FLAGS)
STEPS, BATCH, LARGE = 20, 64, 4096
KINDS = {
    "GAN": (trainers.GAN, {}),
    "GAN, XLA": (trainers.GAN, {}),
    "FGAN": (trainers.FGAN, {}),
    "FeatureMatchingGAN": (trainers.FeatureMatchingGAN, {}),
    "HistoricalAveragingGAN": (trainers.HistoricalAveragingGAN, {}),
    "WassersteinGAN": (trainers.WassersteinGAN, {"discriminator_steps": 2}),
    "WassersteinGANGP": (trainers.WassersteinGANGP, {"discriminator_steps": 2}),
    "UnrolledGAN": (trainers.UnrolledGAN, {"unroll_steps": 2}),
    "ConsensusGAN": (trainers.ConsensusGAN, {}),
}


def adversarial(kind, x):
    """The weights after some steps of a small DCGAN."""
    trainer, arguments = KINDS[kind]
    gan = trainer(zoo.DCGANGenerator(filters=8), zoo.DCGANDiscriminator(filters=8), **arguments)
    gan.compile(jit_compile="XLA" in kind)
    gan.fit(x, batch_size=BATCH, steps_per_epoch=STEPS, verbose=0)
    return gan.get_weights()


def autoencoder(kind, x):
    """Likewise of a VAE."""
    vae = zoo.VAE(x.shape[1:], latent_dim=10, units=(512, 512))
    vae.compile()
    vae.fit(x, batch_size=LARGE, epochs=2, verbose=0)
    return vae.get_weights()


def main(arguments):
    """Prints a table."""
    command.no_arguments(arguments)
    x, _ = zoo.datasets.arrays("mnist")
    plays = {**dict.fromkeys(KINDS, adversarial), "VAE": autoencoder}
    print("largest difference of any weight      as it is   op determinism")
    lines = {kind: [] for kind in plays}
    for determined in (False, True):
        if determined:
            tf.config.experimental.enable_op_determinism()
        for kind, play in plays.items():
            runs = []
            for _ in range(FLAGS.repeats):
                keras.utils.set_random_seed(0)
                runs.append(play(kind, x))
            away = [
                np.abs(a - b).max() for run in runs[1:] for a, b in zip(runs[0], run, strict=True)
            ]
            lines[kind].append(float(np.max(away)))
            if determined:
                print(f"{kind:34} {lines[kind][0]:11.3g} {lines[kind][1]:16.3g}", flush=True)
    return int(any(line[1] for line in lines.values()))


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
