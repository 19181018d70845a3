"""What couples members is refused, and what is not refused couples none."""

import functools
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import optimizers

import trainers
import zoo
from tests.helpers import compiled, tiny_dense_pair
from tests.trainers.test_ensemble import pair
from trainers import divergences, objectives, penalties, perturbations
from trainers.ensembles import couplings
from trainers.stopping import UntilConverged

MEMBERS = 3
L = keras.layers


@functools.cache
def _gan():
    return trainers.GAN(*tiny_dense_pair())


def _check(**settings):
    couplings.check(compiled(_gan(), **settings)._compilation, _gan().traits.image_shape)


# === Objectives ===


def _mixes(objective):
    """Whether the loss of one example moves with the logit of any other."""
    rng = np.random.default_rng(0)
    pairs = rng.normal(size=(2, 5)).astype("float32")
    for loss in (objective.discriminator_loss, objective.generator_loss):
        before = loss(*tf.constant(pairs)).numpy()
        for side, place in np.ndindex(pairs.shape):
            moved = pairs.copy()
            moved[side, place] += 0.5
            change = np.abs(loss(*tf.constant(moved)).numpy() - before)
            if np.delete(change, place).max() > 1e-6:
                return True
    return False


def _accepted(objective):
    try:
        couplings._check_objective(objective)
    except ValueError as refusal:
        assert "`objective` mixes the examples of a batch" in str(refusal)
        return False
    return True


PARAMETERS = {"alpha": {"alpha": 0.3}, "weighted_jensen_shannon": {"pi": 0.3}}
NAMES = sorted({*objectives.OBJECTIVES, *divergences.DIVERGENCES})


def test_objectives_that_mix_examples_are_refused_and_no_others():
    refused = []
    for name in NAMES:
        objective = objectives.get(name, **PARAMETERS.get(name, {}))
        assert _accepted(objective) != _mixes(objective), name
        refused += [] if _accepted(objective) else [name]
    assert refused == ["relativistic_average"]


class Centred(objectives.Wasserstein):
    """A user's own: the generator's loss is of the whole batch."""

    def generator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(fake_logits) - fake_logits


def test_a_users_objective_is_looked_at():
    assert _mixes(Centred()) and not _accepted(Centred())


class Averaged(objectives.Objective):
    """A user's own: a mean, where a loss of each example is asked for."""

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(fake_logits - real_logits)

    def generator_loss(self, real_logits, fake_logits):
        return -fake_logits


def test_a_mean_is_no_loss_of_each_example():
    with pytest.raises(ValueError, match=r"`objective` does not give a loss of each.*shape \(\)"):
        _check(objective=Averaged())


# === Perturbations ===


class Drift(perturbations.Perturbation):
    """A user's own: towards the mean of the batch."""

    def samples(self, samples, seed, step):
        return samples + self.scale * tf.reduce_mean(samples, axis=0)


class Swap(perturbations.Perturbation):
    """A user's own: every example has the logits of its neighbour."""

    def logits(self, real_logits, fake_logits, seed, step):
        return tf.roll(real_logits, 1, axis=0), fake_logits


class Draw(perturbations.Perturbation):
    """A user's own: drawn by TensorFlow, which takes one seed."""

    def samples(self, samples, seed, step):
        return samples + tf.random.stateless_normal(tf.shape(samples), seed)


class Shrink(perturbations.Perturbation):
    """A user's own: each example by itself, with noise of its member."""

    def samples(self, samples, seed, step):
        return samples * self.scale + zoo.random.normal(tf.shape(samples), seed)


@pytest.mark.parametrize("kind", [Drift, Swap, Draw])
def test_perturbations_that_mix_examples_are_refused(kind):
    with pytest.raises(ValueError, match=f"`perturbations` holds a {kind.__name__} that mixes"):
        _check(perturbations=kind(0.5))


@pytest.mark.parametrize("kind", [perturbations.InstanceNoise, perturbations.LabelFlips, Shrink])
def test_perturbations_of_each_example(kind):
    _check(perturbations=kind(0.5))


# === Optimizers ===


def _steps(kind, weights, gradients):
    """Weights after a step of an optimizer for each gradient."""
    variable = keras.Variable(weights)
    optimizer = kind(learning_rate=0.1)
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
    return variable.numpy()


@pytest.mark.parametrize("kind", couplings.OPTIMIZERS, ids=lambda kind: kind.__name__)
def test_optimizers_that_are_taken_move_each_member_by_itself(kind):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(MEMBERS, 2, 2)).astype("float32")
    gradients = rng.normal(size=(3, MEMBERS, 2, 2)).astype("float32")
    together = _steps(kind, weights, gradients)
    for k in range(MEMBERS):
        alone = _steps(kind, weights[k], gradients[:, k])
        np.testing.assert_allclose(together[k], alone, rtol=1e-6, atol=1e-7)


REFUSED = {
    "norm": (
        lambda: optimizers.Adam(clipnorm=1.0),
        "Received: generator_optimizer=Adam with clipnorm",
    ),
    "norm of all": (lambda: optimizers.SGD(global_clipnorm=1.0), "SGD with global_clipnorm"),
    "Lamb": (lambda: optimizers.Lamb(), "Received: generator_optimizer=Lamb"),
    "Muon": (lambda: optimizers.Muon(), "Received: generator_optimizer=Muon"),
    "loss scale": (
        lambda: optimizers.LossScaleOptimizer(optimizers.Adam()),
        "generator_optimizer=LossScaleOptimizer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_optimizers_that_are_refused(name):
    make, message = REFUSED[name]
    expected = "`generator_optimizer` would let members move each other. Expected one of SGD, .*"
    with pytest.raises(ValueError, match=expected + message):
        couplings._check_optimizer("generator_optimizer", make())


def test_values_may_be_clipped():
    couplings._check_optimizer("generator_optimizer", optimizers.Adam(clipvalue=0.1))


# === Penalties ===


@pytest.mark.parametrize("kind", couplings.PENALTIES, ids=lambda kind: kind.__name__)
def test_penalties_of_each_example(kind):
    _check(discriminator_penalties=kind(1.0, every=2))


class MyPenalty(penalties.R1):
    """Of which nobody knows what it does."""


@pytest.mark.parametrize("kind", [penalties.DRAGAN, penalties.HistoricalAveraging, MyPenalty])
def test_penalties_that_are_refused(kind):
    message = f"`discriminator_penalties` holds a {kind.__name__}, .*Expected some of R1, R2, Grad"
    with pytest.raises(ValueError, match=message):
        _check(discriminator_penalties=[penalties.R2(), kind(1.0)])


# === Steps, devices, callbacks ===


def test_a_stopping_rule_is_refused():
    gan = trainers.GAN(*tiny_dense_pair(), discriminator_steps=UntilConverged())
    with pytest.raises(
        ValueError, match="`discriminator_steps` is a stopping rule.*Expected an int"
    ):
        couplings.check_steps(gan)
    couplings.check_steps(_gan())


@pytest.mark.parametrize("devices", [1, 2])
def test_replicas_are_refused(devices):
    strategy = types.SimpleNamespace(num_replicas_in_sync=devices)
    ensemble = types.SimpleNamespace(distribute_strategy=strategy)
    if devices == 1:
        couplings.check_devices(ensemble)
    else:
        with pytest.raises(ValueError, match="cannot be shared by replicas.*Received: 2 replicas"):
            couplings.check_devices(ensemble)


def _freeze_all(made, generator):
    made.generator.trainable = False


def _freeze_a_layer(made, generator):
    next(layer for layer in generator.layers if layer.weights).trainable = False


@pytest.mark.parametrize("freeze", [_freeze_all, _freeze_a_layer])
def test_what_is_frozen_is_decided_first(freeze):
    generator, discriminator = pair()
    made = trainers.GANEnsemble(generator, discriminator, MEMBERS, jit_compile=False)
    freeze(made, generator)
    message = "`generator` has had layers frozen or freed since the ensemble was made"
    with pytest.raises(ValueError, match=message):
        made.fit(np.zeros((MEMBERS, 4, 2), "float32"), verbose=0)
    with pytest.raises(ValueError, match="`generator` has"):
        made.compile()


def test_a_callback_that_would_never_act_is_refused():
    with pytest.raises(ValueError, match="TerminateOnNaN, which would never see NaN"):
        couplings.check_callbacks([keras.callbacks.TerminateOnNaN()])


def test_callbacks_of_one_generator_are_refused(tmp_path):
    refused = [
        trainers.SampleGrid(tmp_path),
        trainers.Checkpoint(tmp_path / "gan.keras", every_steps=2),
    ]
    for callback in refused:
        with pytest.raises(ValueError, match=f"`callbacks` holds a {type(callback).__name__} that"):
            couplings.check_callbacks([keras.callbacks.History(), callback])
    couplings.check_callbacks(
        [trainers.Checkpoint(tmp_path / "gan.keras"), keras.callbacks.History()]
    )


# === Memory ===


def test_the_memory_of_members(monkeypatch):
    players = pair()
    weights = sum(player.count_params() for player in players)
    for members in (7, 1000):  # Weights and two moments, in variables and in arrays, of 4 bytes.
        monkeypatch.setattr(
            couplings, "free_memory", lambda members=members: members * weights * 24
        )
        couplings.check_memory(members, *players)
        message = (
            f"`members` are too many.*{members + 1:,} members of {weights} weights.*take .* GB. "
            f"Expected at most {members:,} members.*members={members + 1}"
        )
        with pytest.raises(ValueError, match=message):
            couplings.check_memory(members + 1, *players)


def test_this_machine_has_free_memory():
    assert 2**20 < couplings.free_memory() < 2**50


def test_the_widths_of_layers():
    inner = keras.Sequential([keras.Input((3,)), L.Dense(5), L.Dense(2)])
    images = keras.Input((3,))
    player = keras.Model(images, L.Dense(1)(L.Concatenate()([inner(images), images])))
    assert sorted(couplings.widths(player)) == [1, 2, 3, 3, 5, 5]
    generator = zoo.MLPGenerator((2, 2, 1), 3, (7,))
    assert sorted(couplings.widths(generator)) == [3, 4, 4, 7, 7]


# === Divergence ===


def test_members_that_diverged_are_told():
    with pytest.warns(UserWarning, match=r"7 members diverged: .*First: \[0, 1, 2, 3, 4\]"):
        couplings.warn_of_diverged(np.arange(7))
    couplings.warn_of_diverged(np.arange(0))
