"""The operations that shares of the peak are made of, and a cell of small networks."""

import keras
import numpy as np
import pytest

import zoo
from benchmarks import growth, speed


def multiplications(model):
    """Of each layer with a kernel, an example: from the shapes of its kernel and of its maps."""
    counts = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):
            counts.append(int(np.prod(layer.kernel.shape)))
        elif isinstance(layer, keras.layers.Conv2DTranspose):
            counts.append(int(np.prod(layer.kernel.shape) * np.prod(layer.input.shape[1:3])))
        elif isinstance(layer, keras.layers.Conv2D):
            counts.append(int(np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:3])))
    return counts


@pytest.mark.parametrize("net", [*speed.NETS.values(), {"image_shape": [64, 64, 3], "filters": 8}])
def test_operations_are_those_of_the_layers(net):
    make = multiplications(zoo.DCGANGenerator(**net))
    judge = multiplications(zoo.DCGANDiscriminator(**net, batch_normalization=False))
    weights = sum(judge)
    # Latents and real images need no derivative.
    generator = 2 * sum(make) - make[0]
    real = 2 * sum(judge) - judge[0]
    fake = {"alternating": real + sum(judge), "simultaneous": 2 * weights}
    for algorithm, (makes, judges) in {"alternating": (2, 3), "simultaneous": (1, 2)}.items():
        total = makes * sum(make) + generator + judges * weights + real + fake[algorithm]
        assert speed.operations(net, algorithm) == 2 * total


def test_a_cell_of_growth_changes_one_thing():
    for axis in ("batch size", "filters", "replicas"):
        base, other = (growth.cell(axis, value) for value in growth.AXES[axis][:2])
        assert sum(base[name] != other[name] for name in base) == 1


@pytest.mark.long
def test_peers_of_one_network(monkeypatch, capsys):
    """Two configurations in their processes, interleaved, and the table of them."""
    small = {"small": {"image_shape": [28, 28, 1], "filters": 4}}
    monkeypatch.setattr(speed, "NETS", small)
    flags = ["speed", "--rounds=2", "--seconds=0.1", "--only=zoo,loop"]
    speed.FLAGS(flags)
    found = speed.measure("small", 8, "float32")
    assert set(found) == {"product", "zoo", "zoo, simultaneous", "tf.function loop"}
    assert all(len(row["seconds"]) == 2 and row["peak_mib"] > 50 for row in found.values())
    speed.show("small", 8, "float32", found)
    table = capsys.readouterr().out
    assert "speed / tf.function loop" in table and table.count("...") == 6
