"""The Laplacian pyramid (Burt and Adelson, 1983): a coarse picture, and the detail that it lacks.

Level 0 is the coarsest picture. `down` is the mean of 2x2 pixels, `up` the bilinear doubling, and
level k is `up(level k - 1) + band k`. Whatever `up` makes of the coarse picture, the band says
what is wrong with it, so a decomposition loses nothing. Bilinear rather than nearest, because a
smooth guess leaves less to say, and no edges of blocks that a band would have to take back.
"""

import keras

from zoo.validation import check_image_shape, check_integer


def shapes(image_shape, levels):
    """The shapes of a pyramid's pictures, from the coarsest to `image_shape` itself.

    Args:
        image_shape: tuple `(height, width, channels)`.
        levels: int. Number of pictures; 1 is the image alone. Each halves the sides of the next.

    Returns:
        A list of `levels` shapes: `(7, 7, 1)`, `(14, 14, 1)`, `(28, 28, 1)`.

    Raises:
        ValueError: If a side cannot be halved so often, or the shape is not (h, w, c).
    """
    height, width, channels = image_shape = check_image_shape(image_shape)
    check_integer(1, 16, levels=levels)
    step = 2 ** (levels - 1)
    if height % step or width % step:
        below = [max(1, side // step) * step for side in (height, width)]
        above = [-(-side // step) * step for side in (height, width)]
        most = 1
        while not (height % 2**most or width % 2**most):
            most += 1
        raise ValueError(
            f"`image_shape` cannot be halved {levels - 1} times, once for each of `levels` but the "
            f"first. Expected multiples of {step}, such as ({below[0]}, {below[1]}) or "
            f"({above[0]}, {above[1]}), or at most {most} level(s) for this size. Received: "
            f"levels={levels}, image_shape={image_shape}"
        )
    scales = [2**k for k in reversed(range(levels))]
    return [(height // scale, width // scale, channels) for scale in scales]


def down(images):
    """Half the sides: each pixel is the mean of 2x2.

    Args:
        images: float `(batch, height, width, channels)` with even sides.
    """
    return keras.ops.average_pool(images, 2, data_format="channels_last")


def up(images):
    """Twice the sides, bilinear: pixel centres stay where they are, edges are continued.

    Along each axis the new pixels are `(x[i - 1] + 3 x[i]) / 4` and `(3 x[i] + x[i + 1]) / 4`.

    Args:
        images: float `(batch, height, width, channels)`.
    """
    _, height, width, _ = images.shape
    return keras.ops.image.resize(
        images, (2 * height, 2 * width), interpolation="bilinear", data_format="channels_last"
    )


def pictures(images, levels):
    """The images at every size, coarsest first: a list of `levels` float32 tensors.

    Args:
        images: `(batch, height, width, channels)`; numbers of any type.
        levels: int. Number of pictures.

    Raises:
        ValueError: If a side cannot be halved so often.
    """
    shapes(images.shape[1:], levels)
    pictures = [keras.ops.cast(images, "float32")]
    for _ in range(levels - 1):
        pictures.insert(0, down(pictures[0]))
    return pictures


def decompose(images, levels):
    """The Laplacian pyramid of images.

    `h_k = I_k - up(I_(k-1))`, where `I_(k-1) = down(I_k)`.

    Args:
        images: `(batch, height, width, channels)`; numbers of any type.
        levels: int. Number of levels.

    Returns:
        A list of float32 tensors: the coarsest picture, and the band of each finer level.

    Raises:
        ValueError: If a side cannot be halved so often.

    Reference:
        - [Denton et al., 2015](https://arxiv.org/abs/1506.05751), section 2.2, which counts the
          levels from the finest.
    """
    sizes = pictures(images, levels)
    finer = zip(sizes[:-1], sizes[1:], strict=True)
    return [sizes[0], *(picture - up(coarse) for coarse, picture in finer)]


def reconstruct(levels):
    """The images of a Laplacian pyramid: the inverse of `decompose`, to float32's rounding.

    Args:
        levels: The coarsest picture, and the band of each finer level.
    """
    image, *bands = levels
    for band in bands:
        image = up(image) + band
    return image
