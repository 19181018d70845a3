"""The training of an ensemble: chunks shared out to the cores, and what their figures become."""

import concurrent.futures
import os
import queue

import numpy as np
import tensorflow as tf

from trainers.ensembles import couplings
from trainers.ensembles.chunks import Worker, state

CACHE = 2**20  # Numbers that a step of a chunk may touch; measured: benchmarks/ensemble.py.
QUANTILES = (5, 50, 95)  # Of the losses over members, in percent.


class Training:
    """One `fit` of an ensemble.

    Args:
        ensemble: A compiled `trainers.GANEnsemble`.
        data: `trainers.ensembles.data.MemberData`.
        steps: int. Steps of an epoch.
    """

    def __init__(self, ensemble, data, steps):
        self.ensemble, self.data, self.steps = ensemble, data, steps
        self.state = state(ensemble)
        size, cores = chunk_size(ensemble, data.batch_size), workers()
        whole = range(0, ensemble.members, size)
        self.parts = [slice(k, min(k + size, ensemble.members)) for k in whole]
        key = (size, data.own)
        made = ensemble.workers.setdefault(key, [])
        while len(made) < min(cores, len(self.parts)):
            made.append(Worker(ensemble, size, data.own))
        self.workers = made
        self.kept = []

    def train(self, epochs, done):
        """Trains all members for some epochs, and gives the ensemble their state.

        Args:
            epochs: int.
            done: Function of the number of chunks that are done.

        Returns:
            A list of a dict of figures `(members,)`, one an epoch.
        """
        free = queue.SimpleQueue()
        for worker in self.workers:
            free.put(worker)
        seeds = self.ensemble.member_seeds.numpy()
        # Read anew: a callback may have set learning rates, or weights.
        arrays = [np.array(variable.numpy()) for variable in self.state]

        def chunk(members):
            worker = free.get()
            try:
                figures = worker.train(arrays, members, seeds, self.data, [self.steps] * epochs)
                return members, figures, worker.shared()
            finally:
                free.put(worker)

        found = [{} for _ in range(epochs)]
        with concurrent.futures.ThreadPoolExecutor(len(self.workers)) as pool:
            futures = [pool.submit(chunk, part) for part in self.parts]
            try:
                for k, future in enumerate(concurrent.futures.as_completed(futures)):
                    members, figures, shared = future.result()
                    for epoch, named in enumerate(figures):
                        for name, values in named.items():
                            row = found[epoch].setdefault(
                                name, np.empty(self.ensemble.members, "float32")
                            )
                            row[members] = values
                    done(k)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        for place, value in shared.items():
            arrays[place] = value
        for variable, array in zip(self.state, arrays, strict=True):
            variable.assign(array)
        self.kept += found
        return found

    def history(self):
        """The figures of each member: a dict of arrays `(epochs, members)`."""
        names = self.kept[0] if self.kept else ()
        return {name: np.stack([figures[name] for figures in self.kept]) for name in names}


def log(figures):
    """What a log has of the figures `(members,)` of an epoch.

    Means and quantiles are over the members that are finite; how many are not is `diverged`.
    """
    lost = ~np.all([np.isfinite(values) for values in figures.values()], axis=0)
    made = {}
    for name, values in figures.items():
        finite = values[~lost] if not lost.all() else np.full(1, np.nan)
        made[name] = float(np.mean(finite, dtype="float64"))
        if name.endswith("_loss"):
            for q, value in zip(QUANTILES, np.percentile(finite, QUANTILES), strict=True):
                made[f"{name}_q{q:02d}"] = float(value)
    return {**made, "diverged": int(lost.sum())}


def workers():
    """Chunks at work at a time: one a core, or one on a GPU."""
    return 1 if tf.config.get_visible_devices("GPU") else len(os.sched_getaffinity(0))


def chunk_size(ensemble, batch_size):
    """Members of a chunk: as many as fit into a core's cache, and a chunk for each core."""
    players = [ensemble.generator.player, ensemble.discriminator.player]
    weights = sum(int(tf.size(w)) for player in players for w in player.weights)
    activity = batch_size * sum(sum(couplings.widths(player)) for player in players)
    size = max(1, CACHE // (4 * weights + 2 * activity))
    if tf.config.get_visible_devices("GPU"):
        size = max(size, 4096)
    chunks = -(-ensemble.members // size)
    chunks = -(-chunks // workers()) * workers()  # Each core gets as many.
    return -(-ensemble.members // min(chunks, ensemble.members))
