"""The Hugging Face Hub: files of a model are fetched from it and committed to it.

`huggingface_hub` does it, with its cache, its login and its environment (`HF_TOKEN`, `HF_ENDPOINT`,
`HF_HUB_OFFLINE`). It is optional, imported when an address is asked for, and nothing connects
before.
"""

import contextlib
import pathlib
import re
import warnings

from zoo.validation import users_level

SCHEME = "hf://"
ADDRESS = re.compile(r"hf://(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?", re.ASCII)
OLDEST = 1  # The first version with these errors.
UNMADE = {".gitattributes"}  # What the Hub itself puts into a new model.


def fetch(address, wanted, argument="preset"):
    """Some files of a model on the Hub, which come into the cache where they are not in it.

    Where the Hub does not answer, those of the cache are taken, and a warning says of which commit
    they are.

    Args:
        address: `hf://USER/NAME`, or `hf://USER/NAME@REVISION` of a branch, a tag or a commit.
        wanted: The names of the files. Those that are not there are left out.
        argument: The name of the argument that the address is, for the messages.

    Returns:
        The folder of the files in the cache, as `pathlib.Path`.

    Raises:
        ImportError: If `huggingface_hub` is not installed.
        ValueError: If the address is none, or there is no such model or revision that can be read.
        ConnectionError: If the Hub does not answer and the cache does not have it.
    """
    hub = _library(argument)
    repo, revision = _parsed(argument, address)
    asked = {"revision": revision, "allow_patterns": sorted(wanted)}
    with _in_our_words(hub, argument, address):
        try:
            hub.HfApi().model_info(repo, revision=revision)  # Whether it answers.
        except hub.errors.OfflineModeIsEnabled:
            folder = hub.snapshot_download(repo, **asked, local_files_only=True)
        except _unreachable(hub) as error:
            if isinstance(error, hub.errors.HfHubHTTPError) and error.response.status_code < 500:
                raise
            folder = hub.snapshot_download(repo, **asked, local_files_only=True)
            warnings.warn(
                f"The Hub does not answer, and {address} is read from the cache as it was at the "
                f"commit {pathlib.Path(folder).name}.",
                stacklevel=users_level(),
            )
        else:
            folder = hub.snapshot_download(repo, **asked)
    return pathlib.Path(folder)


def commit(address, files, marker, removable, message, private=None):
    """Commits files to a model on the Hub, which is made where it is not there yet.

    All come in one commit: who reads sees the old ones or the new ones.

    Args:
        address: `hf://USER/NAME`.
        files: `{name: bytes}`.
        marker: Name of a file that every model of this kind has. A model with other files, and
            without it, is somebody else's and is refused.
        removable: Names of files that are taken out where they are there and not in `files`.
        message: Of the commit.
        private: bool. Whether a model that is made can be read by its owner alone; `None`: as its
            owner's are. One that is there has to be as it says.

    Returns:
        The URL of the commit.

    Raises:
        ImportError: If `huggingface_hub` is not installed.
        ValueError: If the address is none, the Hub refuses it, holds something else there, or
            another has committed meanwhile.
        ConnectionError: If the Hub does not answer.
    """
    hub, repo = target(address)
    api = hub.HfApi()
    with _in_our_words(hub, "uri", address):
        try:
            info = api.model_info(repo)
        except hub.errors.RepositoryNotFoundError:
            api.create_repo(repo, private=private)
            info = api.model_info(repo)
        if private is not None and bool(info.private) != private:
            raise ValueError(
                f"`private` is not what the model is. Expected private={bool(info.private)}, or to "
                f"change it on the Hub. Received: private={private}, uri={str(address)!r}"
            )
        there = set(api.list_repo_files(repo, revision=info.sha)) - UNMADE
        if there and marker not in there:
            raise ValueError(
                "`uri` holds something else than a preset, and only a preset is replaced. Expected "
                f"a new name. Received: uri={str(address)!r} with {sorted(there)[:5]}"
            )
        changes = [hub.CommitOperationAdd(name, content) for name, content in sorted(files.items())]
        gone = sorted((there & set(removable)) - set(files))
        changes += [hub.CommitOperationDelete(name) for name in gone]
        made = api.create_commit(repo, changes, commit_message=message, parent_commit=info.sha)
    return str(made.commit_url)


def target(address):
    """The library, and the name of a model that can be committed to; raises as `commit` does."""
    hub = _library("uri")
    repo, revision = _parsed("uri", address)
    if revision is not None:
        raise ValueError(
            "`uri` names a revision, and presets are committed to the main branch. Expected "
            f"hf://USER/NAME. Received: uri={str(address)!r}"
        )
    return hub, repo


def _library(argument):
    try:
        import huggingface_hub
        import huggingface_hub.errors  # noqa: F401 - For who uses it of what is returned.

        found = huggingface_hub.__version__
    except ImportError as error:
        raise ImportError(
            f"`{argument}` begins with hf://, for which huggingface_hub is not installed. "
            f"Expected: pip install huggingface_hub. Received: {error}"
        ) from error
    if int(found.partition(".")[0]) < OLDEST:
        raise ImportError(
            f"`{argument}` begins with hf://, for which huggingface_hub is too old. Expected: pip "
            f"install -U huggingface_hub. Received: version {found}"
        )
    return huggingface_hub


def _parsed(argument, address):
    found = ADDRESS.fullmatch(str(address))
    if found is None or ".." in str(address):
        raise ValueError(
            f"`{argument}` is no address of a model on the Hub. Expected hf://USER/NAME, or to "
            f"read a revision hf://USER/NAME@REVISION. Received: {argument}={str(address)!r}"
        )
    return found["repo"], found["revision"]


def _unreachable(hub):
    """What is raised where the Hub does not answer, among them what its transport raises."""
    return (
        hub.errors.HfHubHTTPError.__mro__[1],
        hub.errors.LocalEntryNotFoundError,
        ConnectionError,
        TimeoutError,
    )


@contextlib.contextmanager
def _in_our_words(hub, argument, address):
    """Errors of the Hub as those of the argument that named it."""
    errors, received = hub.errors, f"Received: {argument}={str(address)!r}"
    try:
        yield
    except errors.RevisionNotFoundError as error:
        raise ValueError(
            f"`{argument}` has no such revision. Expected a branch, a tag or a commit. {received}"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ValueError(
            f"`{argument}` is not on the Hub, or not for everybody. Expected a model that can be "
            f"reached with the login of this machine (`hf auth login`, or HF_TOKEN). {received}"
        ) from error
    except errors.HfHubHTTPError as error:
        said = getattr(error, "server_message", None) or str(error).strip().splitlines()[-1]
        raise ValueError(
            f"`{argument}` was refused by the Hub: {said} Expected a login with the right to it "
            f"(`hf auth login`, or HF_TOKEN), and nobody else at work in it. {received}"
        ) from error
    except (errors.LocalTokenNotFoundError, errors.HFValidationError) as error:
        raise ValueError(
            f"`{argument}` cannot be asked for: {error} Expected a name and a login that the Hub "
            f"knows. {received}"
        ) from error
    except _unreachable(hub) as error:
        raise ConnectionError(
            f"`{argument}` could not be reached. Expected the Hub to answer, or the files in its "
            f"cache on this machine. {received} ({type(error).__name__})"
        ) from error
