"""The examples of the README and of the docstrings run as they stand, on little data."""

import ast
import pathlib
import re
import textwrap

import keras
import pytest

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


def _short(fit):
    def short_fit(self, *args, **kwargs):
        return fit(self, *args, **{**kwargs, "epochs": 1, "steps_per_epoch": 1, "verbose": 0})

    return short_fit


@pytest.mark.parametrize("code", EXAMPLES)
def test_example(code, tmp_path, monkeypatch):
    """Each stands for itself: the names that it uses are those that it makes."""
    images, labels = tiny_data((28, 28, 1), count=256, classes=10)
    monkeypatch.chdir(tmp_path)
    grey = (images[..., 0], labels)
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: (grey, grey))
    for cls in (trainers.GAN, zoo.VAE):
        monkeypatch.setattr(cls, "fit", _short(cls.fit))
    if "run/" in code:
        gan = trainers.GAN(zoo.DCGANGenerator(filters=2), zoo.DCGANDiscriminator(filters=2))
        gan.compile()
        zoo.saving.save(gan, "run/gan.keras")
    names = {}
    exec(compile(code, "example", "exec"), names)
    if "gan.keras" in code and "export.save" in code:
        assert (tmp_path / "serving/fashion/1/saved_model.pb").exists()
        assert (tmp_path / "samples/epoch_0001.png").exists()
        assert names["images"].shape == (64, 28, 28, 1)
        assert isinstance(keras.saving.load_model("gan.keras"), trainers.GAN)
