"""Every objective and update rule as a game on points in the plane, many seeds of each."""

import dataclasses
import itertools

import keras
import numpy as np

import trainers
import zoo
from evaluation.modes import ModeCoverage, coverage
from evaluation.transport import sliced_wasserstein
from trainers import penalties
from trainers.divergences import DIVERGENCES
from zoo.finite import Diverged
from zoo.layers import MinibatchDiscrimination

UNITS, LATENTS, BATCH = (64, 64), 2, 128
RATE = 1e-3
POINTS = 20_000  # Of the data; every seed has its own.
DRAWN = 2500  # Samples of a generator, as in the literature.
MEASURES = ("modes", "modes_20", "good", "kl", "width", "sliced")
WIDEST, NARROWEST = 1.5, 0.03  # Noise: 3/4 of the grid's spacing, then 0.6 of a mode's sigma.
SLOPE = 0.1  # Weight of the slope's penalties, on data some units wide.


def _adam(rate):
    return keras.optimizers.Adam(rate, beta_1=0.5)


def _rmsprop(rate):
    return keras.optimizers.RMSprop(rate)


schedules = keras.optimizers.schedules


@dataclasses.dataclass(frozen=True)
class Rule:
    """A row of the table.

    Attributes:
        trainer: Class of `trainers`. Seeds of a `GAN` are trained together, as a `GANEnsemble`.
        arguments: Of the class.
        compiled: Of `compile`, but the optimizers and what follows.
        optimizer: Function of a learning rate, or of a schedule of it.
        rate: float, the learning rate of both players.
        examples: int, of a batch of one step of D: samples, or packs of them.
        minibatch_discrimination: bool. Whether D sees how alike a batch is.
        anneals: bool. Whether the rate falls along a cosine, the discriminator sees through noise
            that decays to the width of a mode, and the samples are the average's.
    """

    trainer: type = trainers.GAN
    arguments: dict = dataclasses.field(default_factory=dict)
    compiled: dict = dataclasses.field(default_factory=dict)
    optimizer: object = _adam
    rate: float = RATE
    examples: int = BATCH
    minibatch_discrimination: bool = False
    anneals: bool = False

    @property
    def together(self):
        """Whether all seeds are trained as one ensemble: no loss or layer mixes its examples."""
        objective = self.compiled.get("objective")
        mixes = self.minibatch_discrimination or objective == "relativistic_average"
        return self.trainer is trainers.GAN and not mixes

    @property
    def packing(self):
        """How many samples D sees at a time."""
        return self.arguments.get("packing", 1)

    @property
    def batch(self):
        """Samples of a batch: D has as many examples a step whatever they are, as in PacGAN, where
        one is a pack; and as many for each of its steps, whatever their number."""
        steps = 5 if self.trainer is trainers.WassersteinGAN else 1  # By default.
        steps = self.arguments.get("discriminator_steps", steps)
        return self.examples * self.packing * steps


def _objective(name):
    return Rule(compiled={"objective": name})


def _slopes(*kinds, objective="non_saturating", **more):
    given = [kind(SLOPE) for kind in kinds]
    return Rule(compiled={"objective": objective, "discriminator_penalties": given}, **more)


RULES = {
    "minimax": _objective("minimax"),
    "non_saturating": _objective("non_saturating"),
    "k = 5": Rule(arguments={"discriminator_steps": 5}),
    "simultaneous": Rule(arguments={"schedule": "simultaneous"}),
    "least_squares": _objective("least_squares"),
    "hinge": _objective("hinge"),
    "relativistic_average": _objective("relativistic_average"),
    **{
        f"f-GAN {name}": Rule(compiled={"objective": trainers.objectives.FDivergence(name)})
        for name in DIVERGENCES
        if name not in ("gan", "weighted_jensen_shannon", "alpha")
    },
    "f-GAN alpha 0.5": Rule(
        compiled={
            "objective": trainers.objectives.FDivergence(
                trainers.divergences.get("alpha", alpha=0.5)
            )
        }
    ),
    "f-GAN weighted JS 0.25": Rule(
        compiled={
            "objective": trainers.objectives.FDivergence(
                trainers.divergences.get("weighted_jensen_shannon", pi=0.25)
            )
        }
    ),
    "WGAN, clip 0.1": Rule(
        trainers.WassersteinGAN, {"clip": 0.1}, {"objective": "wasserstein"}, _rmsprop, 5e-4
    ),
    "WGAN-GP, k = 5": Rule(
        arguments={"discriminator_steps": 5},
        compiled={
            "objective": "wasserstein",
            "discriminator_penalties": [penalties.GradientPenalty(SLOPE)],
        },
    ),
    "R1": _slopes(penalties.R1),
    "relativistic pairing, R1 + R2": _slopes(
        penalties.R1, penalties.R2, objective="relativistic_pairing"
    ),
    "feature matching": Rule(trainers.FeatureMatchingGAN),
    "historical averaging": Rule(trainers.HistoricalAveragingGAN),
    "unrolled 1": Rule(trainers.UnrolledGAN, {"unroll_steps": 1}),
    "unrolled 5": Rule(trainers.UnrolledGAN, {"unroll_steps": 5}),
    "unrolled 10": Rule(trainers.UnrolledGAN, {"unroll_steps": 10}),
    "consensus 0.1": Rule(trainers.ConsensusGAN, {"weight": 0.1}),
    "minibatch discrimination": Rule(minibatch_discrimination=True),
    "packing 2": Rule(arguments={"packing": 2}),
    "packing 3": Rule(arguments={"packing": 3}),
    "packing 4": Rule(arguments={"packing": 4}),
}

# What keeps all modes here: noise blends them while the shares are learned, the penalty damps the
# circling that would undo it, and the noise then goes slowly.
BEST = Rule(
    arguments={"schedule": "simultaneous"},
    compiled={"discriminator_penalties": [penalties.R1(SLOPE)]},
    rate=2e-3,
    examples=256,
    anneals=True,
)
BEST_UNITS = (64, 64, 64)


def slug(name):
    """A rule's name as that of a file."""
    return "_".join("".join(c if c.isalnum() else " " for c in name).split())


def players(rule, units=UNITS):
    """A pair of nets for points in the plane."""
    given = {"kernel_initializer": "he_normal"}
    generator = zoo.MLPGenerator(
        (2,), LATENTS, units, "relu", output_activation="linear", prior="normal", **given
    )
    shape = (2 * rule.packing,)
    if not rule.minibatch_discrimination:
        return generator, zoo.MLPDiscriminator(
            shape, units, "leaky_relu", input_dropout=0.0, dropout=0.0, **given
        )
    layers = [keras.layers.Dense(n, "leaky_relu", **given) for n in units]
    layers += [MinibatchDiscrimination(16, 4), keras.layers.Dense(1, **given)]
    return generator, keras.Sequential([keras.Input(shape), *layers])


def optimizers(rule, steps):
    """Both optimizers of a rule, by `compile`'s names."""
    rate = rule.rate
    if rule.anneals:
        k = rule.arguments.get("discriminator_steps", 1)
        rates = [schedules.CosineDecay(rate, n, alpha=0.05) for n in (steps, steps * k)]
    else:
        rates = [rate, rate]
    names = ("generator_optimizer", "discriminator_optimizer")
    return {n: rule.optimizer(r) for n, r in zip(names, rates, strict=True)}


def _compiled(rule, steps):
    given = {**rule.compiled, **optimizers(rule, steps)}
    if not rule.anneals:
        return given
    scale = schedules.PolynomialDecay(WIDEST, int(0.7 * steps), NARROWEST, power=2.0)
    noise = trainers.perturbations.InstanceNoise(scale)
    return {**given, "ema_decay": 0.999, "perturbations": noise}


def played(rule, toy, steps, seeds, stages=4, units=UNITS):
    """Samples of the games of some seeds, at some moments of the training.

    Args:
        rule: `Rule`.
        toy: `zoo.toys.Mixture` in the plane.
        steps: int. Of the generator.
        seeds: A range of ints.
        stages: int. Moments.
        units: Widths of the hidden layers of both nets.

    Returns:
        float32 `(stages, seeds, DRAWN, 2)`; NaN of a game that diverged.
    """
    data = np.stack([toy.sample(POINTS, (seed, 1)).numpy() for seed in seeds])
    per = steps // stages
    if rule.together:
        ensemble = trainers.GANEnsemble(
            *players(rule, units),
            len(seeds),
            seed=seeds[0],
            **rule.arguments,
            **_compiled(rule, steps),
        )
        return np.stack([_trained(ensemble, data, rule, k, per) for k in range(stages)])
    games = _Alone(rule, steps, units)
    alone = [games.play(seed, x, stages, per) for seed, x in zip(seeds, data, strict=True)]
    return np.stack(alone, axis=1)


def _trained(game, data, rule, stage, per):
    """Samples after one more stage: of a GAN, or of each member that has not diverged."""
    game.fit(
        data,
        batch_size=rule.batch,
        epochs=stage + 1,
        initial_epoch=stage,
        steps_per_epoch=per,
        verbose=0,
    )
    if not rule.together:
        return np.asarray(game.sample(DRAWN, seed=0))
    samples = np.full((game.members, DRAWN, 2), np.nan, "float32")
    whole = np.setdiff1d(np.arange(game.members), game.diverged)
    if len(whole):
        samples[whole] = game.sample(DRAWN, members=whole, seed=0)
    return samples


class _Alone:
    """One game after another through one compiled function.

    Each begins with first weights of its seed, and at step `seed * 10**6`: draws are functions of
    the step, so they are others too.
    """

    def __init__(self, rule, steps, units):
        self.rule, self.units = rule, units
        self.game = rule.trainer(*players(rule, units), seed=0, **rule.arguments)
        given = {"jit_compile": True, "steps_per_execution": 50, **_compiled(rule, steps)}
        self.game.compile(**given)
        both = (self.game.generator_optimizer, self.game.discriminator_optimizer)
        of_optimizers = itertools.chain(*(optimizer.variables for optimizer in both))
        known = {id(v): v for v in itertools.chain(self.game.variables, of_optimizers)}
        self.first = [(v, v.numpy()) for v in known.values()]

    def play(self, seed, data, stages, per):
        """Samples at some moments, `(stages, DRAWN, 2)`."""
        for variable, value in self.first:
            variable.assign(value)
        keras.utils.set_random_seed(seed)
        drawn = players(self.rule, self.units)
        for mine, new in zip((self.game.generator, self.game.discriminator), drawn, strict=True):
            mine.set_weights(new.get_weights())
        self.game.steps.assign(seed * 10**6)
        samples = np.full((stages, DRAWN, 2), np.nan, "float32")
        for stage in range(stages):
            try:
                samples[stage] = _trained(self.game, data, self.rule, stage, per)
            except Diverged as error:
                print(f"seed {seed}, stage {stage}: {error}", flush=True)
                break
        return samples


def measured(toy, samples, held_out):
    """What samples of one generator say of its modes.

    Returns:
        dict of floats: `modes`, `modes_20` (with 20 good samples), `good` (share within three
        deviations), `kl` (of the shares of the modes, each sample counted to the nearest, from
        equal ones), `width` (median distance of a sample to the nearest centre, over the data's)
        and `sliced` (Wasserstein-1). All NaN of a game that diverged.
    """
    if not np.isfinite(samples).all():
        return dict.fromkeys(MEASURES, float("nan"))
    score = ModeCoverage(toy).evaluate(samples)
    near = np.linalg.norm(samples[:, None] - toy.centres, axis=2)
    shares = np.bincount(near.argmin(1), minlength=len(toy.centres))
    radius = np.median(near.min(1))
    return {
        "modes": float(score.value),
        "modes_20": float(score.details["covered_20"]),
        "good": float(score.details["high_quality"]),
        "kl": coverage(shares, toy.weights)["kl"],
        "width": float(radius / (toy.scales[0] * np.sqrt(2 * np.log(2)))),
        "sliced": sliced_wasserstein(samples, held_out, projections=64),
    }
