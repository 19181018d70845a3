"""GAN Zoo under one name that nobody else has: `gan_zoo.zoo`, `trainers`, `evaluation`, `export`.

`import trainers` and `import gan_zoo.trainers` are the same package. Where a user has a package of
one of the four names, `gan_zoo` has ours, and the name stays the user's.
"""

from gan_zoo import siblings

__version__ = "0.1.0"
__all__ = ["__version__", *siblings.PACKAGES]


def __getattr__(name):
    if name in siblings.PACKAGES:
        return siblings.load(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
