"""Usage: python -m zoo sample --model=FILE [flags]

Draws samples from a generator and writes them as one picture:

  python -m zoo sample --model=run/generator.keras --count=64 --seed=0 --output=grid.png

The model is the .keras file of a generator or of a trainer. The same seed draws the same samples.
"""

import math

from absl import flags

from zoo import command

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "model", None, "The .keras file of a generator or of a trainer.", flag_values=FLAGS
)
flags.DEFINE_integer("count", 64, "Number of samples.", lower_bound=1, flag_values=FLAGS)
flags.DEFINE_integer("seed", 0, "Seed of the latents.", flag_values=FLAGS)
flags.DEFINE_string("output", "samples.png", "The PNG file to write.", flag_values=FLAGS)
flags.DEFINE_string(
    "labels",
    None,
    "For a conditional generator: the labels of the samples, as 0,1,2 or all, repeated until there "
    "are enough; a column then shows one label. Defaults to all.",
    flag_values=FLAGS,
)
flags.DEFINE_float(
    "truncation",
    None,
    "Keeps latents within this distance of 0: fewer odd samples, less variety.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "columns",
    None,
    "Samples a row. Defaults to about a square.",
    lower_bound=1,
    flag_values=FLAGS,
)


def sample():
    """Draws the samples and writes the picture."""
    from zoo import pictures, players, saving

    if FLAGS.model is None:
        raise ValueError("A flag is missing. Expected --model=FILE.keras. Received: no --model")
    generator = saving.load(FLAGS.model)
    cycle = parse_labels(FLAGS.labels, players.traits(generator).num_classes)
    labels = None if cycle is None else [cycle[i % len(cycle)] for i in range(FLAGS.count)]
    columns = FLAGS.columns
    if columns is None and cycle is not None:
        columns = len(cycle) * max(1, round(math.sqrt(FLAGS.count) / len(cycle)))
    samples = players.sample(generator, FLAGS.count, labels, FLAGS.seed, FLAGS.truncation)
    pictures.save_png(pictures.draw(samples, columns), FLAGS.output)
    print(f"{FLAGS.output}: {FLAGS.count} samples of {FLAGS.model}, seed {FLAGS.seed}")
    print(f"Serve the model: python -m export --model={FLAGS.model} --output_dir=serving/NAME")


def parse_labels(text, num_classes):
    """The labels that the flag asks for, to be repeated: `"0,1,2"` or `"all"`.

    Raises:
        ValueError: If the generator has no labels or the text lists no integers.
    """
    if num_classes is None:
        if text is not None:
            raise ValueError(
                "The generator has no labels. Expected a command without --labels. "
                f"Received: --labels={text}"
            )
        return None
    if text in (None, "all"):
        return list(range(num_classes))
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise ValueError(
            f"Labels are integers in [0, {num_classes}). Expected --labels=0,1,2 or --labels=all. "
            f"Received: --labels={text}"
        ) from None


def main(arguments):
    command.choose(arguments, {"sample": sample})()


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
