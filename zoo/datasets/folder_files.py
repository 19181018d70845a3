"""Which files of a folder are its pictures, of which class and of which split."""

import collections
import dataclasses
import hashlib
import mimetypes
import os
import unicodedata
from pathlib import Path

import numpy as np

from zoo.datasets.picture_files import is_picture, suffixes
from zoo.validation import nearest

# The folders of splits by the names that they go by, in any case.
LEVELS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
OF_THE_SYSTEM = {"thumbs.db", "desktop.ini", "icon\r", "lost+found"}
HIDDEN = (".", "__", "@", "$")  # .thumbnails, __MACOSX, @eaDir, $RECYCLE.BIN
ARRAYS = {".npy", ".npz", ".mat", ".h5", ".hdf5", ".pt", ".pkl", ".csv", ".parquet", ".tfrecord"}
PEEKED = 1024
ARRAYS_REMEDY = (
    "Arrays are read by their own libraries (np.load, scipy.io.loadmat, h5py, pandas), and then "
    "go into fit, or into zoo.datasets.from_arrays(images, labels)"
)
REMEDIES = (
    (ARRAYS, ARRAYS_REMEDY),
    ({".heic", ".heif"}, "Convert them, or call pillow_heif.register_heif_opener() first"),
    ({".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"}, "Unpack it first"),
)


@dataclasses.dataclass(frozen=True)
class Files:
    """The pictures of one split.

    Attributes:
        paths: The files, sorted.
        labels: int32 array of shape `(n,)`, or `None` without class folders.
    """

    paths: list
    labels: np.ndarray | None

    def taken(self, chosen):
        """The files for which a boolean array is true."""
        paths = [path for path, is_taken in zip(self.paths, chosen, strict=True) if is_taken]
        return Files(paths, None if self.labels is None else self.labels[chosen])


class FolderFiles:
    """The pictures of all splits of a folder.

    Args:
        path: The folder.

    Attributes:
        splits: Dict from `"train"`, `"validation"` and `"test"`, those that are there, to `Files`.
        levels: Dict from the splits that have a folder of their own to it.
        class_names: The sorted class names, or `None` without class folders.
        left_out: The files that are no pictures.
        notes: Sentences about what else is not read.

    Raises:
        FileNotFoundError, NotADirectoryError, PermissionError: If there is no such folder, or it
            may not be listed.
        ValueError: If it holds no images, or its layout has two meanings.
    """

    def __init__(self, path):
        self.path = Path(path)
        check_folder(self.path)
        self.left_out, self.notes = [], []
        self.levels = _levels(self.path)
        if self.levels:
            self._look_beside()
        roots = self.levels or {"train": self.path}
        # Over all levels, so that a class which the test images lack does not shift the labels.
        folders = {split: _by_name(root) for split, root in roots.items()}
        found = {split: self._found(root, folders[split]) for split, root in roots.items()}
        self.class_names = self._class_names(roots, found)
        self.splits = {split: self._files(*files) for split, files in found.items()}
        if not any(files.paths for files in self.splits.values()):
            self.refuse_empty(next(iter(roots.values())))

    def _found(self, root, folders):
        """The pictures of one level: the loose ones, and those of each class."""
        loose = self._pictures(root, deep=False)
        by_class = {
            name: sorted(file for folder in same for file in self._pictures(folder))
            for name, same in folders.items()
        }
        in_classes = sum(map(len, by_class.values()))
        if loose and in_classes:
            full = [name for name, files in by_class.items() if files]
            raise ValueError(
                "`name` is a folder that holds both images and class folders. Expected one or the "
                f"other in {root}. Received: {len(loose)} images beside {len(full)} folders, "
                f"such as {loose[0].name} and {full[0]}/"
            )
        return loose, by_class

    def _class_names(self, roots, found):
        names = {name for _, by_class in found.values() for name in by_class}
        full = {name for _, by_class in found.values() for name in by_class if by_class[name]}
        if not full:
            return None
        inside = [folder for root in roots.values() for folder in _entries(root)[1]]
        above = next((folder for folder in inside if _levels(folder)), None)
        if above is not None and not self.levels:
            raise ValueError(
                f"`name` is a folder above the splits. Expected {above}. "
                f"Received: name={str(self.path)!r}"
            )
        if empty := sorted(names - full):
            self.notes.append(f"folders without an image are no classes: {_some(empty)}")
        lacking = sorted(c for c in full if "train" in found and not found["train"][1].get(c))
        if lacking:
            self.notes.append(f"classes without a training image: {_some(lacking)}")
        return tuple(sorted(full))

    def _files(self, loose, by_class):
        if self.class_names is None or loose:  # Test images often come without their classes.
            return Files([str(file) for file in loose], None)
        counts = [len(by_class.get(name, ())) for name in self.class_names]
        labels = np.repeat(np.arange(len(counts), dtype="int32"), counts)
        return Files(
            [str(file) for name in self.class_names for file in by_class.get(name, ())], labels
        )

    def _pictures(self, folder, deep=True):
        pictures, others = _sorted_out(_below(folder) if deep else _entries(folder)[0])
        self.left_out += others
        return pictures

    def _look_beside(self):
        """Notes the pictures beside the folders of splits, of which no split is made."""
        names = {level.name for level in self.levels.values()}
        folders = [f for f in _entries(self.path)[1] if f.name not in names]
        beside = {f"{f.name}/": sum(1 for _ in _sorted_out(_below(f))[0]) for f in folders}
        beside = {name: count for name, count in beside.items() if count}
        if beside and set(self.levels) == {"train"} and not _by_name(self.levels["train"]):
            raise ValueError(
                f"`name` is a folder whose {self.levels['train'].name}/ may be a split or a class. "
                "Expected no other folder of images beside a split, or another name for the class. "
                f"Received: name={str(self.path)!r} with {_some(list(beside))} beside it"
            )
        loose = self._pictures(self.path, deep=False)
        if loose:
            beside[loose[0].name] = len(loose)
        if beside:
            self.notes.append(
                f"{sum(beside.values())} images beside {_some([f'{n}/' for n in sorted(names)])} "
                f"are in no split: {_some(list(beside))}"
            )

    def refuse_empty(self, root):
        """Raises a `ValueError`: there is no image in the folder of a split."""
        seen = f" with {counted(self.left_out)}" if self.left_out else ""
        kinds = {file.suffix.lower() for file in self.left_out}
        remedy = next((f". {what}" for of, what in REMEDIES if kinds & of), "")
        raise ValueError(
            "`name` is a folder without images. Expected files such as *.png, *.jpg, *.webp or "
            f"*.tif in {root}, or in class folders there. Received: name={str(self.path)!r}"
            f"{seen}{remedy}"
        )


def check_folder(path):
    """Raises one clear error unless `path` is a folder that may be listed."""
    if path.is_dir():
        return
    if path.exists():
        remedy = "the folder that it is in"
        if path.suffix.lower() in ARRAYS:
            remedy = f"a folder of images. {ARRAYS_REMEDY}"
        elif not is_picture(path):
            remedy = "a folder of images: unpack an archive first"
        raise NotADirectoryError(
            f"`name` is a file and not a folder. Expected {remedy}. Received: name={str(path)!r}"
        )
    raise FileNotFoundError(
        "`name` is a folder that does not exist. Looked in "
        f"{path.absolute()}; put the images there, or name another folder. "
        f"Received: name={str(path)!r}"
    )


def held_out(files, root, share, seed):
    """Which of the files a share holds out, of every class alike: a boolean array.

    The order of chance is that of the hashes of (seed, path within `root`): it depends neither on
    where the folder lies nor on the order of its files. Of n images of a class after m of others
    `round(share (m + n)) - round(share m)` are taken, and at least one stays.

    Args:
        files: `Files`.
        root: The folder that the names are relative to.
        share: float in (0, 1).
        seed: int.

    Raises:
        ValueError: If nothing is held out.
    """
    names = [Path(path).relative_to(root).as_posix() for path in files.paths]
    names = [unicodedata.normalize("NFC", name) for name in names]
    keys = [hashlib.sha256(f"{seed}/{name}".encode()).digest() for name in names]
    labels = np.zeros(len(keys), int) if files.labels is None else files.labels
    before, chosen = 0, np.zeros(len(keys), bool)
    for label in np.unique(labels):
        rows = sorted(np.flatnonzero(labels == label), key=keys.__getitem__)
        wanted = round(share * (before + len(rows))) - round(share * before)
        chosen[rows[: min(wanted, len(rows) - 1)]] = True
        before += len(rows)
    if not chosen.any():
        raise ValueError(
            "`validation_split` holds out no image. Expected a larger share, or more images. "
            f"Received: validation_split={share} of {len(keys)} images in {len(np.unique(labels))} "
            "classes"
        )
    return chosen


def split_name(split, there, path):
    """The split that is meant by a name: `"val"` and `"valid"` are `"validation"`.

    Where there is no test split, `"test"` means the validation split.

    Raises:
        ValueError: If there is none.
    """
    meant = next((s for s, names in LEVELS.items() if split in names), None)
    for name in (meant, "validation" if meant == "test" else None):
        if name in there:
            return name
    raise ValueError(
        f"`split` is unknown in the image folder {path}. Expected one of {sorted(there)}"
        f"{nearest(split, there)}; a split is a folder train/, validation/ or test/ in it, or a "
        "share that validation_split=0.1 holds out as 'test', and without them all images are "
        f"'train'. Received: split={split!r}"
    )


def counted(files):
    """Files by their suffix: `"18 .heic (a.heic), 2 .mov (b.mov)"`."""
    by_suffix = collections.defaultdict(list)
    for file in files:
        by_suffix[file.suffix.lower()].append(file)
    parts = sorted(by_suffix.items(), key=lambda item: (-len(item[1]), item[0]))
    return ", ".join(
        f"{len(same)} {suffix or 'without a suffix'} (first: {same[0].name})"
        for suffix, same in parts
    )


def lost(files):
    """Whether there are files that may hold pictures all the same: not mere text."""
    by_suffix = {file.suffix.lower() or file.name: file for file in files}
    return any(_is_image_name(file) or not _is_text(file) for file in by_suffix.values())


def _is_image_name(file):
    return (mimetypes.guess_type(file.name)[0] or "").startswith("image/")


def _is_text(file):
    try:
        with open(file, "rb") as opened:
            start = opened.read(PEEKED)
    except OSError:
        return False
    if b"\0" in start:
        return False
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start > PEEKED - 4  # A letter of several bytes was cut.
    return True


def _some(names, most=5):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def _levels(path):
    """The folders of splits by the split: none, where the names may be those of classes."""
    folders = _entries(path)[1]
    found = {
        split: [f for f in folders if f.name.lower() in names] for split, names in LEVELS.items()
    }
    found = {split: same for split, same in found.items() if same}
    plain = any(f.name.lower() in ("train", "test") for same in found.values() for f in same)
    # training/ alone is a class, and so is valid/ beside invalid/.
    if not plain and not ("train" in found and len(found) > 1):
        return {}
    for same in found.values():
        if len(same) > 1:
            raise ValueError(
                "`name` is a folder with two folders for one split. Expected one of them. "
                f"Received: name={str(path)!r} with {_some([f.name for f in same])}"
            )
    return {split: same[0] for split, same in found.items()}


def _by_name(folder):
    """The class folders by their names; a Mac writes an accent in another way than Linux does."""
    by_name = collections.defaultdict(list)
    for found in _entries(folder)[1]:
        by_name[unicodedata.normalize("NFC", found.name)].append(found)
    return by_name


def _entries(folder):
    """The files and the folders in a folder, without what systems put there, sorted."""
    files, folders = [], []
    try:
        with os.scandir(folder) as listed:
            for entry in listed:
                name = entry.name
                if not name.startswith(HIDDEN) and name.lower() not in OF_THE_SYSTEM:
                    (folders if entry.is_dir() else files).append(Path(entry.path))
    except OSError as error:
        raise PermissionError(
            "`name` is a folder that cannot be listed. Expected one that may be read, or without "
            f"this in it. Received: {folder} ({error.strerror})"
        ) from error
    return sorted(files), sorted(folders)


def _below(folder):
    """All files below a folder. Links are followed, and none of them twice."""
    files, waiting, seen = [], [folder], set()
    while waiting:
        here = waiting.pop()
        place = os.path.realpath(here)
        if place not in seen:
            seen.add(place)
            own, folders = _entries(here)
            files += own
            waiting += folders
    return sorted(files)


def _sorted_out(files):
    """The files that are pictures, by their suffix or without one by their contents; the rest."""
    known = suffixes()
    pictures, others = [], []
    for file in files:
        suffix = file.suffix.lower()
        if suffix in known:
            found = file.is_file() or not file.exists()  # A link to nowhere: an unreadable one.
        else:
            found = _unnamed(suffix, known) and file.is_file() and is_picture(file)
        (pictures if found else others).append(file)
    return pictures, others


def _unnamed(suffix, known):
    # Downloads are called photo, photo.jpg_large, photo.jpg!d.
    stem = next((suffix[:i] for i, c in enumerate(suffix) if i and not c.isalnum()), None)
    return not suffix or stem in known
