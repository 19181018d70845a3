"""Our packages are found beside each other, whatever else has their names."""

import importlib
import os
import pathlib
import subprocess
import sys
import tomllib

import pytest

import gan_zoo

ROOT = pathlib.Path(__file__).parent.parent


def _python(code, folder):
    """Runs code in a folder, with the project on the path behind it."""
    names = set(os.environ) - {"TF_CPP_MIN_LOG_LEVEL"}  # As a user starts Python.
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**{name: os.environ[name] for name in names}, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def folder(tmp_path):
    """A user's folder, with a package `evaluation` of hers."""
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "__init__.py").write_text("MINE = 1\n")
    return tmp_path


def test_a_package_of_the_same_name_is_passed_over_and_named(folder):
    code = "import trainers, evaluation; print(trainers.GAN, evaluation.FrechetDistance)"
    result = _python(code, folder)
    assert result.returncode == 0, result.stderr
    assert "`evaluation` is GAN Zoo's in this process" in result.stderr
    assert str(folder / "evaluation") in result.stderr and "import gan_zoo" in result.stderr


def test_one_that_is_in_use_is_an_error_that_says_what_to_do(folder):
    result = _python("import evaluation, trainers", folder)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert "`evaluation` is another package in this process" in last
    assert str(ROOT / "evaluation") in last and str(folder / "evaluation") in last
    assert "Use `import gan_zoo`" in last


@pytest.mark.parametrize("first", ["", "import evaluation; "])
def test_gan_zoo_keeps_the_two_apart(folder, first):
    code = (
        f"{first}import gan_zoo; gan_zoo.trainers.GAN, gan_zoo.evaluation.FrechetDistance; "
        "import evaluation; assert evaluation.MINE == 1; "
        "import trainers.runs.run; assert trainers is gan_zoo.trainers; "
        "assert trainers.runs.run.measures is gan_zoo.evaluation.measures"
    )
    result = _python(code, folder)
    assert result.returncode == 0, result.stderr
    assert "UserWarning" not in result.stderr


def test_without_another_they_are_the_same_packages(tmp_path):
    code = "import gan_zoo, zoo, export; assert gan_zoo.zoo is zoo and gan_zoo.export is export"
    result = _python(code + "; import tensorflow as tf; tf.zeros(1)", tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == result.stderr == ""  # TensorFlow would print nine lines.


def test_what_is_no_package_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'zo'"):
        gan_zoo.zo  # noqa: B018
    assert dir(gan_zoo) == ["__version__", "evaluation", "export", "trainers", "zoo"]


def test_only_public_names_are_offered():
    """What a completion shows: no module on which another rests."""
    for name in gan_zoo.siblings.PACKAGES:
        package = getattr(gan_zoo, name)
        assert dir(package) == sorted(package.__all__)
        assert all(hasattr(package, each) for each in package.__all__)


def test_scripts_start_what_the_modules_start():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(project["scripts"]) == len(gan_zoo.siblings.PACKAGES)
    for target in project["scripts"].values():
        module, function = target.split(":")
        with pytest.raises(SystemExit) as left, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [module, "--help"])
            getattr(importlib.import_module(module), function)()
        assert left.value.code == 0


def test_tests_need_what_running_does_not():
    assert "pytest" not in (ROOT / "requirements.txt").read_text()


def test_every_package_is_installed():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    rooms = ("gan_zoo", *gan_zoo.siblings.PACKAGES)
    assert {f"{room}*" for room in rooms} == set(setup["packages"]["find"]["include"])
    for room in rooms:
        folders = {path.parent for path in (ROOT / room).rglob("*.py")}
        assert all((folder / "__init__.py").exists() for folder in folders)
