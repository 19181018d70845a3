"""docs/gallery.md: every preset with its samples, a walk and its scores; and the README's table.

  python -m studies.gallery

The samples are those of the preset, of seed 0 and not chosen; a row of a walk goes from one latent
to another, of seed 1. The table goes between the two comments of the README that name it.
"""

import pathlib
import shutil

import numpy as np
from absl import flags

import zoo
from zoo import command, latents, pictures, presets, random
from zoo.files import replacing
from zoo.players import sampling

FLAGS = flags.FlagValues()
flags.DEFINE_string("output_dir", "docs", "Where gallery.md and gallery/ go.", flag_values=FLAGS)
flags.DEFINE_string("readme", "README.md", "The page that has the table.", flag_values=FLAGS)

ROWS, STEPS = 4, 12
BEGIN, END = "<!-- presets: python -m studies.gallery -->", "<!-- end of presets -->"
# A score in a few words: two go into the table, the first of a card under different names.
WORDS = {
    "conditional_accuracy": lambda s: f"{100 * s['value']:.1f} % recognised as their class",
    "frechet_distance": lambda s: f"Fréchet distance {s['value']:.3g}",
    "parzen_log_likelihood": lambda s: f"Parzen {s['value']:.0f} ± {s['standard_error']:.0f} nats",
    "modes_covered": lambda s: (
        f"{s['value']:.0f} modes, {100 * s['details']['high_quality']:.1f} % within 3 sigma"
    ),
    "stacked_modes_covered": lambda s: (
        f"{s['value']:,.0f} of 1,000 modes, KL {s['details']['kl']:.3f}"
    ),
    "precision_recall": lambda s: (
        f"precision {s['details']['precision']:.2f}, recall {s['details']['recall']:.2f}"
    ),
}


def table(cards):
    """The lines of a table with a row a preset: what it is, its size, its first scores."""
    lines = ["| preset | parameters | MB | minutes | scores |", "|---|---|---|---|---|"]
    for card in cards:
        first = {s["name"]: s for s in reversed(card["scores"]) if s["name"] in WORDS}
        scores = [WORDS[s["name"]](s) for s in card["scores"] if first.get(s["name"]) is s]
        training = card["training"]
        minutes = f"{training['seconds'] / 60:.0f}"
        if "CPU" not in training["device"]:
            minutes += f" ({training['device']})"
        lines.append(
            f"| `{card['name']}` | {card['parameters']['generator']:,} | {card['bytes'] / 1e6:.1f} "
            f"| {minutes} | {'; '.join(scores[:2])} |"
        )
    return lines


def between(text, lines):
    """The text with these lines between the two comments."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    if not tail:
        raise ValueError(
            f"`text` has no place for the table. Expected {BEGIN} and {END}. "
            f"Received: text of {len(text)} characters without them"
        )
    return "\n".join([head + BEGIN, *lines, END]) + tail


def walk(generator, path):
    """A picture of walks, a pair of latents a row."""
    ends = random.from_seed(generator.prior, 2 * ROWS, generator.latent_dim, 1).numpy()
    grid = latents.walk(ends[::2], ends[1::2], STEPS).swapaxes(0, 1)
    labels = None
    if generator.num_classes:
        labels = np.repeat(np.arange(ROWS) % generator.num_classes, STEPS).astype("int32")
    flat = grid.reshape(-1, generator.latent_dim)
    pictures.save_png(pictures.draw(sampling.decode(generator, flat, labels), STEPS), path)


def figures(card):
    """The table of a preset's scores, beside those of the checkpoint that was not published."""
    other = "best" if card["selection"].startswith("last") else "last"
    scores = card["checkpoints"].get(other, {}).get("scores", [])
    beside = {score["label"]: f"{float(score['value']):.4g}" for score in scores}
    lines = [f"| score | value | {other} checkpoint | target |", "|---|---|---|---|"]
    for score in card["scores"]:
        error = score["standard_error"]
        value = f"{float(score['value']):.4g}" + (f" ± {error:.2g}" if error else "")
        targets = [
            f"{target['figure']} {target['bound']} {target['number']:g}: "
            + ("reached" if target["reached"] else f"**missed** ({target['found']:.4g})")
            for target in card["targets"]
            if target["score"] == score["label"]
        ]
        lines.append(
            f"| {score['label'].replace('_', ' ')} | {value} | {beside.get(score['label'], '')} "
            f"| {'; '.join(targets)} |"
        )
    return lines


def section(card, folder):
    """The lines of one preset; its pictures go to the folder."""
    name = card["name"]
    generator = zoo.from_preset(name)
    shutil.copy(presets.SHIPPED / name / "samples.png", folder / f"{name}.png")
    training = card["training"]
    lines = [
        f"## {name}",
        "",
        f"{card['description']} {card['parameters']['generator']:,} parameters, "
        f"{card['bytes'] / 1e6:.1f} MB; {training['epochs']} epochs at batch "
        f"{training['batch_size']}, {training['seconds'] / 60:.0f} minutes on "
        f"{training['device']}, "
        f"seed {training['seed']}; published: the {card['selection'].split()[0]} checkpoint.",
        "",
        f"![Samples of {name}](gallery/{name}.png)",
    ]
    if len(generator.image_shape) == 3:
        walk(generator, folder / f"{name}_walk.png")
        lines += ["", f"![Walks of {name}](gallery/{name}_walk.png)"]
    lines += ["", *figures(card)]
    spread = card.get("spread")
    if spread:
        lines.append("")
        for name, values in spread["figures"].items():
            listed = ", ".join(f"{value:.4g}" for value in values)
            lines.append(f"- {name.replace('_', ' ')} of seeds {spread['seeds']}: {listed}")
    return [*lines, "", f"`{card['command']}`", ""]


def main(arguments):
    """Writes the page and its pictures."""
    command.no_arguments(arguments)
    folder = pathlib.Path(FLAGS.output_dir)
    (folder / "gallery").mkdir(parents=True, exist_ok=True)
    lines = [
        "# Gallery",
        "",
        "Every preset, with samples that were not chosen. `zoo.from_preset(NAME)` loads one;",
        "`python -m studies.gallery` made this page of the presets' cards, which also have the",
        "protocol of each score.",
        "",
    ]
    cards = zoo.list_presets()
    readme = pathlib.Path(FLAGS.readme)
    text = between(readme.read_text(), table(cards))
    with replacing(readme) as part:
        part.write_text(text)
    lines += [*table(cards), ""]
    for card in cards:
        lines += section(card, folder / "gallery")
        print(card["name"], flush=True)
    with replacing(folder / "gallery.md") as part:
        part.write_text("\n".join(lines))


if __name__ == "__main__":
    command.run(main, __doc__, FLAGS)
