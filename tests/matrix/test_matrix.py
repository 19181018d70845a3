"""What people bring: each net, each trainer and each source at least once.

Every combination of them is in `full.py`, by `make matrix`.
"""

import pytest

from tests.matrix import games, nets

# It is right: what unrolls or pulls on Keras's batch normalization is told so.
pytestmark = pytest.mark.filterwarnings("ignore:This trainer differentiates twice")

# Each net meets another trainer and another source; the laplacian's is a refusal, like the labels'.
CHOSEN = [
    ("keras_gan", "gan", "array"),
    ("keras_gan", "simultaneous", "tf_data"),
    ("keras_gan", "historical_averaging", "py_dataset"),
    ("dcgan", "f_gan", "generator"),
    ("dcgan", "feature_matching", "tf_data"),
    ("wgan_gp", "wasserstein_gp", "py_dataset"),
    ("wgan_gp", "consensus", "array"),
    ("lstm", "wasserstein", "generator"),
    ("lstm", "unrolled", "array"),
    ("volume", "wasserstein_gp", "tf_data"),
]


@pytest.mark.parametrize("net, trainer, source", CHOSEN)
def test_it_trains_and_comes_back(net, trainer, source, tmp_path):
    games.play(net, trainer, source, tmp_path, run_eagerly=True)


@pytest.mark.parametrize("net", ["wgan_gp", "lstm"])
def test_it_is_served(net, tmp_path):
    gan = games.TRAINERS["gan"](*nets.NETS[net]())
    games.serve(gan, tmp_path)


@pytest.mark.parametrize(
    "net, trainer", [("conditional", "gan"), ("dcgan", "laplacian"), ("conditional", "laplacian")]
)
def test_what_does_not_go_together_says_why(net, trainer):
    with pytest.raises(ValueError, match=games.refusal(net, trainer)):
        games.TRAINERS[trainer](*nets.NETS[net]())


@pytest.mark.parametrize("net", ["keras_gan", "dcgan"])
def test_their_sigmoid_is_named(net):
    """Both end their discriminators so; here the objectives take logits."""
    with pytest.raises(ValueError, match="`discriminator` ends in.*sigmoid.*Expected"):
        games.TRAINERS["gan"](*nets.NETS[net](head="sigmoid"))


def test_every_choice_is_there():
    for k, choices in enumerate((nets.NETS, games.TRAINERS, games.SOURCES)):
        met = {chosen[k] for chosen in CHOSEN} | {"conditional", "laplacian"}
        assert set(choices) <= met
