"""What every trainer shares: compile, plain Keras players, files, and a run that resumes."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import trainers
import zoo
from tests.helpers import (
    all_variables,
    batches,
    largest_difference,
    tiny_data,
    tiny_dense_pair,
    tiny_mlp_pair,
    tiny_pair,
)

RESUME = """
import sys
import keras, numpy as np, tensorflow as tf
import trainers
from tests.helpers import *
tf.config.experimental.enable_op_determinism()
folder, *actions = sys.argv[1:]
for kind, pair, shape in (("dcgan", tiny_pair, (8, 8, 1)), ("mlp", tiny_mlp_pair, (4, 4, 1))):
    for action in actions:
        steps, skip = {"whole": (4, 0), "half": (2, 0), "rest": (4, 2)}[action]
        if action == "rest":
            gan = keras.saving.load_model(f"{folder}/{kind}_half.keras")
        else:
            keras.utils.set_random_seed(1)
            gan = trainers.GAN(*pair(3), seed=3, discriminator_steps=2)
            schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 2, 0.5)
            gan.compile("minimax", keras.optimizers.Adam(schedule), "rmsprop", ema_decay=0.9)
        gan.fit(batches(tiny_data(shape), steps=steps).skip(skip), verbose=0)
        gan.save(f"{folder}/{kind}_{action}.keras")
        np.savez(f"{folder}/{kind}_{action}.npz", *all_variables(gan))
"""


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """A folder with the state after four steps, and after two, a new process and two."""
    folder = tmp_path_factory.mktemp("resumed")
    for actions in (["whole", "half"], ["rest"]):
        subprocess.run([sys.executable, "-c", RESUME, str(folder), *actions], check=True)
    return folder


@pytest.mark.parametrize("kind", ["dcgan", "mlp"])
def test_two_steps_save_load_two_steps_are_four_steps_in_a_new_process(resumed, kind):
    whole, rest = (np.load(resumed / f"{kind}_{name}.npz") for name in ("whole", "rest"))
    assert whole.files == rest.files
    for name in whole.files:
        np.testing.assert_array_equal(whole[name], rest[name])


def _plain_pair():
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    return generator, discriminator


def test_plain_keras_models_play_on_points_and_resume(tmp_path):
    points = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    gan = trainers.GAN(*_plain_pair())
    gan.compile()
    gan.fit(batches(points, steps=2), verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for model in (gan, loaded):  # Dropout's seed came along, or these would part.
        model.fit(batches(points, steps=4).skip(2), verbose=0)
    assert largest_difference(all_variables(gan), all_variables(loaded)) < 1e-7
    samples = gan.sample(5, seed=0)
    assert samples.shape == (5, 2) and samples.dtype == np.float32


def test_compile_settings_come_back(tmp_path):
    gan = trainers.GAN(*tiny_pair(), discriminator_steps=2, seed=9, name="mine")
    gan.compile(
        "minimax",
        keras.optimizers.SGD(0.1, momentum=0.5),
        "rmsprop",
        ema_decay=0.99,
        jit_compile=True,
        steps_per_execution=2,
    )
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert loaded.get_config() == gan.get_config()
    assert loaded.get_compile_config() == gan.get_compile_config()
    assert type(loaded.objective) is trainers.objectives.Minimax
    assert loaded.generator_optimizer.momentum == 0.5
    assert (loaded.jit_compile, loaded.steps_per_execution, loaded.ema_decay) == (True, 2, 0.99)
    assert (loaded.discriminator_steps, loaded.seed, loaded.name) == (2, 9, "mine")


def test_xla_is_automatic():
    gan = trainers.GAN(*tiny_pair())
    gan.compile()
    # Keras's rule for "auto": on with a GPU, off on a CPU alone.
    assert gan.jit_compile == bool(tf.config.list_physical_devices("GPU"))


def test_defaults_are_the_papers():
    gan = trainers.GAN(*tiny_pair())
    gan.compile()
    assert type(gan.objective) is trainers.objectives.NonSaturating
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4) and optimizer.beta_1 == 0.5
    assert gan.generator_optimizer is not gan.discriminator_optimizer


def test_recompiling_keeps_the_average_and_drops_it_when_asked():
    gan = trainers.GAN(*tiny_pair())
    gan.compile(ema_decay=0.9, run_eagerly=True)
    gan.fit(batches(tiny_data()[0], steps=1), verbose=0)
    average = gan.ema_generator
    gan.compile(ema_decay=0.99)
    assert gan.ema_generator is average
    gan.compile()
    assert gan.sampler is gan.generator


def test_keras_model_methods():
    gan = trainers.GAN(*tiny_pair(3))
    gan.compile()
    lines = []
    gan.summary(print_fn=lambda line, **_: lines.append(line))
    assert "dcgan_generator" in "".join(lines)
    inputs = {"latents": np.zeros((5, 6), "float32"), "labels": np.zeros(5, "int32")}
    predicted = gan.predict(inputs, verbose=0)
    assert predicted.shape == (5, 8, 8, 1)
    np.testing.assert_allclose(predicted, gan.generator(inputs, training=False), atol=1e-6)


def test_backup_and_restore_resumes(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def make():
        keras.utils.set_random_seed(1)
        gan = trainers.GAN(*tiny_dense_pair())
        gan.compile(ema_decay=0.9)
        return gan

    data = batches(tiny_data((4, 4, 1))[0], steps=2)
    whole, first, second = make(), make(), make()
    whole.fit(data, epochs=4, verbose=0)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        first.fit(data, epochs=4, verbose=0, callbacks=[backup, Stop()])
    second.fit(data, epochs=4, verbose=0, callbacks=[backup])
    assert int(second.steps) == 8
    assert largest_difference(all_variables(whole), all_variables(second)) < 1e-6


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: trainers.GAN(tiny_pair()[0], zoo.DCGANDiscriminator((12, 12, 1), filters=2)),
            r"generator of \(8, 8, 1\) and a discriminator of \(12, 12, 1\)",
        ),
        (
            lambda: trainers.GAN(tiny_pair()[0], tiny_pair(3)[1]),
            "generator with num_classes=3.*with neither labels nor conditions",
        ),
        (
            lambda: trainers.GAN(tiny_pair()[0], keras.Sequential([keras.layers.Dense(1)])),
            "built model.*discriminator=",
        ),
        (lambda: trainers.GAN(*tiny_pair(), seed=None), "`seed` is not an integer.*seed=None"),
        (lambda: _compiled(objective="non_saturate"), "did you mean 'non_saturating'"),
        (lambda: _compiled(generator_optimizer="adan"), "did you mean.*generator_optimizer='adan'"),
        (lambda: _compiled(ema_decay=1.0), r"\[0, 1\).*ema_decay=1\.0"),
        (lambda: _frozen(), "`discriminator` has nothing.*trainable variables.*with none"),
        (
            lambda: trainers.GAN(*tiny_pair()).fit(tiny_data()[0]),
            r"`compile\(\)` has not.*before training",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def _compiled(**arguments):
    trainers.GAN(*tiny_pair()).compile(**arguments)


def _frozen():
    generator, discriminator = tiny_mlp_pair()
    discriminator.trainable = False
    trainers.GAN(generator, discriminator).compile()


def test_the_global_seed_decides_first_weights_and_the_trainers_the_rest():
    def weights(*seeds):
        for seed in seeds:
            keras.utils.set_random_seed(seed)
        gan = trainers.GAN(*tiny_dense_pair(), seed=0)
        first = gan.get_weights()
        gan.compile(run_eagerly=True)
        gan.fit(batches(tiny_data((4, 4, 1)), size=4, steps=1), verbose=0)
        return first, gan.get_weights()

    (first, last), (same_first, same_last), (other, _) = weights(7), weights(7), weights()
    assert largest_difference(first, same_first) == largest_difference(last, same_last) == 0
    assert largest_difference(first, other) > 0


def test_an_unknown_argument_is_offered_the_nearest():
    with pytest.raises(ValueError, match="`discriminator_step` is no.*GAN; did you mean 'discrim"):
        trainers.GAN(*tiny_dense_pair(), discriminator_step=2)


@pytest.mark.parametrize(
    "wrong", [{"epochs": 1.5}, {"epochs": "2"}, {"initial_epoch": None}, {"validation_freq": 0}]
)
def test_numbers_of_fit_are_looked_at_first(wrong):
    gan = trainers.GAN(*tiny_dense_pair())
    gan.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}`.*Expected.*Received"):
        gan.fit(tiny_data((4, 4, 1))[0], verbose=0, **wrong)
    assert int(gan.steps) == 0


class Compiles(trainers.WassersteinGAN):
    """A user's class with an argument of `compile` of its own."""

    def compile(self, *args, warmth=0, **kwargs):
        self.warmth = warmth
        super().compile(*args, **kwargs)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"loss": "mse"}, "`loss` is no argument of {}.compile. Expected objective=.*loss='mse'"),
        ({"optimizer": "adam"}, "`optimizer` is no .*Expected generator_optimizer=.*discriminator"),
        ({"metrics": ["accuracy"]}, r"`metrics` is no .*trainers.Score.*\['accuracy'\]"),
        ({"d_optimizer": "adam"}, "`d_optimizer` is no .*; did you mean 'discriminator_optimizer'"),
        ({"ema_deca": 0.9}, "`ema_deca` is no .*; did you mean 'ema_decay'.*Expected some of"),
    ],
)
@pytest.mark.parametrize(
    "cls", [trainers.GAN, trainers.FGAN, trainers.WassersteinGANGP, trainers.UnrolledGAN, Compiles]
)
def test_an_unknown_argument_of_compile_is_told_what_to_use(cls, wrong, message):
    gan = cls(*tiny_dense_pair())
    with pytest.raises(ValueError, match=message.replace("{}", cls.__name__)):
        gan.compile(**wrong)
    assert not gan.compiled
    if cls is Compiles:
        with pytest.raises(ValueError, match="did you mean 'warmth'"):
            gan.compile(warmht=1)


@pytest.mark.parametrize(
    "method, wrong, right",
    [
        ("fit", {"batchsize": 4}, "batch_size"),
        ("fit", {"callback": []}, "callbacks"),
        ("fit", {"epoch": 3}, "epochs"),
        ("evaluate", {"step": 3}, "steps"),
        ("predict", {"batchsize": 4}, "batch_size"),
    ],
)
def test_an_unknown_argument_of_a_method_is_offered_the_nearest(method, wrong, right):
    gan = trainers.GAN(*tiny_dense_pair())
    gan.compile(run_eagerly=True)
    x = tiny_data((4, 4, 1))[0] if method != "predict" else np.zeros((4, 5), "float32")
    message = f"`{next(iter(wrong))}` is no argument of GAN.{method}; did you mean '{right}'"
    with pytest.raises(ValueError, match=message):
        getattr(gan, method)(x, **wrong)
    assert int(gan.steps) == 0
