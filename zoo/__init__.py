"""Who plays: architectures, latents and datasets."""

from zoo import datasets, latents, toys
from zoo.dcgan import DCGANDiscriminator, DCGANGenerator
from zoo.mlp import MLPDiscriminator, MLPGenerator
from zoo.players import Discriminator, Generator

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "Discriminator",
    "Generator",
    "MLPDiscriminator",
    "MLPGenerator",
    "datasets",
    "datasets",
    "latents",
    "toys",
    "toys",
]
