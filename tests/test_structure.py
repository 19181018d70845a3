"""The arrows of the house: who may import whom, without circles."""

import ast
import pathlib

ROOT = pathlib.Path(__file__).parent.parent
MAY_IMPORT = {
    "zoo": set(),
    "evaluation": {"zoo"},
    "trainers": {"zoo", "evaluation"},
    "export": {"zoo"},
}
ROOMS = {*MAY_IMPORT, "studies", "benchmarks", "tests"}


def _imports(path):
    """Modules named by the import statements of a file, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(room):
    return [p for p in (ROOT / room).rglob("*.py")]


def test_arrows_go_one_way():
    assert _files("zoo") and _files("trainers") and _files("export")
    for room, allowed in MAY_IMPORT.items():
        for path in _files(room):
            rooms = {name.split(".")[0] for name in _imports(path)} & ROOMS
            assert rooms <= allowed | {room}, f"{path} imports {rooms - allowed - {room}}"


def test_there_are_no_circles_between_files():
    graph = {}
    for room in MAY_IMPORT:
        for path in _files(room):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            graph[module] = set(_imports(path))
    graph = {module: {n for n in names if n in graph} for module, names in graph.items()}
    while graph:
        leaves = [module for module, names in graph.items() if not names & set(graph)]
        assert leaves, f"a circle among {sorted(graph)}"
        for module in leaves:
            del graph[module]


def test_no_forbidden_packages():
    for room in MAY_IMPORT:
        for path in _files(room):
            names = {name.split(".")[0] for name in _imports(path)}
            assert not names & {"tf_keras", "tensorflow_addons", "tensorflow_probability"}
            assert "compat.v1" not in path.read_text()
