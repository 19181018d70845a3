"""The picture of docs/health.md: what the health monitor sees of a good game and of three bad ones.

python -m benchmarks.health_figure
"""

import pathlib
import tempfile

import keras

from benchmarks import health
from studies import tables
from trainers.callbacks.health_monitor import read_record
from zoo import command

PATH = pathlib.Path("docs/images/health.png")
GAMES = {
    "goes well": health.healthy,
    "the discriminator has won": health.discriminator_won,
    "one mode, and another": health.few_modes,
    "goes round": health.oscillation,
}
LOSSES = {
    "discriminator_loss": ("discriminator's loss", "tab:blue"),
    "generator_loss": ("generator's loss", "tab:red"),
    "js_estimate": ("JS estimate (at most 0.69)", "tab:green"),
}
SIGNS = {
    "told_apart": ("told apart", "tab:blue"),
    "variety": ("variety", "tab:red"),
    "present": ("kinds", "tab:purple"),
    "moved": ("moved", "tab:brown"),
    "energy": ("energy coefficient", "0.5"),
}


def looks(play, seed=0):
    """What the monitor saw of a game."""
    with tempfile.TemporaryDirectory() as folder:
        health.RECORD["path"] = pathlib.Path(folder, "health.jsonl")
        keras.utils.set_random_seed(seed)
        play(seed)
        return read_record(health.RECORD["path"])


def draw(games, path):
    """Two plots a game: what the log says, and what the monitor adds to it."""
    figure = tables.figure(3.2 * len(games) + 1.6, 5.6)
    axes = figure.subplots(2, len(games), sharex="col")
    for column, (name, seen) in enumerate(games.items()):
        steps = [look["step"] for look in seen]
        for place, lines in zip(axes[:, column], (LOSSES, SIGNS), strict=True):
            for key, (label, color) in lines.items():
                points = [(s, x[key]) for s, x in zip(steps, seen, strict=True) if key in x]
                place.plot(*zip(*points, strict=True), color=color, label=label, marker="o", ms=2)
            place.grid(color="0.9")
        named = [look["step"] for look in seen if look["troubles"]]
        if named:
            for place in axes[:, column]:
                place.axvline(named[0], color="tab:orange")
        axes[0, column].set(title=name, ylim=(-0.1, 4.0))
        axes[1, column].set(xlabel="step", ylim=(-0.05, 1.3))
    for row in (0, 1):
        axes[row, -1].legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.02, 1.0))
    axes[0, 0].set_ylabel("in the log")
    axes[1, 0].set_ylabel("what the monitor sees")
    tables.save(figure, path)


def main(arguments):
    """Plays and draws."""
    command.no_arguments(arguments)
    draw({name: looks(play) for name, play in GAMES.items()}, PATH)
    return 0


if __name__ == "__main__":
    command.run(main, __doc__)
