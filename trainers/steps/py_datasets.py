"""The batches of a `keras.utils.PyDataset`, fetched ahead by its workers."""

import collections
import concurrent.futures
import contextlib
import itertools
import random


class Passes:
    """An iterable of a `PyDataset`'s batches, in an order that follows from (seed, step).

    Args:
        dataset: The `PyDataset`.
        shuffle: bool. Whether each pass has an order of its own; an endless one has none.
        trainer: Says the seed and the step.
        goes_on: bool. Whether passes begin in the middle of an epoch: while the next batches are
            fetched ahead, the step is that of some batch before, so later passes are numbered.
    """

    def __init__(self, dataset, shuffle, trainer, goes_on=False):
        self.dataset = dataset
        self.shuffle = shuffle
        self.trainer = trainer
        self.numbers = itertools.count() if goes_on else itertools.repeat(0)
        self.begun = None

    def __iter__(self):
        count = self.dataset.num_batches
        numbers = itertools.count() if count is None else list(range(count))
        if self.shuffle and count is not None:
            number = next(self.numbers)
            if number == 0:
                self.begun = int(self.trainer.steps.numpy())
            word = f"{self.trainer.seed} {self.begun}" + f" {number}" * (number > 0)
            random.Random(word).shuffle(numbers)
        return _fetched(self.dataset, numbers)


def _fetched(dataset, numbers):
    """The batches of these numbers, in this order."""
    workers, processes = dataset.workers, dataset.use_multiprocessing
    if workers < 1 or (workers == 1 and not processes):
        yield from map(dataset.__getitem__, numbers)
        return
    ahead = collections.deque()
    with _pool(dataset) as (submit, arguments):
        for number in numbers:
            ahead.append(submit(*arguments, number))
            if len(ahead) > dataset.max_queue_size:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


@contextlib.contextmanager
def _pool(dataset):
    """`submit` of a pool of the data set's workers, and its first arguments."""
    if dataset.use_multiprocessing:
        pool = concurrent.futures.ProcessPoolExecutor(
            dataset.workers, initializer=_share, initargs=(dataset,)
        )
        arguments = (_item,)
    else:
        pool = concurrent.futures.ThreadPoolExecutor(dataset.workers)
        arguments = (dataset.__getitem__,)
    try:
        yield pool.submit, arguments
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_shared = []  # In a worker process: the data set, which is sent once.


def _share(dataset):
    _shared[:] = [dataset]


def _item(number):
    return _shared[0][number]
