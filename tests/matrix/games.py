"""Every trainer on what people bring, from every source: it works, or says why in one sentence."""

import keras
import numpy as np
import tensorflow as tf

import export
import trainers
import zoo
from tests.matrix import nets


def _matching(generator, discriminator):
    layer = next(
        x.name
        for x in discriminator.layers
        if isinstance(x, keras.layers.LeakyReLU | keras.layers.LSTM)
    )
    return trainers.FeatureMatchingGAN(generator, discriminator, feature_layer=layer)


def _simultaneous(*players):
    return trainers.GAN(*players, schedule="simultaneous")


def _wasserstein_gp(*players):
    return trainers.WassersteinGANGP(*players, discriminator_steps=2)


def _wasserstein(*players):
    return trainers.WassersteinGAN(*players, discriminator_steps=2)


def _f_gan(*players):
    return trainers.FGAN(*players, divergence="kl")


TRAINERS = {
    "gan": trainers.GAN,
    "simultaneous": _simultaneous,
    "f_gan": _f_gan,
    "wasserstein": _wasserstein,
    "wasserstein_gp": _wasserstein_gp,
    "feature_matching": _matching,
    "historical_averaging": trainers.HistoricalAveragingGAN,
    "unrolled": lambda *players: trainers.UnrolledGAN(*players, unroll_steps=2),
    "consensus": trainers.ConsensusGAN,
    "laplacian": trainers.LaplacianGAN,
}


class Parts(keras.utils.PyDataset):
    """A user's own data set of parts of an array."""

    def __init__(self, x, size):
        super().__init__()
        self.x, self.size = x, size

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, k):
        return self.x[k * self.size : (k + 1) * self.size]


def array(x):
    """An array."""
    return {"x": x, "batch_size": 8}


def tf_data(x):
    """A data set of TensorFlow's, whose last batch has fewer rows."""
    return {"x": tf.data.Dataset.from_tensor_slices(x).batch(8)}


def py_dataset(x):
    """A data set of the user's own class."""
    return {"x": Parts(x, 8)}


def generator(x):
    """One that never ends, as Keras's users write them."""

    def parts():
        while True:
            for k in range(0, len(x), 8):
                yield x[k : k + 8]

    return {"x": parts(), "steps_per_epoch": 3}


SOURCES = {source.__name__: source for source in (array, tf_data, py_dataset, generator)}


def weights(gan):
    """All numbers of a trainer as one vector."""
    return np.concatenate([np.ravel(w) for w in gan.get_weights()])


def refusal(net, trainer):
    """What the one sentence says where a net and a trainer do not go together, or `None`."""
    if trainer == "laplacian":
        return "`generator` has no player for every level.*LaplacianGenerator"
    if net == "conditional":
        return "`discriminator` cannot see what the generator makes.*an input of their own"
    return None


def play(net, trainer, source, folder, run_eagerly=False):
    """Trains one epoch; the trained thing is one that was saved and loaded, pixel for pixel.

    Returns:
        The trainer.
    """
    keras.utils.set_random_seed(0)
    gan = TRAINERS[trainer](*nets.NETS[net]())
    gan.compile(run_eagerly=run_eagerly)
    gan.fit(**SOURCES[source](nets.samples(net)), verbose=0)
    # The array leaves out its last four rows; a stream's part of four is enough for two steps.
    assert int(gan.steps.numpy()) == (2 if source == "array" else 3)
    assert np.isfinite(weights(gan)).all()
    drawn = gan.sample(3, seed=1)
    assert drawn.dtype == (np.uint8 if net in nets.PICTURES else np.float32)
    assert np.isfinite(drawn).all() and drawn.std() > 0
    gan.save(folder / "gan.keras")
    again = keras.saving.load_model(folder / "gan.keras")
    np.testing.assert_array_equal(weights(again), weights(gan))
    np.testing.assert_array_equal(again.sample(3, seed=1), drawn)
    generator = zoo.load(folder / "gan.keras")
    np.testing.assert_array_equal(zoo.players.sample(generator, 3, seed=1), drawn)
    return gan


def serve(gan, folder):
    """An exported model answers what the trainer draws."""
    served = tf.saved_model.load(str(export.save(gan, folder / "serving")))
    answer = served.signatures["sample"](seed=tf.range(3, dtype="int64"))
    (samples,) = answer.values()
    wanted = gan.sample(3, seed=range(3)).astype("float64")
    tolerance = 1 if samples.dtype == tf.uint8 else 1e-5
    np.testing.assert_allclose(samples, wanted, rtol=0, atol=tolerance)
