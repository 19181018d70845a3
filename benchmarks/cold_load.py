"""How long a server that starts cold takes to its first answer: in a process of TensorFlow alone.

    python cold_load.py VERSION WARM

VERSION is the folder of a SavedModel; with WARM 1 the requests beside it are replayed before it is
asked, as a server does that is started with `--enable_model_warmup`. Prints JSON, in seconds:

| entry | what is timed |
|---|---|
| `load` | `tf.saved_model.load`, TensorFlow being imported |
| `warm_up` | the replay of the requests, `records` of them; 0 without |
| `first` | the first answer of `sample` to a batch of one |
| `first_batch` | then the first one to a batch of 64 |
| `later`, `later_batch` | the median of 20 answers of each size after these |
"""

import json
import pathlib
import statistics
import sys
import time

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

WARM_UP = pathlib.Path("assets.extra", "tf_serving_warmup_requests")
BATCH = 64
LATER = 20


def replay(version, signatures):
    """Asks what a server warms up with: how many requests there are."""
    count = 0
    for record in tf.data.TFRecordDataset(str(version / WARM_UP)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        given = {name: tf.constant(tf.make_ndarray(x)) for name, x in request.inputs.items()}
        signatures[request.model_spec.signature_name](**given)
        count += 1
    return count


def requests(signature, rows):
    """Rows of seeds, of the first class or with conditions of 0."""
    specs = signature.structured_input_signature[1]
    given = {
        name: tf.zeros([rows, *spec.shape[1:]], spec.dtype)
        for name, spec in specs.items()
        if name != "seed"
    }
    return {**given, "seed": tf.constant(np.arange(rows))}


def timed(call, *arguments, **named):
    """What a call returns, and the seconds it took."""
    start = time.perf_counter()
    result = call(*arguments, **named)
    return result, time.perf_counter() - start


def measure(version, warm):
    """The entries of the table above."""
    version = pathlib.Path(version)
    loaded, load = timed(tf.saved_model.load, str(version))
    records, warm_up = timed(replay, version, loaded.signatures) if warm else (0, 0.0)
    signature = loaded.signatures["sample"]
    found = {"load": load, "warm_up": warm_up, "records": records}
    for name, rows in (("", 1), ("_batch", BATCH)):
        given = requests(signature, rows)
        seconds = [timed(answer, signature, given)[1] for _ in range(1 + LATER)]
        found[f"first{name}"], found[f"later{name}"] = seconds[0], statistics.median(seconds[1:])
    return found


def answer(signature, given):
    """Arrays, as a server sends them."""
    return {name: value.numpy() for name, value in signature(**given).items()}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2] == "1")))
