"""A warning where loss scaling in float16 cannot help."""

import warnings

import keras


class ScaleWatch(keras.callbacks.Callback):
    """Warns, after an epoch, of a player whose optimizer finds no scale at which it can move.

    A `LossScaleOptimizer` leaves out a step with infinite gradients and halves its scale. It has
    found a scale where steps are taken; below 1 it looks for one in vain, because the loss itself,
    or a penalty's gradient, is beyond float16's 65,504, and the player stands still.
    """

    def __init__(self):
        super().__init__()
        self.warned = set()

    def on_epoch_end(self, epoch, logs=None):
        for name, optimizer in self.model.named_optimizers().items():
            if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                continue
            scale = float(optimizer.dynamic_scale.numpy())
            if scale >= 1 or id(optimizer) in self.warned:
                continue
            self.warned.add(id(optimizer))
            warnings.warn(
                f"The {name} stands still: its gradients are infinite in float16 at a loss scale "
                f"of {scale:.3g} too, where a loss or a penalty is beyond 65,504. Prefer "
                "mixed_bfloat16, which has float32's range, or a smaller weight of the penalty.",
                stacklevel=2,
            )
