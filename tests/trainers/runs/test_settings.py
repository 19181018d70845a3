"""Settings: what they decide, and that each is a flag."""

import dataclasses

import trainers.__main__ as command
from trainers.runs.settings import Settings


def test_every_setting_is_a_flag_with_its_default():
    for field in dataclasses.fields(Settings):
        flag = command.FLAGS[field.name]
        assert flag.default == field.default and flag.help
        choices = field.metadata["choices"]
        assert choices is None or field.default is None or field.default in choices


def test_where_the_data_come_from():
    settings = Settings(dataset="pictures", image_size=32, skip_unreadable=True)
    assert settings.source == {"image_size": 32, "data_dir": None, "skip_unreadable": True}
