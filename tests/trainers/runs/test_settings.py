"""Settings: what they decide, and that each is a flag."""

import dataclasses

import pytest

import trainers.__main__ as command
from trainers.runs.construction import make
from trainers.runs.settings import Settings
from zoo import datasets


def test_every_setting_is_a_flag_with_its_default():
    for field in dataclasses.fields(Settings):
        flag = command.FLAGS[field.name]
        assert flag.default == field.default and flag.help
        choices = field.metadata["choices"]
        assert choices is None or field.default is None or field.default in choices


def test_where_the_data_come_from():
    settings = Settings(dataset="pictures", image_size=32, skip_unreadable=True)
    assert settings.source == {"image_size": 32, "data_dir": None, "skip_unreadable": True}


@pytest.mark.parametrize(
    "field, number, trainer",
    [
        ("learning_rate", "0.0002", "gan"),
        ("learning_rate", "0.00005 of wasserstein,", "wasserstein"),
    ]
    + [("learning_rate", "0.0001 of wasserstein_gp", "wasserstein_gp")]
    + [("learning_rate", "0.001 of vae", "vae")],
)
def test_the_numbers_of_the_help_are_the_trainers(field, number, trainer):
    assert number in command.FLAGS[field].help
    info = datasets.DatasetInfo("mnist", (4, 4, 1), "uint8", None, 10)
    gan = make(Settings(generator="mlp", trainer=trainer), info)
    optimizers = getattr(gan, "optimizers", None) or [gan.optimizer]
    for optimizer in optimizers:
        assert float(optimizer.learning_rate) == pytest.approx(float(number.split()[0]))


def test_what_is_chosen_without_being_said():
    assert Settings().generator == "dcgan" and Settings().trainer == "gan"
    assert Settings(dataset="grid").generator == "mlp" and Settings().ema_decay == 0.99
    assert Settings(dataset="ring", generator="dcgan").generator == "dcgan"
    assert Settings(ema_decay=0.0).ema_decay == 0.0
