"""Steps of this library's trainers on fixed draws, for the page's toy game to be held to."""

import json
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import trainers
import zoo
from trainers import penalties, perturbations

STEPS, BATCH, UNITS = 4, 128, (64, 64)
RATES = {"generator": 1e-3, "discriminator": 2e-4}
NOISE = 0.25
CASES = [
    # Objective, the page's rule, and the class here with its arguments.
    ("minimax", {}, trainers.GAN, {}),
    ("non_saturating", {}, trainers.GAN, {}),
    ("wasserstein", {}, trainers.GAN, {}),
    ("non_saturating", {"r1": 10.0}, trainers.GAN, {}),
    ("wasserstein", {"r1": 10.0}, trainers.GAN, {}),
    ("minimax", {"unroll": 3}, trainers.UnrolledGAN, {"unroll_steps": 3}),
    ("non_saturating", {"unroll": 3}, trainers.UnrolledGAN, {"unroll_steps": 3}),
    ("minimax", {"consensus": 1.0}, trainers.ConsensusGAN, {"weight": 1.0}),
    ("non_saturating", {"consensus": 1.0}, trainers.ConsensusGAN, {"weight": 1.0}),
    ("non_saturating", {"noise": True}, trainers.GAN, {}),
    ("minimax", {"noise": True}, trainers.GAN, {}),
]


class Given(perturbations.InstanceNoise):
    """Instance noise that was drawn before, call by call."""

    def samples(self, samples, seed, step):
        return samples + self.scale * tf.constant(self.given.pop(0))


def players():
    """A generator and a discriminator as the page has them."""
    initializer = "glorot_uniform"
    generator = zoo.MLPGenerator(
        (2,),
        latent_dim=2,
        units=UNITS,
        output_activation="linear",
        prior="normal",
        kernel_initializer=initializer,
    )
    discriminator = zoo.MLPDiscriminator(
        (2,),
        units=UNITS,
        activation="relu",
        input_dropout=0,
        dropout=0,
        kernel_initializer=initializer,
    )
    return generator, discriminator


def draws(rng):
    """The draws of a step: float32 arrays, as the page's `draws` has them."""

    def plane(scale=1.0):
        return (scale * rng.normal(size=(BATCH, 2))).astype("float32")

    return {
        "real": plane(1.5),
        "latents": [plane(), plane()],
        "noise": [[plane(), plane()], [plane(), plane()]],
        "shares": rng.uniform(size=(BATCH, 1)).astype("float32"),
    }


def weights(trainer):
    """`{player: [kernel, bias, ...]}` as nested lists."""
    named = {"generator": trainer.generator, "discriminator": trainer.discriminator}
    return {
        name: [np.asarray(w).ravel().tolist() for w in model.get_weights()]
        for name, model in named.items()
    }


def case(objective, rule, trainer_class, arguments):
    """One game: what it began with, what it was given, and where it came."""
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    trainer = trainer_class(*players(), **arguments)
    slopes = [penalties.R1(rule["r1"])] if "r1" in rule else []
    if objective == "wasserstein":
        slopes.append(penalties.GradientPenalty(0.1))
    noise = Given(NOISE)
    trainer.compile(
        objective,
        generator_optimizer=keras.optimizers.Adam(RATES["generator"], beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(RATES["discriminator"], beta_1=0.5),
        discriminator_penalties=slopes,
        perturbations=[noise] if "noise" in rule else [],
        run_eagerly=True,
        jit_compile=False,
    )
    first = weights(trainer)
    given = [draws(rng) for _ in range(STEPS)]
    after = []
    for step in given:
        latents = [tf.constant(z) for z in step["latents"]]
        shares = tf.constant(step["shares"])
        for one in trainer.perturbations:
            one.given = [x for pair in step["noise"] for x in pair]
        with (
            mock.patch.object(trainer, "latents", lambda *_, latents=latents: latents.pop(0)),
            mock.patch.object(penalties, "_shares", lambda *_, shares=shares: shares),
        ):
            trainer.train_step(tf.constant(step["real"]))
        after.append(weights(trainer))
    flat = [{k: _flat(v) for k, v in step.items()} for step in given]
    return {
        "name": f"{objective} {' '.join(rule) or 'plain'}",
        "objective": objective,
        "rule": rule,
        "noise": NOISE if "noise" in rule else 0,
        "rates": RATES,
        "first": first,
        "draws": flat,
        "after": after,
    }


def _flat(value):
    return [_flat(part) for part in value] if isinstance(value, list) else value.ravel().tolist()


def write(path):
    """Writes, for each case, the first weights, the draws of each step, the weights after it."""
    path.write_text(json.dumps([case(*row) for row in CASES]))
