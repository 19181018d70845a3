"""The frame of a study: parts are made once, findings are judged, one command."""

import json
import subprocess
import sys
import types

import numpy as np
import pytest

from studies import __main__ as listing
from studies import pages, study, tables
from studies.study import Finding, Study
from tests.studies.toy import toy_study
from zoo.finite import Diverged


def test_a_part_is_made_once(tmp_path):
    calls = []
    toy = toy_study(calls)
    (finding,) = study.make(toy, directory=tmp_path)
    assert finding == Finding("part_0", "less than 9", "0", True)
    study.make(toy, directory=tmp_path)
    assert calls == [0]
    assert len(study.make(toy, full=True, directory=tmp_path)) == 3  # A folder of its own.
    assert calls == [0, 0, 1, 2]
    assert study.make(toy, seed=4, directory=tmp_path)[0].found == "40"
    assert "| 40 |" in (tmp_path / "quick/seed_4/findings.md").read_text()
    assert "| 0 |" in (tmp_path / "quick/findings.md").read_text()  # As it was.
    summary = json.loads((tmp_path / "full" / study.SUMMARY).read_text())
    assert summary["command"] == "python -m studies.toy --full --seed=0"
    assert 0 <= summary[study.WORK] < 60


def test_work_is_unknown_where_a_part_does_not_say_it(tmp_path):
    study.make(toy_study([]), directory=tmp_path)
    part = tmp_path / "quick" / "part_0.0.json"
    part.write_text('{"value": 0, "wall_seconds": 60.0}')
    study.make(toy_study([]), directory=tmp_path)
    summary = json.loads((tmp_path / "quick" / study.SUMMARY).read_text())
    assert summary["seconds"] == 60.0 and summary[study.WORK] is None


@pytest.mark.parametrize(
    "text", ["{", "", "{}", "[]", "null", "3", '{"wall_seconds": null}', "[" * 100_000]
)
def test_a_part_that_no_run_wrote_is_named(tmp_path, text):
    toy = toy_study([])
    study.make(toy, directory=tmp_path)
    (tmp_path / "quick" / "part_0.0.json").write_text(text)
    with pytest.raises(ValueError, match="a part that no run wrote.*delete it.*part_0.0.json"):
        study.make(toy, directory=tmp_path)


def test_a_folder_in_the_place_of_a_part_is_named(tmp_path):
    toy = toy_study([])
    study.make(toy, directory=tmp_path)
    part = tmp_path / "quick" / "part_0.0.json"
    part.unlink()
    part.mkdir()
    with pytest.raises(ValueError, match="a part that no run wrote.*part_0.0.json"):
        study.make(toy, directory=tmp_path)


def test_a_game_that_diverged_is_said_to_have(tmp_path):
    def report(results, directory):
        value = results["part"]["value"]
        yield Finding("mean", "0", f"{np.array([value]).std() / value:.2f}", bool(value < 1))

    for value in (float("nan"), float("inf")):
        toy = Study("toy", lambda full, seed, v=value: [("part", lambda: {"value": v})], report)
        study.make(toy, directory=tmp_path / str(value))
        text = (tmp_path / str(value) / "quick" / "findings.md").read_text()
        assert "| nan | **diverged** |" in text and "does not hold" not in text
    assert Finding("", "", "nanometres, inference, banana", False).verdict == "**does not hold**"
    assert Finding("", "infinite", "inf", True).verdict == "holds"


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for wrong in ("", tmp_path / "file", "a\0b", 3):
        with pytest.raises(ValueError, match="`output_dir`"):
            study.make(toy_study([]), directory=wrong)


def test_parts_of_another_version_are_said(tmp_path, capsys, monkeypatch):
    toy = toy_study([])
    study.make(toy, full=True, directory=tmp_path)
    study.make(toy, full=True, directory=tmp_path)
    assert "before the study was changed" not in capsys.readouterr().out
    monkeypatch.setattr(study, "_source", lambda study: "another")
    (tmp_path / "full" / "part_0.0.json").unlink()
    study.make(toy, full=True, directory=tmp_path)
    assert "2 of 3 parts were made before the study was changed, first part_1." in (
        capsys.readouterr().out
    )
    summary = json.loads((tmp_path / "full" / study.SUMMARY).read_text())
    assert summary["old_parts"] == 2


def test_a_study_has_one_source_however_it_is_run(monkeypatch):
    from studies import inversion, optimal_discriminator

    for module in (inversion, optimal_discriminator):  # Of names before and behind those they use.
        monkeypatch.setitem(sys.modules, "__main__", module)
        run = types.SimpleNamespace(parts=types.SimpleNamespace(__module__="__main__"))
        assert study._source(run) == study._source(module.STUDY)


def test_the_source_is_the_study_and_what_it_imports_of_the_package(tmp_path, monkeypatch):
    from studies import collapse, collapse_games, fixed_discriminator, gaussian_fits

    studies = {collapse: collapse_games, fixed_discriminator: gaussian_fits}  # Whole, or a name.
    before = {module: study._source(module.STUDY) for module in studies}
    assert len(set(before.values())) == 2
    other = tmp_path / "changed.py"
    other.write_text("RATE = 2")
    for frame in (study, tables):
        monkeypatch.setattr(frame, "__file__", str(other))
    assert {module: study._source(module.STUDY) for module in studies} == before
    for module, used in studies.items():
        monkeypatch.setattr(used, "__file__", str(other))
        assert study._source(module.STUDY) != before[module]


def test_what_was_interrupted_goes_on(tmp_path):
    calls, stops = [], [KeyboardInterrupt]

    def parts(full, seed):
        yield "first", lambda: calls.append("first") or {}
        yield "second", second

    def second():
        calls.append("second")
        if stops:
            raise stops.pop()
        return {}

    toy = Study("toy", parts, lambda results, directory: [])
    with pytest.raises(KeyboardInterrupt):
        study.make(toy, directory=tmp_path)
    assert not (tmp_path / "quick" / study.SUMMARY).exists()
    study.make(toy, directory=tmp_path)
    assert calls == ["first", "second", "second"]
    assert json.loads((tmp_path / "quick" / study.SUMMARY).read_text())["findings"] == []


@pytest.mark.parametrize(
    "flags, status", [(["--quick"], 0), ([], 2), (["--quick", "--full"], 2), (["--quik"], 2)]
)
def test_the_command(tmp_path, monkeypatch, capsys, flags, status):
    monkeypatch.setattr(sys, "argv", ["toy", f"--output_dir={tmp_path}", *flags])
    with pytest.raises(SystemExit) as end:
        study.run(toy_study([]), "A toy.")
    assert end.value.code == status
    if status:
        assert "error: " in capsys.readouterr().err


def test_a_finding_that_does_not_hold_is_said_and_ends_otherwise(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["toy", "--quick", f"--output_dir={tmp_path}"])
    with pytest.raises(SystemExit) as end:
        study.run(toy_study([], holds=False), "A toy.")
    assert end.value.code == 1
    assert "**does not hold**" in capsys.readouterr().out


def test_a_training_that_diverged_is_a_finding_and_stops_no_other(tmp_path):
    calls, whole = [], toy_study([])

    def parts(full, seed):
        for name, function in whole.parts(full, seed):
            yield name, diverges if name == "part_1" else function

    def diverges():
        calls.append(1)
        raise Diverged("`discriminator_loss` became NaN by step 7.")

    for _ in range(2):  # It is kept as what it is, and not played again.
        findings = study.make(Study("toy", parts, whole.report), full=True, directory=tmp_path)
        assert [f.verdict for f in findings] == ["**diverged**", "holds", "holds"]
        assert findings[0].what.startswith("part_1") and calls == [1]
    needs = Study("toy", parts, lambda results, _: [Finding(str(results["part_1"]), "", "")])
    with pytest.raises(ValueError, match="without part_1, of which the training diverged"):
        study.make(needs, full=True, directory=tmp_path)


def test_a_part_of_bytes_or_of_nothing_is_named_in_a_line(tmp_path):
    toy = toy_study([])
    study.make(toy, directory=tmp_path)
    part = tmp_path / "quick" / "part_0.0.json"
    part.write_bytes(b"\xff" * 100_000)
    with pytest.raises(ValueError, match="a part that no run wrote.*UnicodeDecodeError") as error:
        study.make(toy, directory=tmp_path)
    assert len(str(error.value)) < 600
    part.write_text('{"wall_seconds": 1}')
    with pytest.raises(ValueError, match="parts of another version.*delete part_0"):
        study.make(toy, directory=tmp_path)


def test_parts_of_another_version_that_make_no_report_are_named(tmp_path, monkeypatch):
    toy = toy_study([])
    study.make(toy, full=True, directory=tmp_path)
    broken = tmp_path / "full" / "part_1.0.json"
    broken.write_text(json.dumps({"wall_seconds": 1.0, study.SOURCE: "another"}))
    with pytest.raises(ValueError, match="parts of another version.*delete part_1, and"):
        study.make(toy, full=True, directory=tmp_path)
    own = {"wall_seconds": 1.0, study.SOURCE: study._source(toy)}
    broken.write_text(json.dumps(own))  # Of this one it is a fault of ours.
    with pytest.raises(KeyError):
        study.make(toy, full=True, directory=tmp_path)


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "quick").write_text("")
    with pytest.raises(ValueError, match="`output_dir` cannot be made.*quick is a file"):
        study.make(toy_study([]), directory=tmp_path)


@pytest.mark.parametrize("run,quick,full,mode", [
    (None, True, False, "quick"), (None, False, True, "full"), ("full", False, False, "full"),
    (None, False, False, None), ("quick", True, False, "quick"), ("quick", False, True, ValueError),
])  # fmt: skip
def test_the_flags_of_one_study_are_those_of_all(monkeypatch, run, quick, full, mode):
    for name, value in (("run", run), ("quick", quick), ("full", full)):
        monkeypatch.setattr(listing.FLAGS[name], "value", value)
    listing.FLAGS.mark_as_parsed()
    if mode is ValueError:
        with pytest.raises(ValueError, match="contradict each other"):
            listing.mode()
    else:
        assert listing.mode() == mode


def test_one_that_fails_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    made = []

    def make(toy, full):
        made.append(toy.name)
        if len(made) == 1:
            raise FileNotFoundError("no digits here")
        return []

    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(study, "make", make)
    monkeypatch.setattr(listing.FLAGS["run"], "value", "quick")
    listing.FLAGS.mark_as_parsed()
    assert listing.main(["memorisation", "fixed_discriminator"]) == 1
    assert made == ["memorisation", "fixed_discriminator"]
    assert "memorisation: no digits here" in capsys.readouterr().err


def test_a_study_says_nothing_of_tensorflow():
    given = [sys.executable, "-m", "studies.fixed_discriminator", "--quick", "--output_dir="]
    ended = subprocess.run(given, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: `output_dir` is no path.")
    assert ended.stderr.count("\n") == 1


def test_an_unknown_study_is_named_with_the_nearest():
    with pytest.raises(
        ValueError, match="study is unknown.*did you mean 'game_dynamics'.*game_dynamic"
    ):
        listing.chosen(["game_dynamic"])
    assert listing.chosen([]) == pages.names()


def test_tables(tmp_path, capsys):
    tables.write(tmp_path / "table", [["a", "|b|"], ["1,5", "2"]])
    assert (tmp_path / "table.csv").read_text().splitlines() == ["a,|b|", '"1,5",2']
    text = (tmp_path / "table.md").read_text()
    assert text == "| a | \\|b\\| |\n|---|---|\n| 1,5 | 2 |\n"
