"""An epoch is one transaction: it has ended when all callbacks have had its end.

A checkpoint says which steps were made, whether the end of their epoch was reached, and the sums
of the epoch's figures so far. A run that goes on from it first ends an epoch that was not ended,
with the same score, row and pictures as without the stop.
"""

import json

import keras

from zoo import saving

STATE = "epoch.json"


def state(model, ended):
    """What a checkpoint says of its epoch, as a member of its file: `{name: text}`.

    Args:
        model: A compiled Keras model.
        ended: bool. Whether all callbacks have had the end of the epoch.
    """
    sums = {metric.name: [float(v) for v in metric.variables] for metric in _summed(model)}
    return {STATE: json.dumps({"ended": bool(ended), "sums": sums})}


def read(path):
    """The state in a checkpoint: dict. A file of before has none, and its epoch counts as ended.

    Raises:
        ValueError: If it is no state.
    """
    found = saving.read_member(path, STATE)
    try:
        state = {"ended": True, "sums": {}} if found is None else json.loads(found)
        sums = state.get("sums")
    except (ValueError, AttributeError):
        sums = None
    if not isinstance(sums, dict) or not all(_are_numbers(value) for value in sums.values()):
        raise ValueError(
            f"`path` is damaged: its {STATE} says no state of an epoch. Expected a checkpoint that "
            f"trainers.Checkpoint wrote. Received: path={str(path)!r}"
        )
    return state


def is_open(state, step, epoch_steps, end):
    """Whether the callbacks have yet to end the epoch of which all steps were made."""
    return not state.get("ended") and step > 0 and (step % epoch_steps == 0 or step == end)


def finish(gan, state, callbacks, epoch):
    """Ends an epoch of which all steps were made before a stop.

    Args:
        gan: The trainer, as the checkpoint has it.
        state: Of that checkpoint, as `read` gives it.
        callbacks: Those of the run.
        epoch: int. Counted from 0.
    """
    Sums(state).restore(gan)
    logs = {name: float(value) for name, value in gan.get_metrics_result().items()}
    all_of_them = keras.callbacks.CallbackList(callbacks, model=gan)
    all_of_them.on_train_begin()
    all_of_them.on_epoch_begin(epoch)
    all_of_them.on_epoch_end(epoch, logs)
    all_of_them.on_train_end()


class Sums(keras.callbacks.Callback):
    """Gives the first epoch the sums of its figures before a stop, so that its means are of all.

    Args:
        state: Of a checkpoint, as `read` gives it.
    """

    def __init__(self, state):
        super().__init__()
        self.state = state

    def on_epoch_begin(self, epoch, logs=None):
        self.restore(self.model)
        self.state = {}

    def restore(self, model):
        """Sets the sums of the model's metrics."""
        sums = self.state.get("sums", {})
        for metric in _summed(model):
            values = sums.get(metric.name, ())
            if len(values) == len(metric.variables):
                for variable, value in zip(metric.variables, values, strict=True):
                    variable.assign(value)


def _summed(model):
    """The metrics of a model that are sums of numbers. Those of replicas are left as they are."""
    strategy = getattr(model, "distribute_strategy", None)
    if getattr(strategy, "num_replicas_in_sync", 1) > 1:
        return []
    return [m for m in model.metrics if all(v.shape == () for v in m.variables)]


def _are_numbers(values):
    return isinstance(values, list) and all(type(v) in (int, float) for v in values)
