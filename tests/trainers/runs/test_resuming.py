"""Which folders a run goes on in, and which it refuses."""

import dataclasses
import json
import subprocess
import sys

import keras
import pytest

from trainers.runs import resuming, run
from trainers.runs.settings import Details, Settings
from zoo import saving

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
    (tmp_path / "settings.json").write_text(json.dumps(resuming.decided(TOY, Details())))
    (tmp_path / "gan.keras").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="damaged.*holds a GAN"):
        run.train(TOY, tmp_path, verbose=0)
    foreign = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    foreign.save(tmp_path / "gan.keras")
    with pytest.raises(ValueError, match="`path` holds.*another class. Expected a GAN.*Sequential"):
        run.train(TOY, tmp_path, verbose=0)
    # What decided it is not in that file.
    for text, reason in ((None, "it is missing"), ("", "no JSON"), ("[]", "it is no object")):
        (tmp_path / "settings.json").unlink(missing_ok=True)
        if text is not None:
            (tmp_path / "settings.json").write_text(text)
        with pytest.raises(ValueError, match=f"nobody knows.*settings.json' cannot.*{reason}"):
            run.train(TOY, tmp_path, verbose=0)


def test_settings_that_were_lost_are_in_the_checkpoint(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    now = resuming.decided(TOY, DETAILS)
    saving.save(model, tmp_path / "gan.keras", {"settings.json": json.dumps(now)})
    other = resuming.decided(dataclasses.replace(TOY, seed=9), DETAILS)
    for text in (None, "", '{"seed": 4'):
        if text is not None:
            (tmp_path / "settings.json").write_text(text)
        resuming.check_same(now, tmp_path)
        with pytest.raises(ValueError, match="another run.*seed was 4, is 9"):
            resuming.check_same(other, tmp_path)
    (tmp_path / "gan.keras").unlink()  # Killed as it started: nothing was learned.
    resuming.check_same(other, tmp_path)


def test_a_folder_in_which_another_process_is_at_work_is_refused(tmp_path):
    """A child's lock; it ends with the child, which is killed."""
    code = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, 2); print(flush=True)"
    command = [sys.executable, "-S", "-c", f"{code}; sys.stdin.read()", str(tmp_path / ".lock")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    left = tmp_path / "score" / ".best-0123abcd.keras"
    left.parent.mkdir()
    left.write_text("half")
    with subprocess.Popen(command, **pipes) as child:
        child.stdout.readline()
        with pytest.raises(ValueError, match="`output_dir` is in use by another process"):
            run.train(TOY, tmp_path, verbose=0)
        assert left.exists()
        child.kill()
    with pytest.raises(ValueError, match="did you mean .minimax"):
        run.train(dataclasses.replace(TOY, objective="minmax"), tmp_path, verbose=0)
    assert not left.exists()
