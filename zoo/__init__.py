"""Who plays: architectures, latents and datasets."""

from zoo import command, datasets, latents, saving, toys
from zoo.dcgan import DCGANDiscriminator, DCGANGenerator
from zoo.mlp import MLPDiscriminator, MLPGenerator
from zoo.players import Discriminator, Generator
from zoo.saving import load

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "Discriminator",
    "Generator",
    "MLPDiscriminator",
    "MLPGenerator",
    "command",
    "datasets",
    "latents",
    "load",
    "saving",
    "toys",
]
