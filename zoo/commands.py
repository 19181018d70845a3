"""What `python -m zoo` does: draws samples, walks, inversions and neighbours, and shows presets.

Each function takes the flags of its command as attributes of `options`.
"""

import itertools
import json
import math
import pathlib
import sys
import unicodedata

import numpy as np

from zoo import command, datasets, latents, learned, pictures, pixels, presets, random, saving
from zoo import neighbours as search
from zoo.players import conditions, origins, sampling


def sample(options):
    """Draws the samples and writes the picture."""
    pictures.check_png(options.output)
    generator, traits = load(options)
    cycle = asked(options, generator)
    told = named(traits, repeated(cycle, options.count))
    columns = options.columns
    if columns is None and cycle is not None:
        columns = len(cycle) * max(1, round(math.sqrt(options.count) / len(cycle)))
    drawn = {"seed": options.seed, "truncation": options.truncation, **told}
    samples = sampling.sample(generator, options.count, **drawn)
    pictures.save_png(pictures.draw(samples, columns), options.output)
    print(f"{options.output}: {options.count} samples of {options.model}, seed {options.seed}")
    names = origins.of(generator).class_names
    if names and traits.num_classes:  # A folder "2" need not be label 2.
        print(f"labels: {', '.join(f'{c} {names[c]}' for c in dict.fromkeys(cycle))}")
    print(f"Serve the model: python -m export --model={options.model} --output_dir=serving/NAME")


def walk(options):
    """Walks between latents, and writes the walks as a picture and as an animation.

    Raises:
        ValueError: If the generator makes no images, both files are one, or an option is wrong.
    """
    animation = options.animation or str(pathlib.Path(options.output).with_suffix(".gif"))
    pictures.check_png(options.output)
    pictures.check_animation(animation)
    if pathlib.Path(animation) == pathlib.Path(options.output):
        raise ValueError(
            "`--animation` is the file of the picture too. Expected another name for one of them. "
            f"Received: --output={options.output}, --animation={animation}"
        )
    generator, traits = load(options, images=True)
    how = {"mode": options.mode, "prior": traits.prior}
    rows, steps = options.rows, options.steps
    labels = repeated(asked(options, generator), rows)
    ends = random.from_seed(
        traits.prior,
        4 if options.corners else 2 * rows,
        traits.latent_dim,
        options.seed,
        options.truncation,
    ).numpy()
    if options.corners:
        labels = labels and labels[:1] * rows
        grid = latents.corners(*ends, rows, steps, **how)
        # Clockwise: the third corner lies under the first.
        frames = latents.loop(ends[[0, 1, 3, 2]], steps, **how)[:, None]
    else:  # Row r has the same ends, whatever the number of rows.
        grid = latents.walk(ends[::2], ends[1::2], steps, **how).swapaxes(0, 1)
        frames = [grid[:, column] for column in (*range(steps), *range(steps - 2, 0, -1))]

    def drawn(paths, columns):
        """The picture of latents of shape `(rows, n, latent_dim)`, a label a row."""
        flat = paths.reshape(-1, traits.latent_dim)
        each = labels and [label for label in labels[: len(paths)] for _ in paths[0]]
        each = conditions.checked(traits.condition, each)
        return pictures.draw(sampling.decode(generator, flat, each), columns)

    picture = drawn(grid, steps)
    frames = [drawn(column[:, None], None) for column in frames]
    pictures.save_png(picture, options.output)
    pictures.save_animation(frames, animation, hold=1)
    what = f"a grid of {rows} x {steps}" if options.corners else f"{rows} walks of {steps} steps"
    print(f"{options.output}, {animation}: {what}, {options.mode}, seed {options.seed}")


def invert(options):
    """Finds latents for images of a dataset, and draws each beside its reconstruction.

    Raises:
        ValueError: If the generator makes no images, the dataset has others, labels are missing,
            or an option is wrong.
    """
    pictures.check_png(options.output)
    generator, traits = load(options, images=True)
    cycle = None
    given = options.labels is not None or options.conditions is not None
    if given or traits.num_classes is None:
        cycle = asked(options, generator)
    data = data_for(options, traits)
    source = {"shuffle": False, **data.source}
    batch = next(iter(datasets.load(data.dataset, options.split, options.count, **source)))
    images, labels = batch if isinstance(batch, tuple) else (batch, None)
    images = images.numpy()
    if cycle is not None or traits.condition is None:
        labels = repeated(cycle, len(images))
    elif labels is None:
        raise ValueError(
            "`--labels` are missing: the generator is conditional, and the dataset has none. "
            "Expected --labels=0,1,2. "
            f"Received: --dataset={data.dataset}"
        )
    inversion = latents.invert(
        generator,
        images,
        starts=options.starts,
        steps=options.steps,
        seed=options.seed,
        **named(traits, labels),
    )
    made = pixels.to_pixels(inversion.reconstructions).numpy()
    pairs = np.concatenate([images, made], axis=2)
    pictures.save_png(pictures.enlarge(pictures.grid(pairs, padding=4)), options.output)
    print(
        f"{options.output}: {len(images)} images of {data.dataset} ({options.split}), each on "
        "the left of its reconstruction"
    )
    print(
        f"mean squared error of pixels in [0, 1]: mean {inversion.mse.mean():.5f}, median "
        f"{np.median(inversion.mse):.5f}, worst {inversion.mse.max():.5f}; "
        f"{options.starts} starts of {options.steps} steps"
    )


def neighbours(options):
    """Draws rows of samples, each with the training image nearest to its last sample."""
    pictures.check_png(options.output)
    generator, traits = load(options, images=True)
    rows, columns = options.rows, options.columns
    labels = repeated(asked(options, generator), rows)
    labels = labels and [label for label in labels for _ in range(columns)]
    data = data_for(options, traits)
    images, _ = datasets.arrays(data.dataset, options.split, labels=False, **data.source)
    samples = sampling.sample(
        generator,
        rows * columns,
        seed=options.seed,
        truncation=options.truncation,
        **named(traits, labels),
    ).reshape(rows, columns, *traits.image_shape)
    indices, distances = search.nearest(samples[:, -1], images)
    picture = search.figure(samples, images[indices[:, 0]])
    pictures.save_png(pictures.enlarge(picture), options.output)
    print(
        f"{options.output}: {rows} rows of samples; framed is the nearest of {len(images)} images "
        f"of {data.dataset} ({options.split}) to the last of its row"
    )
    listed = ", ".join(
        f"{distance:.3f} (image {index})"
        for index, distance in zip(indices[:, 0], distances[:, 0], strict=True)
    )
    print(f"distances, in the length of the difference of pixels in [0, 1]: {listed}")


def list_presets(options):
    """Prints the shipped presets."""
    print(presets.list_presets())


def card(options):
    """Prints the card of a preset.

    Raises:
        ValueError: If there is no such preset.
    """
    if options.model is None:
        raise ValueError("`--model` is missing. Expected --model=PRESET. Received: no --model")
    print(json.dumps(presets.card(options.model), indent=2))


def load(options, images=False):
    """The generator and its traits; with `images`, one whose samples are pictures.

    Raises:
        ValueError: If no model is named, there is none, or its samples are no pictures.
    """
    if options.model is None:
        raise ValueError("`--model` is missing. Expected --model=FILE.keras. Received: no --model")
    generator = saving.load(options.model)
    sampling.say_range(generator, command.parse_range(options.value_range))
    traits = sampling.traits(generator)
    if images and (len(traits.image_shape) != 3 or traits.value_range is None):
        raise ValueError(
            "`--model` makes no images, which this command draws. Expected a generator of images; "
            "where that is not seen, --value_range=LOW,HIGH says it. "
            f"Received: {options.model} with samples of shape {traits.image_shape}"
        )
    return generator, traits


def data_for(options, traits):
    """The data that are meant, `zoo.learned.Data`, with images of the generator's size.

    Raises:
        ValueError, FileNotFoundError: As `zoo.learned.chosen` and `zoo.learned.Data.sized`.
    """
    given = learned.chosen(options.model, options.dataset, skip_unreadable=options.skip_unreadable)
    data = given.sized(options.split, traits.image_shape)
    for note in data.notes:
        print(f"note: {note}", file=sys.stderr)
    return data


def repeated(cycle, count):
    """The first `count` labels of a cycle, or `None`."""
    return None if cycle is None else list(itertools.islice(itertools.cycle(cycle), count))


def named(traits, told):
    """Labels or conditions under the name that functions take them by."""
    return {} if told is None else {traits.condition.name: told}


def asked(options, generator):
    """The labels or rows of conditions that the flags ask for, to be repeated, or `None`."""
    traits = sampling.traits(generator)
    rows = parse_conditions(options.conditions, traits.num_conditions)
    names = origins.of(generator).class_names
    labels = parse_labels(options.labels, traits.num_classes, names)
    return labels if rows is None else rows


def parse_conditions(text, num_conditions):
    """The rows of conditions that the flag asks for: `"0.5,1;0.7,2"`.

    Raises:
        ValueError: If the generator has none, or has some and the text lists no such rows.
    """
    if num_conditions is None:
        if text is not None:
            raise ValueError(
                "`--conditions` are given, and the generator has none. Expected a command without "
                f"--conditions. Received: --conditions={text}"
            )
        return None
    try:
        rows = [[float(word) for word in row.split(",")] for row in (text or "").split(";")]
    except ValueError:
        rows = [[]]
    if any(len(row) != num_conditions for row in rows):
        raise ValueError(
            f"`--conditions` are no rows of {num_conditions} numbers. Expected "
            f"--conditions={','.join(['0.5'] * num_conditions)}, with semicolons between rows. "
            f"Received: --conditions={text}"
        )
    return rows


def parse_labels(text, num_classes, class_names=None):
    """The labels that the flag asks for, to be repeated: `"0,1,2"`, `"ape,cow"` or `"all"`.

    Raises:
        ValueError: If the generator has no labels or the text lists neither integers nor names.
    """
    if num_classes is None:
        if text is not None:
            raise ValueError(
                "`--labels` are given, and the generator has none. Expected a command without "
                f"--labels. Received: --labels={text}"
            )
        return None
    if text in (None, "all"):
        return list(range(num_classes))
    names = {name: label for label, name in enumerate(class_names or ())}
    words = [unicodedata.normalize("NFC", word.strip()) for word in text.split(",")]
    try:
        return [int(word) if word.isdecimal() else names[word] for word in words]
    except KeyError:
        known = f", or names of {list(names)}" if names else ""
        raise ValueError(
            "`--labels` are not a list of integers. Expected --labels=0,1,2 or --labels=all, with "
            f"integers in [0, {num_classes}){known}. Received: --labels={text}"
        ) from None
