"""The bar fits a terminal of eighty columns, and says the losses first."""

import re

import keras
import pytest

import trainers
import zoo
from tests.games import REAL, game
from tests.helpers import compiled, tiny_mlp_pair
from trainers.penalties import R1
from zoo import progress

ESCAPES = re.compile(r"\x1b\[\d+m|\x08")


def _pyramid():
    shape = (8, 8, 1)
    return trainers.LaplacianGAN(
        zoo.LaplacianGenerator(shape, levels=2, latent_dim=2, filters=2, units=(3,)),
        zoo.LaplacianDiscriminator(shape, levels=2, filters=2, units=(3,)),
    )


TRAINERS = {
    "GAN": lambda: compiled(trainers.GAN(*tiny_mlp_pair()), discriminator_penalties=R1(1.0)),
    "FGAN": lambda: compiled(trainers.FGAN(*tiny_mlp_pair())),
    "WassersteinGANGP": lambda: compiled(trainers.WassersteinGANGP(*tiny_mlp_pair())),
    "LaplacianGAN": lambda: compiled(_pyramid()),
    "VAE": lambda: compiled(zoo.VAE((2,), latent_dim=2, units=(3,))),
}


def _lines(capsys):
    text = ESCAPES.sub("", capsys.readouterr().out)
    return [line for line in re.split(r"[\r\n]", text) if line.strip()]


@pytest.mark.parametrize("steps", [3, 12_345, None])
@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize("name", TRAINERS)
def test_a_line_fits(name, verbose, steps, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = list(TRAINERS[name]().get_metrics_result())
    bar = progress.Progress()
    bar.set_params({"verbose": verbose, "epochs": 2, "steps": steps})
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    for batch, value in enumerate((-12345.678, 1e-7, 0.5)):
        bar.on_train_batch_end(batch, dict.fromkeys(names, value))
    logs = {**dict.fromkeys(names, -0.5), "learning_rate_generator": 2e-4, "a_score_of_mine": 1.0}
    bar.on_epoch_end(0, {**logs, **{f"val_{name}": 0.5 for name in names}})
    lines = _lines(capsys)
    assert max(map(len, lines)) <= 80
    first = ["loss"] if name == "VAE" else ["g_loss", "d_loss"]
    assert all(f" - {loss}: " in lines[-1] for loss in first)


def test_fit_and_evaluate_show_it_and_the_history_has_every_name(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    gan = game(trainers.GAN, 1, 1)
    gan.run_eagerly = True
    history = gan.fit(REAL, batch_size=2, epochs=2, validation_data=REAL).history
    gan.evaluate(REAL, batch_size=2)
    lines = _lines(capsys)
    assert max(map(len, lines)) <= 80 and " - g_loss: " in lines[-1]
    assert {"generator_loss", "val_generator_loss", "discriminator_fake"} <= set(history)


def test_a_wide_terminal_has_more(monkeypatch):
    logs = {"js_estimate": 0.5, "discriminator_loss": 1.0, "generator_loss": 1.0, "mine": 2.0}
    chosen = dict(progress.chosen(logs, 100))
    assert list(chosen) == ["g_loss", "d_loss", "mine", "js"]


def test_the_users_own_bar_stays():
    own = keras.callbacks.ProgbarLogger()
    assert progress.with_bar(own, "auto") == [own]
    assert progress.with_bar([], 0) == []
    assert isinstance(progress.with_bar(None, 2)[0], progress.Progress)
