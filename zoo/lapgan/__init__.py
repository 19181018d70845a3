"""LAPGAN: pictures from coarse to fine (Denton et al., 2015).

`chain` joins the levels, `levels` has the players of one, `pyramid` says what levels are.
"""

from zoo.lapgan.chain import LaplacianDiscriminator, LaplacianGenerator
from zoo.lapgan.levels import BandDiscriminator, BandGenerator

__all__ = ["BandDiscriminator", "BandGenerator", "LaplacianDiscriminator", "LaplacianGenerator"]
