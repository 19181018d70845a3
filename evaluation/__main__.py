"""Usage: python -m evaluation --model=FILE --dataset=NAME [flags]

Measures a generator, prints a table, and writes scores.json and scores.png:

  python -m evaluation --model=runs/demo/gan.keras --dataset=mnist
  python -m evaluation --model=runs/demo/gan.keras --dataset=mnist --metrics=parzen,memorisation
  python -m evaluation --real --dataset=mnist --output_dir=runs/floor
  python -m evaluation --compare runs/demo/scores.json runs/floor/scores.json

--real measures training images in the place of samples: no generator can be expected to do better.
--verify=NAME measures a preset again, or all of them, and fails where its card is wrong.
--compare says which of two evaluations is better, and refuses where they were made differently.
"""

import json
import pathlib

import numpy as np
from absl import flags

from evaluation import extractors, measures, picture, verify
from evaluation.memorisation import Memorisation
from evaluation.score import Score, check_comparable
from zoo import command, files, pictures, presets, sampling, saving

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "model",
    None,
    "The .keras file of a generator or of a trainer, or a preset.",
    flag_values=FLAGS,
)
flags.DEFINE_string("dataset", "mnist", "The data, a name of zoo.datasets.", flag_values=FLAGS)
flags.DEFINE_list(
    "metrics",
    None,
    f"Measures, with commas: {', '.join(measures.MEASURES)}. Default: quick ones that suit the "
    "data.",
    flag_values=FLAGS,
)
flags.DEFINE_integer("count", 10_000, "Samples to measure.", 2, flag_values=FLAGS)
flags.DEFINE_integer("seed", 0, "Seed of the latents.", flag_values=FLAGS)
flags.DEFINE_boolean("real", False, "Measure training images, no model.", flag_values=FLAGS)
flags.DEFINE_string(
    "extractor",
    None,
    "mnist, fashion_mnist, cifar10, or inception_v3. Default: that of the data.",
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "image_size", None, "Crops and resizes the data to this side.", 1, flag_values=FLAGS
)
flags.DEFINE_string(
    "output_dir",
    None,
    "Where scores.json and scores.png go. Default: the model's folder.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "verify",
    None,
    "Measures a preset again, or all of them, and fails where a score of its card is off.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "compare", None, "A scores.json, to compare with another that follows.", flag_values=FLAGS
)


def main(arguments):
    """Measures a model or real images, or compares two evaluations, as the flags say."""
    if FLAGS.compare is not None:
        return _compare([FLAGS.compare, *arguments])
    command.no_arguments(arguments)
    if FLAGS.verify is not None:
        every = [card["name"] for card in presets.list_presets()]
        return 1 if verify.report(every if FLAGS.verify == "all" else [FLAGS.verify]) else 0
    if (FLAGS.model is None) != FLAGS.real:
        raise ValueError(
            "`--model` and `--real` are given together, or neither is. Expected one of "
            f"--model=FILE and --real. Received: --model={FLAGS.model}, --real={FLAGS.real}"
        )

    extractor = FLAGS.extractor
    if extractor == "inception_v3":
        extractor = extractors.inception_v3()
    image_size = FLAGS.image_size
    reference = measures.Reference(FLAGS.dataset, extractor, FLAGS.count, image_size=image_size)
    names = FLAGS.metrics or measures.defaults(reference)
    chosen = {name: measures.get(name, reference) for name in names}
    if FLAGS.real:
        samples, labels = measures.part(reference.train, FLAGS.count)
    else:
        generator = saving.load(FLAGS.model)
        labels = sampling.labels_in_turn(FLAGS.count, getattr(generator, "num_classes", None))
        samples = generator.sample(FLAGS.count, labels, seed=FLAGS.seed)
    scores = []
    for name, measure in chosen.items():
        scores.append(measure.evaluate(samples, labels))
        _print(name, scores[-1])
    folder = FLAGS.output_dir or (pathlib.Path(FLAGS.model).parent if FLAGS.model else ".")
    _write(pathlib.Path(folder), scores, samples, labels, chosen, reference)
    return 0


def _print(name, score):
    print(f"{name:20}{score}  ({'higher' if score.higher_is_better else 'lower'} is better)")
    for detail, value in score.details.items():
        print(f"{'':20}{detail} {value:.4g}")
    for note in score.notes:
        print(f"{'':20}note: {note}")


def _write(folder, scores, samples, labels, chosen, reference):
    source = "training images" if FLAGS.real else FLAGS.model
    record = {
        "model": source,
        "dataset": FLAGS.dataset,
        "seed": None if FLAGS.real else FLAGS.seed,
        "scores": [json.loads(score.to_json()) for score in scores],
    }
    files.write_text(folder / "scores.json", json.dumps(record, indent=2))
    neighbours = None
    if reference.points:
        shown = pictures.draw(samples[:1000], None, reference.test[0][:1000])
    else:
        columns = reference.info.num_classes if labels is not None else 8
        columns = min(columns or 8, 10)
        order = np.arange(min(columns**2, len(samples)))
        if labels is not None and not FLAGS.real:
            order = (order // columns) * reference.info.num_classes + order % columns
        shown = pictures.grid(samples[order[order < len(samples)]], columns)
        measure = next((m for m in chosen.values() if isinstance(m, Memorisation)), None)
        if measure is not None:
            neighbours = measure.figure(samples[:1000])
    path = folder / "scores.png"
    title = f"{source} against {FLAGS.dataset}"
    picture.write(path, title, scores, shown, neighbours, _curves(folder))
    print(f"wrote {folder / 'scores.json'} and {path}")


def _curves(folder):
    """The scores of the training, where `trainers.Score` left them in the folder."""
    curves = {}
    for path in sorted(folder.glob("*/scores.json")):
        scores = json.loads(path.read_text()).get("scores")
        if isinstance(scores, dict) and scores:
            epochs = sorted(scores, key=int)
            name = scores[epochs[0]]["name"]
            values = [float(scores[epoch]["value"]) for epoch in epochs]
            curves[name] = ([int(epoch) for epoch in epochs], values)
    return curves


def _compare(paths):
    if len(paths) != 2:
        raise ValueError(
            "`--compare` takes two evaluations. Expected --compare A.json B.json. "
            f"Received: {len(paths)} of them, {paths}"
        )
    first, second = (_read(path) for path in paths)
    shared = [name for name in first if name in second]
    if not shared:
        raise ValueError(
            "The evaluations of `--compare` have no measure in common. Expected one at least. "
            f"Received: {sorted(first)} and {sorted(second)}"
        )
    for name in shared:
        check_comparable(first[name], second[name])
    for name in shared:
        a, b = first[name], second[name]
        better = "first" if a.better_than(b) else "second" if b.better_than(a) else "neither"
        print(f"{name:28}{a.value:12.4g}{b.value:12.4g}  better: {better}")
    return 0


def _read(path):
    """The scores of a file, by their names."""
    text = pathlib.Path(path).read_text()
    try:
        scores = [Score.from_json(json.dumps(score)) for score in json.loads(text)["scores"]]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            "A file of `--compare` is not an evaluation. Expected a scores.json of this command. "
            f"Received: {str(path)!r}"
        ) from error
    return {score.name: score for score in scores}


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
