"""The examples of the README and of the docstrings run as they stand, on little data."""

import ast
import pathlib
import re
import textwrap

import keras
import numpy as np
import pytest

import evaluation
import export
import trainers
import zoo
from tests.helpers import tiny_data

ROOT = pathlib.Path(__file__).parent.parent
FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def _docstrings():
    for room in ("zoo", "evaluation", "trainers", "export"):
        for path in sorted((ROOT / room).rglob("*.py")):
            place = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.Module)):
                    doc = ast.get_docstring(node) or ""
                    for block in FENCE.findall(doc):
                        name = getattr(node, "name", "module")
                        yield pytest.param(textwrap.dedent(block), id=f"{place}.{name}")


EXAMPLES = [
    *(
        pytest.param(block, id="README")
        for block in FENCE.findall((ROOT / "README.md").read_text())
    ),
    # The example of the commands' frame is the skeleton of a module, not a program.
    *(param for param in _docstrings() if param.id != "zoo.command.run"),
]


def test_examples_are_found():
    assert len(EXAMPLES) >= 30


@pytest.mark.parametrize("code", EXAMPLES)
def test_example(code, tmp_path, monkeypatch):
    images, labels = tiny_data((28, 28, 1), count=256, classes=10)
    monkeypatch.chdir(tmp_path)
    grey = (images[..., 0], labels)
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: (grey, grey))
    fit = trainers.GAN.fit

    def short_fit(self, *args, **kwargs):
        return fit(self, *args, **{**kwargs, "epochs": 1, "steps_per_epoch": 1, "verbose": 0})

    monkeypatch.setattr(trainers.GAN, "fit", short_fit)
    players = zoo.DCGANGenerator(filters=2), zoo.DCGANDiscriminator(filters=2)
    gan = trainers.GAN(*players)
    gan.compile()
    zoo.saving.save(gan, "run/gan.keras")
    names = {"zoo": zoo, "trainers": trainers, "export": export, "keras": keras, "np": np}
    names |= {
        "evaluation": evaluation,
        "extractor": evaluation.extractors.load("mnist"),
        "x": images,
        "gan": gan,
        "generator": gan.generator,
        "images": images,
    }
    rng = np.random.default_rng(0)
    names |= {"real": rng.normal(0, 1, (200, 1)), "generated": rng.normal(1, 1, (200, 1))}
    exec(compile(code, "example", "exec"), names)
    if "gan.keras" in code and "export.save" in code:
        assert (tmp_path / "serving/fashion/1/saved_model.pb").exists()
        assert (tmp_path / "samples/epoch_0001.png").exists()
        assert names["images"].shape == (64, 28, 28, 1)
        assert isinstance(keras.saving.load_model("gan.keras"), trainers.GAN)
