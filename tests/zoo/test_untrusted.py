"""Files from strangers: what they declare is refused before it is read."""

import hashlib
import io
import json
import time
import tracemalloc
import zipfile

import h5py
import keras
import numpy as np
import pytest

import trainers
import zoo
from zoo import saving, untrusted

MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def trainer_file(tmp_path_factory):
    """A trainer with a moving average that is not its generator, in a file; and its generator's."""
    keras.utils.set_random_seed(0)
    players = {"image_shape": (2,), "units": (4,)}
    gan = trainers.GAN(zoo.MLPGenerator(latent_dim=3, **players), zoo.MLPDiscriminator(**players))
    gan.compile(ema_decay=0.9)
    gan.ema_generator.set_weights([w + 1 for w in gan.generator.get_weights()])
    gan.steps.assign(1)
    folder = tmp_path_factory.mktemp("trainer")
    saving.save(gan.generator, folder / "generator.keras")
    return saving.save(gan, folder / "gan.keras"), folder / "generator.keras"


def _changed(path, folder, change):
    """A copy of a `.keras` file whose weights, an `h5py.File`, were changed."""
    copy = folder / path.name
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            if name == untrusted.SEAL_FILE:  # Whoever changes a file takes it away.
                continue
            content = source.read(name)
            if name == saving.WEIGHTS:
                stream = io.BytesIO(content)
                with h5py.File(stream, "r+") as weights:
                    change(weights)
                content = stream.getvalue()
            target.writestr(name, content)
    return copy


def _kernel(weights, group="ema_generator"):
    return weights[group]["layers/dense/vars/0"]


def _replaced(values, **options):
    def change(weights):
        for group in ("ema_generator", "."):
            if group in weights and "layers/dense/vars/0" in weights[group]:
                shape = _kernel(weights, group).shape
                del weights[group]["layers/dense/vars/0"]
                data = None if values is None else np.full(shape, values)
                if data is None:
                    options.setdefault("dtype", "float32")
                    shape = (30_000, 30_000)
                weights[group].create_dataset("layers/dense/vars/0", shape, data=data, **options)

    return change


def _linked(weights):
    group = "ema_generator/layers" if "ema_generator" in weights else "layers"
    weights.move(f"{group}/dense", "elsewhere")
    weights[f"{group}/dense"] = h5py.SoftLink("/elsewhere")


CHANGES = {
    "integers": (_replaced(7), "other numbers than its model.*Received: .*int64 and shape"),
    "texts": (_replaced(b"x"), "has what is no number"),
    "nan": (_replaced(np.float32("nan")), "`generator` has weights that are no numbers"),
    "infinity": (_replaced(np.float32("inf")), "`generator` has weights that are no numbers"),
    "soft link": (_linked, "a link that leads elsewhere.*'dense', a SoftLink"),
    "declared": (_replaced(None), "declares more than it stores.*3,600,.*declared"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_weights_that_are_other_than_they_say(trainer_file, tmp_path, kind):
    change, message = CHANGES[kind]
    for path in trainer_file:
        tracemalloc.start()
        with pytest.raises(ValueError, match=message):
            saving.load(_changed(path, tmp_path, change))
        assert tracemalloc.get_traced_memory()[1] < 64 * MEBIBYTE
        tracemalloc.stop()


def test_a_trainer_without_the_average_that_it_kept(trainer_file, tmp_path):
    path = _changed(trainer_file[0], tmp_path, lambda weights: weights.pop("ema_generator"))
    with pytest.raises(ValueError, match="`path` is damaged.*keeps a moving average.*no ema_gen"):
        saving.load(path)


def test_a_member_that_inflates(trainer_file, tmp_path):
    """A quarter of a gibibyte of zeros, in 260 KB."""
    bomb = tmp_path / "bomb.keras"
    with zipfile.ZipFile(trainer_file[0]) as source, zipfile.ZipFile(bomb, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
        with target.open(zipfile.ZipInfo("assets/x"), "w") as plain:
            plain.write(b"x")
        info = zipfile.ZipInfo("assets/zeros")
        info.compress_type = zipfile.ZIP_DEFLATED
        with target.open(info, "w") as zeros:
            for _ in range(256):
                zeros.write(bytes(MEBIBYTE))
    start = time.perf_counter()
    with pytest.raises(ValueError, match="its archive declares more than it stores"):
        saving.check_keras_file(bomb)
    assert time.perf_counter() - start < 0.5


def test_json_too_deep(trainer_file, tmp_path):
    deep = tmp_path / "deep.keras"
    with zipfile.ZipFile(trainer_file[0]) as source, zipfile.ZipFile(deep, "w") as target:
        target.writestr(saving.WEIGHTS, source.read(saving.WEIGHTS))
        target.writestr(saving.CONFIG, "[" * 100_000 + "]" * 100_000)
    with pytest.raises(ValueError, match="`path` is damaged.*config.json is no JSON.*too deep"):
        saving.check_keras_file(deep)


def test_arrays():
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.arange(3))
    np.testing.assert_array_equal(untrusted.read_arrays(stream.getvalue(), "x")["a"], [0, 1, 2])
    for content in (b"", b"PK\x03\x04", stream.getvalue()[:-30], stream.getvalue()[:40]):
        with pytest.raises(ValueError, match="x is damaged"):
            untrusted.read_arrays(content, "x")
    zeros = io.BytesIO()
    np.savez_compressed(zeros, a=np.zeros(100 * MEBIBYTE, "int8"))
    with pytest.raises(ValueError, match="x declares more than it stores"):
        untrusted.read_arrays(zeros.getvalue(), "x")
    objects = io.BytesIO()
    np.savez(objects, a=np.array([{}]))
    with pytest.raises(ValueError, match="[Oo]bject arrays"):
        untrusted.read_arrays(objects.getvalue(), "x")


def test_a_seal_is_the_hash_of_all_else():
    content = {"b": [1, 2.5], "a": "x"}
    wanted = hashlib.sha256(json.dumps({"a": "x", "b": [1, 2.5]}, sort_keys=True).encode())
    sealed = untrusted.sealed(content)
    assert sealed == {**content, "sha256": wanted.hexdigest()}
    untrusted.check_seal(sealed, "x")
    untrusted.check_seal(content, "x")  # One of before has none.
    with pytest.raises(ValueError, match="x is not as it was written.*Received: '[0-9a-f]{64}'"):
        untrusted.check_seal({**sealed, "a": "y"}, "x")


# === Seals of archives ===


def _rewritten(path, target, **members):
    """A copy of an archive with other members, or without those that are `None`."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = members.get(name.replace(".", "_"), source.read(name))
            if content is not None:
                copy.writestr(name, content)
    return target


def test_a_file_says_the_hash_of_each_of_its_members(trainer_file, tmp_path):
    """Written by `zoo.saving`, by a trainer's own `save` and by a player's."""
    gan = saving.load_model(trainer_file[0])
    gan.save(tmp_path / "own.keras")
    gan.generator.save(tmp_path / "player.keras")
    for path in (*trainer_file, tmp_path / "own.keras", tmp_path / "player.keras"):
        with zipfile.ZipFile(path) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        hashes = json.loads(contents.pop(untrusted.SEAL_FILE))
        assert hashes == {n: hashlib.sha256(c).hexdigest() for n, c in contents.items()}
        saving.load(path)


def test_members_beside_the_model_are_sealed_too(tmp_path):
    model = zoo.MLPGenerator((2,), 2, (3,))
    path = saving.save(model, tmp_path / "model.keras", {"notes.txt": "kept"})
    assert saving.read_member(path, "notes.txt") == "kept"
    changed = _rewritten(path, tmp_path / "changed.keras", notes_txt="another")
    wanted, found = (hashlib.sha256(text).hexdigest() for text in (b"kept", b"another"))
    with pytest.raises(ValueError, match=f"SHA-256 of 'notes.txt'.*{wanted}.*Received: '{found}'"):
        saving.load(changed)


def test_a_member_that_was_changed_added_or_taken_away(trainer_file, tmp_path):
    path, changed = trainer_file[1], tmp_path / "changed.keras"
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read(saving.CONFIG))
    config["config"]["name"] = "another"
    text = json.dumps(config)
    for members in ({"config_json": text}, {"metadata_json": None}, {"sha256_json": "[]"}):
        with pytest.raises(ValueError, match="`path` is damaged.*not as it was written.*Received"):
            saving.load(_rewritten(path, changed, **members))
    _rewritten(path, changed)
    with zipfile.ZipFile(changed, "a") as archive:
        archive.writestr("assets/more", "x")
    with pytest.raises(ValueError, match="SHA-256 of 'assets/more' that it says of itself, None"):
        saving.load(changed)
    # Without the seal it is read as it is, as a file of another library.
    assert saving.load(_rewritten(path, changed, config_json=text, sha256_json=None)) is not None


# === Sizes that a config declares ===


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dense(10**9),
        keras.layers.Dense(10**15),
        keras.layers.EinsumDense("ab,bc->ac", (10**9,)),
        keras.layers.Dense(10**6, kernel_initializer="zeros"),
    ],
)
def test_a_config_that_declares_more_weights_than_are_stored(layer, tmp_path):
    """A foreign file of a few kilobytes is refused before its weights are made."""
    small = keras.Sequential([keras.Input((100,)), keras.layers.Dense(2, name="small")])
    small.save(tmp_path / "small.keras")
    with zipfile.ZipFile(tmp_path / "small.keras") as archive:
        config = json.loads(archive.read(saving.CONFIG))
    grown = keras.saving.serialize_keras_object(layer)
    config["config"]["layers"][1] = {**grown, "build_config": {"input_shape": [None, 100]}}
    path = _rewritten(
        tmp_path / "small.keras", tmp_path / "large.keras", config_json=json.dumps(config)
    )
    assert path.stat().st_size < 40_000
    start = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(ValueError, match="`path` declares more weights than it stores.*Received"):
        saving.load(path)
    assert tracemalloc.get_traced_memory()[1] < 64 * MEBIBYTE
    tracemalloc.stop()
    assert time.perf_counter() - start < 5


def test_weights_are_counted_in_the_block_alone(tmp_path):
    add_weight = keras.Layer.add_weight
    with untrusted.made_again("path", "x", 1 << 20, "a model"):
        keras.layers.Dense(1000).build((None, 1000))  # 4 MB, of 64 that are free.
    with pytest.raises(ValueError, match="`path` declares more weights.*1,048,576 bytes stored"):
        with untrusted.made_again("path", "x", 1 << 20, "a model"):
            for _ in range(20):
                keras.layers.Dense(1000).build((None, 1000))
    assert keras.Layer.add_weight is add_weight


def test_what_keras_raises_becomes_one_sentence(tmp_path):
    message = r"`path` holds what no model .*KeyError: 'x'\). Expected a model, .*path='f.keras'"
    with (
        pytest.raises(ValueError, match=message),
        untrusted.made_again("path", "f.keras", 0, "a model"),
    ):
        raise KeyError("x")
    own = saving.save(zoo.MLPGenerator((2,), 2, (3,)), tmp_path / "own.keras")
    with zipfile.ZipFile(own) as archive:
        config = json.loads(archive.read(saving.CONFIG))
    config["config"]["latent_dim"] = -1
    text = json.dumps(config)
    with pytest.raises(ValueError, match="^`latent_dim` is out of range"):  # Ours stays.
        saving.load(_rewritten(own, tmp_path / "o.keras", config_json=text, sha256_json=None))


def test_an_array_that_declares_more_than_it_has():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.npy", stream.getvalue() + bytes(80))
    with pytest.raises(ValueError, match=r"x is damaged.*whole. Received: 'a.npy' of shape \(1000"):
        untrusted.read_arrays(archive.getvalue(), "x")
