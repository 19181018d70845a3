"""What can be chosen, as text: what `python -m trainers --list` prints."""

import inspect
import re
import textwrap

from trainers import divergences, objectives
from trainers.runs import choices, recipes

WIDTH = 100
REFERENCE = re.compile(r"^ *- \[(.+?)\]\((\S+?)\)", re.MULTILINE)


def as_text():
    """Everything that can be chosen by name, in sections of at most 100 columns."""
    families = [
        (name, f"{generator.__name__}, {discriminator.__name__}", paper(generator))
        for name, (generator, discriminator) in choices.FAMILIES.items()
    ]
    sections = {
        "Families of players (--generator)": _table(families),
        "Trainers (--trainer)": _table(_classes(choices.TRAINERS)),
        "Objectives (--objective)": _table(_classes(objectives.OBJECTIVES)),
        "f-divergences (--objective; those with a parameter only in Python)": divergences.as_text(),
        "Penalties (--discriminator_penalty, --generator_penalty)": _table(
            _first_lines(choices.PENALTIES)
        ),
        "Perturbations": _table(_first_lines(choices.PERTURBATIONS)),
        "Recipes (--recipe)": _table(
            (name, recipes.load(name).description) for name in recipes.names()
        ),
    }
    return "\n\n".join(f"{title}\n\n{text}" for title, text in sections.items())


def paper(cls):
    """The first reference of a class's docstring in a few words: `"Metz et al., 2017  arXiv:..."`.

    A class whose docstring has none gets `""`.
    """
    found = REFERENCE.search(inspect.getdoc(cls).partition("Reference:")[2])
    if found is None:
        return ""
    return f"{found[1]}, {found[2].replace('https://arxiv.org/abs/', 'arXiv:')}"


def _classes(by_name):
    return [(name, cls.__name__, paper(cls)) for name, cls in by_name.items()]


def _first_lines(by_name):
    return [(name, inspect.getdoc(cls).splitlines()[0]) for name, cls in by_name.items()]


def _table(rows):
    """Rows in aligned columns; what is too long in the last one goes on below itself."""
    *columns, last = zip(*rows, strict=True)
    widths = [max(map(len, cells)) for cells in columns]
    indent = sum(widths) + 2 * len(widths)
    lines = []
    for *cells, text in zip(*columns, last, strict=True):
        start = "".join(f"{cell:<{width}}  " for cell, width in zip(cells, widths, strict=True))
        lines += textwrap.wrap(
            text,
            WIDTH,
            initial_indent=start,
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
        ) or [start.rstrip()]
    return "\n".join(lines)
