"""Labels and planes beside the channels of vectors and images."""

import numpy as np

from zoo import layers


def test_labels_join_vectors_and_every_pixel():
    layer = layers.ConcatLabels()
    one_hot = np.eye(3, dtype="float32")[[2, 0]]
    joined = layer(np.zeros((2, 5), "float32"), one_hot).numpy()
    np.testing.assert_array_equal(joined[:, 5:], one_hot)
    joined = layer(np.zeros((2, 4, 6, 7), "float32"), one_hot).numpy()
    assert joined.shape == (2, 4, 6, 10)
    assert (joined[..., 7:] == one_hot[:, None, None]).all()
    assert layer.compute_output_shape((2, 4, 6, 7), (2, 3)) == (2, 4, 6, 10)


def test_planes_join_the_channels_of_an_image():
    rng = np.random.default_rng(0)
    images, planes = rng.normal(size=(2, 4, 6, 3)), rng.normal(size=(2, 4, 6, 1))
    layer = layers.JoinPlanes(dtype="float64")
    joined = layer(images, planes)
    np.testing.assert_array_equal(joined[..., :3], images)
    np.testing.assert_array_equal(joined[..., 3:], planes)
    assert layer.compute_output_shape(images.shape, planes.shape) == (2, 4, 6, 4)
