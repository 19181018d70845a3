"""What every study is: parts that are made once, findings beside what was expected, one command."""

import dataclasses
import hashlib
import inspect
import json
import pathlib
import re
import sys
import time
from collections.abc import Callable

import numpy as np
from absl import flags

from studies import tables
from zoo import command
from zoo.files import as_path, check_writable, replacing
from zoo.finite import Diverged

ROOT = pathlib.Path("runs/studies")
SUMMARY = "summary.json"
SEEDS = 2**31  # Keras has twice as many, and a study counts on from its seed.
LOST = re.compile(r"(?<![a-z])-?(nan|inf)(?![a-z])")  # A number that is none.
# In the file of a part, beside what it found. Where others work too, minutes by the clock say more
# of them than of the study.
SOURCE, WORK = "source", "processor_seconds"
DIVERGED = "diverged_with"  # In place of what was found, what the training said.


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of what came out.

    Attributes:
        what: str. What was measured.
        expected: str. What theory or the paper says of it.
        found: str.
        holds: bool, or `None` where there is nothing to hold.
    """

    what: str
    expected: str
    found: str
    holds: bool | None = None

    def __post_init__(self):
        if self.holds is not None:
            object.__setattr__(self, "holds", bool(self.holds))  # Not NumPy's.

    @property
    def verdict(self):
        """In a word or two, for a table."""
        if self.holds is False and LOST.search(self.found):
            return "**diverged**"
        return {True: "holds", False: "**does not hold**", None: ""}[self.holds]


@dataclasses.dataclass(frozen=True)
class Study:
    """A study of the package: `python -m studies.NAME` runs the module that has it as `STUDY`.

    Attributes:
        name: str. Of the module.
        parts: Function of (full, seed) to pairs of a name and a function without arguments, which
            returns what JSON can hold.
        report: Function of (results by name, directory) to a list of `Finding`; it writes the
            figures and the tables.
    """

    name: str
    parts: Callable
    report: Callable


def make(study, full=False, seed=0, directory=None):
    """Makes the parts that have not been made, and writes what came out.

    Args:
        study: `Study`.
        full: bool. Whether at length, as the page says, or small, in minutes.
        seed: int. Of another than 0, all is in a folder `seed_N`.
        directory: Where to; a folder `full` or `quick` of it. Defaults to `runs/studies/NAME`.

    Returns:
        A list of `Finding`.

    Raises:
        ValueError: If nothing can be written in the directory, or a part there is damaged.
        KeyboardInterrupt: With what was kept.
    """
    place = as_path(output_dir=ROOT / study.name if directory is None else directory)
    check_writable(place, "output_dir")
    place = place / ("full" if full else "quick") / (f"seed_{seed}" if seed else "")
    check_writable(place, "output_dir")
    place.mkdir(parents=True, exist_ok=True)
    source = _source(study)
    results = _made(study.parts(full, seed), seed, place, source)
    work = [result.pop(WORK, None) for result in results.values()]
    old = [name for name, result in results.items() if result.pop(SOURCE, None) != source]
    if old:
        print(
            f"{len(old)} of {len(results)} parts were made before the study was changed, first "
            f"{old[0]}. What is deleted of {place} is made again.",
            flush=True,
        )
    there = _times(place)
    findings = _reported(study, results, old, place)
    rows = [["", "expected", "found", ""]]
    rows += [[f.what, f.expected, f.found, f.verdict] for f in findings]
    tables.write(place / "findings", rows)
    made = sorted(name for name, time in _times(place).items() if there.get(name) != time)
    seconds = sum(result.get("wall_seconds", 0.0) for result in results.values())
    summary = {
        "command": f"python -m studies.{study.name} --{'full' if full else 'quick'} --seed={seed}",
        "seconds": seconds,
        WORK: None if None in work else sum(work),
        "seed": seed,
        "parts": len(results),
        "old_parts": len(old),
        "made": made,
        "findings": list(map(dataclasses.asdict, findings)),
    }
    with replacing(place / SUMMARY) as part:
        part.write_text(json.dumps(summary, indent=1))
    print(f"{place}: {seconds / 60:.1f} minutes", flush=True)
    return findings


def _made(parts, seed, place, source):
    """What each part found, by name; those that have no file yet are made, and written."""
    results = {}
    for name, function in parts:
        path = place / f"{name}.{seed}.json"
        if path.exists():
            print(f"{name}: there already", flush=True)
        else:
            start, worked = time.perf_counter(), time.process_time()
            try:
                made = function()
            except Diverged as error:
                made = {DIVERGED: str(error)}
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"{len(results)} parts are kept in {place}; the same command goes on"
                ) from None
            made["wall_seconds"] = time.perf_counter() - start
            made[WORK] = time.process_time() - worked
            made[SOURCE] = source
            with replacing(path) as part:
                part.write_text(json.dumps(made))
            print(f"{name}: {made['wall_seconds']:.0f} s", flush=True)
        results[name] = _read(path)
        if DIVERGED in results[name]:
            print(f"{name}: {results[name][DIVERGED]}", flush=True)
    return results


def _reported(study, results, old, place):
    """The findings: that trainings diverged, and those of the report of the other parts.

    Raises:
        ValueError: If it cannot be made without those, or of parts of another version.
    """
    lost = [name for name, result in results.items() if DIVERGED in result]
    finite = {name: result for name, result in results.items() if name not in lost}
    findings = [Finding(f"{name}: its training", "finite", "nan", False) for name in lost]
    try:
        with np.errstate(all="ignore"):  # Of a game that diverged; what was found of it says so.
            return findings + list(study.report(finite, place))
    except (KeyError, IndexError, TypeError, ValueError, StopIteration) as error:
        if lost:
            raise ValueError(
                f"No report can be made without {', '.join(lost)}, of which the training diverged. "
                f"Expected another: --seed=1, say. Received: {place} ({error!r})"
            ) from error
        if not old or not isinstance(error, (LookupError, TypeError)):
            raise
        raise ValueError(
            "`--output_dir` has parts of another version, of which no report can be made. Expected "
            f"this one's: delete {', '.join(old)}, and they are made again. Received: {place} "
            f"({error!r})"
        ) from error


def _times(place):
    """When each file of a folder was written: an earlier report may have left others."""
    return {path.name: path.stat().st_mtime_ns for path in place.iterdir()}


def _source(study):
    """A hash of the code of a study: of its module, and of those from which that imports, if they
    are studies too and not the frame, which makes no part."""
    own, package = study.parts.__module__, __name__.partition(".")[0] + "."
    homes = [
        value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        for value in vars(sys.modules[own]).values()
    ]
    others = {home for home in homes if str(home).startswith(package)}
    names = {own, *others} - {__name__, tables.__name__}
    # A module that is run as a command has another name.
    files = sorted({pathlib.Path(sys.modules[name].__file__) for name in names})
    text = "".join(file.read_text() for file in files)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(path):
    try:
        found = json.loads(path.read_text())
        float(found["wall_seconds"]), float(found.get(WORK, 0))
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            "`--output_dir` has a part that no run wrote. Expected an object in JSON, with its "
            f"seconds; delete it, and it is made again. Received: {path} ({_briefly(error)})"
        ) from error
    return found


def _briefly(error):
    """An error in a line: one of bytes that are no text has all of them in its `repr`."""
    return f"{type(error).__name__}: {str(error)[:100]}"


def run(study, doc):
    """Runs a study as a command: `--quick` or `--full`, `--output_dir`, `--seed`.

    Exit status: 1 if a finding does not hold.
    """
    own = flags.FlagValues()
    flags.DEFINE_bool("quick", False, "Small, in minutes.", flag_values=own)
    flags.DEFINE_bool("full", False, "At length; it goes on where it stopped.", flag_values=own)
    default = str(ROOT / study.name)
    flags.DEFINE_string("output_dir", default, "For results.", flag_values=own)
    flags.DEFINE_integer("seed", 0, "Of all that is drawn.", 0, SEEDS - 1, flag_values=own)

    def main(arguments):
        command.no_arguments(arguments)
        if own.quick == own.full:
            raise ValueError(
                "`--quick` or `--full` has to be chosen. Expected one of them. "
                f"Received: --quick={own.quick} --full={own.full}"
            )
        findings = make(study, own.full, own.seed, own.output_dir)
        return int(any(finding.holds is False for finding in findings))

    command.run(main, doc, own)
