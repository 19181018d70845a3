"""The JavaScript of others that the page is built with: exact versions, by their hashes.

They come by `npm pack` into a folder of the user's, once, or from a folder that is given, for a
machine without a network. What has another SHA-512 than here is not used.
"""

import base64
import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile


@dataclasses.dataclass(frozen=True)
class Package:
    """A package of npm.

    Attributes:
        name, version: What `npm pack` is asked for.
        integrity: The SHA-512 of its archive, as lock files have it.
        files: Paths within it of what the page takes.
        title: What the page calls it.
    """

    name: str
    version: str
    integrity: str
    files: tuple
    title: str

    @property
    def archive(self):
        """The name that `npm pack` gives the archive."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


ONNX_RUNTIME = Package(
    "onnxruntime-web",
    "1.30.0",
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    ("dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"),
    "ONNX Runtime Web 1.30.0 (MIT)",
)
TENSORFLOW = Package(
    "@tensorflow/tfjs",
    "4.22.0",
    "0TrIrXs6/b7FLhLVNmfh8Sah6JgjBPH4mZ8JGb7NU6WW+cx00qK5BcAZxw7NCzxj6N8MRAIfHq+oNbPUNG5VAg==",
    ("dist/tf.es2017.min.js",),
    "TensorFlow.js 4.22.0 (Apache 2.0)",
)
TENSORFLOW_WASM = Package(
    "@tensorflow/tfjs-backend-wasm",
    "4.22.0",
    "/IYhReRIp4jg/wYW0OwbbJZG8ON87mbz0PgkiP3CdcACRSvUN0h8rvC0O3YcDtkTQtFWF/tcXq/KlVDyV49wmA==",
    ("dist/tf-backend-wasm.es2017.min.js", "dist/tfjs-backend-wasm-simd.wasm"),
    None,
)
PACKAGES = (ONNX_RUNTIME, TENSORFLOW, TENSORFLOW_WASM)


def titles():
    """What the page is built with, in words."""
    return [package.title for package in PACKAGES if package.title]


def cache():
    """The user's folder of archives."""
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "gan_zoo" / "page"


def contents(folder=None):
    """The files of all packages, `{name without its folder: bytes}`.

    Args:
        folder: Where the archives are. By default `cache()`, into which npm brings what is missing.

    Raises:
        FileNotFoundError: If an archive is not in the folder, or npm is not installed.
        ValueError: If an archive is another one than the version that is known here.
        OSError: If npm cannot bring it.
    """
    found = {}
    for package in PACKAGES:
        path = (cache() if folder is None else pathlib.Path(folder)) / package.archive
        if not path.is_file():
            if folder is not None:
                raise FileNotFoundError(
                    f"`--vendor` lacks {package.archive}. Expected the archives of: {_command()}. "
                    f"Received: --vendor={folder}"
                )
            _bring(package, path.parent)
        _check(package, path)
        with tarfile.open(path) as archive:
            for file in package.files:
                found[pathlib.PurePosixPath(file).name] = archive.extractfile(
                    f"package/{file}"
                ).read()
    return found


def _command():
    return f"npm pack {' '.join(f'{package.name}@{package.version}' for package in PACKAGES)}"


def _bring(package, folder):
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(
            "`page` is built with JavaScript that npm brings, and npm is not installed. Expected "
            "npm (apt-get install npm, or https://nodejs.org), or --vendor=FOLDER with what "
            f"another machine got by: {_command()}. Received: no npm on the PATH"
        )
    folder.mkdir(parents=True, exist_ok=True)
    wanted = f"{package.name}@{package.version}"
    asked = [npm, "pack", wanted, "--silent", "--ignore-scripts", "--pack-destination", "."]
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode or not (folder / package.archive).is_file():
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise OSError(
            f"`page` cannot be built: npm did not bring {wanted}. Expected a network, or "
            f"--vendor=FOLDER with what another machine got by: {_command()}. Received: {said}"
        )


def _check(package, path):
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if digest != package.integrity:
        raise ValueError(
            f"`{path.name}` is damaged, or another one. Expected SHA-512 {package.integrity}. "
            f"Received: {digest} in {str(path.parent)!r}; remove it to have npm bring it again"
        )
