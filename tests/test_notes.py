"""The notes: what they name exists, decisions have their form, figures are those of the cards."""

import ast
import itertools
import json
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
NOTES = ROOT / "BUILD_NOTES.md"
PRESETS = ROOT / "docs" / "presets.md"
MEASUREMENTS = ROOT / "docs" / "measurements.md"
PAGES = sorted([NOTES, *(ROOT / "docs").glob("*.md")])
STUDIES = sorted((ROOT / "docs" / "studies").glob("*.md"))

# A path with a folder, or the name of a test behind one: `tests/test_notes.py::test_links`.
FILE = re.compile(r"(?<![\w/.-])((?:[\w-]+/)+[\w.-]+\.(?:py|json))(?:::(\w+))?")
FOLDER = re.compile(r"`((?:[a-z_]+/)+)`")
MODULE = re.compile(r"python -m ((?:zoo|trainers|evaluation|export|studies|benchmarks)[\w.]*)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
DECISION = re.compile(r"^\*\*D(\d+)\. ", re.MULTILINE)
NAME = re.compile(r"`([a-z0-9_]+)`")
TOPICS = [
    "The house",
    "Randomness",
    "Training",
    "Players",
    "Data",
    "Evaluation",
    "Presets",
    "Export",
    "Speed",
]

by_page = pytest.mark.parametrize("page", [*PAGES, *STUDIES], ids=lambda page: page.name)


def _cards(folder):
    cards = [json.loads(path.read_text()) for path in sorted(folder.glob("*/card.json"))]
    assert cards
    return cards


CARDS = {card["name"]: card for card in _cards(ROOT / "zoo" / "presets")}
EXTRACTORS = {card["dataset"]: card for card in _cards(ROOT / "evaluation" / "presets")}


# === What the pages name ===


def _tests(path):
    """The names of a file's test functions."""
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@by_page
def test_files_and_tests_exist(page):
    text = page.read_text()
    missing = []
    for name, test in FILE.findall(text):
        if "NAME" in name:  # A pattern, such as zoo/presets/NAME/card.json.
            continue
        if not (ROOT / name).is_file():
            missing.append(name)
        elif test and test not in _tests(ROOT / name):
            missing.append(f"{name}::{test}")
    missing += [name for name in FOLDER.findall(text) if not (ROOT / name).is_dir()]
    for name in MODULE.findall(text):
        path = ROOT / name.rstrip(".").replace(".", "/")
        if not path.with_suffix(".py").is_file() and not (path / "__main__.py").is_file():
            missing.append(f"python -m {name}")
    assert not missing, f"{page.name} names what is not there"


def _anchor(title):
    """The anchor that GitHub makes of a title."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


@by_page
def test_links(page):
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        assert not link.startswith("/"), f"{page.name} has the absolute link {link}"
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in map(_anchor, titles), f"{page.name} links to {link}"


def test_every_page_is_in_the_index():
    linked = LINK.findall((ROOT / "docs" / "README.md").read_text())
    missing = {page.name for page in PAGES} - {pathlib.PurePath(link).name for link in linked}
    assert not missing
    listed = LINK.findall((ROOT / "docs" / "studies" / "README.md").read_text())
    own = {link for link in listed if re.fullmatch(r"\w+\.md", link)}  # And not ../gallery.md.
    assert {page.name for page in STUDIES} - {"README.md"} == own


@by_page
def test_one_spelling(page):
    assert not re.search("normalis", page.read_text(), re.IGNORECASE)


# === Decisions ===


def _decisions():
    """`(number, topic, text)` of each decision, in the order of the page."""
    text = NOTES.read_text()
    starts = [match.start() for match in DECISION.finditer(text)]
    for start, end in itertools.pairwise([*starts, len(text)]):
        topic = re.findall(r"^## (.+)$", text[:start], re.MULTILINE)[-1]
        block = re.split(r"^## ", text[start:end], flags=re.MULTILINE)[0]
        yield int(DECISION.match(block)[1]), topic, block


def test_decisions_are_numbered_once_and_by_topic():
    found = list(_decisions())
    numbers = [number for number, _, _ in found]
    assert len(found) > 50 and numbers == sorted(set(numbers))
    assert NOTES.read_text().count("**D") == len(found), "a decision has another form"
    for number, topic, _ in found:
        assert number // 100 == TOPICS.index(topic) + 1, f"D{number} stands under {topic}"


@pytest.mark.parametrize("decision", _decisions(), ids=lambda decision: f"D{decision[0]}")
def test_a_decision_has_a_reason_and_a_holder(decision):
    number, _, block = decision
    heads = re.findall(r"^(Reason|Rejected|Held by): \S", block, re.MULTILINE)
    assert heads in (["Reason", "Held by"], ["Reason", "Rejected", "Held by"]), f"D{number}"
    assert re.match(r"\*\*[^*]+\.\*\*\n", block), f"D{number} does not open with a bold sentence"
    holder = block[block.index("Held by: ") :]
    files = [name for name, _ in FILE.findall(holder)]
    assert files, f"D{number} names no file that holds it"
    if "no test" not in holder:
        assert any(name.startswith("tests/") for name in files), f"D{number} names no test"


def test_decisions_that_are_spoken_of_exist():
    numbers = {number for number, _, _ in _decisions()}
    for page in PAGES:
        spoken = {int(number) for number in re.findall(r"\bD(\d{3})\b", page.read_text())}
        assert spoken <= numbers, f"{page.name} speaks of {sorted(spoken - numbers)}"


# === Figures ===


def _tables(page):
    """`(head, rows)` of each table of a page, as lists of cells."""
    lines = page.read_text().splitlines()
    for is_table, group in itertools.groupby(lines, lambda line: line.startswith("|")):
        if is_table:
            head, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in group)
            yield head, rows


def _cells(page, names, seeds=False):
    """`(name, column, cell)` of every full cell beside one of the names.

    In a table whose first column is `preset, by seed` a cell has a figure a seed: those, or the
    others.
    """
    for head, rows in _tables(page):
        for first, *cells in rows if ("by seed" in head[0]) is seeds else ():
            name = NAME.match(first)
            if name and name[1] in names:
                for column, cell in zip(head[1:], cells, strict=True):
                    if cell:
                        yield name[1], column, cell


def _check(cell, *values):
    """The cell's numbers are these, rounded to as many decimals as it has."""
    found = re.findall(r"-?\d+(?:\.\d+)?", cell)
    assert len(found) == len(values), f"{cell!r} has not {len(values)} numbers"
    for text, value in zip(found, values, strict=True):
        decimals = len(text.partition(".")[2])
        assert text == f"{value:.{decimals}f}", f"{cell!r}: the card has {value}"


def _score(card, label):
    return next(score for score in card["scores"] if score["label"] == label)


def _value(label, factor=1):
    return lambda card: [factor * _score(card, label)["value"]]


def _detail(name):
    return lambda card: [_score(card, "precision_recall")["details"][name]]


def _with_error(label):
    return lambda card: [_score(card, label)["value"], _score(card, label)["standard_error"]]


def _real(extractor):
    """The Fréchet distance of real images, by the card of an extractor."""
    return extractor["real"]["frechet_distance"]["value"]


def _floor(card):
    """The Fréchet distance of real images, by the extractor of the preset's data."""
    return _real(EXTRACTORS[re.sub("^keras:|^data/|_jpeg$", "", card["dataset"])])


def _floors(card):
    return [_score(card, "frechet")["value"] / _floor(card)]


def _seeds(label):
    return lambda card: card["spread"]["figures"][label]


COLUMNS = {
    "Fréchet distance": _value("frechet"),
    "floors": _floors,
    "precision": _detail("precision"),
    "recall": _detail("recall"),
    "recognised": _value("conditional_accuracy", 100),
    "Goodfellow's": _with_error("parzen"),
    "f-GAN's": _with_error("parzen_fgan:16384"),
    "taught by 50,000": _value("nearest_neighbour:50000"),
    "taught by 100,000": _value("nearest_neighbour:100000"),
}
# In a table whose first column is `preset, by seed`.
OF_SEEDS = {
    "Goodfellow's": _seeds("parzen"),
    "f-GAN's": _seeds("parzen_fgan:16384"),
    "Fréchet distance": _seeds("frechet"),
}
RINGS = {
    "modes, ten seeds": lambda card: [min(_seeds("modes")(card))],
    "within 3 sigma, worst": lambda card: [100 * min(_seeds("modes high_quality")(card))],
    "within 3 sigma, best": lambda card: [100 * max(_seeds("modes high_quality")(card))],
    "sliced Wasserstein, mean of seeds": lambda card: [
        sum(_seeds("sliced_wasserstein")(card)) / len(card["spread"]["seeds"])
    ],
}
STACKED = {
    "modes of 1,000": _value("stacked_modes:25600"),
    "KL": lambda card: [_score(card, "stacked_modes:25600")["details"]["kl"]],
}


def _compare(page, columns, cards, seeds=False):
    """Checks all cells of these columns; returns the names, with the columns that each has."""
    seen = {}
    for name, column, cell in _cells(page, cards, seeds):
        if column in columns:
            _check(cell, *columns[column](cards[name]))
            seen.setdefault(name, set()).add(column)
    return seen


def test_presets_have_the_figures_of_their_cards():
    seen = _compare(PRESETS, COLUMNS, CARDS)
    images = {name for name in CARDS if not name.endswith("_ring") and name != "stacked_mnist"}
    assert images == {name for name, columns in seen.items() if "Fréchet distance" in columns}
    for name in images:
        labels = {score["label"] for score in CARDS[name]["scores"]}
        assert ("parzen" in labels) == ("Goodfellow's" in seen[name]), name
        assert ("conditional_accuracy" in labels) == ("recognised" in seen[name]), name


def test_seeds_have_the_figures_of_their_cards():
    seen = _compare(PRESETS, OF_SEEDS, CARDS, seeds=True)
    spread = {name for name, card in CARDS.items() if card["spread"]}
    assert set(seen) == {name for name in spread if not name.endswith("_ring")}
    assert all(columns == set(OF_SEEDS) for columns in seen.values())


def test_the_rings_have_the_figures_of_their_cards():
    seen = _compare(PRESETS, RINGS, CARDS)
    assert set(seen) == {name for name in CARDS if name.endswith("_ring")}
    assert all(columns == set(RINGS) for columns in seen.values())


def test_stacked_digits_have_the_figures_of_their_card():
    seen = _compare(PRESETS, STACKED, CARDS)
    assert seen == {"stacked_mnist": set(STACKED)}


def test_real_images_have_the_figures_of_the_cards():
    (row,) = [row for _, rows in _tables(PRESETS) for row in rows if row[0].startswith("real")]
    card = CARDS["mlp_mnist_gan"]
    for cell, label in ((row[1], "parzen"), (row[2], "parzen_fgan:16384")):
        details = _score(card, label)["details"]
        _check(cell, details["real"], details["real_standard_error"])
    _check(row[3], _floor(card))


def test_minutes_and_devices_are_those_of_the_cards():
    devices = {"": "1 CPU core", "(2 cores)": "2 CPU cores", "(H200)": "NVIDIA H200"}
    seen = set()
    for name, column, cell in _cells(PRESETS, CARDS):
        if column == "minutes":
            training = CARDS[name]["training"]
            minutes, _, device = cell.partition(" ")
            _check(minutes, training["seconds"] / 60)
            assert devices[device] == training["device"], name
            seen.add(name)
    assert seen == set(CARDS)


def test_targets_in_floors_are_those_of_the_cards():
    wanted = {
        name: target
        for name, card in CARDS.items()
        for target in card["targets"]
        if target["score"] == "frechet"
    }
    seen = set()
    for name, column, cell in _cells(PRESETS, CARDS):
        if column == "target, in floors":
            _check(cell, wanted[name]["number"] / _floor(CARDS[name]))
            assert wanted[name]["reached"] == ("missed" not in cell), name
            seen.add(name)
    assert seen == set(wanted)


def test_recipes_for_a_cpu_are_no_presets():
    text = PRESETS.read_text()
    recipes = {path.stem for path in (ROOT / "trainers" / "recipes").glob("*_cpu.json")}
    assert recipes and not recipes & set(CARDS)
    assert {name for name in NAME.findall(text) if name.endswith("_cpu")} == recipes


def _cycles(card):
    return card["epochs"] if isinstance(card["epochs"], list) else [card["epochs"]]


def test_extractors_have_the_figures_of_their_cards():
    columns = {
        "epochs": _cycles,
        "minutes": lambda card: [card["seconds"] / 60],
        "test accuracy": lambda card: [100 * card["accuracy"]],
        "Fréchet distance, 10,000 train to test": lambda card: [_real(card)],
        "of all train to test": lambda card: [card["train_test_frechet_distance"]],
    }
    seen = _compare(MEASUREMENTS, columns, EXTRACTORS)
    assert set(seen) == set(EXTRACTORS)
    assert all(found == set(columns) for found in seen.values())


def test_floors_are_those_of_the_extractors():
    floors = (
        f"(MNIST {_real(EXTRACTORS['mnist']):.4f}, "
        f"Fashion-MNIST {_real(EXTRACTORS['fashion_mnist']):.4f}, "
        f"CIFAR-10 as JPEG {_real(EXTRACTORS['cifar10']):.4f})"
    )
    assert floors in PRESETS.read_text()


def test_a_wrong_figure_is_seen(tmp_path):
    """The checks above would fail: a last digit, an error and a missing number."""
    page = tmp_path / "page.md"
    value = CARDS["dcgan_mnist"]["scores"][0]["value"]
    for cell, right in ((f"{value:.3f}", True), (f"{value + 0.001:.3f}", False), ("none", False)):
        page.write_text(f"| preset | Fréchet distance |\n|---|---|\n| `dcgan_mnist` | {cell} |\n")
        if right:
            assert _compare(page, COLUMNS, CARDS) == {"dcgan_mnist": {"Fréchet distance"}}
        else:
            with pytest.raises(AssertionError, match="the card has|has not 1 numbers"):
                _compare(page, COLUMNS, CARDS)
