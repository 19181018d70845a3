"""Presets on the Hub: published and read through the Hub's own library, at a stand-in here."""

import json
import subprocess
import sys

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub import constants

import zoo
from tests.helpers import assert_same_weights, run_command, tiny_pair
from tests.zoo.stand_in_hub import TOKEN, Hub
from zoo import __main__ as zoo_main
from zoo import files, model_cards, presets

ADDRESS = "hf://me/tiny"
SCORE = {"name": "modes", "label": "modes of 8", "value": 7.5, "protocol": {"samples": 500}}


@pytest.fixture
def there(monkeypatch, tmp_path):
    stand_in = Hub()
    monkeypatch.setattr(constants, "ENDPOINT", stand_in.url)
    template = stand_in.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield stand_in
    stand_in.stop()


@pytest.fixture
def mine(tmp_path):
    generator, discriminator = tiny_pair(classes=3)
    card = {"dataset": "mnist", "scores": [SCORE], "description": 'Small: "mine".'}
    return zoo.save_preset(generator, tmp_path / "tiny", discriminator, card), generator


def test_what_is_published_comes_back(there, mine):
    folder, generator = mine
    url = zoo.upload_preset(ADDRESS, folder)
    assert url.startswith(f"{there.url}/me/tiny/commit/")
    published = set(there.models["me/tiny"][-1]) - {".gitattributes"}
    assert published == {*(path.name for path in folder.iterdir()), "README.md"}
    loaded = zoo.from_preset(ADDRESS)
    assert_same_weights(loaded, generator)
    np.testing.assert_array_equal(
        loaded.sample(3, [0, 1, 2], seed=4), generator.sample(3, [0, 1, 2], seed=4)
    )
    assert zoo.load(ADDRESS, "discriminator").count_params() > 0
    assert presets.card(ADDRESS)["scores"] == [SCORE]
    assert there.messages == ["Preset tiny of GAN Zoo"]


def test_its_readme_is_a_model_card(there, mine):
    zoo.upload_preset(ADDRESS, mine[0], message="The first")
    text = there.models["me/tiny"][-1]["README.md"].decode()
    data = huggingface_hub.ModelCard(text).data
    (found,) = data.eval_results
    assert (found.metric_type, found.metric_value) == ("modes", 7.5)
    assert (found.metric_name, found.metric_args) == ("modes of 8", {"samples": 500})
    assert data.datasets == ["ylecun/mnist"] and data.tags == ["gan", "gan-zoo"]
    assert data.pipeline_tag == "unconditional-image-generation"
    assert f'zoo.from_preset("{ADDRESS}")' in text and "- modes of 8: 7.5\n" in text
    assert "![Samples that were not chosen](samples.png)" in text
    assert "(data under CC BY-SA 3.0)" in text and 'Small: "mine".' in text
    assert there.messages == ["The first"]


@pytest.mark.parametrize("classes", [None, 3])
def test_its_example_runs(there, tmp_path, classes):
    folder = zoo.save_preset(tiny_pair(classes)[0], tmp_path / "tiny")
    zoo.upload_preset(ADDRESS, folder)
    text = there.models["me/tiny"][-1]["README.md"].decode()
    names = {}
    exec(text.split("```python\n")[1].split("```")[0], names)
    assert names["images"].shape == (64, 8, 8, 1)


def test_points_are_no_pictures():
    head = model_cards.head({"scores": [SCORE]}, "ring", False)
    data = huggingface_hub.ModelCard(f"{head}\nText").data
    assert data.pipeline_tag is None and data.eval_results[0].task_type == "other"


def test_cards_of_strangers():
    values = [5e-8, 1e22, True, 10**400, float("nan"), "7", None, -3]
    scores = [{"name": "a 😀: 'b'", "value": value, "protocol": {"x": 1e-9}} for value in values]
    for dataset in (["x"], {"a": 1}, 3, "mnist", None):
        card = {"dataset": dataset, "scores": [*scores, 3, {"value": 1.0}, {"name": 4, "value": 1}]}
        text = f"{model_cards.head(card, 'n', True)}\nText"
        found = huggingface_hub.ModelCard(text).data.eval_results
        assert [x.metric_value for x in found] == [5e-8, 1e22, -3.0]
        assert {x.metric_name for x in found} == {"a 😀: 'b'"}
        assert found[0].metric_args == {"x": 1e-9}
        assert isinstance(model_cards.data(card) + model_cards.scores(card), str)


def test_a_second_one_replaces_the_first(there, mine, tmp_path):
    folder, generator = mine
    zoo.upload_preset(ADDRESS, folder)
    first = huggingface_hub.HfApi(there.url).model_info("me/tiny").sha
    changed = zoo.save_preset(tiny_pair()[0], tmp_path / "other" / "tiny")
    (changed / "README.md").write_text("My own words.")
    zoo.upload_preset(ADDRESS, changed)
    published = set(there.models["me/tiny"][-1]) - {".gitattributes"}
    assert published == {path.name for path in changed.iterdir()}
    assert there.models["me/tiny"][-1]["README.md"] == b"My own words."
    assert zoo.from_preset(ADDRESS).num_classes is None
    assert_same_weights(zoo.from_preset(f"{ADDRESS}@{first}"), generator)
    known = files.sha256((changed / "card.json").read_bytes())
    zoo.from_preset(ADDRESS, file_hash=known)
    with pytest.raises(ValueError, match="`file_hash` is not that of the preset's card.json"):
        zoo.from_preset(f"{ADDRESS}@{first}", file_hash=known)


def test_without_the_hub_the_cache_is_read(there, mine, monkeypatch):
    zoo.upload_preset(ADDRESS, mine[0])
    zoo.from_preset(ADDRESS)
    there.broken = 503
    with pytest.warns(UserWarning, match=f"does not answer, and {ADDRESS} is read from the cache"):
        assert_same_weights(zoo.from_preset(ADDRESS), mine[1])
    there.stop()
    commit = there.hash_of("me/tiny")
    with pytest.warns(UserWarning, match=f"as it was at the commit {commit}"):
        assert_same_weights(zoo.from_preset(ADDRESS), mine[1])
    with pytest.raises(ConnectionError, match="`preset` could not be reached.*hf://me/other"):
        zoo.from_preset("hf://me/other")
    with pytest.raises(ConnectionError, match="`uri` could not be reached"):
        zoo.upload_preset("hf://me/other", mine[0])
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)  # Asked for: nothing to warn of.
    assert_same_weights(zoo.from_preset(ADDRESS), mine[1])


def test_what_is_changed_on_the_way_is_refused(there, mine):
    zoo.upload_preset(ADDRESS, mine[0])
    published = there.models["me/tiny"][-1]
    published["model.weights.h5"] = published["discriminator.weights.h5"]
    with pytest.raises(ValueError, match="not the one that was published"):
        zoo.from_preset(ADDRESS)
    card = json.loads(published["card.json"])
    card.pop("sha256")
    published["card.json"] = json.dumps({**card, "files": {}}).encode()
    with pytest.raises(ValueError, match="Expected the SHA-256 of the card, None"):
        zoo.from_preset(ADDRESS)


def test_only_the_files_of_a_preset_are_fetched(there, mine):
    zoo.upload_preset(ADDRESS, mine[0])
    there.models["me/tiny"][-1]["checkpoint.bin"] = b"x" * 1000
    folder = presets.folder_of(ADDRESS)
    assert {path.name for path in folder.iterdir()} == {path.name for path in mine[0].iterdir()}
    assert not [request for request in there.asked if "checkpoint.bin" in request]


@pytest.mark.parametrize(
    "address, message",
    [
        ("hf://tiny", "`preset` is no address of a model on the Hub"),
        ("hf://me/tiny/more", "`preset` is no address"),
        ("hf://", "`preset` is no address"),
        (f"{ADDRESS}@../../x", "`preset` is no address"),
        ("hf://../tiny", "`preset` is no address"),
        ("hf://me/nothing", "`preset` is not on the Hub, or not for everybody"),
        (f"{ADDRESS}@yesterday", "`preset` has no such revision"),
        ("hf://me/empty", "`preset` is a model without a preset"),
    ],
)
def test_what_cannot_be_read(there, mine, address, message):
    zoo.upload_preset(ADDRESS, mine[0])
    there.models["me/empty"].append({"model.safetensors": b"1"})
    with pytest.raises(ValueError, match=message) as raised:
        zoo.from_preset(address)
    assert f"Received: preset={address!r}" in str(raised.value)


def test_what_cannot_be_published(there, mine, monkeypatch, tmp_path):
    folder, _ = mine
    with pytest.raises(ValueError, match="`uri` names a revision"):
        zoo.upload_preset(f"{ADDRESS}@main", folder)
    with pytest.raises(ValueError, match="`uri` is no address"):
        zoo.upload_preset("me/tiny", folder)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(ValueError, match="`uri` was refused by the Hub: Invalid credentials"):
        zoo.upload_preset(ADDRESS, folder)
    before = len(there.asked)
    content = (folder / "discriminator.weights.h5").read_bytes()
    (folder / "discriminator.weights.h5").write_bytes(content[:-9])
    with pytest.raises(ValueError, match="not the one that was published"):
        zoo.upload_preset(ADDRESS, folder)
    with pytest.raises(ValueError, match="`folder` is unknown.*folder='.*nowhere'"):
        zoo.upload_preset(ADDRESS, tmp_path / "nowhere")
    assert len(there.asked) == before and not there.models


@pytest.mark.parametrize(
    "held",
    [
        {"model.safetensors": b"1"},
        {"config.json": b"{}", "model.weights.h5": b"1"},  # As most models there have.
        {"README.md": b"Mine."},
    ],
)
def test_what_is_somebody_elses_stays(there, mine, held):
    there.models["me/other"].append({".gitattributes": b"", **held})
    with pytest.raises(ValueError, match="`uri` holds something else than a preset"):
        zoo.upload_preset("hf://me/other", mine[0])
    assert len(there.models["me/other"]) == 1


def test_a_commit_of_another_meanwhile(there, mine, monkeypatch):
    zoo.upload_preset(ADDRESS, mine[0])
    listed = huggingface_hub.HfApi.list_repo_files

    def late(api, *arguments, **kwargs):
        there.models["me/tiny"].append({**there.models["me/tiny"][-1], "notes.md": b"1"})
        return listed(api, *arguments, **kwargs)

    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", late)
    with pytest.raises(ValueError, match="`uri` was refused by the Hub: A commit has happened"):
        zoo.upload_preset(ADDRESS, mine[0])


def test_only_what_was_checked_is_sent(there, mine, tmp_path):
    """A stranger's folder may hold links to what is nobody's business."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (mine[0] / "README.md").symlink_to(secret)
    zoo.upload_preset(ADDRESS, mine[0])
    assert b"secret" not in there.models["me/tiny"][-1]["README.md"]
    (mine[0] / "samples.png").unlink()
    (mine[0] / "samples.png").symlink_to(secret)
    with pytest.raises(ValueError, match="not the one that was published"):
        zoo.upload_preset(ADDRESS, mine[0])


def test_private_ones_want_the_login(there, mine, monkeypatch):
    zoo.upload_preset(ADDRESS, mine[0], private=True)
    assert there.private == {"me/tiny"}
    with pytest.raises(ValueError, match="`private` is not what the model is. .*private=True, or"):
        zoo.upload_preset(ADDRESS, mine[0], private=False)
    zoo.upload_preset(ADDRESS, mine[0])  # As it is.
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ValueError, match="`preset` is not on the Hub, or not for everybody"):
        zoo.from_preset(ADDRESS)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert_same_weights(zoo.from_preset(ADDRESS), mine[1])


def test_the_commands_take_an_address(there, mine, tmp_path, capsys):
    zoo.upload_preset(ADDRESS, mine[0])
    flags = ["sample", f"--model={ADDRESS}", f"--output={tmp_path / 'x.png'}"]
    assert run_command(zoo_main, *flags) == 0
    assert (tmp_path / "x.png").is_file()


def test_without_the_library(monkeypatch, mine):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="`preset` begins with hf.*pip install huggingface_hub"):
        zoo.from_preset(ADDRESS)
    with pytest.raises(ImportError, match="`uri` begins with hf.*pip install huggingface_hub"):
        zoo.upload_preset(ADDRESS, mine[0])


def test_with_an_old_library(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "__version__", "0.36.0")
    with pytest.raises(ImportError, match="too old. Expected: pip install -U .*version 0.36.0"):
        zoo.from_preset(ADDRESS)


def test_nothing_connects_unless_asked():
    code = "import socket; reached = []; socket.getaddrinfo = lambda *a, **k: reached.append(a); "
    code += "socket.socket.connect = lambda self, where: reached.append(where); import zoo; "
    code += "zoo.from_preset('unrolled_ring').sample(2, seed=0); zoo.list_presets(); print(reached)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
