"""Asks a SavedModel through TensorFlow's C API: the C++ loader that TensorFlow Serving uses.

Called as `export/stranger.py` is, and with the same questions and answers; but Python's TensorFlow
is never imported here, so nothing of the answer can come from it.
"""

import ctypes
import importlib.util
import os
import pathlib
import runpy
import sys

import numpy as np

TYPES = {
    1: np.float32,
    3: np.int32,
    4: np.uint8,
    9: np.int64,
    10: np.bool_,
}  # DataType of types.proto
STRING = 7


class Output(ctypes.Structure):
    """TF_Output of c_api.h: a tensor of the graph."""

    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class Buffer(ctypes.Structure):
    """TF_Buffer of tf_buffer.h."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("deallocator", ctypes.c_void_p),
    ]


DEALLOCATOR = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
KEEP = DEALLOCATOR(lambda data, length, argument: None)  # NumPy owns the memory.


def library():
    """The shared library in TensorFlow's folder, with the types of what is called."""
    folder = pathlib.Path(*importlib.util.find_spec("tensorflow").submodule_search_locations)
    ctypes.CDLL(folder / "libtensorflow_framework.so.2", mode=ctypes.RTLD_GLOBAL)
    tf = ctypes.CDLL(folder / "libtensorflow_cc.so.2", mode=ctypes.RTLD_GLOBAL)
    pointer, text, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    returns = {
        "TF_NewStatus": pointer,
        "TF_NewGraph": pointer,
        "TF_NewSessionOptions": pointer,
        "TF_NewBuffer": ctypes.POINTER(Buffer),
        "TF_LoadSessionFromSavedModel": pointer,
        "TF_GraphOperationByName": pointer,
        "TF_NewTensor": pointer,
        "TF_TensorData": pointer,
        "TF_TensorByteSize": ctypes.c_size_t,
        "TF_Dim": ctypes.c_int64,
        "TF_Message": text,
    }
    for name, result in returns.items():
        getattr(tf, name).restype = result
    tf.TF_NewTensor.argtypes = [
        integer, pointer, integer, pointer, ctypes.c_size_t, DEALLOCATOR, pointer
    ]  # fmt: skip
    for name in ("TF_TensorData", "TF_TensorByteSize", "TF_TensorType", "TF_NumDims"):
        getattr(tf, name).argtypes = [pointer]
    for name in ("TF_GetCode", "TF_Message"):
        getattr(tf, name).argtypes = [pointer]
    tf.TF_Dim.argtypes = [pointer, integer]
    tf.TF_GraphOperationByName.argtypes = [pointer, text]
    return tf


def fields(message):
    """The fields of a serialized protocol buffer: pairs (number, bytes or integer)."""

    def varint(at):
        value, shift = 0, 0
        while True:
            byte = message[at]
            value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(at)
        else:
            length, at = varint(at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
            value, at = message[at : at + length], at + length
        yield number, value


def read_map(message, number):
    """The map in a field of a message: pairs (key, value) with text keys."""
    entries = [dict(fields(value)) for n, value in fields(message) if n == number]
    return {entry[1].decode(): entry[2] for entry in entries}


def signatures(meta_graph):
    """`{signature: ({input: tensor name}, {output: tensor name})}` of a MetaGraphDef."""

    def names(signature, number):
        return {
            key: dict(fields(info))[1].decode() for key, info in read_map(signature, number).items()
        }

    # MetaGraphDef.signature_def is field 5; SignatureDef.inputs 1, outputs 2; TensorInfo.name 1.
    return {key: (names(s, 1), names(s, 2)) for key, s in read_map(meta_graph, 5).items()}


class Model:
    """A loaded SavedModel: a session and its signatures."""

    def __init__(self, path):
        self.tf = library()
        self.status = ctypes.c_void_p(self.tf.TF_NewStatus())
        self.graph = ctypes.c_void_p(self.tf.TF_NewGraph())
        options = ctypes.c_void_p(self.tf.TF_NewSessionOptions())
        meta_graph = self.tf.TF_NewBuffer()
        tags = (ctypes.c_char_p * 1)(b"serve")
        session = self.tf.TF_LoadSessionFromSavedModel(
            options, None, os.fsencode(path), tags, 1, self.graph, meta_graph, self.status
        )
        self.check()
        self.session = ctypes.c_void_p(session)
        read = ctypes.string_at(meta_graph.contents.data, meta_graph.contents.length)
        self.signatures = signatures(read)

    def check(self):
        if self.tf.TF_GetCode(self.status):
            raise RuntimeError(self.tf.TF_Message(self.status).decode())

    def tensor(self, name):
        operation, _, index = name.partition(":")
        return Output(self.tf.TF_GraphOperationByName(self.graph, operation.encode()), int(index))

    def __call__(self, signature, inputs):
        takes, gives = self.signatures[signature]
        assert set(inputs) == set(takes), f"{signature} takes {takes}"
        count, results = len(inputs), len(gives)
        inputs = {name: np.ascontiguousarray(value) for name, value in inputs.items()}
        fed = (ctypes.c_void_p * count)(*map(self.new_tensor, inputs.values()))
        fetched = (ctypes.c_void_p * results)()
        self.tf.TF_SessionRun(
            self.session,
            None,
            (Output * count)(*(self.tensor(takes[name]) for name in inputs)),
            fed,
            count,
            (Output * results)(*map(self.tensor, gives.values())),
            fetched,
            results,
            None,
            0,
            None,
            self.status,
        )
        self.check()
        return {name: self.array(value) for name, value in zip(gives, fetched, strict=True)}

    def new_tensor(self, array):
        kind = next(number for number, dtype in TYPES.items() if dtype == array.dtype)
        dims = (ctypes.c_int64 * array.ndim)(*array.shape)
        data = array.ctypes.data
        return self.tf.TF_NewTensor(kind, dims, array.ndim, data, array.nbytes, KEEP, None)

    def array(self, tensor):
        kind = self.tf.TF_TensorType(tensor)
        shape = [self.tf.TF_Dim(tensor, axis) for axis in range(self.tf.TF_NumDims(tensor))]
        data = self.tf.TF_TensorData(tensor)
        if kind == STRING:
            return np.stack([decode_png(tstring(data + 24 * row)) for row in range(*shape)])
        read = ctypes.string_at(data, self.tf.TF_TensorByteSize(tensor))
        return np.frombuffer(read, TYPES[kind]).reshape(shape)


def tstring(address):
    """The bytes of a TF_TString (24 bytes, ctstring_internal.h) that is longer than 22 bytes."""
    size, _, pointer = (ctypes.c_uint64 * 3).from_address(address)
    assert size & 3 == 1, "a string of the large kind"
    return ctypes.string_at(pointer, size >> 2)


def decode_png(content):
    """The pixels of a PNG file: uint8 `(height, width, channels)`."""
    import io

    from PIL import Image

    picture = np.array(Image.open(io.BytesIO(content)))
    return picture[..., None] if picture.ndim == 2 else picture


def main(path, questions, answers):
    """Answers every question as `export/stranger.py` does, which is read by its path."""
    place = pathlib.Path(__file__).parents[2] / "export" / "stranger.py"
    stranger = runpy.run_path(str(place))
    stranger["answer_all"](Model(path), questions, answers)
    assert "tensorflow" not in sys.modules


if __name__ == "__main__":
    main(*sys.argv[1:])
