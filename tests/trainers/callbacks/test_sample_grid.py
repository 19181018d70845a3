"""Pictures of the same latents during training: which are written, animated and refused."""

import csv
import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.compat.proto import event_pb2

import trainers
import zoo
from trainers.callbacks.sample_grid import SampleGrid
from zoo import pictures

COLUMNS = ["discriminator_fake", "discriminator_loss", "discriminator_real", "generator_loss"]


class Counter(keras.Model):
    """Samples pictures whose grey is the number of steps trained, and notes what it was asked."""

    def __init__(self, size=4):
        super().__init__()
        self.size = size
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.asked = []
        self.built = True

    def train_step(self, data):
        self.steps.assign_add(1.0)
        return {"loss": self.steps + 0.0}

    def sample(self, count, labels=None, seed=None):
        self.asked.append((labels, seed))
        return np.full((count, self.size, self.size, 1), int(self.steps), "uint8")


def _fit(model, callback, epochs, initial_epoch=0, callbacks=()):
    if not model.compiled:
        model.compile()
    x = np.zeros((2, 1), "float32")
    return model.fit(
        x,
        epochs=epochs,
        initial_epoch=initial_epoch,
        batch_size=2,
        verbose=0,
        callbacks=[*callbacks, callback],
    )


def _names(directory):
    return sorted(path.name for path in directory.glob("epoch_*.png"))


def _frames(path):
    """The grey of the first pixel of every frame."""
    with Image.open(path) as animation:
        greys = []
        for i in range(animation.n_frames):
            animation.seek(i)
            greys.append(animation.convert("RGB").getpixel((0, 0))[0])
    return greys


def test_a_picture_before_training_and_after_every_epoch(tmp_path):
    model = Counter()
    _fit(model, SampleGrid(tmp_path / "new" / "samples", count=4), epochs=3)
    directory = tmp_path / "new" / "samples"
    assert _names(directory) == [f"epoch_000{i}.png" for i in range(4)]
    for i in range(4):
        with Image.open(directory / f"epoch_000{i}.png") as image:
            assert image.getpixel((0, 0)) == i
            assert image.size == (72, 72)  # 2 x 2 images of 4 x 4, a line between, eight times.
    assert _frames(directory / "training.gif") == [0, 1, 2, 3]
    assert model.asked == [(None, 0)] * 4


def test_every_other_epoch(tmp_path):
    callback = SampleGrid(tmp_path, count=4, every=2, seed=5, animation="film.webp")
    model = Counter()
    _fit(model, callback, epochs=5)
    assert _names(tmp_path) == ["epoch_0000.png", "epoch_0002.png", "epoch_0004.png"]
    assert _frames(tmp_path / "film.webp") == [0, 2, 4]
    assert {seed for _, seed in model.asked} == {5}


class _Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on(tmp_path):
    model = Counter()
    with pytest.raises(KeyboardInterrupt):
        _fit(model, SampleGrid(tmp_path, count=4), epochs=9, callbacks=[_Interrupt()])
    assert _names(tmp_path) == [f"epoch_000{i}.png" for i in range(4)]
    assert not (tmp_path / "training.gif").exists()
    _fit(model, SampleGrid(tmp_path, count=4), epochs=5, initial_epoch=3)
    assert _names(tmp_path) == [f"epoch_000{i}.png" for i in range(6)]
    assert _frames(tmp_path / "training.gif") == [0, 1, 2, 3, 4, 5]


def test_backup_and_restore_moves_the_first_epoch(tmp_path):
    def run(callbacks):
        model = Counter()
        _fit(model, SampleGrid(tmp_path, count=4), epochs=5, callbacks=callbacks)

    model_backup = str(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        run([_Interrupt(), keras.callbacks.BackupAndRestore(model_backup)])
    run([keras.callbacks.BackupAndRestore(model_backup)])
    assert _frames(tmp_path / "training.gif") == [0, 1, 2, 3, 4, 5]


def test_pictures_of_a_longer_run_before_are_not_animated(tmp_path):
    _fit(Counter(), SampleGrid(tmp_path, count=4), epochs=6)
    model = Counter()
    model.steps.assign(100.0)
    _fit(model, SampleGrid(tmp_path, count=4, every=2), epochs=4)
    assert _frames(tmp_path / "training.gif") == [100, 102, 104]
    assert len(_names(tmp_path)) == 7  # Nothing is deleted.


def test_a_second_fit_of_one_callback(tmp_path):
    model, callback = Counter(), SampleGrid(tmp_path, count=4)
    _fit(model, callback, epochs=2)
    _fit(model, callback, epochs=4, initial_epoch=2)
    assert _frames(tmp_path / "training.gif") == [0, 1, 2, 3, 4]


def test_no_animation(tmp_path):
    _fit(Counter(), SampleGrid(tmp_path, count=4, animation=None), epochs=1)
    assert sorted(os.listdir(tmp_path)) == ["epoch_0000.png", "epoch_0001.png"]


def test_labels_of_a_conditional_generator(tmp_path):
    model = Counter()
    model.generator = zoo.MLPGenerator((4, 4, 1), latent_dim=2, units=(3,), num_classes=3)
    _fit(model, SampleGrid(tmp_path, count=12), epochs=1)
    labels, _ = model.asked[0]
    assert labels.reshape(4, 3).tolist() == [[0, 1, 2]] * 4
    with Image.open(tmp_path / "epoch_0001.png") as image:
        assert image.size == (8 * (3 * 4 + 2), 8 * (4 * 4 + 3))
    _fit(model, SampleGrid(tmp_path / "twos", count=4, labels=2), epochs=1)
    assert model.asked[-1][0] == 2


def test_many_classes_show_the_first_ones(tmp_path):
    model = Counter()
    model.generator = zoo.MLPGenerator((4, 4, 1), latent_dim=2, units=(3,), num_classes=20)
    _fit(model, SampleGrid(tmp_path, count=9), epochs=1)
    assert model.asked[0][0].reshape(3, 3).tolist() == [[0, 1, 2]] * 3


def test_points_keep_their_axes_with_real(tmp_path):
    model = Counter()
    real = np.random.default_rng(0).normal(size=(30, 2)).astype("float32")
    model.sample = lambda count, labels=None, seed=None: np.full((count, 2), 0.1, "float32")
    _fit(model, SampleGrid(tmp_path, count=4, real=real), epochs=1)
    with Image.open(tmp_path / "epoch_0001.png") as image:
        expected = pictures.points(np.full((4, 2), 0.1, "float32"), real)
        np.testing.assert_array_equal(np.asarray(image), expected)


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"count": 0}, "positive integer. Received: count=0"),
        ({"every": 0}, "positive integer. Received: every=0"),
        ({"seed": None}, "`seed` is not an integer. Expected an int.*Received: seed=None"),
        (
            {"labels": [1, 2]},
            r"`labels` are not.*Expected 64 .*Received: labels of shape \(2,\)",
        ),
        ({"animation": "film.mp4"}, "Received: path='film.mp4'"),
        (
            {"animation": "epoch_0001.png"},
            "`animation` would.*another name.*animation='epoch_0001.png'",
        ),
        ({"directory": "file/samples"}, "file is a file.*Received: directory='.*file/samples'"),
        ({"tensorboard": "file"}, "file is a file.*Received: tensorboard='.*file'"),
    ],
)
def test_construction_errors(tmp_path, kwargs, message):
    (tmp_path / "file").write_text("")
    for name in ("directory", "tensorboard"):
        if name in kwargs:
            kwargs = {**kwargs, name: str(tmp_path / kwargs[name])}
    with pytest.raises(ValueError, match=message):
        SampleGrid(**{"directory": tmp_path, **kwargs})


def test_a_model_that_cannot_sample(tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(ValueError, match="`model` has no method `sample`.*model=Sequential"):
        model.fit(np.zeros((2, 1)), np.zeros((2, 1)), verbose=0, callbacks=[SampleGrid(tmp_path)])


def test_pictures_of_another_size_are_refused_before_training(tmp_path):
    _fit(Counter(), SampleGrid(tmp_path, count=4), epochs=1)
    model = Counter()
    with pytest.raises(
        ValueError, match="`directory` holds.*0000.png of 72 x 72 pixels, now 112 x 112"
    ):
        _fit(model, SampleGrid(tmp_path, count=9), epochs=3, initial_epoch=1)
    assert int(model.steps) == 0
    _fit(model, SampleGrid(tmp_path, count=9), epochs=1)  # Starting anew writes over them.
    assert _frames(tmp_path / "training.gif") == [0, 1]


def _gan(num_classes=None):
    players = {"image_shape": (8, 8, 1), "units": (6,), "num_classes": num_classes}
    gan = trainers.GAN(
        zoo.MLPGenerator(latent_dim=3, **players), zoo.MLPDiscriminator(**players), seed=0
    )
    gan.compile()
    return gan


def _events(directory):
    """The step and value of every summary in the event files of a folder, by tag."""
    found = {}
    for path in sorted(directory.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            for value in event.summary.value:
                tensor = tf.make_ndarray(value.tensor)
                found.setdefault(value.tag, []).append((event.step, tensor))
    return found


def test_beside_csv_logger_and_tensorboard(tmp_path):
    gan = _gan()
    logs, samples = tmp_path / "logs", tmp_path / "samples"
    callbacks = [
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.TensorBoard(str(logs)),
        SampleGrid(samples, count=4, tensorboard=logs),
    ]
    x = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), "uint8")
    history = gan.fit(x, batch_size=8, epochs=2, verbose=0, callbacks=callbacks).history

    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    scalars = _events(logs / "train")
    for name in COLUMNS:
        assert [float(row[name]) for row in rows] == pytest.approx(history[name])
        steps, values = zip(*scalars[f"epoch_{name}"], strict=True)
        assert steps == (0, 1)
        assert np.array(values) == pytest.approx(history[name])

    images = _events(logs / "samples")["samples"]
    assert [step for step, _ in images] == [0, 1, 2]
    for step, (width, height, png) in images:
        pixels = tf.io.decode_png(png).numpy()
        assert (int(width), int(height)) == pixels.shape[:2] == (136, 136)
        written = tf.io.decode_png((samples / f"epoch_000{step}.png").read_bytes()).numpy()
        np.testing.assert_array_equal(pixels, written)


def test_pictures_are_written_where_tensorboard_skips_batches(tmp_path):
    tensorboard = keras.callbacks.TensorBoard(str(tmp_path), update_freq=5, write_graph=False)
    grid = SampleGrid(tmp_path / "samples", count=4, tensorboard=tmp_path)
    _fit(Counter(), grid, epochs=2, callbacks=[tensorboard])
    assert [step for step, _ in _events(tmp_path / "samples")["samples"]] == [0, 1, 2]


def test_the_same_weights_give_the_same_picture(tmp_path):
    gan = _gan(num_classes=2)
    gan.generator_optimizer.learning_rate = 0.0
    x = np.zeros((8, 8, 8, 1), "uint8")
    gan.fit(x, np.arange(8) % 2, epochs=2, verbose=0, callbacks=[SampleGrid(tmp_path, count=4)])
    first, second, third = [(tmp_path / name).read_bytes() for name in _names(tmp_path)]
    assert first == second == third
    expected = pictures.draw(gan.sample(4, labels=[0, 1, 0, 1], seed=0), columns=2)
    with Image.open(tmp_path / "epoch_0002.png") as image:
        np.testing.assert_array_equal(np.asarray(image), expected[..., 0])


def test_drawing_does_not_disturb_training(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), "uint8")
    histories = []
    for callbacks in ([], [SampleGrid(tmp_path, count=4)]):
        keras.utils.set_random_seed(0)
        gan = _gan()
        histories.append(gan.fit(x, batch_size=8, epochs=2, verbose=0, callbacks=callbacks).history)
    assert histories[0] == histories[1]
