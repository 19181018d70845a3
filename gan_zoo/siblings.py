"""The four packages beside this one: found there, whatever else has their names.

Python looks for `evaluation` in the folder that a program runs in first. A folder of that name
there would take the place of ours, in the middle of `import trainers`.
"""

import contextlib
import importlib
import importlib.machinery
import importlib.util
import pathlib
import pkgutil
import sys
import warnings

HOME = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ("zoo", "evaluation", "trainers", "export")
_kept = {}  # Our modules, where their names belong to others.


def claim(*names):
    """Makes sure that these names are our packages, for a package of ours that imports them.

    Another package of the name that Python would find first is passed over, with a warning.

    Raises:
        ImportError: If another package of the name is in use already.
    """
    for name in names:
        other = _other(name)
        if other is None:
            continue
        if name in sys.modules:
            raise ImportError(
                f"`{name}` is another package in this process. Expected GAN Zoo's, {HOME / name}. "
                f"Received: {other}. Use `import gan_zoo` and gan_zoo.trainers, gan_zoo.zoo and so "
                "on, which keeps the two apart, or rename yours"
            )
        _import_ours(name)
        warnings.warn(
            f"`{name}` is GAN Zoo's in this process ({HOME / name}), and not {other}, which has "
            "the same name. Use `import gan_zoo` in place of the four names to keep yours, or "
            "rename it.",
            stacklevel=3,
        )


def load(name):
    """One of our packages, whatever its name means elsewhere in this process."""
    if name not in _kept:
        others = [package for package in PACKAGES if _other(package) is not None]
        if not others:
            return importlib.import_module(name)
        with _aside(others):
            for package in PACKAGES:
                _import_ours(package)
                # All of it now: later the names in its imports are the user's again.
                for found in pkgutil.walk_packages([str(HOME / package)], f"{package}."):
                    if not found.name.endswith("__main__"):
                        importlib.import_module(found.name)
                _kept[package] = sys.modules[package]
    return _kept[name]


@contextlib.contextmanager
def _aside(others):
    """Puts the modules of other packages aside, and gives them their names back in the end."""

    def taken():
        return {key: module for key, module in sys.modules.items() if key.split(".")[0] in others}

    theirs = taken()
    for key in theirs:
        del sys.modules[key]
    try:
        yield
    finally:
        for key in taken():
            del sys.modules[key]
        sys.modules.update(theirs)


def _other(name):
    """Where another package lies that has the name, in use or first to be found; or `None`."""
    module = sys.modules.get(name)
    if module is not None:
        places = list(getattr(module, "__path__", None) or [getattr(module, "__file__", None)])
        return None if _is_ours(name, places) else places[0]
    spec = importlib.machinery.PathFinder.find_spec(name)
    if spec is None:  # Found by no path: this folder was imported by hand.
        return None
    places = list(spec.submodule_search_locations or [spec.origin])
    return None if _is_ours(name, places) else places[0]


def _is_ours(name, places):
    return any(place and pathlib.Path(place).resolve() == HOME / name for place in places)


def _import_ours(name):
    """Imports a package from its place, under its name."""
    if name in sys.modules:
        return
    folder = HOME / name
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(sys.modules[name])
    except BaseException:
        del sys.modules[name]
        raise
