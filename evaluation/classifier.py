"""A small convolutional classifier: the extractor of features, and the judge of generated sets."""

import keras
import numpy as np
import tensorflow as tf

from zoo import datasets, random
from zoo.validation import (
    as_array,
    as_tuple,
    check_flag,
    check_image_shape,
    check_integer,
    check_labels,
    check_memory,
    check_rate,
    check_size,
)

PEAK = 0.1  # Largest learning rate, of SGD with Nesterov's momentum at batches of 128.
FEATURES = "features"
LONGEST = 10**6  # Epochs; more of them never end.
SEEDS = 2**32 - 1001  # The last that NumPy takes, and room for the cycles.


def build(image_shape, num_classes, filters=32, dropout=0.2):
    """Three stages of two 3x3 convolutions, the mean of each last map, and a dense layer.

    Stage k has `filters * 2^k` maps; batch normalization and ReLU follow every convolution, a
    maximum over 2x2 each of the first two stages. The means are the layer `"features"`, of
    `4 * filters` numbers.

    Args:
        image_shape: tuple `(height, width, channels)`, sides of at least 4.
        num_classes: int.
        filters: int. Maps of the first stage.
        dropout: float. Rate before the dense layer.

    Returns:
        A Keras model from images in [0, 255] to logits `(batch, num_classes)`.
    """
    image_shape = check_image_shape(image_shape)
    check_size(num_classes=num_classes, filters=filters)
    check_rate(dropout=dropout)
    if min(image_shape[:2]) < 4:
        raise ValueError(
            "`image_shape` is too small for two halvings. Expected sides of at least 4. "
            f"Received: image_shape={image_shape}"
        )
    check_memory(9 * (4 * filters) ** 2, filters=filters)
    x = images = keras.Input(image_shape, name="images")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(x)
    for stage in range(3):
        for number in range(2):
            name = f"{stage}_{number}"
            x = keras.layers.Conv2D(
                filters * 2**stage,
                3,
                padding="same",
                data_format="channels_last",
                use_bias=False,
                kernel_initializer="he_normal",
                name=f"convolution_{name}",
            )(x)
            x = keras.layers.BatchNormalization(momentum=0.95, name=f"normalization_{name}")(x)
            x = keras.layers.ReLU(name=f"relu_{name}")(x)
        if stage < 2:
            x = keras.layers.MaxPooling2D(data_format="channels_last", name=f"pool_{stage}")(x)
    x = keras.layers.GlobalAveragePooling2D(data_format="channels_last", name=FEATURES)(x)
    x = keras.layers.Dropout(dropout, seed=0, name="dropout")(x)
    logits = keras.layers.Dense(int(num_classes), name="logits")(x)
    return keras.Model(images, logits, name="classifier")


def train(
    images, labels, num_classes, epochs=15, filters=32, shift=2, flip=False, seed=0, verbose=0
):
    """A classifier of labelled images, trained.

    Stochastic gradient descent with Nesterov's momentum of 0.9, batches of 128, decoupled weight
    decay of 5e-4, and a rate that rises to 0.1 in a tenth of the steps and falls to 0 by a cosine;
    where several numbers of epochs are given, once in each (Loshchilov and Hutter, 2017).

    Args:
        images: uint8 array of shape `(n, height, width, channels)`.
        labels: Integers of shape `(n,)`, in `[0, num_classes)`.
        num_classes: int.
        epochs: int, or several: those of each cycle of the rate.
        filters: int. Maps of the first stage.
        shift: int. Pixels by which an image is moved at most, each way.
        flip: bool. Whether to mirror half of the images, left for right.
        seed: int. Of the first weights, the order, the shifts and the flips.
        verbose: As Keras's.

    Returns:
        The model of `build`.
    """
    images, labels = _checked(images, labels, num_classes)
    cycles = (epochs,) if isinstance(epochs, (int, np.integer)) else as_tuple(epochs=epochs)
    for count in cycles:
        check_integer(1, LONGEST, epochs=count)
    check_integer(0, min(images.shape[1:3]), shift=shift)
    check_flag(flip=flip)
    check_integer(0, SEEDS, seed=seed)
    keras.utils.set_random_seed(seed)
    model = build(images.shape[1:], num_classes, filters)
    options = {"shift": shift, "flip": flip, "verbose": verbose}
    for cycle, count in enumerate(cycles):
        _cycle(model, images, labels, count, seed + cycle, **options)
    plain = build(images.shape[1:], num_classes, filters)  # Without the optimizer's slots.
    plain.set_weights(model.get_weights())
    return plain


def _checked(images, labels, num_classes):
    """Labelled pictures, as arrays."""
    images = as_array("u", images=images)
    if images.ndim != 4 or not images.size or images.dtype != np.uint8:
        raise ValueError(
            "`images` are not what the classifier sees. Expected a uint8 array (n, height, width, "
            f"channels). Received: images of shape {images.shape} and dtype {images.dtype}"
        )
    check_size(num_classes=num_classes)
    return images, check_labels(labels, num_classes, len(images))


def _cycle(model, images, labels, epochs, seed, shift, flip, verbose):
    """Trains a model once up and down with the rate, by an optimizer of its own."""
    batch_size = min(128, len(images))
    steps = len(images) // batch_size
    rate = keras.optimizers.schedules.CosineDecay(
        PEAK / 100,
        decay_steps=max(1, epochs * steps * 9 // 10),
        warmup_target=PEAK,
        warmup_steps=max(1, epochs * steps // 10),
    )
    optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    batches = datasets.from_arrays(images, labels, batch_size, seed=seed, repeat=True).enumerate()

    def augment(step, batch):
        pixels, classes = batch
        return _moved(pixels, shift, flip, random.fold((seed, 1), step)), classes

    data = batches.map(augment, num_parallel_calls=2).prefetch(2)
    model.fit(data, epochs=epochs, steps_per_epoch=steps, shuffle=False, verbose=verbose)


def accuracy(model, images, labels, batch_size=500):
    """The share of images whose largest logit is that of their label.

    Args:
        model: A classifier.
        images: Array of shape `(n, height, width, channels)` in [0, 255].
        labels: Integers of shape `(n,)`.
        batch_size: int.
    """
    logits = model.predict(images, batch_size=batch_size, verbose=0)
    return float(np.mean(np.argmax(logits, axis=-1) == labels))


def _moved(images, shift, flip, seed):
    """Each image moved by up to `shift` pixels (the border is repeated) and mirrored or not."""
    images = tf.cast(images, "float32")
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    draws = random.uniform((3, count), seed)
    if flip:
        images = tf.where(draws[2, :, None, None, None] < 0.5, images[:, :, ::-1], images)
    down, right = tf.unstack(tf.cast(draws[:2] * (2 * shift + 1), "int32") - shift)
    rows = tf.clip_by_value(tf.range(height) - down[:, None], 0, height - 1)
    columns = tf.clip_by_value(tf.range(width) - right[:, None], 0, width - 1)
    images = tf.gather(images, rows, axis=1, batch_dims=1)
    return tf.gather(images, columns, axis=2, batch_dims=1)
