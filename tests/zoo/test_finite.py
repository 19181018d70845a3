"""A training that diverged ends where it did, saves nothing, and draws no samples."""

import keras
import numpy as np
import pytest

import trainers
import zoo
from tests.games import game
from zoo import finite

X = np.zeros((4, 1), "float32")


class Breaks(keras.callbacks.Callback):
    """Puts a number that is none into a player before one batch of one epoch."""

    def __init__(self, player, epoch=1, batch=2, value=np.nan):
        super().__init__()
        self.player, self.at, self.value = player, (epoch, batch), value

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            getattr(self.model, self.player).weights[0].assign(self.value)


def _game():
    gan = game(trainers.GAN, 0.5, 0.5)
    gan.run_eagerly = True
    return gan


def _fit(gan, *callbacks, epochs=4, steps=5):
    data = np.repeat(X, steps, axis=0)
    return gan.fit(data, batch_size=4, epochs=epochs, callbacks=list(callbacks), verbose=0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_it_ends_at_the_step_and_says_whose_weights(player, value):
    gan = _game()
    with pytest.raises(finite.Diverged, match="`discriminator_loss` and `generator_loss`") as error:
        _fit(gan, Breaks(player, value=value))
    assert "by step 8, batch 3 of epoch 2" in str(error.value)
    assert f"{player} with NaN or infinity in 1 of 1 weights" in str(error.value)
    assert int(gan.steps.numpy()) == 8
    assert gan.history.epoch == [0, 1] and len(gan.history.history["generator_loss"]) == 2
    assert not np.isfinite(gan.history.history["generator_loss"][-1])


def test_weights_that_no_loss_has_met_are_seen_after_the_epoch():
    class Breaks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 4:
                self.model.generator.weights[0].assign(np.inf)

    gan = _game()
    with pytest.raises(finite.Diverged, match="`generator` became .* step 5, the end of epoch 1"):
        _fit(gan, Breaks())


def test_a_loss_alone_is_no_divergence():
    """Loss scaling leaves such a step out; the history shows it."""

    class Lost(trainers.GAN):
        def train_step(self, data):
            return {**super().train_step(data), "generator_loss": np.inf}

    gan = game(Lost, 0.5, 0.5)
    gan.run_eagerly = True
    watch = finite.FiniteWatch(("generator", "discriminator"))
    watch.set_model(gan)
    watch.on_epoch_begin(0)
    watch.on_train_batch_end(0, {"generator_loss": np.inf})
    with pytest.raises(finite.Diverged, match="generator with finite weights"):
        watch.every_loss, watch._suspected = True, False
        watch.on_train_batch_end(1, {"generator_loss": np.inf})


class Seen(keras.callbacks.Callback):
    """Counts the ends of epochs and of trainings."""

    epochs = trainings = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1

    def on_train_end(self, logs=None):
        self.trainings += 1


def test_terminate_on_nan_ends_without_an_error(capsys):
    gan, seen = _game(), Seen()
    history = _fit(gan, seen, Breaks("generator"), keras.callbacks.TerminateOnNaN())
    assert history is gan.history and history.epoch == [0, 1]
    assert np.isnan(history.history["discriminator_loss"][-1])
    assert seen.epochs == 1 and seen.trainings == 1 and gan.stop_training
    assert "by step 8" in capsys.readouterr().out


def test_terminate_on_nan_raises_its_error():
    with pytest.raises(RuntimeError, match="by step 8"):
        _fit(_game(), Breaks("generator"), keras.callbacks.TerminateOnNaN(raise_error=True))


@pytest.mark.parametrize("terminators", [(), (keras.callbacks.TerminateOnNaN(),)])
def test_no_callback_saves_what_diverged(tmp_path, terminators):
    gan, path = _game(), tmp_path / "gan.weights.h5"
    savers = [
        keras.callbacks.ModelCheckpoint(path, save_weights_only=True),
        keras.callbacks.BackupAndRestore(tmp_path / "backup"),
    ]
    breaks = Breaks("discriminator")
    if terminators:
        _fit(gan, *savers, breaks, *terminators)
    else:
        with pytest.raises(finite.Diverged):
            _fit(gan, *savers, breaks)
    for saved in (path, tmp_path / "backup" / "latest.weights.h5"):
        again = _game()
        again.load_weights(saved)
        assert int(again.steps.numpy()) == 5
        assert not finite.broken_weights(again)


def test_a_list_of_callbacks_is_guarded_and_can_be_used_again():
    gan = _game()
    several = keras.callbacks.CallbackList([Breaks("generator")], add_history=True, model=gan)
    for _ in range(2):
        gan.generator.weights[0].assign(0.5)
        with pytest.raises(finite.Diverged):
            gan.fit(np.repeat(X, 5, axis=0), batch_size=4, epochs=2, callbacks=several)
        assert sum(isinstance(c, finite.FiniteWatch) for c in several.callbacks) == 1


def test_a_vae_ends_too():
    vae = zoo.VAE((2,), latent_dim=2, units=(3,), likelihood="gaussian")
    vae.compile(keras.optimizers.SGD(1e30), run_eagerly=True)
    with pytest.raises(finite.Diverged, match="`loss` .*by step .*generator with NaN"):
        vae.fit(np.ones((8, 2), "float32"), epochs=9, batch_size=4, verbose=0)
    history = vae.fit(
        np.ones((8, 2), "float32"), verbose=0, callbacks=keras.callbacks.TerminateOnNaN()
    )
    assert history.epoch == [0]


def test_nothing_is_drawn_from_weights_that_are_no_numbers():
    generator = zoo.MLPGenerator((2,), latent_dim=2, units=(3,))
    generator.weights[-1].assign([0.0, np.nan])
    with pytest.raises(ValueError, match="`generator` has weights that are no numbers.* 1 of 4"):
        generator.sample(3, seed=0)
    gan = trainers.GAN(generator, zoo.MLPDiscriminator((2,), units=(3,)))
    with pytest.raises(ValueError, match="`generator` has weights that are no numbers"):
        gan.sample(3, seed=0)


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_weights_that_are_no_numbers_are_told_where_they_are_saved_and_evaluated(tmp_path, player):
    gan, path = _game(), tmp_path / "gan.keras"
    gan.save(path)  # Without a warning, which would be an error here.
    gan.save_weights(tmp_path / "gan.weights.h5")
    gan.evaluate(X, verbose=0)
    gan.test_on_batch(X)
    getattr(gan, player).weights[0].assign(np.nan)
    with pytest.raises(ValueError, match=f"`{player}` has weights that are no numbers"):
        gan.evaluate(X, verbose=0)
    with pytest.raises(ValueError, match=f"`{player}` has weights that are no numbers"):
        gan.test_on_batch(X)
    with pytest.warns(UserWarning, match=f"The {player} that is saved in .* in 1 of 1") as caught:
        gan.save(path)
    files = [warning.filename for warning in caught if warning.category is UserWarning]
    assert files == [__file__]
    with pytest.warns(UserWarning, match=f"The {player} that is saved in .*h5' has") as caught:
        gan.save_weights(tmp_path / "gan.weights.h5")
    files = [warning.filename for warning in caught if warning.category is UserWarning]
    assert files == [__file__]
    again = _game()
    again.load_weights(path)
    assert finite.broken_weights(getattr(again, player))
