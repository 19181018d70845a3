"""Builds the page: `index.html` with its parts beside it or in it, and nothing of an older one."""

import json
import pathlib
import re

from export.page import class_names, models, modules, packing, vendored
from zoo import files, licences, presets, saving
from zoo.files import as_path
from zoo.players import sampling

STATIC = pathlib.Path(__file__).parent / "static"
ENTRY = "page.mjs"
INDEX = "index.html"
STYLES = ("base", "explore", "train", "narrow")
ASSETS = "assets"
NAME = re.compile(r"\w+", re.ASCII)
LICENCES = "LICENSES.txt"  # Of the JavaScript of others, whose archives hold no texts of them.


def build(names, output_dir, single=False, vendor=None, value_range=sampling.AUTO):
    """Writes a page with presets, or with generators of files.

    Args:
        names: Presets, or paths of `.keras` files as `zoo.load` takes them: at least one.
        output_dir: Folder that becomes the page's.
        single: bool. Everything in `index.html`; otherwise its parts lie in `assets/`, and each is
            loaded when it is wanted. Both can be opened from the disk, or lie on any server. Parts
            of an older page in `output_dir` are removed once the new one is written.
        vendor: Folder of npm's archives, or `None`: see `export.page.vendored.contents`.
        value_range: Of the generators' pictures, as of `export.save`.

    Returns:
        The path of `index.html`.

    Raises:
        ValueError, FileNotFoundError, ImportError: If a model or what the page is made of is not
            there, or does not fit.
    """
    if not names:
        raise ValueError(
            "`presets` is empty. Expected some of: "
            f"{', '.join(card['name'] for card in presets.list_presets())}. Received: none"
        )
    generators = [_loaded(name) for name in names]
    for _, generator, _ in generators:
        sampling.say_range(generator, value_range)
    return write(generators, output_dir, single, vendor)


def _loaded(name):
    """`(name of its file on the page, generator, what is said of it)`."""
    path = pathlib.Path(name)
    if path.suffix == ".keras":
        return _file_name(path.stem), saving.load(name), {"title": path.stem}
    card = presets.card(name)
    title = card.get("name", path.name)
    about = {key: card.get(key) for key in ("description", "trainer", "objective")}
    about |= {"data_license": licences.of(card), "class_names": class_names.of(card)}
    about |= {"title": title, "preset": None if path.is_dir() else str(name)}
    return _file_name(title), saving.load(name), about


def _file_name(title):
    return re.sub(r"\W", "_", title, flags=re.ASCII)


def write(generators, output_dir, single=False, vendor=None):
    """As `build`, of `(name, generator, about)`."""
    folder = as_path(output_dir=output_dir)
    names = [name for name, _, _ in generators]
    twice = {name for name in names if names.count(name) > 1 or not NAME.fullmatch(name)}
    if twice:
        raise ValueError(
            "`presets` have a name twice, or one that a page cannot have. Expected different names "
            f"of letters, digits and _. Received: {', '.join(sorted(twice))}"
        )
    parts = vendored.contents(vendor)  # First: it is what most often is not there.
    held = [models.of(*generator) for generator in generators]
    scripts = {name: packing.script(name, content) for name, content in parts.items()}
    for model in held:
        name = f"{model.facts['name']}.onnx"
        scripts[name] = packing.script(name, model.onnx, split=True)
    text = page([model.facts for model in held], scripts if single else {})
    folder.mkdir(parents=True, exist_ok=True)
    if not single:
        for name, script in scripts.items():
            files.write_text(folder / ASSETS / f"{name}.js", script)
        files.write_text(folder / ASSETS / LICENCES, (STATIC / LICENCES).read_text())
    files.write_text(folder / INDEX, text)
    _clear(folder / ASSETS, set() if single else {LICENCES, *(f"{name}.js" for name in scripts)})
    return folder / INDEX


def _clear(folder, wanted):
    """Removes what an older page left: parts as `packing` writes them, and no other file."""
    if not folder.is_dir():
        return
    for path in [*folder.glob("*.js"), folder / LICENCES]:
        if path.name not in wanted and path.is_file() and _is_ours(path):
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _is_ours(path):
    begins = packing.BEGINS if path.suffix == ".js" else (STATIC / LICENCES).read_text()
    with path.open("rb") as file:
        return file.read(len(begins.encode())) == begins.encode()


def page(facts, scripts):
    """The text of `index.html`: of models' facts, and of the parts that it holds itself."""
    manifest = json.dumps({"models": facts, "runtimes": vendored.titles()}, ensure_ascii=False)
    parts = {
        "/*STYLE*/": "\n".join((STATIC / f"{name}.css").read_text() for name in STYLES),
        "/*MANIFEST*/": manifest.replace("<", "\\u003c"),
        "/*SCRIPT*/": modules.joined(STATIC, ENTRY),
        "<!--ASSETS-->": "\n".join(f"<script>{text}</script>" for text in scripts.values()),
        "<!--LICENCES-->": f"<!--\n{(STATIC / LICENCES).read_text()}-->" if scripts else "",
    }
    marks = re.compile("|".join(map(re.escape, parts)))  # In one go: parts may hold marks.
    return marks.sub(lambda found: parts[found[0]], (STATIC / "page.html").read_text())
