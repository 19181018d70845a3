"""The pages of the studies, from what has been made: findings, figures, an index."""

import ast
import html
import json
import pathlib
import re
import shutil

import markdown_it

from studies import tables
from studies.study import ROOT, SUMMARY, WORK
from zoo.files import replacing

HERE = pathlib.Path(__file__).parent
FIGURES = (".png", ".gif")
FINDINGS = "findings.md"
BEGIN, END = "<!-- findings -->", "<!-- end of findings -->"
LECTURES = """
The pages speak of five sets of lecture notes on GANs by their numbers. What those show is here:

| lecture | what it shows | studies |
|---|---|---|
| 000 | the game, its optimum, theorem 3, unrolling | [optimal_discriminator](optimal_discriminator.md), [fixed_discriminator](fixed_discriminator.md), [collapse](collapse.md), [inversion](inversion.md) |
| 001 | vanishing gradients, f-divergences, DCGAN, latents | [vanishing_gradient](vanishing_gradient.md), [fgan_mixture](fgan_mixture.md), [fgan_mnist](fgan_mnist.md), [nearest_neighbours](nearest_neighbours.md), [latent_space](latent_space.md), [stacked_mnist](stacked_mnist.md) |
| 002 | circling and consensus, Wasserstein GAN, pictures by number | [game_dynamics](game_dynamics.md), [ring_spectrum](ring_spectrum.md), [wasserstein_correlation](wasserstein_correlation.md), [memorisation](memorisation.md) |
| 003 | maximum likelihood, noise and labels | [maximum_likelihood](maximum_likelihood.md), [noise_and_labels](noise_and_labels.md) |
| 004 | figure 1 of 2014, statistical inference (Boulaguiem) | [density_fit](density_fit.md), [normal_inference](normal_inference.md) |

No study of their own have: samples of every family ([gallery](../gallery.md)), LAPGAN and the conditional GAN
([presets](../presets.md)), the simulator as generator ([measurements](../measurements.md#a-simulated-detector)), and
units of D as detectors of features (DCGAN, figure 5), which is not made.
"""  # noqa: E501
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;font-size:14px}td,th{border:1px solid #ccc;padding:.2rem .6rem}"
    "article{border-top:3px solid #ccc;margin-top:3rem}img{max-width:100%}"
    "pre{background:#f4f4f4;padding:.6rem;white-space:pre-wrap}"
)


def names():
    """The studies, by the modules that have one."""
    return sorted(p.stem for p in HERE.glob("*.py") if "\nSTUDY = Study(" in p.read_text())


def doc(name):
    """The docstring of a study, without importing it."""
    return ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text()))


def title(name):
    """Its first line."""
    return doc(name).partition("\n")[0]


def made(name):
    """The folder of what has been made of a study, in full if it was; or `None`."""
    for mode in ("full", "quick"):
        if (ROOT / name / mode / SUMMARY).exists():
            return ROOT / name / mode
    return None


def state(name):
    """What has been made of a study, in some words."""
    folder, begun = made(name), ""
    for mode in ("quick", "full") if folder is None else ("full",) * (folder.name == "quick"):
        parts = len(list((ROOT / name / mode).glob("[!.]*.json")))
        begun += f", {mode}: {parts} part{'s' * (parts != 1)}" * bool(parts)
    if folder is None:
        return f"not made{begun}"
    try:
        summary = _summary(folder)
    except ValueError:
        return f"{folder.name}, damaged{begun}"
    lost = sum(finding["holds"] is False for finding in summary["findings"])
    return f"{folder.name}, {summary['seconds']:.0f} s" + f", {lost} fail" * bool(lost) + begun


def _summary(folder):
    """The summary of what was made.

    Raises:
        ValueError: If it is damaged.
    """
    path = folder / SUMMARY
    try:
        found = json.loads(path.read_text())
        float(found["seconds"]), int(found["seed"]), float(found.get(WORK) or 0)
        [finding["holds"] for finding in found["findings"]]
        return found
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            "A study has a summary that no run wrote. Expected seconds, seed and findings in JSON; "
            f"delete it, and the study's command makes it again. Received: {path} ({error!r})"
        ) from error


def publish(docs, wanted):
    """Writes the findings into each study's page, copies its figures, and writes the index.

    What has not been made stays as it is, and so does what a page has in full where only the quick
    study was made: both are said.

    Args:
        docs: Folder with `studies/NAME.md`, which have both comments.
        wanted: Names of studies.

    Raises:
        FileNotFoundError: If there are no such pages.
        ValueError: If a page lacks the comments, or a summary is damaged.
    """
    absent = [
        name for name in (*wanted, *names()) if not (docs / "studies" / f"{name}.md").is_file()
    ]
    if absent:
        raise FileNotFoundError(
            f"`--docs` has no page of {absent[0]}. Expected a folder with studies/{absent[0]}.md. "
            f"Received: {str(docs)!r}"
        )
    lost = []
    for name in wanted:
        try:
            _publish(docs, name)
        except (ValueError, OSError) as error:  # One that is damaged does not stop the others.
            lost.append(error)
    with replacing(docs / "studies" / "index.html") as part:
        part.write_text(_index(docs))
    rows = [["study", "what it is", "minutes"]]
    rows += [[f"[{name}]({name}.md)", title(name), _minutes(docs, name)] for name in names()]
    with replacing(docs / "studies" / "README.md") as part:
        part.write_text(
            "# Studies\n\nFigures and tables of the literature that the zoo makes again, each with "
            "a command that its page names;\n`python -m studies` lists them. All pages as one, for "
            "a browser: [index.html](index.html).\n\n" + tables.markdown(rows) + LECTURES
        )
    if lost:
        raise ValueError("\n".join(map(str, lost))) from lost[0]


def _publish(docs, name):
    folder = made(name)
    page = docs / "studies" / f"{name}.md"
    text = page.read_text()
    if folder is None:
        print(f"{name}: not made, its page stays", flush=True)
        return
    if folder.name == "quick" and f"`python -m studies.{name} --full`, seed" in text:
        print(f"{name}: its page has the full study, and stays", flush=True)
        return
    lacking = [
        part
        for part in (FINDINGS, *_summary(folder).get("made", ()))
        if not (folder / part).is_file()
    ]
    if lacking:
        raise ValueError(
            f"What was made of {name} lacks a file. Expected what its last report wrote; "
            f"`python -m studies.{name} --{folder.name}` writes it again from its parts. "
            f"Received: {folder} without {', '.join(lacking)}"
        )
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no place for findings. Expected {BEGIN} and {END}")
    with replacing(page) as part:
        part.write_text(f"{head}{BEGIN}\n{_findings(name, folder)}{END}{tail}")
    images = docs / "images" / "studies"
    images.mkdir(parents=True, exist_ok=True)
    for left in images.glob(f"{name}_*"):
        left.unlink()
    for figure in (p for p in _written(folder) if p.suffix in FIGURES):
        shutil.copyfile(figure, images / f"{name}_{figure.name}")


def _findings(name, folder):
    summary = _summary(folder)
    command = f"python -m studies.{name} --{folder.name}"
    said = f"`{command}`, seed {summary['seed']}, {summary['seconds'] / 60:.1f} minutes"
    if summary.get(WORK):
        said += f", {summary[WORK] / 60:.1f} of one processor's work"
    said += "."
    if summary.get("old_parts"):
        old, every = summary["old_parts"], summary.get("parts")
        said += f" {old} of its {every} parts" if every and old < every else " Its parts"
        said += " were made before its code was last changed."
    text = f"{said}\n\n{(folder / FINDINGS).read_text()}"
    for table in _written(folder):
        if table.suffix == ".md" and table.name != FINDINGS:
            text += f"\n**{table.stem.replace('_', ' ')}**\n\n{table.read_text()}"
    return text


def _written(folder):
    """The files of the last report; what an earlier one left is none of them."""
    made = _summary(folder).get("made")
    return sorted(p for p in folder.iterdir() if made is None or p.name in made)


def _minutes(docs, name):
    page = (docs / "studies" / f"{name}.md").read_text()
    line = page.partition(BEGIN)[2].strip().partition("\n")[0]
    found = re.search(r", ([\d.]+) minutes\b", line)
    return found[1] if found else ""


def _index(docs):
    """All pages as one that a browser shows: a list of them, and each as it is."""
    render = markdown_it.MarkdownIt("commonmark").enable("table").render
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Studies</title>"
        f"<style>{STYLE}</style><h1>Studies</h1><ul>"
    ]
    texts = {name: (docs / "studies" / f"{name}.md").read_text() for name in names()}
    for name, text in texts.items():
        said = html.escape(f"{title(name)} {_holding(text)}")
        parts.append(f"<li><a href=#{name}>{name}</a>: {said}")
    parts.append("</ul>")
    for name, text in texts.items():
        here = re.sub(r'href="(\w+)\.md"', r'href="#\1"', render(text))  # Of another study.
        parts.append(f"<article id={name}>{here}</article>")
    return "\n".join(parts) + "\n"


def _holding(text):
    """How many findings of a page hold, of those that are judged."""
    found = text.partition(BEGIN)[2].partition(END)[0]
    holds, lost = found.count("| holds |"), len(re.findall(r"\| \*\*[^|]*\*\* \|", found))
    return f"{holds} of {holds + lost} findings hold." if holds + lost else ""
