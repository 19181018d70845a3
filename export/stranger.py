"""Asks an exported model, as a stranger would: NumPy and one runtime, and no way to this project.

    python stranger.py MODEL QUESTIONS.npz ANSWERS.npz

MODEL is the folder of a SavedModel, which TensorFlow answers; a model.onnx, which ONNX Runtime
does; or a model.tflite, which LiteRT does. A question is an array named `number/signature/input`;
an answer is `number/output`. PNG bytes are answered as the pixels they decode to.
"""

import importlib.machinery
import pathlib
import sys

import numpy as np

OF_LATENTS = {"serving_default", "decode"}
DRAWS = {"sample": "latents", "sample_truncated": "latents_truncated"}
BLOCKED = {"export", "evaluation", "gan_zoo", "keras", "trainers", "zoo"}


class Blocker:
    """Finds the blocked packages, and refuses to load them.

    TensorFlow asks where Keras lies when it is imported: to be found is allowed.
    """

    def __init__(self, blocked=frozenset(BLOCKED)):
        self.blocked = blocked

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.blocked:
            return importlib.machinery.ModuleSpec(name, self)

    def create_module(self, spec):
        raise ImportError(f"{spec.name} is blocked: an exported model has to do without it")

    def exec_module(self, module):
        pass


def saved_model(path):
    """A function of a signature and its inputs, by TensorFlow."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures

    def answer(signature, inputs):
        given = {name: tf.constant(value) for name, value in inputs.items()}
        results = {}
        for name, value in signatures[signature](**given).items():
            if value.dtype == tf.string:
                value = tf.stack([tf.io.decode_png(row) for row in value])
            results[name] = value.numpy()
        return results

    return answer


def onnx(path):
    """A function of a signature and its inputs, by ONNX Runtime.

    A file has one signature: `model.onnx` that of latents, `NAME.onnx` another. `sample` is made of
    `latents.onnx` and `model.onnx`, so that the weights are there once, and so `sample_truncated`.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    sessions = {}

    def run(name, inputs):
        if name not in sessions:
            file = path.with_name(f"{name}.onnx")
            sessions[name] = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        session = sessions[name]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))

    def answer(signature, inputs):
        if signature not in DRAWS:
            return run("model" if signature in OF_LATENTS else signature, inputs)
        drawn = {name: inputs.pop(name) for name in ("seed", "truncation") if name in inputs}
        latents = run(DRAWS[signature], drawn)
        fits = latents.pop("valid", None)
        answers = run("model", {**latents, **inputs})
        if "images" in answers:
            answers["images"] = np.round(answers["images"] * 255).astype("uint8")
        if fits is not None:
            answers["valid"] = fits & answers.get("valid", True)
            for name in {"images", "samples"} & set(answers):
                answers[name][~fits] = 0
        return answers

    return answer


def litert(path):
    """A function of a signature and its inputs, by LiteRT; row by row where the batch is fixed."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)

    def answer(signature, inputs):
        runner = interpreter.get_signature_runner()  # A file has one signature.
        name, detail = next(iter(runner.get_input_details().items()))
        rows = len(inputs[name])
        step = 1 if detail["shape_signature"][0] == 1 else max(rows, 1)
        parts = [
            runner(**{key: value[i : i + step] for key, value in inputs.items()})
            for i in range(0, rows, step)
        ]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    return answer


def main(model, questions, answers):
    """Answers every question, without a way to the blocked packages.

    Args:
        model: Path of the SavedModel, of `model.onnx` or of `model.tflite`.
        questions: Path of the arrays to ask with.
        answers: Path to write the answers to.
    """
    model = pathlib.Path(model)
    runtime = {".onnx": onnx, ".tflite": litert}.get(model.suffix, saved_model)
    blocked = BLOCKED if runtime is saved_model else {*BLOCKED, "tensorflow"}
    sys.meta_path.insert(0, Blocker(blocked))

    answer_all(runtime(model), questions, answers)


def answer_all(answer, questions, answers):
    """Asks every question of a file, and writes the answers to another.

    Args:
        answer: Function of a signature's name and its inputs to its outputs, both dicts of arrays.
        questions, answers: As of `main`.
    """
    calls = {}
    with np.load(questions) as arrays:
        for key in arrays:
            number, signature, name = key.split("/")
            calls.setdefault((number, signature), {})[name] = arrays[key]
    results = {}
    for (number, signature), inputs in calls.items():
        for name, value in answer(signature, inputs).items():
            results[f"{number}/{name}"] = value
    np.savez(answers, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
