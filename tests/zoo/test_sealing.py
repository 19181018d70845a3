"""Who seals a file: the one who writes it last."""

import zipfile

import keras

from zoo import sealing, untrusted


def _names(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_a_file_is_sealed_once(tmp_path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(path)
    plain = _names(path)
    with sealing.later():
        sealing.seal(path)
    assert _names(path) == plain  # Somebody else does.
    sealing.seal(str(path))
    assert _names(path) == [*plain, untrusted.SEAL_FILE]


def test_what_is_no_archive_of_keras_stays(tmp_path):
    for name in ("weights.h5", "missing.keras"):
        path = tmp_path / name
        if name.endswith("h5"):
            path.write_bytes(b"x")
        sealing.seal(path)
    assert (tmp_path / "weights.h5").read_bytes() == b"x"
    assert not (tmp_path / "missing.keras").exists()
