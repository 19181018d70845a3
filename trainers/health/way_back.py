"""The way back: a copy of what a training has learned, to return to with a smaller step."""

import io

import keras
import numpy as np
import tensorflow as tf

from zoo import untrusted

MEMBER = "healthy.npz"
NOT_LEARNED = ("iteration", "learning_rate", "steps", "seed_generator_state")


@keras.saving.register_keras_serializable(package="zoo")
class Reduced(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule times a number.

    Args:
        schedule: `keras.optimizers.schedules.LearningRateSchedule`.
        factor: float.
    """

    def __init__(self, schedule, factor):
        self.schedule, self.factor = schedule, float(factor)

    def __call__(self, step):
        return self.factor * self.schedule(step)

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "factor": self.factor}

    @classmethod
    def from_config(cls, config):
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["factor"])


class WayBack:
    """A copy in memory of a trainer's weights and of its optimizers' moments.

    The counts of steps stay as they are: a run has the length that it was asked for, its schedules
    go on, and its draws are new ones.

    Args:
        gan: A compiled trainer.
    """

    def __init__(self, gan):
        self.gan = gan
        self.values = None
        self.step = None

    def remember(self, step):
        """Copies what is there now."""
        self.values = [v.numpy() for v in self._variables()]
        self.step = step

    def go(self, factor):
        """Puts the copy back, and makes the learning rates `factor` times as large."""
        for variable, value in zip(self._variables(), self.values, strict=True):
            variable.assign(tf.cast(value, variable.dtype))
        self.gan.reset_metrics()  # Of steps that are taken back.
        for optimizer in optimizers(self.gan).values():
            optimizer = getattr(optimizer, "inner_optimizer", optimizer)
            rate = optimizer._learning_rate
            if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
                before = (rate.schedule, rate.factor) if isinstance(rate, Reduced) else (rate, 1.0)
                optimizer._learning_rate = Reduced(before[0], before[1] * factor)
                self.gan.make_train_function(force=True)  # The old one has the old schedule.
            else:
                rate.assign(rate * factor)

    def to_bytes(self):
        """The copy as the bytes of an .npz file; `None` where there is none."""
        if self.values is None:
            return None
        file = io.BytesIO()
        arrays = {f"v{k}": _of_numpy(value) for k, value in enumerate(self.values)}
        np.savez(file, step=self.step, **arrays)
        return file.getvalue()

    def from_bytes(self, content):
        """Takes the copy over from such bytes.

        Raises:
            ValueError: If they are no copy of this trainer.
        """
        arrays = untrusted.read_arrays(content, MEMBER)
        variables = self._variables()
        values = [arrays.get(f"v{k}") for k in range(len(variables))]
        if any(
            value is None or value.shape != tuple(variable.shape)
            for variable, value in zip(variables, values, strict=True)
        ):
            raise ValueError(
                f"`path` is damaged: its {MEMBER} holds no weights of this trainer. Expected what "
                f"trainers.HealthMonitor wrote. Received: {len(arrays)} arrays"
            )
        self.values, self.step = values, int(arrays["step"])

    def _variables(self):
        """What is learned: floats of players, averages, penalties' states and moments."""
        found = list(self.gan.variables)
        for optimizer in optimizers(self.gan).values():
            found += optimizer.variables
        metrics = {id(v) for v in self.gan.metrics_variables}
        kept = {}
        for variable in found:
            named = variable.name in NOT_LEARNED or variable.path.endswith(NOT_LEARNED)
            floats = variable.dtype.startswith(("float", "bfloat"))
            if floats and not named and id(variable) not in metrics:
                kept[id(variable)] = variable
        return list(kept.values())


def optimizers(model):
    """The optimizers of a trainer or of an autoencoder, by what they move."""
    named = getattr(model, "named_optimizers", None)
    return {"model": model.optimizer} if named is None else named()


def _of_numpy(value):
    """The same numbers in a dtype that NumPy has itself."""
    return value.astype("float32") if value.dtype.name == "bfloat16" else value
