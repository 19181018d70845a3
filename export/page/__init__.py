"""A page on which generators are looked at and played with: everything in it, nothing fetched."""

from export.page.assembly import ASSETS, build, write

__all__ = ["ASSETS", "build", "write"]
