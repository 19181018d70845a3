"""What a served model costs: answers beside the raw generator's, the start of a server, and sizes.

  python -m benchmarks.serving --preset=dcgan_mnist

Of each way to store weights, with one thread each:

| what | how |
|---|---|
| size | bytes of the files of each format, without the discriminator |
| start | from loading a SavedModel to its first answers (`benchmarks/cold_load.py`) |
| answers | of every way at batch 1, 64 and 256, beside the raw compiled `tf.function` |

A start is one of `--processes` fresh processes without the requests that it warms up with and as
many with them, in turn: medians, and in brackets the least and the most. Of answers each round asks
every way once: the median over the rounds of the time over that of the raw function in the same
round, and in brackets the quartiles.

Nothing is in between: no server, no network, no JSON.
"""

import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))  # Before TensorFlow is imported.

import numpy as np  # noqa: E402
from absl import flags  # noqa: E402

import export  # noqa: E402
import zoo  # noqa: E402
from export import formats  # noqa: E402
from zoo import command  # noqa: E402
from zoo.players import sampling  # noqa: E402

FLAGS = flags.FlagValues()
flags.DEFINE_string("preset", "dcgan_mnist", "The generator.", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 40, "Rounds of all ways.", 1, flag_values=FLAGS)

flags.DEFINE_integer("processes", 5, "Starts with and without warm-up.", 1, flag_values=FLAGS)

COLD = pathlib.Path(__file__).with_name("cold_load.py")
FORMATS = ("saved_model", "onnx", "litert")
RAW = "raw tf.function"
BATCHES = (1, 64, 256)


def ways(generator, paths, batch):
    """Calls without arguments, by name: the same samples, by everything that can make them.

    Args:
        generator: What was exported.
        paths: `{format: folder of the version}`.
        batch: int. Samples a call.
    """
    import tensorflow as tf

    seeds = np.arange(batch)
    traits = sampling.traits(generator)
    told = {}
    if traits.num_classes:
        told = {"labels": (seeds % traits.num_classes).astype("int32")}
    latents = zoo.latents.draw_rows(traits.prior, traits.latent_dim, seeds).numpy()
    constants = {name: tf.constant(value) for name, value in told.items()}
    given = {"latents": tf.constant(latents), **constants}
    drawn = {"seed": tf.constant(seeds), **constants}
    called = given if told else given["latents"]
    raw = tf.function(lambda inputs: generator(inputs, training=False), autograph=False)
    calls = {RAW: lambda: raw(called).numpy()}
    if "saved_model" in paths:
        signatures = tf.saved_model.load(str(paths["saved_model"])).signatures
        for name, arguments in {
            "serving_default": given,
            "sample": drawn,
            "sample_png": drawn,
        }.items():
            if name in signatures:
                calls[name] = functools.partial(_first, signatures[name], arguments)
    if "onnx" in paths:
        calls["ONNX Runtime"] = _onnx(paths["onnx"], {"latents": latents, **told})
    if "litert" in paths:
        calls["LiteRT"] = _litert(paths["litert"], {"latents": latents, **told}, batch)
    return calls


def _first(function, arguments):
    return next(iter(function(**arguments).values())).numpy()


def _onnx(folder, given):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    return lambda: session.run(None, given)


def _litert(folder, given, batch):
    """One call, or one a row where the file is of one row."""
    from ai_edge_litert.interpreter import Interpreter

    light = Interpreter(str(folder / "model.tflite"), num_threads=1)
    runner = light.get_signature_runner("serving_default")
    if light.get_input_details()[0]["shape_signature"][0] == 1:
        rows = [{name: value[i : i + 1] for name, value in given.items()} for i in range(batch)]
        return lambda: [runner(**row) for row in rows]
    return lambda: runner(**given)


def measure(calls, rounds):
    """The median and quartiles of the time over the raw function's, and the seconds of that."""
    for call in calls.values():
        call()
    times = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    raw = np.array(times[RAW])
    ratios = {n: np.percentile(np.array(values) / raw, [50, 25, 75]) for n, values in times.items()}
    return ratios, np.median(raw)


def starts(folder, processes):
    """`{warm: {entry: list of seconds}}` of `benchmarks/cold_load.py`, asked in turn."""
    found = {False: {}, True: {}}
    for _ in range(processes):
        for warm, entries in found.items():
            asked = [sys.executable, "-P", COLD, folder, str(int(warm))]
            told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
            for name, value in json.loads(told).items():
                entries.setdefault(name, []).append(value)
    return found


def print_starts(found):
    """A line for each entry that is a time, without and with warm-up."""
    print(f"  start, without and with warm-up by {found[True]['records'][0]} requests")
    for name in found[True]:
        if name != "records":
            sides = [np.array(found[warm][name]) * 1e3 for warm in (False, True)]
            texts = [f"{np.median(x):8.1f} [{x.min():.1f} {x.max():.1f}]" for x in sides]
            print(f"    {name:12} ms {texts[0]:28} {texts[1]}")


def main(arguments):
    """Prints sizes, starts and a table for each batch size, of each way to store weights."""
    command.no_arguments(arguments)
    generator = zoo.from_preset(FLAGS.preset)
    with tempfile.TemporaryDirectory() as folder:
        for weights in ("float32", "float16"):
            path = export.save(generator, pathlib.Path(folder), weights=weights, formats=FORMATS)
            print(f"{FLAGS.preset}, {weights}")
            for name in FORMATS:
                size = sum(file.stat().st_size for file in formats.paths(path, name))
                print(f"  size {name:11} {size:12,} bytes")
            print_starts(starts(path, FLAGS.processes))
            for batch in BATCHES:
                paths = dict.fromkeys(FORMATS, path)
                found, raw = measure(ways(generator, paths, batch), FLAGS.rounds)
                print(f"{FLAGS.preset}, {weights}, batch {batch}; raw: {raw * 1e3:.2f} ms")
                for name, (median, low, high) in found.items():
                    beside = median / found["serving_default"][0]
                    print(
                        f"  {name:16} {median:5.2f} [{low:.2f} {high:.2f}]   "
                        f"{beside:.2f} of serving_default"
                    )


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
