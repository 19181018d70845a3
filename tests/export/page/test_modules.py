"""The page's modules as one script."""

import re

import pytest

from export.page import assembly, modules

STATIC = assembly.STATIC


def write(folder, **texts):
    for name, text in texts.items():
        (folder / f"{name}.mjs").write_text(text)


def test_what_is_needed_comes_first_and_once(tmp_path):
    write(
        tmp_path,
        page='import { b } from "./two.mjs";\nimport { a } from "./one.mjs";\nb(a);\n',
        two='import {\n  a,\n} from "./one.mjs";\nexport const b = (x) => a + x;\n',
        one="export const a = 1;\n",
    )
    text = modules.joined(tmp_path, "page.mjs")
    assert text == "const a = 1;\n\nconst b = (x) => a + x;\n\nb(a);\n"


def test_a_circle_is_refused(tmp_path):
    write(
        tmp_path,
        one='import { b } from "./two.mjs";\nexport const a = 1;\n',
        two='import { a } from "./one.mjs";\nexport const b = 1;\n',
    )
    with pytest.raises(ValueError, match=r"circle.*Received: one\.mjs, two\.mjs, one\.mjs"):
        modules.joined(tmp_path, "one.mjs")


def test_a_name_twice_is_refused(tmp_path):
    write(
        tmp_path,
        one='import { b } from "./two.mjs";\nasync function open() {}\n',
        two="export const b = 1;\nfunction open() {}\n",
    )
    with pytest.raises(ValueError, match=r"Received: open in one\.mjs and in two\.mjs"):
        modules.joined(tmp_path, "one.mjs")


def test_the_pages_own_modules_join():
    text = modules.joined(STATIC, assembly.ENTRY)
    assert not re.search(r"^\s*(import .* from|export )", text, re.MULTILINE)
    names = {path.name for path in STATIC.glob("*.mjs")}
    for name in names:
        first = (STATIC / name).read_text().splitlines()[0]
        assert first.startswith("// ") and first in text, f"{name} is in no page"


def test_one_idea_a_file():
    for path in STATIC.iterdir():
        lines = path.read_text().splitlines()
        assert len(lines) <= 400, path.name
        if path.suffix in (".mjs", ".css"):
            assert max(map(len, lines)) <= 100, path.name


def test_nothing_of_the_page_is_fetched():
    """No address of another host, and no way of asking for one, stands in the sources."""
    asking = ("http:", "https:", "fetch(", "XMLHttpRequest", "sendBeacon", "WebSocket")
    for path in [*STATIC.glob("*.mjs"), *STATIC.glob("*.css"), *STATIC.glob("*.html")]:
        for word in (*asking, "eval(", "new Function"):
            assert word not in path.read_text(), f"{path.name} has {word}"
