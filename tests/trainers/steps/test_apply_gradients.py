"""A step writes after it has read, in the graph that TensorFlow runs."""

import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainers import divergences
from trainers.steps import apply_gradients

SCRIPT = pathlib.Path(__file__).parents[1] / "graph_order.py"


SOME = ["kl", "pearson"]
ALL = [name for name, cls in divergences.DIVERGENCES.items() if not cls.argument_names()]


@pytest.mark.parametrize("names", [SOME, pytest.param(ALL, marks=pytest.mark.long)], ids=len)
def test_every_write_has_its_place_among_the_reads(names, tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": os.getcwd(),
        "TF_DUMP_GRAPH_PREFIX": str(tmp_path),
        "TF_CPP_VMODULE": "process_function_library_runtime=5,optimize_function_graph_utils=5",
    }
    process = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, *names], capture_output=True, text=True, env=environment
    )
    assert process.returncode == 0, process.stderr[-3000:]
    found = json.loads(process.stdout.splitlines()[-1])
    assert {"GAN", "UnrolledGAN", "estimate", *(f"FGAN {name}" for name in names)} <= set(found)
    assert all(reads > 20 and writes > 4 for reads, writes, _ in found.values())
    assert {name: pairs for name, (_, _, pairs) in found.items() if pairs} == {}


def test_gradients_that_wait_stay_as_they_are():
    values = [tf.constant([1.0, -2.0]), None, tf.constant(3.0)]

    @tf.function
    def held():
        return [g for g in apply_gradients.together(values) if g is not None]

    np.testing.assert_array_equal(held()[0], [1.0, -2.0])
    np.testing.assert_array_equal(held()[1], 3.0)
    assert [g is None for g in apply_gradients.together(values)] == [False, True, False]


def test_a_move_is_the_optimizers_step():
    players = [keras.Variable([1.0, 2.0]), keras.Variable([[3.0]])]
    apply_gradients.apply(
        keras.optimizers.SGD(0.5), [tf.constant([2.0, -4.0]), tf.constant([[1.0]])], players
    )
    np.testing.assert_array_equal(players[0], [0.0, 4.0])
    np.testing.assert_array_equal(players[1], [[2.5]])
