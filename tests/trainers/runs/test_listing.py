"""What can be chosen, as text: everything is there, with its paper, in 100 columns."""

import re

import pytest

from trainers import divergences, objectives
from trainers.runs import choices, listing, recipes

TEXT = listing.as_text()
LINES = [line.split() for line in TEXT.splitlines()]


def test_it_fits_in_100_columns():
    assert max(map(len, TEXT.splitlines())) <= 100
    assert not [line for line in TEXT.splitlines() if line != line.rstrip()]


def test_every_choice_has_a_line():
    first = {words[0] for words in LINES if words}
    for names in (
        choices.FAMILIES,
        choices.TRAINERS,
        choices.OBJECTIVES,
        choices.PENALTIES,
        choices.PERTURBATIONS,
        recipes.names(),
    ):
        assert names and set(names) <= first


@pytest.mark.parametrize("name, cls", [*choices.TRAINERS.items(), *objectives.OBJECTIVES.items()])
def test_a_class_stands_with_its_paper(name, cls):
    assert re.fullmatch(r".+, (19|20)\d\d, arXiv:\d{4}\.\d{4,5}", listing.paper(cls))
    assert [name, cls.__name__, *listing.paper(cls).split()] in LINES


def test_the_table_of_f_divergences():
    for row in divergences.TABLE:
        for text in (row.f, row.activation, row.conjugate, row.optimal_critic, row.threshold):
            assert [words for words in LINES if words[:1] == [row.name] and text in " ".join(words)]


def test_a_class_without_a_paper():
    class Own:
        """Draws."""

    assert listing.paper(Own) == ""


def test_what_is_too_long_goes_on_below_itself():
    text = listing._table([("a", "word " * 30), ("long", ""), ("b", "short")])
    first, second, third, last = text.splitlines()
    assert first.startswith("a     word") and len(first) <= 100 and second.startswith("      word")
    assert (third, last) == ("long", "b     short")
