"""The formats that a version can be in: their files, and what runs them."""

FILES = {"saved_model": "saved_model.pb", "onnx": "model.onnx", "litert": "model.tflite"}
RUNTIMES = {"saved_model": "TensorFlow", "onnx": "ONNX Runtime", "litert": "LiteRT"}


def answers(path, signature):
    """Whether an exported model has a signature, by the path of `export.parity.find`."""
    if path.suffix == ".tflite":
        return signature == "serving_default"
    if path.suffix == ".onnx":
        if signature == "sample":
            return answers(path, "latents")
        return path.with_name(f"{onnx_name(signature)}.onnx").is_file()
    return True


def onnx_name(signature):
    """The name of the file of a signature in ONNX, without its ending."""
    return {"serving_default": "model"}.get(signature, signature)


def there(folder):
    """The formats that are in the folder of a version."""
    return [name for name, file in FILES.items() if (folder / file).is_file()]
