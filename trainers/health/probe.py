"""A look at both players between two steps: what they make and say, as a few numbers."""

import keras
import numpy as np
import tensorflow as tf

from trainers.health import examples, signs
from trainers.steps import inputs
from trainers.steps.key import Key
from trainers.steps.packing import pack
from zoo import random, tracing
from zoo.players import conditions, sampling

KINDS_OF = 1000  # Real samples among which kinds are found.
STREAM = 7  # Of its draws, which are none of the training's.


class Probe:
    """What `HealthMonitor` measures. Nothing of the trainer moves, and no draw of it is used.

    Args:
        gan: A compiled trainer of one pair, or a `zoo.VAE`.
        real: Real samples, as `examples.gathered` takes them.
        held_out: Others that the trainer does not learn from, or `None`.
        count: int. Samples of a look.
        seed: int. Fixes the latents.
    """

    def __init__(self, gan, real, held_out=None, count=256, seed=0):
        self.gan, self.seed = gan, seed
        traits = gan.traits
        packing = getattr(gan, "packing", 1)
        train, labels = _shuffled(gan, real, "real", seed)
        count = max(packing, min(count, len(train)) // packing * packing)
        self.batch, self.told = train[:count], None if labels is None else labels[:count]
        self.latents = random.draw(traits.prior, count, traits.latent_dim, (seed, STREAM))
        self.real = _flat(self.batch)
        self.kinds = signs.Kinds(_flat(train[:KINDS_OF]), seed)
        self.unseen = self.searched = None
        if held_out is not None:
            others, unseen = _shuffled(gan, held_out, "held_out", seed)
            self.unseen = others[:count], None if unseen is None else unseen[:count]
            self.searched = _flat(train), _flat(others)
        one_game = _is_one_game(gan)
        players = ("generator", "discriminator") if one_game else ("generator",)
        units = {name: _units(getattr(gan, name)) for name in players}
        self.units = {name: model for name, model in units.items() if model is not None}
        self.look = tf.function(tracing.traced(self._look), autograph=False)
        self.judge = None
        if one_game:
            self.judge = tf.function(tracing.traced(self._judge), autograph=False)

    def __call__(self):
        """The numbers of this moment: dict of floats, and `shares`, a list of them."""
        made, dead = self.look()
        made = made.numpy()
        if not np.isfinite(made).all():
            return {"finite": 0.0}
        samples = _flat(made)
        shares = self.kinds.shares(samples)
        found = {
            "finite": 1.0,
            "variety": signs.variety(samples, self.real),
            "energy": signs.energy_coefficient(samples, self.real),
            "present": self.kinds.present(shares),
            "shares": [round(float(share), 6) for share in shares],
        }
        for name, values in dead.items():
            found[f"dead_{name}"] = max(signs.dead_share(value.numpy()) for value in values)
        if self.searched is not None:
            found["copying"] = signs.copying(samples, *self.searched)
        if self.judge is not None:
            found.update(self._judged(*self.judge(made)))
        return found

    def _judged(self, logits, features, push, unseen):
        real, fake = (value.numpy() for value in logits)
        found = {"told_apart": signs.told_apart(real, fake)}
        if features is not None:
            of_real, of_fake = (_flat(value.numpy()) for value in features)
            found["feature_variety"] = signs.variety(of_fake, of_real)
        if push is not None:
            found["push"] = float(push.numpy())
        if unseen is not None:
            found["falling_behind"] = signs.falling_behind(*(v.numpy() for v in unseen))
        return found

    # === In the graph ===

    def _look(self):
        """Samples in inference mode, and what hidden units of rectifiers make of the latents."""
        gan = self.gan
        made = sampling.generate(gan.generator, self.latents, self.told, training=False)
        given = {"generator": ("latents", self.latents)}
        if self.judge is not None:
            given["discriminator"] = ("images", pack(tf.constant(self.batch), gan.packing))
        dead = {}
        for name, units in self.units.items():
            inputs = conditions.call_inputs(getattr(gan, name), *given[name], self.told)
            values = tf.nest.flatten(units(inputs, training=False))
            dead[name] = [tf.cast(value, "float32") for value in values]
        return tf.cast(made, "float32"), dead

    def _judge(self, made):
        """The discriminator's logits and features as in training; and in inference mode."""
        gan = self.gan
        key = Key((gan.seed, STREAM), (gan.steps,))
        with keras.StatelessScope():  # No statistics of batches move.
            fake = sampling.generate(gan.generator, self.latents, self.told, training=True)
            fake = tf.cast(fake, "float32")
            real, fake = gan.perturbed(tf.constant(self.batch), fake, key)
            views = gan.views(real, fake, self.told, training=True)
            push = self._push(*views)
            unseen = None
            if self.unseen is not None:
                seen = self._logits(self.batch, self.told), self._logits(*self.unseen)
                unseen = (*seen, self._logits(made, self.told))
        features = None
        if views[0].features is not None:
            features = tuple(tf.cast(view.features, "float32") for view in views)
        return tuple(view.logits for view in views), features, push, unseen

    def _logits(self, samples, labels):
        gan = self.gan
        packed = pack(tf.convert_to_tensor(samples), gan.packing)
        logits, _ = sampling.discriminate(gan.discriminator, packed, labels, training=False)
        return sampling.per_example(logits, gan.patches)

    def _push(self, real, fake):
        """How hard the generator's loss pulls at its logits, over how hard it would at 0."""
        objective = getattr(self.gan, "objective", None)
        if objective is None or self.gan.mixes_examples:
            return None

        def slope(of_real, of_fake):
            with tf.GradientTape() as tape:
                tape.watch(of_fake)
                loss = tf.reduce_sum(objective.generator_loss(of_real, of_fake))
            return tf.reduce_mean(tf.abs(tape.gradient(loss, of_fake)))

        even = slope(tf.zeros_like(real.logits), tf.zeros_like(fake.logits))
        return slope(real.logits, fake.logits) / tf.maximum(even, 1e-12)


def _is_one_game(gan):
    """Whether one discriminator judges what the generator makes."""
    return hasattr(gan, "views") and not hasattr(gan, "level_gans")


def _shuffled(gan, data, name, seed):
    """Samples in the generator's range, float32, and their labels or conditions, a tensor.

    In an order that is chance: what is given may be sorted by class.
    """
    samples, labels = examples.gathered(gan.traits, data, name)
    rows = np.random.default_rng(seed).permutation(len(samples))
    data = samples[rows] if labels is None else (samples[rows], labels[rows])
    samples, labels = inputs.unpack(data, gan.traits)
    return samples.numpy(), labels


def _flat(samples):
    rows = np.reshape(samples, (len(samples), -1))
    return rows.astype("float64") if rows.shape[1] <= 64 else rows


def _units(player):
    """A model of what the rectified layers of a player give, or `None` where there are none."""
    if not getattr(player, "inputs", None):  # Not made of a graph of layers.
        return None
    graph = getattr(player, "_functional", None) or player  # Of a Sequential.
    outputs = [layer.output for layer in graph.layers if _rectifies(layer)]
    return keras.Model(graph.input, outputs) if outputs else None


def _rectifies(layer):
    activation = getattr(layer, "activation", None)
    rectified = activation is keras.activations.relu
    if isinstance(layer, keras.layers.ReLU):
        rectified = not layer.negative_slope
    return rectified and len(layer._inbound_nodes) == 1
