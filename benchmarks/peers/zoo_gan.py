"""This project: `trainers.GAN` through Keras's own training function, fed as `fit` feeds it."""

import keras
from plain import images, policy

import trainers
import zoo


def make(cell):
    keras.utils.set_random_seed(0)
    options = dict(cell["options"])
    execution = options.pop("steps_per_execution", 1)
    shape = {"image_shape": cell["image_shape"], "filters": cell["filters"], "dtype": policy(cell)}
    generator = zoo.DCGANGenerator(latent_dim=100, **shape)
    discriminator = zoo.DCGANDiscriminator(batch_normalization=False, **shape)
    gan = trainers.GAN(generator, discriminator, **options)
    gan.compile(steps_per_execution=execution)
    iterator = iter(
        zoo.datasets.from_arrays(images(cell), batch_size=cell["batch_size"], repeat=True)
    )
    gan.make_train_function()

    def run(steps):
        for _ in range(0, steps, execution):
            logs = gan.train_function(iterator)
        return [float(logs[name]) for name in ("generator_loss", "discriminator_loss")]

    return run
