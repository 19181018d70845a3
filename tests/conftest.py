"""Every test starts from the same random state and leaves no global setting behind."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import pytest


@pytest.fixture(autouse=True)
def same_start():
    """A seed before each test, and the dtype policy that was before after it."""
    keras.utils.set_random_seed(0)
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def pytest_collection_finish(session):
    """Groups that are not kept together cost minutes each: a version that ignores them says so."""
    if not getattr(session.config.option, "loadgroup", False):
        return
    ignored = [
        item.nodeid
        for item in session.items
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid
    ]
    if ignored:
        raise pytest.UsageError(f"pytest-xdist ignores groups of tests: {ignored[0]}")
