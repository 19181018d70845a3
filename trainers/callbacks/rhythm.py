"""When a callback that counts in steps is due."""

from zoo.validation import check_positive


class Rhythm:
    """Every so many steps of a trainer, counted from its first: a resumed run keeps the beat.

    Between two beats lie as many steps as were asked for where an execution of several steps does
    not reach over a beat; the callback is then due at the end of that execution.

    Args:
        every_steps: int. Steps from one beat to the next.

    Raises:
        ValueError: If it is not positive; in training, if the model counts no steps.

    Attributes:
        step: int. The trainer's steps so far.
    """

    def __init__(self, every_steps):
        check_positive(every_steps=every_steps)
        self.every_steps = every_steps
        self.step = 0

    def begin(self, model):
        """To be called when an epoch begins: reads the model's counter."""
        if not hasattr(model, "steps"):
            raise ValueError(
                "`every_steps` needs a model that counts its steps. Expected a trainer of "
                f"`trainers`, such as trainers.GAN. Received: model={type(model).__name__}"
            )
        self._first = self.step = int(model.steps.numpy())

    def reaches(self, batch):
        """To be called when a batch of the epoch ends: whether a beat has been reached."""
        before, self.step = self.step, self._first + batch + 1
        return self.step // self.every_steps > before // self.every_steps
