"""Two replicas of a batch of 16 are one device: every trainer, and whatever couples rows."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

# One process measures for all of them.
pytestmark = pytest.mark.xdist_group("replicas")

SCRIPT = pathlib.Path(__file__).with_name("two_replicas.py")
CASES = [
    "GAN",
    "simultaneous",
    "HistoricalAveragingGAN",
    "FeatureMatchingGAN",
    "FGAN",
    "WassersteinGAN",
    "WassersteinGANGP",
    "UnrolledGAN",
    "ConsensusGAN",
    "LaplacianGAN",
    "relativistic_average",
    "perturbed",
    "penalised",
    "dropout",
    "batch normalisation",
    "labels",
    "mixed precision",
]


@pytest.fixture(scope="module")
def found():
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    process = subprocess.run(
        [sys.executable, SCRIPT], capture_output=True, text=True, env=environment
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_every_case_ran(found):
    assert list(found["cases"]) == CASES


@pytest.mark.parametrize("name", CASES)
def test_two_replicas_are_one_device(found, name):
    case = found["cases"][name]
    tolerance = 1e-5 if name == "mixed precision" else 1e-6
    assert case["weights"] < tolerance
    assert case["logs"] < 1e-5
    assert case["steps"] == 8
    assert case["copies"] == 0.0  # Both replicas hold the same weights and statistics.


def test_replicas_draw_the_rows_of_one_draw(found):
    assert found["drawn"] == [True] * 4


def test_a_trainer_goes_on_from_its_file(found):
    assert found["resumed"] == 0.0


@pytest.mark.parametrize(
    "name, message",
    [
        ("batch", "multiple of 2 examples. Received: a batch of 15"),
        ("xla", "Received: jit_compile=True"),
        ("rule", "`discriminator_steps` lets the generator of a GAN wait"),
        ("warm_up", "`warm_up` lets the generator of a WassersteinGAN wait"),
    ],
)
def test_what_cannot_be_distributed_is_named(found, name, message):
    assert message in found["refused"][name]
