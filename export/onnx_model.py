"""ONNX files: `model.onnx` from latents, and every other signature that ONNX can hold beside it.

`sample` is `latents.onnx` (a seed to a latent, without weights) and then `model.onnx`,
`sample_truncated` is `latents_truncated.onnx` and then that, and `reconstruct` is `encode.onnx` and
then that: so each weight is in one file. ONNX has no PNG files.
"""

import pathlib

from export import formats, saved_model, unfolded
from export.signatures import decoder

COMPOSED = ("sample", "sample_truncated", "reconstruct")
WITHOUT = ("sample_png",)


def check():
    """Raises an `ImportError` if the converter is not installed."""
    unfolded.converter()


def write(folder, served, signatures, weights="float32"):
    """Writes the ONNX files of a version.

    Args:
        folder: Folder of the version.
        served: `export.served.Served`.
        signatures: Of `export.signatures.of`, with `export.portable_draw.draw_rows`.
        weights: As in `export.stored_weights`.
    """
    networks = saved_model.Networks(served)
    for name, signature in signatures.items():
        if name in (*COMPOSED, *WITHOUT):
            continue
        path = pathlib.Path(folder) / formats.onnx_file(name, decoder(signatures))
        if weights != "float32":
            path.write_bytes(unfolded.convert(served.variables, signature, weights))
            continue
        function = networks.traced(signature.function, signature.inputs)
        model = unfolded.converted(function, signature.inputs)
        path.write_bytes(model.SerializeToString())
