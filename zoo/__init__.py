"""Who plays: architectures, latents and datasets."""

from zoo import (
    command,
    datasets,
    latents,
    layers,
    neighbours,
    pictures,
    players,
    presets,
    random,
    saving,
    toys,
)
from zoo.dcgan import DCGANDiscriminator, DCGANGenerator
from zoo.lapgan import LaplacianDiscriminator, LaplacianGenerator
from zoo.layers.minibatch_discrimination import MinibatchDiscrimination
from zoo.layers.normalization import BatchNormalization, LayerNormalization
from zoo.layers.spectral_normalization import SpectralNormalization
from zoo.layers.virtual_batch_normalization import ReferenceBatch, VirtualBatchNormalization
from zoo.layers.weight_normalization import WeightNormalization
from zoo.mlp import MLPDiscriminator, MLPGenerator
from zoo.players import Discriminator, Generator
from zoo.presets import from_preset, list_presets
from zoo.presets_writing import save_preset, upload_preset
from zoo.r3gan import R3GANDiscriminator, R3GANGenerator
from zoo.resnet import ResNetDiscriminator, ResNetGenerator
from zoo.saving import load
from zoo.simulator import Simulator
from zoo.vae import VAE

__all__ = [
    "VAE",
    "BatchNormalization",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "Discriminator",
    "Generator",
    "LaplacianDiscriminator",
    "LaplacianGenerator",
    "LayerNormalization",
    "MLPDiscriminator",
    "MLPGenerator",
    "MinibatchDiscrimination",
    "R3GANDiscriminator",
    "R3GANGenerator",
    "ReferenceBatch",
    "ResNetDiscriminator",
    "ResNetGenerator",
    "Simulator",
    "SpectralNormalization",
    "VirtualBatchNormalization",
    "WeightNormalization",
    "command",
    "datasets",
    "from_preset",
    "latents",
    "layers",
    "list_presets",
    "load",
    "neighbours",
    "pictures",
    "players",
    "presets",
    "random",
    "save_preset",
    "saving",
    "toys",
    "upload_preset",
]


def __dir__():
    return sorted(__all__)
