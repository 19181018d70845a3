"""What can go wrong in a training: how it shows, from which value on, and what helps.

Each threshold has its reason beside it; `docs/health.md` shows the curves of healthy runs, and
BUILD_NOTES.md how often each is found in runs made to fail and in those that are not.
"""

import dataclasses
import math
from collections.abc import Callable

PATIENCE = 3  # Looks in a row: one bad look is chance.
# Steps before which only what cannot mend itself is named: every training begins in a bad place.
WARM_UP = 1000


@dataclasses.dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong.

    Attributes:
        name: str. As policies and records call it.
        shows: Function of the last looks, oldest first, to whether it is there.
        says: str. The sentence; `{name}` stands for a number of the last look.
        remedies: Tuple of what this library offers against it, best first.
        reason: str. Why the threshold is where it is.
        looks: int. How many looks `shows` wants; of one alone, it is named from the first step on.
    """

    name: str
    shows: Callable
    says: str
    remedies: tuple
    reason: str
    looks: int = PATIENCE


def found(history, warm_up=WARM_UP):
    """The names of the troubles that the last looks show, in the order of `TROUBLES`.

    Args:
        history: List of dicts of numbers, with their `step`, oldest first.
        warm_up: int. Steps that do not count.
    """
    names = []
    for trouble in TROUBLES.values():
        begun = 0 if trouble.looks == 1 else warm_up
        looks = [look for look in history if look["step"] >= begun]
        if len(looks) >= trouble.looks and trouble.shows(looks[-trouble.looks :]):
            names.append(trouble.name)
    return names


def sentence(name, look):
    """What a trouble says of the look that showed it, and what helps."""
    trouble = TROUBLES[name]
    numbers = {k: v for k, v in look.items() if isinstance(v, (int, float))}
    return f"{trouble.says.format(**numbers)} What helps: {'; '.join(trouble.remedies)}."


def _each(test, *needed):
    """Whether all looks pass a test; those without the numbers that it needs do not."""
    return lambda looks: all(all(n in look for n in needed) and test(look) for look in looks)


def _stays(name, test, *needed):
    """As `_each`, and a number has not grown by a fifth meanwhile: then it mends itself."""
    every = _each(test, name, *needed)
    return lambda looks: every(looks) and looks[-1][name] <= 1.2 * max(looks[0][name], 1e-9)


def _oscillates(looks):
    """Samples of the same latents change their kinds, and come no nearer to the data."""
    if not all("energy" in look for look in looks) or not all("moved" in x for x in looks[1:]):
        return False
    moves = [look["moved"] for look in looks[1:]]
    energies = [look["energy"] for look in looks]
    moving = min(moves) >= 0.25 and sum(moves) / len(moves) >= 0.4
    return moving and min(energies[-2:]) >= max(0.05, 0.7 * energies[0])


_SLOWER = "learning rates of a half or less: --learning_rate, or both optimizers of compile"
_R1 = "a gradient penalty: --discriminator_penalty=r1:1, or trainers.penalties.R1(1.0)"
_NOISE = (
    "instance noise that decays: --instance_noise=0.2:0:STEPS, or "
    "trainers.perturbations.InstanceNoise(schedule)"
)
_MANY = (
    "packs: --packing=2, or GAN(..., packing=2)",
    "a look ahead: --trainer=unrolled --unroll_steps=5, or trainers.UnrolledGAN",
    _R1,
    "simultaneous steps with instance noise: --schedule=simultaneous --instance_noise=0.2:0:STEPS",
)

TROUBLES = {
    trouble.name: trouble
    for trouble in (
        Trouble(
            "not_finite",
            _each(lambda look: not look["finite"], "finite"),
            "Samples or weights became NaN or infinite.",
            (_SLOWER, _R1, "mixed_bfloat16 or float32 in the place of float16: --precision"),
            "There is no healthy NaN.",
            looks=1,
        ),
        Trouble(
            "discriminator_won",
            _each(lambda look: look["js_estimate"] >= 0.95 * math.log(2), "js_estimate"),
            "The discriminator has won: its estimate of the Jensen-Shannon divergence is "
            "{js_estimate:.3f}, and log 2 = 0.693 is all that there is.",
            (_NOISE, _R1, "a slower discriminator: --discriminator_optimizer=adam:0.00005"),
            "0.95 log 2: D is right by a factor of 30 on both sides on average, for three looks.",
        ),
        Trouble(
            "vanishing_gradient",
            _each(lambda look: look["push"] <= 0.01, "push"),
            "The generator's gradient vanishes: its loss pulls at the logits with {push:.1e} of "
            "what it would at D = 1/2.",
            (
                "--objective=non_saturating, which does not saturate",
                _NOISE,
                "--trainer=wasserstein_gp",
            ),
            "A hundredth: a hundred steps do what one did.",
        ),
        Trouble(
            "discriminator_overfits",
            _each(
                lambda look: look["falling_behind"] >= 0.6 and look["told_apart"] >= 0.75,
                "falling_behind",
                "told_apart",
            ),
            "The discriminator knows its training samples by heart: logits of unseen real ones "
            "have fallen {falling_behind:.0%} of the way to those of generated ones.",
            (_NOISE, _R1, "more data, or smaller nets: --filters"),
            "0.6 is where Karras et al. (2020) hold r_v, by more augmentation.",
        ),
        Trouble(
            "generator_won",
            _each(
                lambda look: look["told_apart"] <= 0.6 and look["energy"] >= 0.1,
                "told_apart",
                "energy",
            ),
            "The generator has won too early: the discriminator tells samples from data in "
            "{told_apart:.0%} of pairs, where 50 % is chance, and they are far from the data.",
            (
                "more steps of the discriminator: --discriminator_steps=5",
                "a faster discriminator: --discriminator_optimizer=adam:0.001",
                "a larger one: --discriminator_units or --filters",
            ),
            "An energy coefficient of 0.1 is seen with bare eyes, and a fair D sees what eyes do.",
        ),
        Trouble(
            "one_sample",
            _stays("variety", lambda look: look["variety"] <= 0.2),
            "The generator makes one sample: its variety is {variety:.2f} of the data's.",
            _MANY,
            "A fifth of the data's mean distance is less than one of ten classes has.",
        ),
        Trouble(
            "few_modes",
            _stays("present", lambda look: look["present"] <= 0.5),
            "The generator makes few kinds of samples: {present:.0%} as many as the data have.",
            _MANY,
            "Half of the data's kinds are missing, in numbers that count small shares less.",
        ),
        Trouble(
            "oscillation",
            _oscillates,
            "The generator goes round: from one look to the next {moved:.0%} of the samples of the "
            "same latents become another kind, and none of it brings them nearer to the data.",
            (
                _SLOWER,
                "no momentum: --optimizer=adam:0.0002:beta_1=0",
                _R1,
                "--trainer=consensus or --trainer=unrolled",
                "a moving average: --ema_decay=0.999",
            ),
            "Two fifths of all samples in every look, over five looks; a training that converges "
            "moves fewer and fewer.",
            looks=5,
        ),
        Trouble(
            "memorisation",
            _each(lambda look: look["copying"] >= 0.5, "copying"),
            "The generator copies: {copying:.0%} of its samples lie nearer to a training sample "
            "than chance has it.",
            (
                "more data",
                "smaller nets: --filters",
                "an earlier end: --score keeps the best",
                _NOISE,
            ),
            "Half of the samples are copies, where samples of the data's distribution give 0.",
        ),
        Trouble(
            "dead_units",
            lambda looks: any(
                _each(lambda look, name=name: look[name] >= 0.75, name)(looks)
                for name in ("dead_generator", "dead_discriminator")
            ),
            "Three of four units of a layer are 0 for every sample, and learn no more.",
            (_SLOWER, "normalization, or LeakyReLU in the place of ReLU"),
            "Units that are 0 for 256 samples get no gradient; healthy toys have up to 0.4.",
        ),
        Trouble(
            "loss_scale",
            _each(lambda look: look["loss_scale"] < 1, "loss_scale"),
            "A player stands still: its gradients are infinite in float16 at a loss scale of "
            "{loss_scale:.3g} too.",
            ("--precision=mixed_bfloat16", "a smaller weight of the penalty"),
            "Below 1 the scale makes gradients smaller, so that the loss itself is too large.",
            looks=1,
        ),
    )
}
