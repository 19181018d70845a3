"""The monitor in a training: what it names, what it does about it, and what it leaves alone."""

import json
import warnings

import keras
import numpy as np
import pytest

import trainers
from tests.helpers import tiny_data, tiny_mlp_pair
from trainers.callbacks.health_monitor import read_record
from trainers.health import troubles
from zoo.finite import Diverged

X, _ = tiny_data((4, 4, 1))


def made(rate=0.001, **compiled):
    keras.utils.set_random_seed(0)
    gan = trainers.GAN(*tiny_mlp_pair(), seed=0)
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(rate),
        discriminator_optimizer=keras.optimizers.Adam(rate),
        jit_compile=False,
        **compiled,
    )
    return gan


def fit(gan, *callbacks, steps=12, epochs=1, **kwargs):
    gan.fit(
        X,
        batch_size=8,
        epochs=epochs,
        steps_per_epoch=steps,
        callbacks=list(callbacks),
        verbose=0,
        **kwargs,
    )
    return gan


def weights(gan):
    return gan.get_weights()


def scripted(monitor, *looks):
    """A monitor that sees these numbers, in turn, the last one again and again."""
    given = list(looks)

    class Script:
        def __init__(self, gan, *arguments):
            self.gan = gan

        def __call__(self):
            return {"finite": 1.0, **(given.pop(0) if len(given) > 1 else given[0])}

    monitor._probe = Script(None)
    monitor._probe_of = lambda gan: Script(gan)
    return monitor


WELL = {"variety": 1.0, "present": 1.0, "energy": 0.01, "told_apart": 0.7}
FEW = {"variety": 0.9, "present": 0.2, "energy": 0.3, "told_apart": 0.9}


def test_a_healthy_training_is_the_same_with_it(tmp_path):
    monitor = trainers.HealthMonitor(X, X[:20], every_steps=3, path=tmp_path / "health.jsonl")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watched = fit(made(), monitor)
    for a, b in zip(weights(fit(made())), weights(watched), strict=True):
        np.testing.assert_array_equal(a, b)
    record = read_record(tmp_path / "health.jsonl")
    assert [look["step"] for look in record] == [3, 6, 9, 12]
    assert all(look["troubles"] == [] for look in record)
    assert monitor.troubles == {} and monitor.stopped_by is None


def test_the_means_are_those_of_the_steps_since_the_last_look():
    """Two looks in an epoch: the mean over the epoch is the mean of theirs."""
    monitor = trainers.HealthMonitor(X, every_steps=6)
    seen = []
    look = monitor.look
    monitor.look = lambda: seen.append((look(), monitor.history[-1])[1])
    gan = made()
    history = gan.fit(
        X, batch_size=8, steps_per_epoch=12, epochs=2, callbacks=[monitor], verbose=0
    ).history
    for epoch in range(2):
        pair = seen[2 * epoch : 2 * epoch + 2]
        for name in ("js_estimate", "generator_loss"):
            mean = (pair[0][name] + pair[1][name]) / 2
            assert mean == pytest.approx(history[name][epoch], rel=1e-4)


def test_a_trouble_is_named_once_while_it_lasts_at_the_users_line(tmp_path):
    path = tmp_path / "health.jsonl"
    monitor = scripted(
        trainers.HealthMonitor(X, every_steps=1, warm_up=0, path=path), WELL, FEW, FEW, FEW, FEW
    )
    with pytest.warns(UserWarning, match=r"step 4: few_modes\. .* 20% .*--packing=2") as caught:
        fit(made(), monitor, steps=6)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert monitor.troubles == {"few_modes": [4]}
    found = [look["troubles"] for look in read_record(path)]
    assert found == [[], [], [], ["few_modes"], ["few_modes"], ["few_modes"]]


def test_it_may_stop_the_training():
    monitor = scripted(trainers.HealthMonitor(X, every_steps=2, warm_up=0, policy="stop"), FEW)
    with pytest.warns(UserWarning, match="few_modes"):
        gan = fit(made(), monitor, epochs=3)
    assert int(gan.steps) == 6 and monitor.stopped_by == "few_modes"


def test_it_may_call_a_function():
    called = []
    policy = {"few_modes": lambda *arguments: called.append(arguments)}
    monitor = trainers.HealthMonitor(X, every_steps=1, warm_up=0, policy=policy)
    fit(made(), scripted(monitor, FEW))
    ((given, name, said),) = called
    assert given is monitor and name == "few_modes" and said == troubles.sentence(name, FEW)


def test_it_goes_back_to_the_last_healthy_look_with_a_smaller_step(capsys):
    monitor = trainers.HealthMonitor(
        X, every_steps=2, warm_up=0, policy="rollback", factor=0.25, rollbacks=1
    )
    kept = {}
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: kept.update({batch + 1: weights(gan)})
    )
    gan = made()
    with pytest.warns(UserWarning, match="few_modes"):
        fit(gan, watch, scripted(monitor, WELL, WELL, FEW, FEW, FEW, FEW), steps=10)
    # Healthy at 2 and 4, sick at 6, 8 and 10.
    for name in ("generator", "discriminator"):
        saved = len(getattr(gan, name).weights)
        assert saved
    generator = [v.numpy() for v in gan.generator.weights]
    at = {k: [v for v in w] for k, w in kept.items()}
    same = [
        k
        for k, values in at.items()
        if all(any(g.shape == v.shape and (g == v).all() for v in values) for g in generator)
    ]
    assert same == [4]
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(0.001 / 4)
    assert int(gan.steps) == 10
    assert (
        "back to step 4, with learning rates times 0.25 (1 of at most 1)" in capsys.readouterr().out
    )
    with pytest.warns(UserWarning, match="few_modes"):
        fit(gan, monitor, steps=10)
    assert monitor.stopped_by == "few_modes"  # It has been back as often as it may.


@pytest.mark.filterwarnings("ignore:overflow")
def test_nan_is_brought_back_or_ends_the_training():
    """A weight becomes NaN at step 7; the loss of the next steps says so, or nothing does."""

    def poison(batch, logs):
        if batch + 1 == 7 and int(gan.steps) == 7:
            weight = gan.generator.trainable_weights[0]
            weight.assign(np.full(weight.shape, np.nan))

    bomb = keras.callbacks.LambdaCallback(on_train_batch_end=poison)
    gan = made()
    with pytest.warns(UserWarning, match="not_finite"), pytest.raises(Diverged, match="step"):
        fit(gan, bomb, trainers.HealthMonitor(X, every_steps=2))
    gan = made()
    monitor = trainers.HealthMonitor(X, every_steps=2, policy="rollback")
    with pytest.warns(UserWarning, match="not_finite"):
        fit(gan, bomb, monitor)
    assert int(gan.steps) == 12 and monitor.troubles["not_finite"][0] in (7, 8)
    assert all(np.isfinite(w).all() for w in weights(gan))


def test_nan_that_kernels_hide_is_seen():
    """TensorFlow's fused rectifier makes 0 of NaN: the losses stay finite."""
    gan = made()

    def poison(batch, logs):
        if batch + 1 == 3:
            weight = gan.discriminator_optimizer.variables[2]
            weight.assign(np.full(weight.shape, np.nan))
            hidden = gan.discriminator.trainable_weights[0]
            hidden.assign(np.full(hidden.shape, np.nan))

    bomb = keras.callbacks.LambdaCallback(on_train_batch_end=poison)
    with pytest.warns(UserWarning, match="not_finite"), pytest.raises(Diverged) as stop:
        fit(gan, bomb, trainers.HealthMonitor(X, every_steps=2), steps=40)
    assert "step 4" in str(stop.value) or "step 3" in str(stop.value)


def test_a_training_that_goes_on_has_the_record_and_the_state_of_one_that_was_not_stopped(tmp_path):
    def run(folder, steps, gan=None, members=None):
        monitor = trainers.HealthMonitor(
            X,
            X[:20],
            every_steps=3,
            path=folder / "health.jsonl",
            policy={"not_finite": "rollback"},
            warm_up=0,
        )
        if members:
            monitor.restore(members.get)
        gan = gan or made()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit(gan, monitor, steps=steps)
        return gan, monitor

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, whole = run(tmp_path / "a", 24)
    gan, first = run(tmp_path / "b", 12)
    members = {k: v.encode() if isinstance(v, str) else v for k, v in first.members().items()}
    with open(tmp_path / "b" / "health.jsonl", "a") as file:  # What a kill has left behind.
        file.write(json.dumps({"step": 15, "troubles": []}) + "\n" + '{"step": 1')
    assert sorted(members) == ["health.json", "healthy.npz"]
    _, second = run(tmp_path / "b", 12, gan, members)
    assert second.troubles == whole.troubles
    of_a, of_b = (read_record(tmp_path / name / "health.jsonl") for name in "ab")
    assert [look["step"] for look in of_a] == [look["step"] for look in of_b]
    for one, other in zip(of_a, of_b, strict=True):
        assert one["variety"] == pytest.approx(other["variety"], rel=1e-5)
        assert one["troubles"] == other["troubles"]


def test_what_makes_no_sense_is_refused():
    for arguments, message in (
        ({"policy": "wran"}, "`policy`.*warn"),
        ({"policy": {"few_mode": "stop"}}, "`policy`.*few_modes"),
        ({"policy": {"few_modes": "halt"}}, "`policy`"),
        ({"every_steps": 0}, "`every_steps`"),
        ({"factor": 0.0}, "`factor`"),
        ({"factor": 2}, "`factor`"),
        ({"warm_up": -1}, "`warm_up`"),
        ({"count": 0}, "`count`"),
    ):
        with pytest.raises(ValueError, match=message):
            trainers.HealthMonitor(X, **arguments)
    with pytest.raises(ValueError, match="samples"):
        fit(made(), trainers.HealthMonitor(np.zeros((10, 3, 3, 1), "float32")))
    ensemble = trainers.GANEnsemble(*tiny_mlp_pair(), members=2)
    ensemble.compile()
    with pytest.raises(ValueError, match="`callbacks` holds a HealthMonitor that looks at one"):
        ensemble.fit(X, batch_size=8, verbose=0, callbacks=[trainers.HealthMonitor(X)])


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"history": 3}', b'{"history": []}'])
def test_a_state_that_is_damaged_is_refused(content):
    monitor = trainers.HealthMonitor(X)
    with pytest.raises(ValueError, match="its health.json says no state of a monitor"):
        monitor.restore({"health.json": content}.get)
