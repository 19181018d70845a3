"""Usage: python -m tests.export.over_the_wire [--kserve=PYTHON]

Every signature of freshly exported models, asked by `export.Client` over the wire, against Python's
answers: `make serving-test`, and with KServe's server `make kserve-test`. The first line says which
server was asked, and why; the exit status is 1 where an answer is another than Python's.

- With TF_SERVING_URL (http://HOST:8501 or grpc://HOST:8500) and TF_SERVING_MODEL, the server there.
  It has to serve TF_SERVING_DIR (default: build/serving_test/MODEL), into which the versions are
  written, and to look for new ones:

    mkdir -p build/serving_test/digits
    docker run -p 8500:8500 -p 8501:8501 -v $PWD/build/serving_test/digits:/models/digits \\
      -e MODEL_NAME=digits tensorflow/serving
    TF_SERVING_URL=http://localhost:8501 TF_SERVING_MODEL=digits make serving-test

- With tensorflow_model_server on the PATH, that, over REST and gRPC.
- With neither, the stand-in server of the tests, over REST and gRPC.
"""

import io
import pathlib
import tempfile

import numpy as np
from absl import flags
from PIL import Image

import export
import zoo
from export import parity, questions
from tests.export import servers
from tests.helpers import tiny_pair
from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "kserve", None, "Python of an environment with requirements-kserve.txt.", flag_values=FLAGS
)


def digits():
    """A preset with classes and its discriminator."""
    name = "conditional_dcgan_mnist"
    return zoo.from_preset(name), zoo.from_preset(name, "discriminator"), "latents"


def autoencoder():
    """With an encoder, and a default of seeds; its weights are the first ones."""
    discriminator = tiny_pair()[1]
    return zoo.VAE((8, 8, 1), latent_dim=3, units=(16,)), discriminator, "sample"


def ring():
    """Points: no pictures, and no PNG files."""
    return zoo.from_preset("consensus_ring"), None, "latents"


MODELS = {"digits": digits, "autoencoder": autoencoder, "ring": ring}


def replay(client, version):
    """How far a server's answers are from those of Python that a version keeps.

    Args:
        client: `export.Client` of the version.
        version: Its folder.

    Returns:
        A `export.parity.Parity`.

    Raises:
        RuntimeError: If the server has signatures that are not asked for, or lacks some.
    """
    asked = questions.read(version / questions.ANSWERS)
    names = {question.signature for question in asked}
    if names != set(client.signatures):
        raise RuntimeError(
            f"`signatures` of the server are others. Expected {sorted(names)}. Received: "
            f"{sorted(client.signatures)}"
        )
    answers = [_pixels(client.ask(q.signature, **q.inputs)) for q in asked]
    return parity.measured("saved_model", asked, answers)


def _pixels(answer):
    if "png_bytes" in answer:
        files = [Image.open(io.BytesIO(content)) for content in answer["png_bytes"]]
        pictures = np.stack([np.asarray(file) for file in files])
        answer["png_bytes"] = pictures if pictures.ndim == 4 else pictures[..., None]
    return answer


def verdict(found):
    """Whether all is Python's, of how many signatures, and the largest difference there is.

    (Of pixels in levels, of other numbers beside max(1, size).)
    """
    count = len({measure.signature for measure in found.measures})
    total = sum(measure.total for measure in found.measures)
    largest = max(measure.largest for measure in found.measures)
    good = "good" if found.exact else "WRONG"
    return f"{good}: {count} signatures, {total} numbers within {largest:.2g}"


def ask(serve, known_as, folder):
    """Writes each model, has it served and asked: whether all answers were Python's.

    Args:
        serve: A function of `tests.export.servers`.
        known_as: The name that the server knows every model by, or `None` for their own.
        folder: The folder of the versions, or of a folder for each model.
    """
    good = True
    for own, make in MODELS.items():
        model, discriminator, default = make()
        name = known_as or own
        place = folder if known_as else folder / own
        version = export.save(model, place, discriminator=discriminator, default=default)
        with serve(version, name) as urls:
            for url, number in urls:
                client = export.Client(url, name, card=version, version=number)
                found = replay(client, version)
                good &= found.exact
                print(f"{own} at {url}: {verdict(found)}: {found}", flush=True)
    return good


def main(arguments):
    """Asks the server that is there; the exit status is 1 if it does not answer as Python does."""
    command.no_arguments(arguments)
    line, serve, name, folder = servers.chosen(FLAGS.kserve)
    print(f"asked: {line}", flush=True)
    if folder is not None:
        return 0 if ask(serve, name, folder) else 1
    with tempfile.TemporaryDirectory() as work:
        return 0 if ask(serve, None, pathlib.Path(work)) else 1


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
