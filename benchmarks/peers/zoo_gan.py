"""This project: `trainers.GAN` through Keras's own training function, fed as `fit` feeds it."""

import keras
import tensorflow as tf
from plain import images, policy

import trainers
import zoo


def make(cell):
    keras.utils.set_random_seed(0)
    options = dict(cell["options"])
    execution = options.pop("steps_per_execution", 1)
    strategy = tf.distribute.get_strategy()
    replicas = options.pop("replicas", 1)
    if replicas > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * replicas
        )
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)])
    shape = {"image_shape": cell["image_shape"], "filters": cell["filters"], "dtype": policy(cell)}
    with strategy.scope():
        generator = zoo.DCGANGenerator(latent_dim=100, **shape)
        discriminator = zoo.DCGANDiscriminator(batch_normalization=False, **shape)
        gan = trainers.GAN(generator, discriminator, **options)
        gan.compile(steps_per_execution=execution)
    data = zoo.datasets.from_arrays(images(cell), batch_size=cell["batch_size"], repeat=True)
    iterator = iter(strategy.experimental_distribute_dataset(data))
    gan.make_train_function()

    def run(steps):
        for _ in range(0, steps, execution):
            logs = gan.train_function(iterator)
        return [float(logs[name]) for name in ("generator_loss", "discriminator_loss")]

    return run
