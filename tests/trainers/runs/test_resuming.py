"""Which folders a run goes on in, and which it refuses."""

import dataclasses
import json

import keras
import pytest

from trainers.runs import resuming, run
from trainers.runs.settings import Details, Settings

TOY = Settings(dataset="normal", generator="mlp", latent_dim=2, batch_size=20_000, epochs=2, seed=4)
DETAILS = Details(generator={"units": [8]})


def test_what_may_differ(tmp_path):
    now = resuming.decided(TOY, DETAILS)
    resuming.check_same(now, tmp_path / "none")
    (tmp_path / "settings.json").write_text(json.dumps(now))
    longer = dataclasses.replace(TOY, epochs=3, jit_compile="true", strategy="mirrored")
    resuming.check_same(resuming.decided(longer, DETAILS), tmp_path)
    for settings, details in ((dataclasses.replace(TOY, filters=8), DETAILS), (TOY, Details())):
        with pytest.raises(ValueError, match="`output_dir` holds another.*(filters|details) was"):
            resuming.check_same(resuming.decided(settings, details), tmp_path)


def test_another_run_in_the_folder_is_refused(tmp_path):
    (tmp_path / "settings.json").write_text(json.dumps({**dataclasses.asdict(TOY), "seed": 5}))
    with pytest.raises(ValueError, match="`output_dir` holds another run.*seed was 5, is 4"):
        run.train(TOY, tmp_path, verbose=0)


def test_a_damaged_or_foreign_checkpoint_is_refused(tmp_path):
    (tmp_path / "gan.keras").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="damaged.*holds a GAN"):
        run.train(TOY, tmp_path, verbose=0)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "gan.keras")
    with pytest.raises(ValueError, match="`path` holds.*another class. Expected a GAN.*Sequential"):
        run.train(TOY, tmp_path, verbose=0)
    assert not (tmp_path / "settings.json").exists()
