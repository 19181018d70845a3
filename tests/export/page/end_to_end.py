"""Usage: python -m tests.export.page.end_to_end --presets=NAMES

The page end to end, in a headless Chromium: `make page-test`.

It builds the page as a folder and as one file, asks Python for the pixels that it has to show and
the library's trainers for the steps that its toy game has to take, and lets `end_to_end.mjs` use it
as a person would. It needs npm, node and Chromium (`apt-get install npm chromium`; `CHROMIUM=PATH`
for another place), and takes about five minutes.

  python -m tests.export.page.end_to_end --presets=conditional_dcgan_mnist,unrolled_ring
"""

import json
import os
import pathlib
import shutil
import subprocess

import numpy as np
from absl import flags

import zoo
from export import page
from tests.export.page import toy_reference
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_list("presets", None, "What is on the page.", flag_values=FLAGS)
flags.DEFINE_string("vendor", None, "As of python -m export page.", flag_values=FLAGS)
ROOT = pathlib.Path(__file__).parents[3]
WORK = ROOT / "build" / "page_test"
PLAYWRIGHT = "playwright-core@1.65.1"
SEEDS = (0, 1, 12345, 2**40 + 7, -5, 2**53 - 1, 2**63 - 1)


def expected(names):
    """Python's own pixels, or points, of seeds, a class each."""
    for name in names:
        generator = zoo.from_preset(name)
        for number, seed in enumerate(SEEDS):
            classes = getattr(generator, "num_classes", None)
            label = number % classes if classes else None
            labels = {} if label is None else {"labels": [label]}
            made = np.asarray(generator.sample(1, seed=[seed], **labels))[0]
            kind = "pixels" if made.dtype == np.uint8 else "points"
            told = {"model": name, "seed": str(seed), "label": label}
            yield {
                **told,
                kind: made[..., 0].ravel().tolist() if kind == "pixels" else made.tolist(),
            }


def missing():
    """What of this machine is not there."""
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    there = {"npm": shutil.which("npm"), "node": shutil.which("node")}
    there["chromium"] = pathlib.Path(chromium).is_file()
    return [name for name, path in there.items() if not path]


def main(arguments):
    """Builds what is compared, and has a browser use it; the exit status is its."""
    command.no_arguments(arguments)
    if not FLAGS.presets:
        raise ValueError("`--presets` is missing. Expected --presets=NAMES. Received: none")
    if missing():
        raise FileNotFoundError(
            f"`page-test` lacks programs. Expected: apt-get install {' '.join(missing())}. "
            "Received: none of these"
        )
    names = FLAGS.presets
    WORK.mkdir(parents=True, exist_ok=True)
    page.build(names, WORK / "folder", vendor=FLAGS.vendor)
    page.build(names, WORK / "single", single=True, vendor=FLAGS.vendor)
    (WORK / "expected.json").write_text(json.dumps(list(expected(names))))
    toy_reference.write(WORK / "toy.json")
    npm = WORK / "npm"
    npm.mkdir(exist_ok=True)
    (npm / "package.json").write_text('{"private": true}')
    if not (npm / "node_modules" / "playwright-core").is_dir():
        subprocess.run(
            ["npm", "install", "--no-save", "--no-audit", PLAYWRIGHT], cwd=npm, check=True
        )
    script = pathlib.Path(__file__).with_suffix(".mjs")
    return subprocess.run(["node", script, WORK], check=False).returncode


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
