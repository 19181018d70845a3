"""Generators for servers, browsers and phones, and the check that they answer as Python does."""

from gan_zoo import siblings

siblings.claim("zoo")  # First: the imports below are of the packages beside this one.

import zoo.command  # noqa: F401 - It keeps TensorFlow quiet when this runs as a command.
from export.bundle import save
from export.client import Client

__all__ = ["Client", "save"]


def __dir__():
    return sorted(__all__)
