"""Traces a step of each case and looks into the graph that TensorFlow made of it; run by
steps/test_apply_gradients.py in a process of its own, because TensorFlow reads where to write
graphs at its start.

Prints a JSON object: for each case its reads and writes of variables, and the pairs of a read and
a write of one variable that the graph leaves without an order.
"""

import json
import pathlib
import re
import sys

import keras
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import graph_pb2
from two_replicas import CASES, POINTS, points

import trainers

sys.setrecursionlimit(100_000)


def branches(name):
    """{(condition, branch)} of the branches in which a node lies."""
    return {(name[: m.start()], m[1]) for m in re.finditer("/(then|else)/_", name)}


def exclude_each_other(a, b):
    """Whether two nodes lie in the two branches of one condition."""
    other = {"then": "else", "else": "then"}
    return bool(branches(a) & {(at, other[branch]) for at, branch in branches(b)})


def unordered(graph):
    """(reads, writes, pairs without an order) of a GraphDef."""
    nodes = {node.name: node for node in graph.node}
    inputs = {
        name: [i.lstrip("^").split(":")[0] for i in node.input] for name, node in nodes.items()
    }
    known = {}

    def ancestors(name):
        if name not in known:
            # The next turn of a loop comes after this one, as it must.
            before = [] if nodes[name].op == "NextIteration" else inputs[name]
            before = [i for i in before if i in nodes]
            known[name] = set(before).union(*map(ancestors, before))
        return known[name]

    def variable(name):
        while nodes[name].op in ("Identity", "Enter"):
            name = inputs[name][0]
        return name

    reads = [n.name for n in graph.node if n.op == "ReadVariableOp"]
    writes = [n.name for n in graph.node if n.op.startswith("Assign")]
    pairs = [
        (read, write)
        for write in writes
        for read in reads
        if variable(inputs[read][0]) == variable(inputs[write][0])
        and read not in ancestors(write)
        and write not in ancestors(read)
        and not exclude_each_other(read, write)
    ]
    return len(reads), len(writes), pairs


def graph_of(folder, function, call):
    """What TensorFlow makes of the one function of this name that a call builds."""
    seen = set(folder.iterdir())
    call()
    (path,) = [p for p in set(folder.iterdir()) - seen if f"__inference_{function}_" in p.name]
    return text_format.Parse(path.read_text(), graph_pb2.GraphDef())


def step_of(make, players, data, compiled, optimizer):
    """A call that takes one training step of a case."""
    keras.utils.set_random_seed(0)
    gan = make(*players())
    gan.compile(
        generator_optimizer=optimizer, discriminator_optimizer=optimizer, ema_decay=0.9, **compiled
    )
    batch = tuple(x[:16] for x in data)
    step = tf.function(gan.train_step, autograph=False)
    return lambda: step(batch if len(batch) > 1 else batch[0])


def cases(names):
    """Every trainer, and f-GANs with the other way of keeping an optimizer's state."""
    yield from ((name, (*case, "SGD")) for name, case in CASES.items())
    for name in names:
        make = lambda *p, name=name: trainers.FGAN(*p, divergence=name)  # noqa: E731
        yield f"FGAN {name}", (make, points, (POINTS,), {}, "Adam")


def estimate():
    """One step of the critic that estimates a divergence."""
    trainers.estimate_divergence(POINTS[:32], POINTS[32:], "kl", steps=1)


if __name__ == "__main__":
    folder, *names = sys.argv[1:]
    folder = pathlib.Path(folder)
    graphs = {name: graph_of(folder, "train_step", step_of(*case)) for name, case in cases(names)}
    graphs["estimate"] = graph_of(folder, "run", estimate)
    print(json.dumps({name: unordered(graph) for name, graph in graphs.items()}))
