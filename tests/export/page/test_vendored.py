"""The JavaScript of others: exact, checked by its hash, and missed with a remedy."""

import base64
import hashlib
import io
import re
import stat
import tarfile

import pytest

from export.page import vendored


def archive(path, files, version="1"):
    """An archive as npm makes it; its integrity."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A folder with the archive of the one package that is asked for."""
    folder = tmp_path / "vendor"
    integrity = archive(folder / "some-thing-1.2.3.tgz", {"dist/a.js": b"alert(1)"})
    package = vendored.Package("@some/thing", "1.2.3", integrity, ("dist/a.js",), "Some Thing")
    monkeypatch.setattr(vendored, "PACKAGES", (package,))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def npm(tmp_path, monkeypatch, script):
    """The only program on the PATH is an npm that does this."""
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / "npm"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_the_pinned_ones():
    assert [p.archive for p in vendored.PACKAGES] == [
        "onnxruntime-web-1.30.0.tgz",
        "tensorflow-tfjs-4.22.0.tgz",
        "tensorflow-tfjs-backend-wasm-4.22.0.tgz",
    ]
    for package in vendored.PACKAGES:
        assert len(base64.b64decode(package.integrity)) == 64
        assert re.fullmatch(r"\d+\.\d+\.\d+", package.version)


def test_a_given_folder(stand_in):
    assert vendored.contents(stand_in) == {"a.js": b"alert(1)"}


def test_a_given_folder_without_it(tmp_path, stand_in):
    with pytest.raises(
        FileNotFoundError,
        match=r"`--vendor` lacks some-thing-1\.2\.3\.tgz\. Expected the archives of: npm pack "
        r"@some/thing@1\.2\.3\. Received: --vendor=",
    ):
        vendored.contents(tmp_path)


def test_another_archive_of_the_same_name(stand_in):
    archive(stand_in / "some-thing-1.2.3.tgz", {"dist/a.js": b"steal()"})
    with pytest.raises(
        ValueError, match=r"is damaged, or another one. Expected SHA-512 .*Received"
    ):
        vendored.contents(stand_in)


def test_without_npm(tmp_path, stand_in, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        FileNotFoundError,
        match=r"npm is not installed\. Expected npm \(apt-get install npm.*--vendor=FOLDER.*"
        r"npm pack @some/thing@1\.2\.3\. Received: no npm on the PATH",
    ):
        vendored.contents()


def test_npm_brings_it_once(tmp_path, stand_in, monkeypatch):
    npm(tmp_path, monkeypatch, f'echo "$@" >> asked; cp {stand_in}/*.tgz .')
    for _ in range(2):
        assert vendored.contents() == {"a.js": b"alert(1)"}
    asked = (tmp_path / "cache" / "gan_zoo" / "page" / "asked").read_text().splitlines()
    assert asked == ["pack @some/thing@1.2.3 --silent --ignore-scripts --pack-destination ."]


def test_npm_without_a_network(tmp_path, stand_in, monkeypatch):
    npm(tmp_path, monkeypatch, "echo 'npm error network down' >&2; exit 1")
    with pytest.raises(
        OSError, match=r"did not bring @some/thing@1\.2\.3\..*Received: npm error net"
    ):
        vendored.contents()
