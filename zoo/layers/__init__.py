"""Layers that Keras lacks or does differently, a kind a file."""

from zoo.layers.basis import DiscriminativeBasis, GenerativeBasis
from zoo.layers.concat_labels import ConcatLabels, JoinPlanes
from zoo.layers.concatenate import concatenate
from zoo.layers.dropout import Dropout
from zoo.layers.grouped_convolution import GroupedConv2D
from zoo.layers.image_convolutions import ConvolutionFromImage, ConvolutionToImage
from zoo.layers.maxout import Maxout
from zoo.layers.minibatch_discrimination import MinibatchDiscrimination
from zoo.layers.normalization import BatchNormalization, LayerNormalization
from zoo.layers.resampling import BilinearResampling
from zoo.layers.spectral_normalization import SpectralNormalization
from zoo.layers.virtual_batch_normalization import ReferenceBatch, VirtualBatchNormalization
from zoo.layers.weight_normalization import WeightNormalization

__all__ = [
    "BatchNormalization",
    "BilinearResampling",
    "ConcatLabels",
    "ConvolutionFromImage",
    "ConvolutionToImage",
    "DiscriminativeBasis",
    "Dropout",
    "GenerativeBasis",
    "GroupedConv2D",
    "JoinPlanes",
    "LayerNormalization",
    "Maxout",
    "MinibatchDiscrimination",
    "ReferenceBatch",
    "SpectralNormalization",
    "VirtualBatchNormalization",
    "WeightNormalization",
    "concatenate",
]
