"""The Hugging Face Hub: folders of a model are fetched from it and committed to it.

`huggingface_hub` does it, with its cache, its login and its environment (`HF_TOKEN`, `HF_ENDPOINT`,
`HF_HUB_OFFLINE`). It is optional, imported when an address is asked for, and nothing connects
before.
"""

import contextlib
import pathlib
import re

SCHEME = "hf://"
ADDRESS = re.compile(r"hf://(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


def fetch(address, wanted):
    """Some files of a model on the Hub, which come into the cache where they are not in it.

    Args:
        address: `hf://USER/NAME`, or `hf://USER/NAME@REVISION` of a branch, a tag or a commit.
        wanted: The names of the files. Those that are not there are left out.

    Returns:
        The folder of the files in the cache, as `pathlib.Path`.

    Raises:
        ImportError: If `huggingface_hub` is not installed.
        ValueError: If the address is none, or there is no such model or revision that can be read.
        ConnectionError: If the Hub does not answer and the cache does not have it.
    """
    hub = _library()
    repo, revision = _parsed("preset", address)
    asked = {"revision": revision, "allow_patterns": sorted(wanted)}
    with _in_our_words("preset", address):
        try:
            folder = hub.snapshot_download(repo, **asked)
        except hub.errors.HfHubHTTPError:
            raise
        except hub.errors.HTTPError:  # A line that broke: the library itself asks no cache then.
            folder = hub.snapshot_download(repo, **asked, local_files_only=True)
    return pathlib.Path(folder)


def commit(address, files, own, message, private=False):
    """Commits files to a model on the Hub, which is made where it is not there yet.

    All come in one commit: who reads sees the old ones or the new ones.

    Args:
        address: `hf://USER/NAME`.
        files: `{name: bytes or path}`.
        own: Names of files that are ours: those of them that are there and not in `files` are
            taken out. A model with files, but none of these, is somebody else's and is refused.
        message: Of the commit.
        private: bool. Whether a model that is made can be read by its owner alone.

    Returns:
        The URL of the commit.

    Raises:
        ImportError: If `huggingface_hub` is not installed.
        ValueError: If the address is none, the Hub refuses it, or holds something else there.
        ConnectionError: If the Hub does not answer.
    """
    hub, repo = check(address)
    api = hub.HfApi()
    with _in_our_words("uri", address):
        api.create_repo(repo, private=private, exist_ok=True)
        there = set(api.list_repo_files(repo)) - {".gitattributes", "README.md"}
        if there and not there & set(own):
            raise ValueError(
                "`uri` holds something else than a preset, and only a preset is replaced. Expected "
                f"a new name. Received: uri={str(address)!r} with {sorted(there)[:5]}"
            )
        changes = [hub.CommitOperationAdd(name, source) for name, source in sorted(files.items())]
        gone = sorted(there & set(own) - set(files))
        changes += [hub.CommitOperationDelete(name) for name in gone]
        return str(api.create_commit(repo, changes, commit_message=message).commit_url)


def check(address):
    """The library and the name of a model that can be committed to; raises as `commit` does."""
    hub = _library()
    repo, revision = _parsed("uri", address)
    if revision is not None:
        raise ValueError(
            "`uri` names a revision, and presets are committed to the main branch. Expected "
            f"hf://USER/NAME. Received: uri={str(address)!r}"
        )
    return hub, repo


def _library():
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            "An address that begins with hf:// needs huggingface_hub. Expected it to be "
            f"installed: pip install huggingface_hub. Received: {error}"
        ) from error
    return huggingface_hub


def _parsed(name, address):
    found = ADDRESS.fullmatch(str(address))
    if found is None:
        raise ValueError(
            f"`{name}` is no address of a model on the Hub. Expected hf://USER/NAME, or to read a "
            f"revision hf://USER/NAME@REVISION. Received: {name}={str(address)!r}"
        )
    return found["repo"], found["revision"]


@contextlib.contextmanager
def _in_our_words(name, address):
    """Errors of the Hub as those of the argument that named it."""
    from huggingface_hub import errors

    received = f"Received: {name}={str(address)!r}"
    try:
        yield
    except errors.RevisionNotFoundError as error:
        raise ValueError(
            f"`{name}` has no such revision. Expected a branch, a tag or a commit. {received}"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ValueError(
            f"`{name}` is not on the Hub, or not for everybody. Expected a model that can be "
            f"reached with the login of this machine (`hf auth login`, or HF_TOKEN). {received}"
        ) from error
    except errors.HfHubHTTPError as error:
        said = getattr(error, "server_message", None) or str(error).strip().splitlines()[-1]
        raise ValueError(
            f"`{name}` was refused by the Hub: {said} Expected a login with the right to it (`hf "
            f"auth login`, or HF_TOKEN). {received}"
        ) from error
    except (errors.LocalTokenNotFoundError, errors.HFValidationError) as error:
        raise ValueError(
            f"`{name}` cannot be asked for: {error} Expected a name and a login that the Hub "
            f"knows. {received}"
        ) from error
    except (OSError, errors.HTTPError) as error:  # The second of its transport.
        raise ConnectionError(
            f"`{name}` could not be reached. Expected the Hub to answer, or the files in its cache "
            f"on this machine. {received} ({type(error).__name__})"
        ) from error
