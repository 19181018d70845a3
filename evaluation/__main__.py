"""Usage: python -m evaluation --model=FILE [flags]

Measures a generator, prints a table, and writes scores.json and scores.png:

  python -m evaluation --model=runs/demo/gan.keras
  python -m evaluation --model=dcgan_mnist --metrics=parzen,memorisation --output_dir=runs/digits
  python -m evaluation --real --dataset=mnist --output_dir=runs/floor
  python -m evaluation --compare runs/demo/scores.json runs/floor/scores.json

The data are those that the model learned, as the card of a preset or the settings.json beside a
.keras file says; --dataset names others, and then it is said that they are others.
--real measures training images in the place of samples: no generator can be expected to do better.
--verify=NAME measures a preset again, or all of them, and fails where its card is wrong.
--compare says which of two evaluations is better, and refuses where they were made differently.
"""

import json
import pathlib
import re
import sys

from absl import flags

from evaluation import comparison, extractors, measures, results, verify
from zoo import command, learned, presets, saving
from zoo.players import sampling

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "model",
    None,
    "The .keras file of a generator or of a trainer, or a preset.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "dataset",
    None,
    "The data, a name of zoo.datasets. Default: what the model learned; mnist with --real.",
    flag_values=FLAGS,
)
flags.DEFINE_list(
    "metrics",
    None,
    f"Measures, with commas: {', '.join(measures.MEASURES)}. Default: quick ones that suit the "
    "data.",
    flag_values=FLAGS,
)
flags.DEFINE_integer("count", 10_000, "Samples to measure.", 2, flag_values=FLAGS)
flags.DEFINE_integer("seed", 0, "Seed of the latents.", flag_values=FLAGS)
flags.DEFINE_string("value_range", "auto", command.VALUE_RANGE, flag_values=FLAGS)
flags.DEFINE_boolean("real", False, "Measure training images, no model.", flag_values=FLAGS)
flags.DEFINE_string(
    "extractor",
    None,
    "mnist, fashion_mnist, cifar10, inception_v3, or the .keras file of a classifier from images "
    "in [0, 255] to logits. Default: that of the data.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "extractor_layer",
    extractors.FEATURES,
    "Of the .keras file of --extractor: the layer whose output are the features.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "image_size",
    None,
    "With --real: crops and resizes the data to this side. Beside a model they get its size.",
    1,
    flag_values=FLAGS,
)
flags.DEFINE_string("data_dir", None, "Where TFDS keeps its data.", flag_values=FLAGS)
flags.DEFINE_boolean(
    "skip_unreadable",
    False,
    "Leaves out the files of a folder that cannot be read.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "output_dir",
    None,
    "Where scores.json and scores.png go. Default: the folder of the .keras file; for a preset and "
    f"--real {results.FOLDER}/NAME.",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "overwrite", False, "Replaces the scores.json of an earlier evaluation.", flag_values=FLAGS
)
flags.DEFINE_string(
    "verify",
    None,
    "Measures a preset again, or all of them, and fails where a figure of its card is off.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "compare", None, "A scores.json, to compare with another that follows.", flag_values=FLAGS
)


def main(arguments):
    """Measures a model or real images, or compares two evaluations, as the flags say."""
    _check_alone()
    if FLAGS.compare is not None:
        return comparison.report([FLAGS.compare, *arguments])
    command.no_arguments(arguments)
    if FLAGS.verify is not None:
        if FLAGS.verify != "all":
            presets.folder_of(FLAGS.verify)  # An unknown one is not one that lacks its data.
        names = presets.shipped() if FLAGS.verify == "all" else [FLAGS.verify]
        return 1 if verify.report(names) else 0
    _check_flags()
    generator = None if FLAGS.real else saving.load(FLAGS.model)
    if generator is not None:
        sampling.say_range(generator, command.parse_range(FLAGS.value_range))
        _check_conditions(generator)
    data = _data()
    folder = _folder(data)
    results.check_free(folder, FLAGS.overwrite)
    if generator is not None:
        data = data.sized("train", sampling.traits(generator).image_shape)
    _say(data.notes)

    reference = measures.Reference(data.dataset, _extractor(), FLAGS.count, **data.source)
    names = FLAGS.metrics or measures.defaults(reference)
    chosen = {name: measures.get(name, reference) for name in names}
    _say(reference.notes)
    if FLAGS.real:
        samples, labels = measures.part(reference.train, FLAGS.count)
    else:
        labels = sampling.labels_in_turn(FLAGS.count, sampling.traits(generator).num_classes)
        _check_labels(chosen, sampling.traits(generator).num_classes, reference.info.num_classes)
        samples = sampling.sample(generator, FLAGS.count, labels, FLAGS.seed)
    scores = []
    for name, measure in chosen.items():
        scores.append(measure.evaluate(samples, labels))
        _print(name, scores[-1])
    record = {
        "model": "training images" if FLAGS.real else FLAGS.model,
        "dataset": data.dataset,
        "learned": data.learned,
        "seed": None if FLAGS.real else FLAGS.seed,
        "notes": [*data.notes, *reference.notes],
        "scores": [json.loads(score.to_json()) for score in scores],
    }
    classes = reference.info.num_classes if FLAGS.real else sampling.traits(generator).num_classes
    drawn = results.drawn(samples, classes, chosen, reference, in_turn=not FLAGS.real)
    for path in results.write(folder, record, scores, *drawn):
        print(f"wrote {path}")
    return 0


def _check_alone():
    """Refuses flags beside `--verify` and `--compare`, which take none."""
    given = [name for name in FLAGS if FLAGS[name].present]
    for name in ("verify", "compare"):
        if name in given and len(given) > 1:
            others = ", ".join(f"--{other}" for other in given if other != name)
            raise ValueError(
                f"`--{name}` has no use for other flags, which would be ignored. Expected it by "
                f"itself. Received: --{name} with {others}"
            )


def _check_flags():
    """Refuses flags that do not go together, before anything is read."""
    if (FLAGS.model is None) != FLAGS.real:
        raise ValueError(
            "`--model` and `--real` are given together, or neither is. Expected one of "
            f"--model=FILE and --real. Received: --model={FLAGS.model}, --real={FLAGS.real}"
        )
    for name in FLAGS.metrics or ():
        measures.check_name(**{"--metrics": name})


def _check_conditions(generator):
    """Raises a `ValueError` for a generator that no flag tells what to draw."""
    wanted = sampling.traits(generator).num_conditions
    if wanted is not None:
        raise ValueError(
            f"`--model` draws for {wanted} conditions, which only you know. Expected a measure in "
            "Python: measure.evaluate(generator.sample(count, conditions=...)). "
            f"Received: --model={FLAGS.model}"
        )


def _check_labels(chosen, classes, wanted):
    """Refuses measures of labelled samples where the classes are not those of the data."""
    for name, measure in chosen.items():
        if measure.needs_labels and classes != wanted:
            raise ValueError(
                "`--metrics` has a measure of labelled samples. Expected a conditional generator "
                f"of the {wanted} classes of the data, or other measures. "
                f"Received: {name}, and a generator of {classes or 'no'} classes"
            )


def _data():
    """The data to measure beside, `zoo.learned.Data`."""
    source = {
        "image_size": FLAGS.image_size,
        "data_dir": FLAGS.data_dir,
        "skip_unreadable": FLAGS.skip_unreadable,
    }
    if FLAGS.real:
        return learned.Data(FLAGS.dataset or "mnist", source)
    return learned.chosen(FLAGS.model, FLAGS.dataset, **source)


def _extractor():
    """What `--extractor` names, or `None`."""
    if FLAGS.extractor is None:
        return None
    return extractors.named(FLAGS.extractor, FLAGS.extractor_layer)


def _folder(data):
    """Where the files go."""
    if FLAGS.output_dir is not None:
        return pathlib.Path(FLAGS.output_dir)
    if FLAGS.model is not None and FLAGS.model.endswith(".keras"):
        return pathlib.Path(FLAGS.model).parent
    name = FLAGS.model or f"real_{data.dataset}"
    return pathlib.Path(results.FOLDER) / re.sub(r"[^\w.-]+", "_", name).strip("_")


def _say(notes):
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def _print(name, score):
    print(f"{name:20}{score}  ({'higher' if score.higher_is_better else 'lower'} is better)")
    for detail, value in score.details.items():
        print(f"{'':20}{detail} {value:.4g}")
    for note in score.notes:
        print(f"{'':20}note: {note}")


def script():
    """The command, as an installed script starts it."""
    command.run(main, __doc__, FLAGS)


if __name__ == "__main__":
    script()
