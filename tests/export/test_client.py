"""The client over sockets, by REST and by gRPC: Python's answers, and what is refused unsent."""

import io
import json

import numpy as np
import pytest
from PIL import Image

import export
import zoo
from export import client as clients
from export import rest_transport
from tests.export.stand_in_server import WAYS, Model
from tests.helpers import tiny_pair
from zoo import players


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    generator, discriminator = tiny_pair(classes=3)
    generator.class_names = ("ape", "cow", "sow")
    folder = tmp_path_factory.mktemp("serving") / "digits"
    export.save(generator, folder, discriminator=discriminator)
    return folder, generator, discriminator


@pytest.fixture(params=WAYS)
def served(request, folder, monkeypatch):
    """A model that is served, its URL, and the folder."""
    monkeypatch.setattr(clients, "PAUSE", 0.01)
    model = Model(folder[0] / "1", "digits")
    with WAYS[request.param](model) as url:
        yield model, url, *folder


SEEDS = np.array([0, 5, -3, 2**63 - 1, -(2**63)])
LABELS = [0, 1, 2, 1, 0]


def test_answers_are_pythons(served):
    model, url, folder, generator, discriminator = served
    client = export.Client(url, "digits", card=folder)
    assert client.card["class_names"] == ["ape", "cow", "sow"]
    images = client.sample(SEEDS, labels=LABELS)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, generator.sample(5, LABELS, SEEDS))
    cut = client.sample(SEEDS, labels=LABELS, truncation=0.5)
    np.testing.assert_array_equal(cut, generator.sample(5, LABELS, SEEDS, truncation=0.5))
    files = client.sample_png(SEEDS, labels=LABELS)
    decoded = [np.asarray(Image.open(io.BytesIO(file))) for file in files]
    np.testing.assert_array_equal(decoded, images[..., 0])
    latents = client.latents(SEEDS)
    np.testing.assert_array_equal(latents, zoo.latents.draw_rows("normal", 6, SEEDS))
    narrow = client.latents(SEEDS, truncation=0.5)
    np.testing.assert_array_equal(narrow, zoo.latents.draw_rows("normal", 6, SEEDS, 0.5))
    unit = client.decode(latents, labels=LABELS)
    assert unit.dtype == np.float32
    np.testing.assert_array_equal(np.round(unit * 255), images)
    logits, _ = players.discriminate(discriminator, unit * 2 - 1, np.array(LABELS))
    np.testing.assert_allclose(client.score(unit, labels=LABELS), logits, atol=1e-5)


@pytest.mark.parametrize("truncation", [0, -1.0, float("nan"), [0.5, 0.5], [0.5] * 4 + [0], "half"])
def test_a_truncation_that_does_not_fit_is_not_sent(served, truncation):
    _, url, folder, *_ = served
    client = export.Client(url, "digits", card=folder)
    for ask in (client.latents, lambda *a, **k: client.sample(*a, labels=LABELS, **k)):
        with pytest.raises(
            ValueError, match="`truncation` does not fit. .*one for each of 5 seeds"
        ):
            ask(SEEDS, truncation=truncation)
    assert len(client.latents(SEEDS, truncation=[0.5, 0.6, 0.7, 0.8, 9])) == 5


@pytest.mark.parametrize("default", ["sample", "sample_png"])
@pytest.mark.parametrize("way", WAYS)
def test_latents_are_decoded_whatever_the_default(tmp_path, way, default):
    generator, _ = tiny_pair()
    path = export.save(generator, tmp_path, default=default)
    model = Model(path, "digits")
    old = json.loads((path / "assets.extra" / "card.json").read_text())
    del old["default"]
    with WAYS[way](model) as url:
        for card in (tmp_path, None, old, {"ranges": {}}):
            client = export.Client(url, "digits", card=card)
            unit = client.decode(client.latents([3, 4]))
            np.testing.assert_array_equal(np.round(unit * 255), generator.sample(2, seed=[3, 4]))
            assert model.asked[-1][0] == "decode"
        images = client.sample([3, 4])
        np.testing.assert_array_equal(images, generator.sample(2, seed=[3, 4]))


def test_a_server_without_metadata(folder):
    """The card says what the signatures are, to the dtype and the shape what the server would."""
    folder, generator, _ = folder
    model = Model(folder / "1", "digits")
    with WAYS["rest"](model) as url:
        told = export.Client(url, "digits").signatures
        model.tells = False
        client = export.Client(url, "digits", card=folder)
        assert {key: tuple(map(dict, value)) for key, value in client.signatures.items()} == told
        images = client.sample([4, 5], labels=[1, 2])
        np.testing.assert_array_equal(images, generator.sample(2, [1, 2], [4, 5]))
        for card, received in ((None, "no card"), ({"signatures": {"sample": {}}}, "another")):
            message = f"`card` is needed, as the server says nothing.* Received: {received}"
            with pytest.raises(ValueError, match=message):
                export.Client(url, "digits", card=card)
        with pytest.raises(clients.ServerError, match="404: Servable not found"):
            export.Client(url, "other", card=folder)


def test_a_server_that_still_loads_is_waited_for(folder, monkeypatch):
    """Its status is 200 also before it can answer, and after it could not load."""
    folder, generator, _ = folder
    monkeypatch.setattr(clients, "PAUSE", 0.0)
    model = Model(folder / "1", "digits")
    with WAYS["rest"](model) as url:
        model.states = ["START", "LOADING"]
        client = export.Client(url, "digits", card=folder)
        images = client.sample([4, 5], labels=[1, 2])
        np.testing.assert_array_equal(images, generator.sample(2, [1, 2], [4, 5]))
        assert not model.states
        model.states = ["END"] * 9
        with pytest.raises(ConnectionError, match="no server that answers.*not ready.*END"):
            export.Client(url, "digits", card=folder)


@pytest.mark.parametrize(
    "images, said",
    [
        (np.zeros((1, 8, 8, 1), int), "answered for other rows. Expected 2. Received: 1 of"),
        (np.full((2, 8, 8, 1), 0.5), "answered with something else. Expected 'images' of uint8"),
        (np.full((2, 8, 8, 1), 300), "answered with something else"),
        (np.zeros((2, 5), int), "answered with something else"),
    ],
)
def test_an_answer_that_is_none(folder, monkeypatch, images, said):
    """A server may be another one's, or broken: what it says is no picture yet."""
    model = Model(folder[0] / "1", "digits")
    with WAYS["rest"](model) as url:
        client = export.Client(url, "digits")
        rows = {"images": images.tolist(), "valid": [True] * len(images)}
        monkeypatch.setattr(client._transport, "predict", lambda *_: rows)
        with pytest.raises(clients.ServerError, match=said):
            client.sample([1, 2], labels=[0, 1])
        with pytest.raises(ValueError, match="`latents` holds NaN or infinity"):
            client.decode(np.full((1, 6), 1e300), labels=[1])


def test_a_card_of_another_model(folder, tmp_path):
    export.save(tiny_pair()[0], tmp_path)
    model = Model(folder[0] / "1", "digits")
    for way in WAYS.values():
        with way(model) as url:
            with pytest.raises(ValueError, match="`card` is of another model than the server's"):
                export.Client(url, "digits", card=tmp_path)


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b'{"metadata": null}'])
def test_a_server_of_something_else(folder, monkeypatch, content):
    model = Model(folder[0] / "1", "digits")
    with WAYS["rest"](model) as url:
        monkeypatch.setattr(
            rest_transport.json, "loads", lambda _: json.JSONDecoder().decode(content.decode())
        )
        with pytest.raises(clients.ServerError, match="does not answer as TensorFlow Serving does"):
            export.Client(url, "digits")
    with pytest.raises(ValueError, match="`url` is none"):
        export.Client("http://localhost:abc", "digits")


def test_the_card_is_that_of_the_version(tmp_path):
    """Of another version it would be other signatures."""
    generator, _ = tiny_pair()
    export.save(generator, tmp_path)
    export.save(generator, tmp_path, default="sample")
    model = Model(tmp_path / "1", "digits")
    with WAYS["rest"](model) as url:
        client = export.Client(url, "digits", card=tmp_path, version=1)
        assert client.card["default"] == "latents"
        client = export.Client(url, "digits", card=tmp_path)
        assert client.card["default"] == "sample"  # The largest; the server has the other.
        images = client.decode(client.latents([3]))
        np.testing.assert_array_equal(np.round(images * 255), generator.sample(1, seed=[3]))


def test_a_version_is_asked_for_by_its_number_or_its_label(served):
    _, url, _, generator, _ = served
    for version in (1, "stable"):
        client = export.Client(url, "digits", version=version)
        np.testing.assert_array_equal(client.sample([4], labels=[2]), generator.sample(1, [2], [4]))
    for version in (2, "canary"):
        with pytest.raises(export.client.ServerError, match="Servable not found"):
            export.Client(url, "digits", version=version)
    with pytest.raises(ValueError, match="`version` has a label that a URL does not take"):
        export.Client(url, "digits", version="a/b")


def test_many_rows_go_in_requests_that_a_server_takes(served):
    model, url, folder, generator, _ = served
    client = export.Client(url, "digits", card=folder)
    labels = np.arange(150) % 3
    images = client.sample(range(150), labels=labels)
    np.testing.assert_array_equal(images, generator.sample(150, labels, range(150)))
    assert [len(inputs["seed"]) for _, inputs in model.asked] == [64, 64, 22]


LATENTS = np.zeros((2, 6), "float32")
NAN = np.array([[0.0] * 6, [np.nan] * 6])
REFUSED = {  # What is asked, and what is said of it.
    "a class that is none": (
        {"seed": [1, 2], "labels": [0, 3]},
        "`labels` is out of range. Expected numbers from 0 to 2. Received: labels from 0 to 3",
    ),
    "a width": (
        {"latents": LATENTS[:, :5], "labels": [0, 1]},
        r"`latents` does not fit the model. Expected numbers of shape \(n, 6\).*\(2, 5\)",
    ),
    "no rows' axis": ({"seed": 3, "labels": [0]}, r"`seed` does not fit.*of shape \(\)"),
    "fractions": ({"seed": [0.5], "labels": [0]}, "`seed` does not fit.* Expected integers"),
    "text": ({"seed": ["a"], "labels": [0]}, "`seed` does not fit"),
    "rows of several lengths": (
        {"latents": [[1], [1, 2]], "labels": [0, 1]},
        "`latents` does not fit",
    ),
    "NaN": ({"latents": NAN, "labels": [0, 1]}, "`latents` holds NaN or infinity.* 6 bad ones"),
    "more seeds than int64": ({"seed": [2**63], "labels": [0]}, "`seed` is out of range"),
    "no rows": ({"seed": np.zeros(0, int), "labels": np.zeros(0, int)}, "at least one"),
    "other counts": ({"seed": [1, 2], "labels": [0]}, "`labels` has no row for each.* 'seed': 2"),
    "no labels": ({"seed": [1]}, r"takes other inputs. Expected \['labels', 'seed'\]"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_not_sent(served, what):
    model, url, folder, _, _ = served
    inputs, message = REFUSED[what]
    client = export.Client(url, "digits", card=folder)
    with pytest.raises(ValueError, match=message):
        client.ask("serving_default" if "latents" in inputs else "sample", **inputs)
    assert not model.asked


def test_pixels_are_no_pictures_in_the_unit_interval(served):
    model, url, folder, _, _ = served
    client = export.Client(url, "digits", card=folder)
    with pytest.raises(ValueError, match="`images` is out of range. Expected numbers from 0.0 to"):
        client.score(np.full((2, 8, 8, 1), 255, "uint8"), labels=[0, 1])
    assert not model.asked


def test_without_a_card_the_server_says_which_rows_are_not_valid(served):
    model, url, _, _, _ = served
    with pytest.raises(ValueError, match=r"`sample` was asked for rows.*rows \[1\]"):
        export.Client(url, "digits").sample([1, 2], labels=[0, 3])


def test_a_server_that_is_busy_is_asked_again(served):
    model, url, _, generator, _ = served
    client = export.Client(url, "digits")
    model.busy = 2
    images = client.sample([1], labels=[2])
    np.testing.assert_array_equal(images, generator.sample(1, [2], seed=[1]))
    model.busy = 10
    with pytest.raises(ConnectionError, match="after 4 attempts.*'digits'.*not now"):
        client.sample([1], labels=[2])
    assert model.busy == 6


def test_what_the_server_says_is_said_and_not_tried_again(served):
    model, url, _, _, _ = served
    with pytest.raises(clients.ServerError, match="the server answered .*Servable not found"):
        export.Client(url, "other")
    client = export.Client(url, "digits")
    model.loaded.signatures._signatures.clear()
    with pytest.raises(clients.ServerError, match="the server answered .*sample"):
        client.sample([1], labels=[0])
    assert len(model.asked) == 1


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server(scheme):
    with pytest.raises(ConnectionError, match="`url` has no server that answers, after 1 attempts"):
        export.Client(f"{scheme}://127.0.0.1:1", "digits", retries=0, timeout=5)


def test_wrong_arguments(tmp_path):
    with pytest.raises(ValueError, match="`url` is unknown. Expected one of .*'grpc', 'http'"):
        export.Client("ftp://localhost", "digits")
    with pytest.raises(ValueError, match="`card` cannot be read"):
        export.Client("http://127.0.0.1:1", "digits", card=tmp_path)
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "card.json").write_text(json.dumps({"prior": "normal"}))
    with pytest.raises(ConnectionError):
        export.Client("http://127.0.0.1:1", "digits", card=tmp_path, retries=0)


@pytest.mark.parametrize("dtype, content", [(0, b""), (1, b"abc"), (1, b"abcdefgh")])
def test_an_answer_that_is_no_tensor_is_the_servers_error(folder, dtype, content):
    from tensorflow_serving.apis import predict_pb2

    answer = predict_pb2.PredictResponse()
    answer.outputs["latents"].dtype = dtype
    answer.outputs["latents"].tensor_content = content
    answer.outputs["latents"].tensor_shape.dim.add(size=3)
    with WAYS["grpc"](Model(folder[0] / "1", "digits")) as url:
        client = export.Client(url, "digits", card=folder[0])
        client._transport.stub.Predict = lambda request, timeout: answer
        with pytest.raises(clients.ServerError, match="`latents` was answered with what is no"):
            client.latents([1, 2])
