"""The devices and machines that train together: what `--strategy` of the command chooses."""

import json
import os
import pathlib

import tensorflow as tf

from zoo.validation import check_choice

STRATEGIES = ("none", "mirrored", "multi_worker")
EXAMPLE = (
    '{"cluster": {"worker": ["host0:9000", "host1:9000"]}, "task": {"type": "worker", "index": 0}}'
)


def strategy(name):
    """The `tf.distribute` strategy of a name, made before anything else touches TensorFlow.

    Args:
        name: `"none"` (one device), `"mirrored"` (all GPUs of this machine, or its logical CPUs),
            or `"multi_worker"` (all processes that TF_CONFIG names).

    Returns:
        A `tf.distribute.Strategy`.

    Raises:
        ValueError: If the name is unknown, or TF_CONFIG is missing or wrong.

    Reference:
        - https://www.tensorflow.org/guide/distributed_training, for TF_CONFIG.
    """
    check_choice(STRATEGIES, strategy=name)
    if name == "multi_worker":
        _check_config(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "mirrored":
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        devices = [device.name for device in tf.config.list_logical_devices(kind)]
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()


def is_chief(strategy):
    """Whether this process writes the files: the chief, or worker 0 where there is none."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    kind, index = resolver.task_type, resolver.task_id
    return kind == "chief" or (index == 0 and "chief" not in resolver.cluster_spec().jobs)


def several_processes(strategy):
    """Whether other processes take part, who have to do everything at the same steps."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def own_folder(strategy, folder, spare):
    """Where this process writes: the folder of the run, or a spare one that nobody keeps."""
    return pathlib.Path(folder if is_chief(strategy) else spare)


def _check_config(text):
    wanted = f"Expected the environment variable TF_CONFIG, such as {EXAMPLE}. "
    if not text:
        raise ValueError(
            f"`TF_CONFIG` has to say which processes take part. {wanted}Received: no TF_CONFIG"
        )
    try:
        config = json.loads(text)
        task = config["task"]
        address = config["cluster"][task["type"]][task["index"]]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f"`TF_CONFIG` does not say which process this is. {wanted}Received: TF_CONFIG={text!r}"
        ) from error
    if task["type"] not in ("chief", "worker"):
        raise ValueError(
            "`TF_CONFIG` names a task that does not train. Expected type chief or worker. "
            f"Received: {task['type']!r} at {address}"
        )
