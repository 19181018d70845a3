"""An ensemble in chunks: each a small ensemble whose weights, and what a step makes, stay in cache.

A chunk takes its members' state out of arrays, trains them for a number of steps in one compiled
loop, and puts it back. Chunks know nothing of each other, so each core has one at work.
"""

import numpy as np
import tensorflow as tf

from trainers.ensembles.members import Members
from trainers.gan import GAN
from trainers.steps import optimizers
from trainers.steps.compilation import PLAYERS
from zoo import tracing
from zoo.stacked import Stacked


class Chunk(Members, GAN):
    """So many members of an ensemble, trained as one flat batch; it is in no file."""

    def run(self, seeds, data, indices, steps):
        """Trains each member on its own rows.

        Args:
            seeds: int64 `(members,)`.
            data: Samples, and labels where there are some: `(members, n, ...)`, or `(n, ...)`.
            indices: int32 `(steps, members, batch)`: the rows of each batch; `None` where a batch
                is all rows in their order.
            steps: int32 scalar.

        Returns:
            dict of the mean figures `(members,)`.
        """
        self.member_seeds = seeds
        for tracker in self.metrics:
            tracker.reset_state()

        def one(step):
            rows = None if indices is None else indices[step]
            self.train_step(tuple(self._flat(x, rows) for x in data))
            return (step + 1,)

        tf.while_loop(lambda step: step < steps, one, (tf.constant(0, "int32"),))
        return {tracker.name: tracker.each() for tracker in self.metrics}

    def _flat(self, x, rows):
        """The flat batch of all members."""
        example = x.shape[2:] if self.own_rows else x.shape[1:]
        if rows is not None:
            x = tf.gather(x, rows, batch_dims=1) if self.own_rows else tf.gather(x, rows)
        elif not self.own_rows:
            x = tf.tile(x[None], (self.members, *(1 for _ in x.shape)))
        return tf.reshape(x, (-1, *example))


class Worker:
    """One chunk at work: its trainer, and its compiled loop.

    Args:
        ensemble: The `trainers.GANEnsemble`.
        members: int. Members of a chunk.
        own_rows: bool. Whether each member has its own data.
    """

    def __init__(self, ensemble, members, own_rows):
        compilation = ensemble._compilation
        self.chunk = Chunk(
            Stacked(ensemble.generator.player, members, "generator"),
            Stacked(ensemble.discriminator.player, members, "discriminator"),
            discriminator_steps=ensemble.discriminator_steps,
            schedule=ensemble.schedule,
            seed=ensemble.seed,
            value_range=ensemble.value_range,
            packing=ensemble.packing,
        )
        self.chunk.own_rows = own_rows
        config = compilation.config()
        for name in PLAYERS:
            own = getattr(ensemble, f"{name}_optimizer")
            config[f"{name}_optimizer"] = optimizers.unbuilt(own)
        self.chunk.compile(**config)
        self.state = state(self.chunk)
        self._run = self.chunk.run
        if not config["run_eagerly"]:
            run = tracing.traced(self.chunk.run)
            self._run = tf.function(run, autograph=False, jit_compile=ensemble.uses_xla)
            # Each worker traces it once: TensorFlow would warn of so many of one function.
            self._run._omit_frequent_tracing_warning = True

    def train(self, arrays, members, seeds, data, runs):
        """Trains some members, of which `arrays` has the state; they are changed in place.

        Args:
            arrays: The state of the ensemble, as `state` orders it.
            members: Slice of the members.
            seeds: int64 array of their seeds.
            data: `trainers.ensembles.data.MemberData`.
            runs: List of the numbers of steps, one an epoch.

        Returns:
            A list of a dict of figures `(members,)`, one an epoch.
        """
        count, size = members.stop - members.start, self.chunk.members
        # The last chunk may have fewer: its first members fill it, and are forgotten.
        numbers = np.resize(np.arange(members.start, members.stop), size)
        for variable, array in zip(self.state, arrays, strict=True):
            variable.assign(array[numbers] if array.ndim else array)
        step = int(self.chunk.steps.numpy())
        seeds, own = seeds[numbers], data.of(numbers)
        figures = []
        for steps in runs:
            indices = data.indices(seeds, step, steps)
            logs = self._run(tf.constant(seeds), own, indices, tf.constant(steps, "int32"))
            figures.append({name: value.numpy()[:count] for name, value in logs.items()})
            step += steps
        for variable, array in zip(self.state, arrays, strict=True):
            if array.ndim:
                array[members] = variable.numpy()[:count]
        return figures

    def shared(self):
        """The state that all members share, after a chunk: counters, by their place."""
        return {k: v.numpy() for k, v in enumerate(self.state) if not len(v.shape)}


def state(trainer):
    """The variables that a step moves, in an order that an ensemble and its chunks share."""
    moved = [*trainer.generator.variables, *trainer.discriminator.variables]
    if trainer.ema_generator is not None:
        moved += trainer.ema_generator.variables
    for name in PLAYERS:
        moved += getattr(trainer, f"{name}_optimizer").variables
    return [*moved, trainer.steps]
