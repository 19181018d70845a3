"""Who plays: architectures, latents and datasets."""

from zoo import command, datasets, latents, neighbours, players, presets, saving, toys
from zoo.dcgan import DCGANDiscriminator, DCGANGenerator
from zoo.lapgan import LaplacianDiscriminator, LaplacianGenerator
from zoo.minibatch_discrimination import MinibatchDiscrimination
from zoo.mlp import MLPDiscriminator, MLPGenerator
from zoo.normalization import BatchNormalization, LayerNormalization
from zoo.players import Discriminator, Generator
from zoo.presets import from_preset, list_presets
from zoo.publishing import save_preset
from zoo.r3gan import R3GANDiscriminator, R3GANGenerator
from zoo.resnet import ResNetDiscriminator, ResNetGenerator
from zoo.saving import load
from zoo.simulator import Simulator
from zoo.spectral_normalization import SpectralNormalization
from zoo.vae import VAE
from zoo.virtual_batch_normalization import ReferenceBatch, VirtualBatchNormalization
from zoo.weight_normalization import WeightNormalization

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
    "list_presets",
    "load",
    "neighbours",
    "players",
    "presets",
    "save_preset",
    "saving",
    "toys",
]
