"""Every net that people bring, in every trainer, from every source: by `make matrix`."""

import pytest

from tests.matrix import games, nets

# It is right: what unrolls or pulls on Keras's batch normalization is told so.
pytestmark = pytest.mark.filterwarnings("ignore:This trainer differentiates twice")


@pytest.mark.parametrize("source", games.SOURCES)
@pytest.mark.parametrize("trainer", games.TRAINERS)
@pytest.mark.parametrize("net", nets.NETS)
def test_it_works_or_says_why(net, trainer, source, tmp_path):
    why = games.refusal(net, trainer)
    if why is not None:
        with pytest.raises(ValueError, match=why):
            games.TRAINERS[trainer](*nets.NETS[net]())
        return
    gan = games.play(net, trainer, source, tmp_path)
    if source == "array":  # What is served does not know where it learned.
        games.serve(gan, tmp_path)
