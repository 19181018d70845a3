"""Many players of one architecture as one: every weight has a leading axis of members."""

from zoo.stacked.model import Stacked

__all__ = ["Stacked"]
