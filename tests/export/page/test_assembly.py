"""The page as it is written, and the one that stands in docs/page."""

import json
import pathlib
import re
import sys

import pytest

import export
from export import __main__ as export_main
from export.page import assembly, models, packing, vendored
from tests.helpers import run_command, tiny_pair
from zoo import files
from zoo.players import sampling

ROOT = pathlib.Path(__file__).parents[3]
DOCS = ROOT / "docs" / "page"
FACTS = {"name": "tiny", "title": "tiny", "told": "</script> & more", "license": None}


@pytest.fixture
def stand_ins(monkeypatch):
    """Nothing is brought or converted."""
    parts = {"runtime.mjs": b"export {}", "runtime.wasm": bytes(range(256)) * 9}
    monkeypatch.setattr(vendored, "contents", lambda folder=None: parts)

    def of(name, generator, about):
        onnx = generator * 99
        return models.Model({**FACTS, "name": name, "sha256": files.sha256(onnx)}, onnx)

    monkeypatch.setattr(models, "of", of)
    return parts


GENERATORS = [("one", b"\x01\x02\x03", {}), ("two", b"\x04\x05", {})]


def manifest_of(text):
    return json.loads(re.search(r'id="manifest">(.*?)</script>', text, re.DOTALL)[1])


def test_a_folder(tmp_path, stand_ins):
    index = assembly.write(GENERATORS, tmp_path / "web")
    text = index.read_text()
    assert index == tmp_path / "web" / "index.html"
    listed = manifest_of(text)["models"]
    for name, content in {**stand_ins, "one.onnx": b"\x01\x02\x03" * 99}.items():
        script = (tmp_path / "web" / "assets" / f"{name}.js").read_text()
        assert packing.content_of(script) == content
    assert [one["name"] for one in listed] == ["one", "two"]
    assert listed[0]["sha256"] == files.sha256(b"\x01\x02\x03" * 99)
    assert listed[0]["told"] == FACTS["told"], "escaped in the page, the same when it is read"
    assert "ganZooAssets[" not in text.replace("ganZooAssets[name]", "")
    before = {path: path.read_bytes() for path in (tmp_path / "web").rglob("*") if path.is_file()}
    assembly.write(GENERATORS, tmp_path / "web")
    assert {path: path.read_bytes() for path in before} == before


def test_one_file(tmp_path, stand_ins):
    index = assembly.write(GENERATORS, tmp_path, single=True)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    text = index.read_text()
    assert (assembly.STATIC / assembly.LICENCES).read_text() in text
    scripts = re.findall(r"<script>(ganZooAssets\[.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 4
    assert [packing.content_of(script) for script in scripts[:2]] == list(stand_ins.values())


def test_a_page_over_an_older_one(tmp_path, stand_ins):
    """Parts of the older page go; what somebody else laid there stays."""
    assembly.write(GENERATORS, tmp_path)
    own = tmp_path / "assets" / "own.js"
    own.write_text("alert(1)")
    assembly.write(GENERATORS[:1], tmp_path)
    parts = {f"{name}.js" for name in (*stand_ins, "one.onnx")}
    there = {path.name for path in (tmp_path / "assets").iterdir()}
    assert there == {*parts, "own.js", "LICENSES.txt"}
    assembly.write(GENERATORS, tmp_path, single=True)
    assert [path.name for path in (tmp_path / "assets").iterdir()] == ["own.js"]
    own.unlink()
    assembly.write(GENERATORS, tmp_path)
    assembly.write(GENERATORS, tmp_path, single=True)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_words_that_are_marks_of_the_page():
    marks = "/*SCRIPT*/ /*MANIFEST*/ /*STYLE*/ \\1"
    text = assembly.page([{**FACTS, "told": marks}], {})
    assert manifest_of(text)["models"][0]["told"] == marks


def test_names_of_files_and_of_presets(monkeypatch, tmp_path):
    """What a file's name cannot hold is replaced there, and shown as it is."""
    monkeypatch.setattr(assembly.saving, "load", lambda name: "generator")
    monkeypatch.setattr(assembly.licences, "of", lambda card: None)
    monkeypatch.setattr(assembly.presets, "card", lambda name: {"name": "my-gan"})
    name, _, about = assembly._loaded("run/my-gan.keras")
    assert (name, about) == ("my_gan", {"title": "my-gan"})
    name, _, about = assembly._loaded("my-gan")
    assert (name, about["title"], about["preset"]) == ("my_gan", "my-gan", "my-gan")
    name, _, about = assembly._loaded(tmp_path)
    assert (name, about["title"], about["preset"]) == ("my_gan", "my-gan", None)


def test_a_page_asks_for_nothing(tmp_path, stand_ins):
    text = assembly.write(GENERATORS, tmp_path).read_text()
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    assert "https:" not in text and "http:" not in text and "url(" not in text
    policy = re.search(r"default-src 'none'[^\"]*", text)[0]
    assert "'unsafe-eval'" not in policy and "http" not in policy and "*" not in policy
    assert text.count("</script>") == 3  # The words of the manifest end none.


@pytest.mark.parametrize("names", [["one", "one"], ["a-b"], [""]])
def test_names_that_cannot_be(tmp_path, names, stand_ins):
    with pytest.raises(ValueError, match="have a name twice, or one that a page cannot have"):
        assembly.write([(name, b"1", {}) for name in names], tmp_path / "web")
    assert not (tmp_path / "web").exists()


def test_no_presets(tmp_path):
    with pytest.raises(ValueError, match="`presets` is empty. Expected some of: .*dcgan_mnist"):
        assembly.build([], tmp_path)


def run(capsys, *arguments):
    """The exit status of the command and what it said."""
    code = run_command(export_main, *arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command(tmp_path, stand_ins, monkeypatch, capsys):
    monkeypatch.setattr(assembly, "_loaded", lambda name: (name, b"12", {}))
    code, out, _ = run(
        capsys, "page", "--presets=dcgan_mnist,wgan_mnist", f"--output_dir={tmp_path}", "--single"
    )
    assert (
        not code
        and out
        == f"{tmp_path / 'index.html'}: 0.1 MB; open it in a browser, or put "
        "its folder on a server\n"
    )
    listed = manifest_of((tmp_path / "index.html").read_text())["models"]
    assert [one["name"] for one in listed] == ["dcgan_mnist", "wgan_mnist"]


def test_a_page_in_the_range_that_was_said(tmp_path, monkeypatch, capsys):
    generator, _ = tiny_pair()
    monkeypatch.setattr(assembly, "write", lambda generators, folder, *_: folder / "index.html")
    monkeypatch.setattr(assembly, "_loaded", lambda name: (name, generator, {}))
    flags = ["--model=m", f"--output_dir={tmp_path}", "--formats=page", "--value_range=none"]
    assert not run(capsys, *flags)[0]
    assert sampling.traits(generator).value_range is None


def test_a_flag_of_another_command_is_refused(tmp_path, capsys):
    for flags, said in (
        (["page", "--weights=float16", "--presets=a", "--output_dir=w"], "`--weights` is not"),
        (["--single", "--model=m", "--output_dir=w"], "`--single` is not a flag of `export`"),
        (["--formats=page", "--presets=m", "--output_dir=w"], "`--presets` is not a flag of `exp"),
        (["check", "w", "--version=3"], "flag of `check`. Expected none; it belongs to export."),
    ):
        code, _, err = run(capsys, *flags)
        assert code == 2 and said in err


def test_a_page_as_a_format(tmp_path, stand_ins, monkeypatch, capsys):
    monkeypatch.setattr(assembly, "_loaded", lambda name: (name, b"12", {}))
    code, out, _ = run(capsys, "--model=m", f"--output_dir={tmp_path}", "--formats=page")
    assert not code and out.startswith(str(tmp_path / "web" / "index.html"))
    assert (tmp_path / "web" / "assets" / "m.onnx.js").is_file()


@pytest.mark.parametrize(
    "flags, said",
    [
        (["page"], "`--presets` is missing. Expected --presets=PRESETS. Received: no --presets"),
        (["page", "--presets=ring"], "`--output_dir` is missing"),
        (["page", "x", "--presets=ring"], "Received: x"),
        (["page", "--presets=dcgan_mnits", "--output_dir=w"], "dcgan_mnist"),
    ],
)
def test_what_the_command_refuses(tmp_path, flags, said, stand_ins, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *flags)
    assert code == 2 and err.startswith("error: ") and said in err
    assert not list(tmp_path.iterdir())


# === The page that stands in docs/page ===


def test_the_built_page_is_that_of_the_sources():
    """After a change of the page: `make page`."""
    text = (DOCS / "index.html").read_text()
    assert text == assembly.page(manifest_of(text)["models"], {}), "make page"


def test_the_built_pages_parts():
    told = manifest_of((DOCS / "index.html").read_text())["models"]
    listed = {one["name"]: one for one in told}
    assert {"conditional_dcgan_mnist", "conditional_dcgan_fashion_mnist"} < set(listed)
    assert {"consensus_ring", "unrolled_ring"} < set(listed)
    parts = [file for package in vendored.PACKAGES for file in package.files]
    wanted = {f"{pathlib.PurePosixPath(part).name}.js" for part in parts}
    wanted |= {f"{name}.onnx.js" for name in listed} | {assembly.LICENCES}
    there = {path.name: path for path in (DOCS / "assets").iterdir()}
    assert set(there) == wanted
    licences = (assembly.STATIC / assembly.LICENCES).read_text()
    assert there[assembly.LICENCES].read_text() == licences
    assert all(pathlib.PurePosixPath(part).name in licences for part in parts)
    assert "MIT License" in licences and (ROOT / "LICENSE").read_text().strip() in licences
    for name, facts in listed.items():
        content = packing.content_of(there[f"{name}.onnx.js"].read_text())
        assert files.sha256(content) == facts["sha256"]
    size = sum(path.stat().st_size for path in DOCS.rglob("*") if path.is_file())
    assert size < 12e6, f"docs/page has {size / 1e6:.1f} MB"


def test_the_package_has_the_pages_sources():
    text = (ROOT / "pyproject.toml").read_text()
    assert '"export.page" = ["static/*"]' in text
    assert export.page.__name__ in sys.modules
