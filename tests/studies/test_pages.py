"""The pages of the studies: what was made, in full if it was, and nothing that is not there."""

import json
import re

import pytest

from studies import pages, study
from tests.studies.toy import toy_study


def test_every_study_has_a_page_with_a_place_for_its_findings():
    for name in pages.names():
        text = (pages.HERE.parent / "docs" / "studies" / f"{name}.md").read_text()
        assert pages.BEGIN in text and pages.END in text, name
        assert f"python -m studies.{name} --quick" in text, name
        assert "--full" in text, name
    assert {"game_dynamics", "normal_inference"} <= set(pages.names())
    assert set(re.findall(r"\((\w+)\.md\)", pages.LECTURES)) == set(pages.names())


def test_a_page_is_of_what_was_made_in_full_if_it_was(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pages, "ROOT", tmp_path / "runs")
    monkeypatch.setattr(pages, "names", lambda: ["toy"])
    monkeypatch.setattr(pages, "doc", lambda name: "A toy <of> one line.\n\nAnd more.")
    docs = tmp_path / "docs"
    (docs / "studies").mkdir(parents=True)
    page = docs / "studies" / "toy.md"
    page.write_text(f"Before.\n{pages.BEGIN}\nwritten before\n{pages.END}\nAfter.\n")
    assert pages.state("toy") == "not made"
    toy = toy_study([])
    for mode in ("quick", "full"):  # What an earlier report has left is not published.
        (tmp_path / "runs" / "toy" / mode).mkdir(parents=True)
        (tmp_path / "runs" / "toy" / mode / "left.png").write_bytes(b"PNG")
        (tmp_path / "runs" / "toy" / mode / "left.md").write_text("| left |")
    left = docs / "images/studies/toy_left.png"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"PNG")
    for full in (False, True):
        study.make(toy, full, directory=tmp_path / "runs" / "toy")
        pages.publish(docs, ["toy"])
        text = page.read_text()
        assert (
            text.startswith("Before.\n")
            and text.endswith("After.\n")
            and "written before" not in text
        )
        assert text.count("| holds |") == (3 if full else 1)
        assert f"`python -m studies.toy --{'full' if full else 'quick'}`, seed 0, 0.0" in text
        assert re.search(r"0\.0 minutes, 0\.0 of one processor's work\.\n", text)
        assert "| 0.0 |" in (docs / "studies" / "README.md").read_text()
        assert not left.exists() and "left" not in text and "parts were made" not in text
    assert (docs / "images/studies/toy_figure.png").read_bytes() == b"PNG"
    assert (
        "[toy](toy.md) | A toy <of> one line. | 0.0 |" in (docs / "studies/README.md").read_text()
    )
    index = (docs / "studies/index.html").read_text()
    assert "<li><a href=#toy>toy</a>: A toy &lt;of&gt; one line. 3 of 3 findings hold." in index
    assert index.count("<td>holds</td>") == 3 and "<p>Before.</p>" in index and "After." in index
    assert text.index("| holds |") < text.index("\n\n**by part**\n\n| part | value |\n|---|---|\n")
    assert "<strong>by part</strong></p>\n<table>\n<thead>\n<tr>\n<th>part</th>" in index
    summary = tmp_path / "runs/toy/full" / study.SUMMARY
    for old, said in ((2, "2 of its 3 parts"), (3, "Its parts")):
        summary.write_text(json.dumps({**json.loads(summary.read_text()), "old_parts": old}))
        pages.publish(docs, ["toy"])
        text_of_old = page.read_text()
        assert f"work. {said} were made before its code was last changed." in text_of_old
    page.write_text(text)
    summary.unlink()  # Of the quick one alone, the full stays.
    pages.publish(docs, ["toy"])
    assert page.read_text() == text and "its page has the full study" in capsys.readouterr().out
    assert pages.state("toy") == "quick, 0 s, full: 3 parts"
    (tmp_path / "runs/toy/quick" / study.SUMMARY).write_text("{}")
    assert pages.state("toy") == "quick, damaged, full: 3 parts"
    page.write_text(text.replace("--full", "--quick"))
    with pytest.raises(ValueError, match="a summary that no run wrote.*summary.json"):
        pages.publish(docs, ["toy"])
    with pytest.raises(FileNotFoundError, match="`--docs` has no page of toy"):
        pages.publish(tmp_path / "nowhere", ["toy"])
    study.make(toy, directory=tmp_path / "runs" / "toy")
    page.write_text("No place.")
    with pytest.raises(ValueError, match="has no place for findings"):
        pages.publish(docs, ["toy"])


def test_a_damaged_study_does_not_stop_the_pages_of_others(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "ROOT", tmp_path / "runs")
    monkeypatch.setattr(pages, "names", lambda: ["broken", "ruined", "toy"])
    monkeypatch.setattr(pages, "doc", lambda name: name)
    (tmp_path / "docs" / "studies").mkdir(parents=True)
    for name in pages.names():
        study.make(toy_study([]), directory=tmp_path / "runs" / name)
        page = tmp_path / "docs" / "studies" / f"{name}.md"
        page.write_text(f"{pages.BEGIN}\n{pages.END}\n")
    for name in ("broken", "ruined"):
        summary = tmp_path / "runs" / name / "quick" / study.SUMMARY
        summary.unlink()
        summary.mkdir()
    with pytest.raises(ValueError, match=r"(?s)no run wrote.*broken.*no run wrote.*ruined"):
        pages.publish(tmp_path / "docs", pages.names())
    assert "| holds |" in page.read_text()
    assert "1 of 1 findings hold" in (tmp_path / "docs/studies/index.html").read_text()
    assert pages.state("broken") == "quick, damaged"


def test_what_a_page_would_lack_is_named_and_nothing_written(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "ROOT", tmp_path / "runs")
    monkeypatch.setattr(pages, "names", lambda: ["toy"])
    monkeypatch.setattr(pages, "doc", lambda name: name)
    (tmp_path / "docs" / "studies").mkdir(parents=True)
    study.make(toy_study([]), directory=tmp_path / "runs" / "toy")
    page = tmp_path / "docs" / "studies" / "toy.md"
    page.write_text(f"{pages.BEGIN}\n{pages.END}\n")
    for name in (pages.FINDINGS, "figure.png"):
        file = tmp_path / "runs" / "toy" / "quick" / name
        kept = file.read_bytes()
        file.unlink()
        with pytest.raises(ValueError, match=f"--quick` writes it again.*without {name}"):
            pages.publish(tmp_path / "docs", ["toy"])
        assert page.read_text() == f"{pages.BEGIN}\n{pages.END}\n"
        file.write_bytes(kept)
    (tmp_path / "runs" / "toy" / "quick" / study.SUMMARY).unlink()
    assert pages.state("toy") == "not made, quick: 1 part"
