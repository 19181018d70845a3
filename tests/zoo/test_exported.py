"""Versions that hold their trainer: exported, and trained on as if nothing had been between."""

import json
import shutil

import keras
import numpy as np
import pytest

import export
import trainers
import zoo
from export import __main__ as export_main
from export import checking
from tests.helpers import assert_same_weights, run_command, tiny_mlp_pair, tiny_pair
from zoo import exported

IMAGES = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)


def fit(gan, epochs, begin=0):
    gan.fit(
        IMAGES, batch_size=16, epochs=begin + epochs, initial_epoch=begin, shuffle=False, verbose=0
    )


def made(cls=trainers.GAN, **compiled):
    keras.utils.set_random_seed(7)
    gan = cls(*tiny_pair(), seed=3)
    gan.compile(jit_compile=False, **compiled)
    return gan


@pytest.mark.parametrize("weights", ["float32", "float16"])
def test_training_goes_on_bit_for_bit(tmp_path, weights):
    whole, parted = made(ema_decay=0.9), made(ema_decay=0.9)
    fit(whole, 3)
    fit(parted, 1)
    path = export.save(parted, tmp_path / "digits", weights=weights, resumable=True)
    again = trainers.GAN.from_export(tmp_path / "digits")
    fit(again, 2, 1)
    assert int(again.steps) == 12 and type(again) is trainers.GAN
    for name in ("generator", "discriminator", "ema_generator"):
        assert_same_weights(getattr(again, name), getattr(whole, name))
    for mine, other in zip(
        again.generator_optimizer.variables, whole.generator_optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(mine, other)
    said = json.loads((path / exported.CARD).read_text())
    assert exported.TRAINER in said["files"]


def test_versions_are_told_apart(tmp_path):
    gan = made()
    first = export.save(gan, tmp_path, resumable=True)
    fit(gan, 1)
    export.save(gan, tmp_path, resumable=True)
    export.save(gan.generator, tmp_path)
    assert int(trainers.GAN.from_export(tmp_path, version=1).steps) == 0
    assert int(trainers.GAN.from_export(first).steps) == 0
    assert int(trainers.GAN.from_export(tmp_path, 2).steps) == 4
    with pytest.raises(FileNotFoundError, match="`directory` holds no trainer"):
        trainers.GAN.from_export(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"`version` is not there. .*one of \[1, 2, 3\]"):
        trainers.GAN.from_export(tmp_path, 7)
    for wrong in ("../1", True, 0, 1.5):
        with pytest.raises(ValueError, match="`version` is not an integer|`version` is "):
            trainers.GAN.from_export(tmp_path, wrong)
    with pytest.raises(FileNotFoundError, match="`directory` has no card"):
        trainers.GAN.from_export(tmp_path / "nowhere")


def test_its_class_comes_back(tmp_path):
    export.save(made(trainers.ConsensusGAN), tmp_path, resumable=True)
    assert type(trainers.GAN.from_export(tmp_path)) is trainers.ConsensusGAN
    with pytest.raises(ValueError, match="`directory` holds another trainer. Expected a FGAN"):
        trainers.FGAN.from_export(tmp_path)


def laplacian():
    generator = zoo.LaplacianGenerator((8, 8, 1), levels=2, latent_dim=4, filters=2, units=(4,))
    discriminator = zoo.LaplacianDiscriminator((8, 8, 1), levels=2, filters=2, units=(4,))
    return trainers.LaplacianGAN(generator, discriminator)


@pytest.mark.parametrize(
    "make",
    [
        laplacian,
        lambda: trainers.HistoricalAveragingGAN(*tiny_mlp_pair()),
        lambda: trainers.UnrolledGAN(*tiny_pair(classes=3), unroll_steps=1),
        lambda: trainers.WassersteinGANGP(*tiny_mlp_pair(), discriminator_steps=2),
    ],
)
def test_what_trainers_hold_beside_their_players_comes_back(tmp_path, make):
    """Sums of weights, seeds of dropout at every level, counters."""
    gan = make()
    gan.compile(jit_compile=False)
    shape = gan.generator.output_shape[1:]
    images = np.random.default_rng(1).integers(0, 256, (32, *shape), dtype=np.uint8)
    given = (images, np.arange(32) % 3) if gan.generator.num_classes else (images,)
    gan.fit(*given, batch_size=16, verbose=0)
    export.save(gan, tmp_path, resumable=True)
    again = type(gan).from_export(tmp_path)
    assert_same_weights(again, gan)
    for each in (gan, again):
        each.fit(*given, batch_size=16, shuffle=False, verbose=0)
    assert_same_weights(again, gan)


def test_only_a_trainer_can_be_kept(tmp_path):
    with pytest.raises(ValueError, match="`resumable` keeps a trainer, and there is none"):
        export.save(tiny_pair()[0], tmp_path / "a", resumable=True)

    class Unknown(keras.layers.Dense):
        pass

    net = keras.Sequential([keras.Input((4,)), Unknown(2)])
    gan = trainers.GAN(net, keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    with pytest.raises(ValueError, match="Unknown"):
        export.save(gan, tmp_path / "a", resumable=True)
    assert not (tmp_path / "a").exists()


def test_a_damaged_one_is_refused(tmp_path):
    path = export.save(made(), tmp_path / "a", resumable=True)
    other = export.save(made(trainers.ConsensusGAN), tmp_path / "b", resumable=True)
    shutil.copy(other / exported.TRAINER, path / exported.TRAINER)
    with pytest.raises(ValueError, match="trainer.keras is another one"):
        trainers.GAN.from_export(tmp_path / "a")


def test_a_planted_one_is_refused(tmp_path):
    """Only what the card lists is loaded: a stranger's file beside it is none of it."""
    path = export.save(tiny_pair()[0], tmp_path / "a")
    other = export.save(made(), tmp_path / "b", resumable=True)
    shutil.copy(other / exported.TRAINER, path / exported.TRAINER)
    with pytest.raises(ValueError, match="trainer.keras is not of the version"):
        trainers.GAN.from_export(tmp_path / "a")
    (path / exported.TRAINER).rename(path / "model.onnx")
    with pytest.raises(ValueError, match="model.onnx is not of the version"):
        checking.check(path)


def test_an_autoencoder_comes_along(tmp_path):
    vae = zoo.VAE((8, 8, 1), latent_dim=4)
    vae.compile()
    path = export.save(vae, tmp_path, resumable=True)
    assert (path / exported.TRAINER).is_file()
    assert_same_weights(zoo.VAE.from_export(tmp_path), vae)
    with pytest.raises(ValueError, match="Expected a GAN. Received: .* with a VAE"):
        trainers.GAN.from_export(tmp_path)


def test_the_command(tmp_path, capsys):
    gan = made()
    fit(gan, 1)
    zoo.saving.save(gan, tmp_path / "gan.keras")
    zoo.saving.save(gan.generator, tmp_path / "generator.keras")
    flags = ("--resumable", "--nocheck")
    given = (f"--model={tmp_path / 'gan.keras'}", f"--output_dir={tmp_path / 'out'}")
    assert run_command(export_main, *flags, *given) == 0
    assert int(trainers.GAN.from_export(tmp_path / "out").steps) == 4
    for model in (tmp_path / "generator.keras", "unrolled_ring"):
        given = (f"--model={model}", f"--output_dir={tmp_path / 'other'}")
        assert run_command(export_main, *flags, *given) == 2
        assert "`--resumable` keeps a trainer, and there is none" in capsys.readouterr().err
    given = (f"--model={tmp_path / 'gan.keras'}", f"--output_dir={tmp_path / 'other'}")
    assert run_command(export_main, *flags, *given, "--formats=page") == 2
    assert "`formats` is empty" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
