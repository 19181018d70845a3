"""The arrows of the house: who may import whom, without circles."""

import ast
import pathlib

ROOT = pathlib.Path(__file__).parent.parent
MAY_IMPORT = {
    "gan_zoo": set(),
    "zoo": set(),
    "evaluation": {"gan_zoo", "zoo"},
    "trainers": {"gan_zoo", "zoo", "evaluation"},
    "export": {"gan_zoo", "zoo"},
}
ROOMS = {*MAY_IMPORT, "studies", "benchmarks", "tests"}
LONGEST = 400  # Lines of a file, beyond which there is a second idea in it.


def _imports(path):
    """Modules named by the import statements of a file, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(room):
    return sorted((ROOT / room).rglob("*.py"))


def _module(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_arrows_go_one_way():
    for room, allowed in MAY_IMPORT.items():
        assert _files(room)
        for path in _files(room):
            rooms = {name.split(".")[0] for name in _imports(path)} & ROOMS
            assert rooms <= allowed | {room}, f"{path} imports {rooms - allowed - {room}}"


def test_there_are_no_circles_between_files():
    files = {_module(path): path for room in MAY_IMPORT for path in _files(room)}
    graph = {}
    for module, path in files.items():
        named = {name for name in _imports(path) if name in files}
        # `from a.b import c` is of the file c, and of the folder's own file only for other names.
        taken = {name for name in named if any(n.startswith(f"{name}.") for n in named)}
        graph[module] = named - taken - {module}
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


def test_one_idea_a_file():
    for room in (*MAY_IMPORT, "studies", "benchmarks"):
        for path in _files(room):
            lines = path.read_text().count("\n")
            assert lines <= LONGEST, f"{path} has {lines} lines: is there a second idea in it?"


def test_one_spelling():
    for room in (*MAY_IMPORT, "studies", "benchmarks"):
        for path in _files(room):
            assert "normalis" not in path.read_text().lower(), f"{path}: normaliz-"


def test_tests_mirror_the_source():
    """Every test file of a package is named after a file or a folder of it."""
    free = {
        "before",
        "composition",
        "conditional_games",
        "ensemble_games",
        "games_of_two",
        "policies",
        "replicas",
        "residual_pairs",
        "simulator_training",
        "theory",
        "warm_up",
    }
    for room in ("zoo", "evaluation", "trainers", "export"):
        for path in sorted((ROOT / "tests" / room).rglob("test_*.py")):
            place = path.relative_to(ROOT / "tests").parent
            name = path.stem.removeprefix("test_")
            source = ROOT / place / f"{name}.py"
            command = name.endswith("_command") or name == place.name
            assert source.exists() or (ROOT / place / name).is_dir() or command or name in free, (
                f"{path} tests no file of {place}"
            )
