"""The formats that a version can be in: their files, and what runs them."""

import importlib.util
import pathlib

from export import stranger
from zoo.validation import as_tuple, check_choice

FILES = {"saved_model": "saved_model.pb", "onnx": "model.onnx", "litert": "model.tflite"}
RUNTIMES = {"saved_model": "TensorFlow", "onnx": "ONNX Runtime", "litert": "LiteRT"}
MODULES = {
    "saved_model": ("tensorflow", "tensorflow"),
    "onnx": ("onnxruntime", "onnxruntime"),
    "litert": ("ai_edge_litert", "ai-edge-litert"),
}


def answers(path, signature, decoder):
    """Whether an exported model has a signature.

    Args:
        path: Of `export.parity.find`.
        signature: Its name.
        decoder: The name of the signature of latents, of `export.signatures.decoder`.
    """
    if path.suffix == ".tflite":
        return signature == decoder
    if path.suffix == ".onnx":
        if signature in stranger.DRAWS:
            return answers(path, stranger.DRAWS[signature], decoder)
        return path.with_name(onnx_file(signature, decoder)).is_file()
    return True


def onnx_file(signature, decoder):
    """The name of the file of a signature in ONNX: `model.onnx` of that of latents."""
    return FILES["onnx"] if signature == decoder else f"{signature}.onnx"


def signature_of(path, decoder):
    """The signature that a file in ONNX has."""
    return decoder if path.name == FILES["onnx"] else path.stem


def paths(folder, format):
    """The files of a format in the folder of a version."""
    if format == "saved_model":
        inside = [*(folder / "variables").glob("*"), *(folder / "assets").glob("*")]
        return [folder / FILES[format], *inside]
    return sorted(folder.glob(f"*{pathlib.Path(FILES[format]).suffix}"))


def check(formats):
    """Formats as a tuple, each once.

    Raises:
        ValueError: If one is unknown, or there is none.
    """
    formats = (formats,) if isinstance(formats, str) else as_tuple(formats=formats)
    for name in formats:
        check_choice(FILES, formats=name)
    if not formats:
        raise ValueError(f"`formats` is empty. Expected some of {list(FILES)}. Received: ()")
    return tuple(dict.fromkeys(formats))


def check_default(formats, default):
    """Raises a `ValueError` if none of the formats has the default: a SavedModel has every one."""
    if default != "latents" and "saved_model" not in formats:
        raise ValueError(
            "`default` is what a SavedModel answers; the other formats are of latents. Expected "
            f"formats with 'saved_model', or default='latents'. Received: default={default!r}, "
            f"formats={list(formats)}"
        )


def check_runtime(format):
    """Raises an `ImportError` if what runs a format is not installed."""
    module, install = MODULES[format]
    if importlib.util.find_spec(module) is None:
        raise ImportError(
            f"`check` runs {format!r} models, for which {module} is not installed. Expected: "
            f"pip install {install}. Received: formats with {format!r}"
        )


def there(folder):
    """The formats that are in the folder of a version."""
    return [name for name, file in FILES.items() if (folder / file).is_file()]
