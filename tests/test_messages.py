"""An error's first sentence names the argument (or the flag) that it is about."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
ERRORS = {
    "FileExistsError",
    "FileNotFoundError",
    "NotADirectoryError",
    "PermissionError",
    "RuntimeError",
    "TypeError",
    "ValueError",
}
# About a command line as a whole, about a training, or the middle of another error's sentence.
OTHERS = {
    "zoo/command.py": {"Unknown command", "This command takes flags only", "{}"},
    "trainers/callbacks/checkpoint.py": {"The training diverged"},
    "trainers/feature_matching.py": {
        "it is the discriminator, which is not frozen",
        "it is not built",
        "it wants {} too",
        "it takes {}",
    },
    "trainers/runs/command_line.py": {"{}{}"},  # That of absl, with the nearest name.
    "trainers/runs/recipes.py": {"{} in {}"},
    "trainers/steps/one_stage.py": {"not one logit a sample"},
    "zoo/latents/walks.py": {"{} have different shapes"},
    "zoo/untrusted.py": {  # Of files, whose names or arguments the caller says.
        "{} has what is no number",
        "{} has other numbers than its model",
        "{} has a link that leads elsewhere",
        "{} has numbers that are kept in another place",
        "{} declares more than it stores, and would fill the memory",
        "{} is damaged",
        "{} is not as it was written",
        "{} is no JSON that can be read ({})",
        "{} is no JSON that can be read ({}).",
    },
}


def _text(node):
    """What a message says, with `{}` for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    return ""


def _messages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        raised = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(raised, ast.Call) and getattr(raised.func, "id", None) in ERRORS:
            message = _text(raised.args[0]) if raised.args else ""
            if message:
                yield re.split(r"\. |: (?=[a-z])", message, maxsplit=1)[0], message


FILES = [
    path
    for room in ("gan_zoo", "zoo", "evaluation", "trainers", "export")
    for path in sorted((ROOT / room).rglob("*.py"))
    if any(_messages(path))
]


def test_there_are_messages():
    assert sum(len(list(_messages(path))) for path in FILES) > 250


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_first_sentence_names_the_argument(path):
    allowed = OTHERS.get(path.relative_to(ROOT).as_posix(), set())
    for first, _ in _messages(path):
        assert "`" in first or "--" in first or first.rstrip(".") in allowed, first


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_it_says_what_was_expected_and_what_was_received(path):
    for first, message in _messages(path):
        told = "Expected" in message and "Received" in message
        filled = re.search(r"\{\}$|\. \{\}", message)  # A sentence of its own is filled in.
        remedy = "Looked in" in message or "--" in message
        other = first in OTHERS.get(path.relative_to(ROOT).as_posix(), set())
        assert told or filled or remedy or other, message
