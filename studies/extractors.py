"""Trains a classifier of images and measures it: an extractor of features, as the zoo ships them.

Usage: python -m studies.extractors --name=mnist [--output_dir=evaluation/presets/mnist]

  mnist          the embedded MNIST, at least 99.4 % of the test images
  fashion_mnist  Fashion-MNIST of keras.datasets, at least 93 %
  cifar10        CIFAR-10, from --dataset=FOLDER with train and test or from keras.datasets, at
                 least 85 %

The folder holds classifier.keras, statistics.npz (mean and covariance of the features of both
splits) and card.json (accuracy, hash, versions, and what the scores say of real images: the floor).
A classifier that is there is not trained again.
"""

import json
import pathlib
import platform
import time

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from zoo import command

FLAGS = flags.FlagValues()
RECIPES = {
    "mnist": {"dataset": "mnist", "epochs": 6, "shift": 2, "flip": False},
    "fashion_mnist": {"dataset": "keras:fashion_mnist", "epochs": 12, "shift": 2, "flip": True},
    "cifar10": {"dataset": "keras:cifar10", "epochs": [15, 12, 7], "shift": 4, "flip": True},
}
flags.DEFINE_enum("name", "mnist", list(RECIPES), "Which extractor.", flag_values=FLAGS)
flags.DEFINE_string("dataset", None, "Other data than the recipe's.", flag_values=FLAGS)
flags.DEFINE_integer("epochs", None, "Other than the recipe's.", 1, flag_values=FLAGS)
flags.DEFINE_string("output_dir", None, "Default: evaluation/presets/NAME.", flag_values=FLAGS)


def main(arguments):
    from zoo import datasets, files

    command.no_arguments(arguments)
    recipe = RECIPES[FLAGS.name]
    dataset = FLAGS.dataset or recipe["dataset"]
    folder = pathlib.Path(FLAGS.output_dir or f"evaluation/presets/{FLAGS.name}")
    files.check_writable(folder, "output_dir")
    folder.mkdir(parents=True, exist_ok=True)
    train, test = (datasets.arrays(dataset, split) for split in ("train", "test"))
    if not (folder / "classifier.keras").exists():
        _teach(folder, recipe, train, test)
    card = _measure(folder, train, test)
    print(json.dumps(card, indent=2))


def _teach(folder, recipe, train, test):
    from evaluation import classifier
    from zoo import saving

    epochs = FLAGS.epochs or recipe["epochs"]
    start = time.time()
    options = {"shift": recipe["shift"], "flip": recipe["flip"], "verbose": 2}
    model = classifier.train(*train, 10, epochs, **options)
    card = {
        "dataset": FLAGS.name,
        "source": recipe["dataset"] if FLAGS.dataset is None else "a folder of JPEG",
        "train_images": len(train[0]),
        "test_images": len(test[0]),
        "epochs": epochs,
        "seconds": round(time.time() - start),
        "seed": 0,
        "accuracy": classifier.accuracy(model, *test),
        "command": f"python -m studies.extractors --name={FLAGS.name}",
        "versions": {
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    (folder / "card.json").write_text(json.dumps(card, indent=2))
    saving.save(model, folder / "classifier.keras")  # Last: what tells that both are there.


def _measure(folder, train, test):
    """Writes the statistics, and completes the card: the hash, and what scores say of real images.

    The floor of a score is that of 10,000 training images against the test images;
    `train_test_frechet_distance` takes all training images.
    """
    import evaluation
    from evaluation import extractors, frechet, measures
    from zoo import untrusted
    from zoo.files import sha256

    model = keras.saving.load_model(folder / "classifier.keras")
    extractor = extractors.Extractor(model, name=FLAGS.name)
    moments = {
        split: evaluation.Moments().update(extractor.features(images))
        for split, (images, _) in (("train", train), ("test", test))
    }
    arrays = {}
    for split, found in moments.items():
        arrays |= {f"{split}_mean": found.mean, f"{split}_covariance": found.covariance}
        arrays[f"{split}_count"] = np.int64(found.count)
    np.savez_compressed(folder / "statistics.npz", **arrays)
    scores = [
        evaluation.FrechetDistance(test[0], extractor),
        evaluation.KernelDistance(test[0], extractor),
        evaluation.PrecisionRecall(test[0], extractor),
        evaluation.ClassifierScore(extractor),
    ]
    card = json.loads((folder / "card.json").read_text())
    card["hash"] = extractor.protocol["hash"]
    ends = [moment for found in moments.values() for moment in found.statistics[:2]]
    card["train_test_frechet_distance"] = frechet.distance(*ends)
    (real,) = measures.part(train[:1], 10_000)
    card["real"] = {
        measure.name: json.loads(measure.evaluate(real).to_json()) for measure in scores
    }
    names = ("classifier.keras", "statistics.npz")
    card["files"] = {name: sha256((folder / name).read_bytes()) for name in names}
    card = untrusted.sealed(card)
    (folder / "card.json").write_text(json.dumps(card, indent=2))
    return card


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
