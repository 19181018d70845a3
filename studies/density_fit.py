"""Figure 1 of the 2014 paper: the data, what the generator makes, D beside the best D, and z to x.

  python -m studies.density_fit --quick     # one run
  python -m studies.density_fit --full      # three seeds, with three times the steps

The data are N(1, 0.5^2), z is uniform on [-1, 1]. The discriminator (blue) goes to
D* = p / (p + q) (black) of the generator's density q (green), its slope leads the samples to where
the data (grey) are denser, and at the end q = p and D = 1/2 everywhere. The arrows are G: where
they are dense in x, q is large. An animation of the run is beside the figure.
"""

import keras
import numpy as np
from scipy import ndimage, stats

import trainers
import zoo
from studies import study, tables
from studies.study import Finding, Study

MEAN, SCALE = 1.0, 0.5
FRAMES, SHOWN = 30, (0, 3, 6, 30)  # Of the animation; those of the figure.
GRID = np.linspace(-1.5, 3.5, 251)
K = 4  # Steps of the discriminator.
OFF = 0.1  # Mean |D* - 1/2| from which q is so far off that D = 1/2 is no answer.
COUNT, WIDTH = 200_000, 1.5  # Samples of a density, and the width of its smoothing in bins.


def moment(number, steps):
    """How many steps have been made at a frame: most frames are where most happens, early."""
    return round(steps * (number / FRAMES) ** 2)


def density(samples):
    """A density on `GRID` by a smoothed histogram."""
    step = GRID[1] - GRID[0]
    edges = np.append(GRID - step / 2, GRID[-1] + step / 2)
    counts, _ = np.histogram(samples, edges)
    return ndimage.gaussian_filter1d(counts / len(samples) / step, WIDTH)


def run(steps, seed):
    """What is to be drawn at each frame of a run."""
    keras.utils.set_random_seed(seed)
    shared = {"kernel_initializer": "glorot_uniform"}
    generator = zoo.MLPGenerator(
        (1,), 1, (32, 32), "tanh", output_activation="linear", prior="uniform", **shared
    )
    discriminator = zoo.MLPDiscriminator(
        (1,), (64, 64), "tanh", input_dropout=0.0, dropout=0.0, **shared
    )  # fmt: skip
    gan = trainers.GAN(generator, discriminator, discriminator_steps=K, seed=seed)
    decay = keras.optimizers.schedules.CosineDecay
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(decay(1e-3, steps), beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(decay(4e-3, K * steps), beta_1=0.5),
        discriminator_penalties=trainers.penalties.R1(0.01),
    )
    rng = np.random.default_rng(seed)
    data = rng.normal(MEAN, SCALE, (50_000, 1)).astype("float32")
    latents = np.linspace(-1, 1, 25, dtype="float32")[:, None]
    frames = []

    def look():
        made = gan.sample(COUNT, seed=seed, batch_size=20_000)[:, 0]
        logits = discriminator.predict(GRID[:, None].astype("float32"), verbose=0)["logits"]
        arrows = generator.predict(latents, verbose=0)[:, 0]
        frames.append(
            {
                "density": np.round(density(made), 5).tolist(),
                "discriminator": np.round(1 / (1 + np.exp(-np.ravel(logits))), 5).tolist(),
                "arrows": np.round(arrows, 5).tolist(),
                "ks": float(stats.kstest(made[:20_000], stats.norm(MEAN, SCALE).cdf).statistic),
            }
        )

    look()
    for number in range(FRAMES):
        more = moment(number + 1, steps) - moment(number, steps)
        gan.fit(data, batch_size=256 * K, epochs=1, steps_per_epoch=more, verbose=0)
        look()
    return {"frames": frames, "steps": steps}


def parts(full, seed):
    """A run for each seed."""
    for k in range(seed, seed + (3 if full else 1)):
        yield f"run_{k}", lambda k=k: run(9_000 if full else 3_000, k)


def best(frame):
    """`D*` on `GRID`."""
    p = stats.norm.pdf(GRID, MEAN, SCALE)
    return p / (p + np.array(frame["density"]) + 1e-12)


def off(frame, wanted):
    """The mean distance of D from something, where there are data or samples."""
    weights = stats.norm.pdf(GRID, MEAN, SCALE) + np.array(frame["density"])
    return float(np.average(np.abs(np.array(frame["discriminator"]) - wanted), weights=weights))


def of_frames_off(name, frames):
    """How near D is to D* where q is off: near p, D = 1/2 would do as well."""
    distances = [(off(frame, best(frame)), least(frame)) for frame in frames]
    some = np.array([pair for pair in distances if pair[1] > OFF]).reshape(-1, 2)
    what = (
        f"{name}: mean |D - D*| in the {len(some)} of {len(frames)} frames with |D* - 1/2| > {OFF}"
    )
    if not len(some):
        return Finding(what, "half of |D* - 1/2|, or less", "no such frame", False)
    near, far = some.mean(axis=0)
    said = f"half of |D* - 1/2|, {far:.3f}, or less"
    return Finding(what, said, f"{near:.3f}", near < far / 2)


def least(frame):
    """The mean distance of D* from 1/2: what a D that has learned nothing is off by."""
    return off(frame | {"discriminator": best(frame)}, 0.5)


def report(results, directory):
    """Distances at the start and at the end of each run."""
    for name, r in results.items():
        first, last = r["frames"][0], r["frames"][-1]
        yield Finding(
            f"{name}: Kolmogorov-Smirnov distance of q and p (at first {first['ks']:.3f})",
            "0",
            f"{last['ks']:.3f}",
            last["ks"] < 0.05,
        )
        yield Finding(
            f"{name}: mean |D - 1/2| at the end",
            "0",
            f"{off(last, 0.5):.3f}",
            off(last, 0.5) < 0.05,
        )
        yield of_frames_off(name, r["frames"][1:])
    r = next(iter(results.values()))
    draw([r["frames"][k] for k in SHOWN], r["steps"], directory / "figure_1.png")
    pictures = [_picture([frame]) for frame in r["frames"]]
    zoo.pictures.save_animation(pictures, directory / "figure_1.gif")


def _panel(axes, frame):
    axes.plot(GRID, stats.norm.pdf(GRID, MEAN, SCALE), "0.5", ls=":", lw=1.5, label="p")
    axes.plot(GRID, frame["density"], "tab:green", label="q")
    axes.plot(GRID, frame["discriminator"], "tab:blue", ls="--", label="D")
    axes.plot(GRID, best(frame), "k", lw=0.7, label="D* = p / (p + q)")
    for z, x in zip(np.linspace(-1, 1, len(frame["arrows"])), frame["arrows"], strict=True):
        axes.annotate(
            "", (x, -0.08), (MEAN + 2.2 * z, -0.5), arrowprops={"arrowstyle": "->", "lw": 0.5}
        )
    axes.set(xlim=(GRID[0], GRID[-1]), ylim=(-0.55, 1.6), xticks=[-1, 0, 1, 2, 3])
    axes.set(yticks=[0, 0.5, 1], xlabel="x (arrows: from z in [-1, 1])")
    axes.axhline(-0.08, color="k", lw=0.5)
    axes.axhline(-0.5, color="k", lw=0.5)


def draw(frames, steps, path):
    """The figure: some frames side by side."""
    figure = tables.figure(10.0, 3.0)
    for axes, frame, k in zip(figure.subplots(1, len(frames)), frames, SHOWN, strict=True):
        _panel(axes, frame)
        axes.set_title(f"{moment(k, steps)} steps", fontsize=9)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    tables.save(figure, path)


def _picture(frames):
    """A frame as an array of pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = tables.figure(4.0, 3.2)
    canvas = FigureCanvasAgg(figure)
    _panel(figure.subplots(), *frames)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


STUDY = Study("density_fit", parts, report)

if __name__ == "__main__":
    study.run(STUDY, __doc__)
