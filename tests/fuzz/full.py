"""Wrong arguments, damaged files and wrong flags by the thousand: by `make fuzz`.

A case passes if its result is right, or it is refused in the library's own words.
"""

import collections
import pathlib
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import calls, cases, files, judge, values

EXAMPLES = {"calls": 60, "files": 200, "configs": 300, "recipes": 400}
TALLY = collections.Counter()


def fuzzed(kind):
    """Settings of hypothesis: the same cases each time."""
    return settings(
        max_examples=EXAMPLES[kind],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=True,
    )


@pytest.fixture(scope="module", autouse=True)
def bounds():
    """No case takes the memory of the machine; the sums are told at the end."""
    judge.limit_memory()
    yield
    print(f"\ncases: {sum(TALLY.values())}, " + ", ".join(f"{k}: {n}" for k, n in TALLY.items()))


@pytest.mark.parametrize("name", calls.CALLS)
def test_arguments(name):
    call = calls.CALLS[name]

    @fuzzed("calls")
    @given(values.wrong(call))
    def check(arguments):
        TALLY[cases.called(call, arguments)] += 1

    assert cases.called(call, call.arguments) == "right"
    check()


@pytest.mark.parametrize("format", files.FORMATS)
def test_files(format):
    @fuzzed("files")
    @given(st.sampled_from(sorted(files.CHANGES)), st.integers(0, 10**6), st.integers(0, 30))
    def check(change, place, bit):
        TALLY[cases.read(format, change, place, bit)] += 1

    check()


@pytest.mark.parametrize("archive", ["foreign.keras", "generator.keras", "gan.keras"])
def test_configs_of_strangers(archive):
    """Whoever takes the seal away may write any config: no weights are made that are not there."""
    tree = files.member(files.corpus() / archive, "config.json")

    @fuzzed("configs")
    @given(st.sampled_from(sorted(files.paths(tree), key=str)), values.json_values(), st.booleans())
    def check(path, value, missing):
        TALLY[cases.configured(archive, tree, path, value, missing)] += 1

    check()


def test_recipes():
    tree = cases.recipe()
    places = [path for path in files.paths(tree) if path[0] != "targets"]  # Of any kind as yet.

    @fuzzed("recipes")
    @given(st.sampled_from(sorted(places, key=str)), values.json_values(), st.booleans())
    def check(path, value, missing):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "recipe.json")
            TALLY[cases.cooked(file, tree, path, value, missing)] += 1

    check()
