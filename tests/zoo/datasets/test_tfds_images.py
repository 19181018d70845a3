"""TFDS sets from a folder prepared here: whole, sliced, streamed, and what the errors say."""

import numpy as np
import pytest

from zoo import datasets
from zoo.datasets import dataset as base
from zoo.datasets import tfds_images


def _write_tfds(data_dir, name, images, image_shape, label=True):
    import tensorflow_datasets as tfds

    folder = data_dir / name / "1.0.0"
    folder.mkdir(parents=True)
    features = {"image": tfds.features.Image(shape=image_shape)}
    if label:
        features["label"] = tfds.features.ClassLabel(num_classes=3)
    identity = tfds.core.dataset_info.DatasetIdentity(
        name=name, version=tfds.core.Version("1.0.0"), data_dir=str(folder), module_name=name
    )
    info = tfds.core.DatasetInfo(builder=identity, features=tfds.features.FeaturesDict(features))
    writer = tfds.core.SequentialWriter(info, max_examples_per_shard=8)
    writer.initialize_splits(["train", "test"])
    examples = [{"image": image, "label": i % 3} for i, image in enumerate(images)]
    for example in examples:
        if not label:
            del example["label"]
    writer.add_examples({"train": examples, "test": examples[:3]})
    writer.close_all()


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (20, 8, 6, 3), dtype="uint8")


def test_tfds_sets_come_from_their_folder(tmp_path, pictures):
    _write_tfds(tmp_path, "tiny", pictures, (8, 6, 3))
    images, labels = datasets.arrays("tfds:tiny", data_dir=tmp_path)
    np.testing.assert_array_equal(images, pictures)
    np.testing.assert_array_equal(labels, np.arange(20) % 3)
    expected = datasets.DatasetInfo("tfds:tiny:1.0.0", (8, 6, 3), "uint8", 3, 10)
    assert datasets.info("tfds:tiny:1.0.0", "train[:50%]", data_dir=tmp_path) == expected
    dataset = datasets.load("tfds:tiny", batch_size=4, image_size=5, data_dir=tmp_path)
    assert dataset.element_spec[0].shape == (4, 5, 5, 3) and dataset.cardinality() == 5
    with pytest.raises(
        ValueError, match=r"`split` is unknown.*\['test', 'train'\].*split='validation'"
    ):
        datasets.load("tfds:tiny", "validation", data_dir=tmp_path)
    with pytest.raises(ValueError, match="`split` has no example"):
        datasets.load("tfds:tiny", "train[:1%]", data_dir=tmp_path)


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_tfds_set_beyond_memory_is_streamed(tmp_path, pictures, shuffle, monkeypatch):
    _write_tfds(tmp_path, "tiny", pictures, (8, 6, 3))
    monkeypatch.setattr(base, "MEMORY_LIMIT", 0)
    arguments = {"batch_size": 6, "shuffle": shuffle, "data_dir": tmp_path}
    dataset = datasets.load("tfds:tiny", drop_remainder=False, **arguments)
    assert dataset.cardinality() == 4
    batches = list(dataset)
    images = np.concatenate([batch for batch, _ in batches])
    assert sorted(map(bytes, images)) == sorted(map(bytes, pictures))
    assert np.array_equal(images, pictures) != shuffle
    whole = datasets.load("tfds:tiny", labels=False, repeat=True, **arguments)
    resumed = datasets.load("tfds:tiny", labels=False, repeat=True, start_step=4, **arguments)
    for batch, expected in zip(resumed.take(3), list(whole.skip(4).take(3)), strict=True):
        np.testing.assert_array_equal(batch, expected)


def test_a_tfds_set_of_undeclared_size_needs_an_image_size(tmp_path, pictures):
    images = [pictures[0], pictures[1][:4]]
    _write_tfds(tmp_path, "mixed", images, (None, None, 3), label=False)
    with pytest.raises(
        ValueError, match="`image_size` is missing.*does not say.*Received: image_size=None"
    ):
        datasets.load("tfds:mixed", data_dir=tmp_path)
    (batch,) = datasets.load("tfds:mixed", batch_size=2, image_size=4, data_dir=tmp_path)
    assert batch.shape == (2, 4, 4, 3)
    assert datasets.info("tfds:mixed", image_size=4, data_dir=tmp_path).num_classes is None


def test_tfds_errors_say_where_it_looked(tmp_path, monkeypatch):
    with pytest.raises(
        ValueError, match="`name` is unknown to TFDS.*did you mean 'mnist'.*name='tfds:mnits'"
    ):
        datasets.load("tfds:mnits", data_dir=tmp_path)

    def refuse(address, timeout):
        raise OSError("no network")

    monkeypatch.setattr(tfds_images.socket, "create_connection", refuse)
    monkeypatch.setattr(tfds_images.urllib.request, "getproxies", dict)
    with pytest.raises(FileNotFoundError) as error:
        datasets.load("tfds:mnist", data_dir=tmp_path)
    assert f"Looked in {tmp_path}/mnist/3" in str(error.value)
    assert f"tfds build mnist --data_dir={tmp_path}" in str(error.value)


def test_class_names_are_those_of_the_set(tmp_path, pictures):
    import tensorflow_datasets as tfds

    _write_tfds(tmp_path, "tiny", pictures, (8, 6, 3))
    assert datasets.info("tfds:tiny", data_dir=tmp_path).class_names is None
    (tmp_path / "tiny" / "1.0.0" / "label.labels.txt").write_text("ape\ncow\nemu\n")
    info = datasets.info("tfds:tiny", data_dir=tmp_path)
    assert (
        info.class_names
        == ("ape", "cow", "emu")
        == tuple(tfds.builder("tiny", data_dir=tmp_path).info.features["label"].names)
    )
