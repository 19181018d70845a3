"""The study of stacked MNIST: its nets and its table."""

import numpy as np
import pytest

import trainers
import zoo
from studies import stacked_mnist


def test_the_nets_are_those_of_the_paper():
    generator = stacked_mnist.generator()
    assert generator.output_shape == (None, 28, 28, 3)
    maps = [64, 32, 16, 8]
    kernels = sum(9 * a * b for a, b in zip(maps, maps[1:], strict=False))
    scales = 4 * (4 * 4 * 64 + sum(maps[1:]))  # Of normalization, with its moving statistics.
    expected = 256 * 4 * 4 * 64 + kernels + scales + 9 * 8 * 3 + 3
    assert generator.count_params() == expected
    for filters in stacked_mnist.SIZES.values():
        assert stacked_mnist.discriminator(filters).layers[-2].output.shape[1] == 16 * filters[-1]
    assert stacked_mnist.discriminator((2, 4, 8), 3).input_shape == (None, 28, 28, 9)


def test_numbers_of_known_digits_are_counted():
    images, labels = zoo.datasets.arrays("stacked_mnist", "test", examples=300)
    found = stacked_mnist.counted(images)
    shares = np.unique(labels, return_counts=True)[1] / 300
    assert abs(found["modes"] - len(shares)) <= 10  # The classifier errs on one digit of a hundred.
    exact = float(np.sum(shares * np.log(shares * 1000)))
    assert found["kl"] == pytest.approx(exact, abs=0.05)
    assert np.array_equal(found["pictures"], images[:16])


def test_a_game_of_each_kind_is_played():
    filters = stacked_mnist.SIZES["D/4"]
    found = stacked_mnist.game(trainers.UnrolledGAN, filters, 2, 0, 64, unroll_steps=1)
    assert (found["samples"], found["steps"]) == (64, 2)
    assert 1 <= found["modes"] <= 64


def test_the_preset_is_judged_by_the_published_figures(tmp_path):
    row = {"modes": 1000, "kl": 0.03, "covered_20": 9, "samples": 25_600}
    row["pictures"] = np.zeros((16, 28, 28, 3), int).tolist()
    names = {"preset", *(name for name, _ in stacked_mnist.STUDY.parts(False, 0))}
    made = {name: {**row, "steps": 1} for name in names}
    made["data"]["kl"] = 0.024
    found = [f.holds for f in stacked_mnist.report(made, tmp_path) if f.holds is not None]
    assert found == [True, True, True]
    made["preset"] = {**row, "modes": 999, "kl": 0.07}
    found = [f.holds for f in stacked_mnist.report(made, tmp_path) if f.holds is not None]
    assert found == [True, False, False]
    del made["preset"]
    found = [f for f in stacked_mnist.report(made, tmp_path) if f.holds is False]
    assert [f.found for f in found] == [stacked_mnist.MISSING] * 2
    assert "30.6" in (tmp_path / "stacked_mnist.csv").read_text()
