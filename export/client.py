"""A client of a served model: it checks a request before it is sent, and says what was answered."""

import json
import math
import pathlib
import time

import numpy as np

from export import grpc_transport, rest_transport, signatures, version_labels
from export.transport import ServerError, Unavailable
from zoo import exported
from zoo.validation import check_choice, check_integer, check_positive, in_short

TRANSPORTS = {
    "http": rest_transport.Rest,
    "https": rest_transport.Rest,
    "grpc": grpc_transport.Grpc,
}
MOST = 64  # Rows of a request, which a server takes at once (`batching_params.pbtxt`).
FEW = 20  # Rows that a message names.
PAUSE = 0.1  # Seconds before the first retry; then twice as long each time.


class Client:
    """Asks a served model over REST or gRPC.

    A server merges the requests of many clients, and one bad row fails the whole batch. So names,
    shapes, dtypes, classes and numbers are checked here first, against what the server says of the
    model and, where it is given, the card of its version.

    Args:
        url: `"http://host:8501"`, `"https://..."`, or `"grpc://host:8500"` (which needs
            `pip install tensorflow-serving-api`).
        model: The name that the server knows the model by.
        card: Folder of the model's versions or of one, or a card that was read: then classes are
            checked before they are sent.
        version: int, or the label of one as `python -m export label` gives it: `"stable"`. Defaults
            to the one that the server takes by itself.
        timeout: Seconds that an answer may take.
        retries: int. How often a request is sent again when the server is unavailable; nothing else
            is tried again.

    Attributes:
        signatures: `{name: ({input: (dtype, shape)}, {output: (dtype, shape)})}`, of the server; of
            the card where a server of the same REST API has no metadata, as KServe's.

    Raises:
        ValueError: If the URL has another scheme, or neither the server nor a card says what the
            signatures are.
        export.client.ServerError: If the server has no such model.
        ConnectionError: If there is no server.

    Example:

    ```
    client = export.Client("http://localhost:8501", "digits", card="serving/digits")
    images = client.sample([1, 2, 3])  # (3, 28, 28, 1), uint8
    ```
    """

    def __init__(self, url, model, card=None, version=None, timeout=30.0, retries=3):
        scheme, _, host = str(url).partition("://")
        check_choice(TRANSPORTS, url=scheme)
        check_integer(0, retries=retries)
        if isinstance(version, str):
            version_labels.check(version=version)
        elif version is not None:
            check_positive(version=version)
        self.model, self.retries = model, retries
        self.card = card if card is None or isinstance(card, dict) else _read(card, version)
        self._transport = TRANSPORTS[scheme](str(url), host, model, version, timeout)
        found = self._patiently(self._transport.signatures)
        self.signatures = _listed(self.card) if found is None else found
        self._compare()

    def _compare(self):
        """Raises a `ValueError` if the card is of another model than the server's."""
        told = (self.card or {}).get("signatures", {})
        for name in {"sample", "latents"} & set(told) & set(self.signatures):
            inputs = self.signatures[name][0]
            if set(told[name]) != set(inputs):
                raise ValueError(
                    f"`card` is of another model than the server's. Expected inputs "
                    f"{sorted(inputs)} of {name!r}. Received: {sorted(told[name])}"
                )
        latents = self.signatures.get("latents", (None, {}))[1].get("latents")
        wanted = (self.card or {}).get("latent_dim")
        if latents and wanted is not None and list(latents[1][1:]) != [wanted]:
            raise ValueError(
                "`card` is of another model than the server's. Expected latents of "
                f"{latents[1][1:]} numbers. Received: latent_dim={wanted}"
            )

    def sample(self, seeds, labels=None, conditions=None, truncation=None):
        """Samples of seeds: uint8 pictures, or float32 numbers of what is no picture.

        Args:
            seeds: Integers `(n,)`. Row i is `generator.sample(1, seed=seeds[i])[0]`.
            labels, conditions: As the model takes them: `(n,)` or `(n, k)`.
            truncation: Positive number, or one a row, optional.
        """
        return self._drawn("sample", seeds, truncation, labels=labels, conditions=conditions)

    def sample_png(self, seeds, labels=None, conditions=None):
        """As `sample`, as PNG files: a list of bytes."""
        rows = self._only("sample_png", seed=seeds, labels=labels, conditions=conditions)
        return list(rows)

    def latents(self, seeds, truncation=None):
        """The latents that seeds stand for: float32 `(n, d)`; with `truncation` as of `sample`."""
        return self._drawn("latents", seeds, truncation)

    def decode(self, latents, labels=None, conditions=None):
        """Samples of latents: float32, pictures in [0, 1]."""
        given = {"latents": latents, "labels": labels, "conditions": conditions}
        return self._only(signatures.decoder(self.signatures), **given)

    def score(self, samples, labels=None, conditions=None):
        """The discriminator's logits of samples, pictures in [0, 1]: float32 `(n,)`."""
        given = {self._sample_name("score"): samples}
        return self._only("score", **given, labels=labels, conditions=conditions)

    def encode(self, samples):
        """The means and the log variances of the latents of samples: two float32 `(n, d)`."""
        answer = self.ask("encode", **{self._sample_name("encode"): samples})
        return answer["latents"], answer["log_variance"]

    def reconstruct(self, samples):
        """Samples as the autoencoder has them: float32, pictures in [0, 1]."""
        return self._only("reconstruct", **{self._sample_name("reconstruct"): samples})

    def ask(self, signature, **inputs):
        """Asks a signature, in requests of at most 64 rows.

        Args:
            signature: Its name.
            **inputs: Arrays, by the names of its inputs; `None` is not sent.

        Returns:
            `{output: array}`; of PNG files an array of bytes.

        Raises:
            ValueError: If the model has no such signature or inputs, or they do not fit; nothing
                was sent. Or if the server says that rows are not valid.
            export.client.ServerError: If the server refuses; with what it said.
            ConnectionError: If it is not there, also not later.
        """
        inputs = self._check(signature, {k: v for k, v in inputs.items() if v is not None})
        rows = len(next(iter(inputs.values())))
        answers = []
        for start in range(0, rows, MOST):
            part = {name: value[start : start + MOST] for name, value in inputs.items()}
            answers.append(self._patiently(self._transport.predict, signature, part))
        answer = {
            name: np.concatenate([self._array(signature, name, part) for part in answers])
            for name in self.signatures[signature][1]
        }
        for name, value in answer.items():
            if len(value) != rows:
                raise ServerError(
                    f"`{signature}` was answered for other rows. Expected {rows}. Received: "
                    f"{len(value)} of {name!r}"
                )
        wrong = np.flatnonzero(~answer.get("valid", np.ones(rows, bool)))
        if wrong.size:
            raise ValueError(
                f"`{signature}` was asked for rows that make no sense to the model. Expected "
                "classes that it has, conditions that are numbers and truncations above 0. "
                f"Received: rows {wrong[:FEW].tolist()}, of {wrong.size} such"
            )
        return answer

    def _drawn(self, signature, seeds, truncation, **given):
        if truncation is None:
            return self._only(signature, seed=seeds, **given)
        try:
            limits = np.broadcast_to(np.asarray(truncation, "float32"), np.shape(seeds))
        except (TypeError, ValueError):
            limits = np.zeros(1)
        if not np.all(limits > 0):
            raise ValueError(
                f"`truncation` does not fit. Expected a number above 0, or one for each of "
                f"{np.size(seeds)} seeds. Received: {in_short(truncation)}"
            )
        return self._only(f"{signature}_truncated", seed=seeds, truncation=limits, **given)

    def _only(self, signature, **inputs):
        answer = self.ask(signature, **inputs)
        answer.pop("valid", None)
        (value,) = answer.values()
        return value

    def _sample_name(self, signature):
        taken = self.signatures.get(signature, ({}, {}))[0]
        return "samples" if "samples" in taken else "images"

    def _array(self, signature, name, answer):
        """An output as an array of what the server says that it is."""
        dtype, shape = self.signatures[signature][1][name]
        try:
            value = answer[name]
            if dtype == "string":
                return np.array([*value, None], object)[:-1]  # Of bytes NumPy would cut zeros off.
            given = np.asarray(value)
            if given.dtype.kind not in ("iufb" if dtype.startswith("float") else "iub"):
                value = None  # Floats would be cut to integers.
            return np.asarray(value, dtype).reshape(-1, *shape[1:])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ServerError(
                f"`{signature}` was answered with something else. Expected {name!r} of {dtype} and "
                f"shape ({', '.join(['n', *map(str, shape[1:])])}). Received: {str(answer)[:200]}"
            ) from error

    def _check(self, signature, inputs):
        check_choice(self.signatures, signature=signature)
        taken = self.signatures[signature][0]
        if set(inputs) != set(taken):
            raise ValueError(
                f"`{signature}` takes other inputs. Expected {sorted(taken)}. Received: "
                f"{sorted(inputs)}"
            )
        arrays = {name: self._checked(name, inputs[name], *taken[name]) for name in sorted(taken)}
        counts = {name: len(value) for name, value in arrays.items()}
        if len(set(counts.values())) != 1 or 0 in counts.values():
            raise ValueError(
                f"`{next(iter(counts))}` has no row for each of the others. Expected as many of "
                f"each, and at least one. Received: {counts}"
            )
        return arrays

    def _checked(self, name, value, dtype, shape):
        """An input as an array of the model's dtype, of numbers that make sense."""
        try:
            array = np.asarray(value)
        except ValueError:  # Rows of several lengths.
            array = np.asarray(None)
        kinds = "iu" if dtype.startswith("int") else "iuf"
        fits = array.dtype.kind in kinds and array.shape[1:] == tuple(shape[1:]) and array.ndim
        if not fits:
            wanted = "integers" if kinds == "iu" else "numbers"
            raise ValueError(
                f"`{name}` does not fit the model. Expected {wanted} of shape "
                f"({', '.join(['n', *map(str, shape[1:])])}). Received: {name} of shape "
                f"{array.shape} and dtype {array.dtype}"
            )
        if dtype.startswith("float"):
            with np.errstate(over="ignore"):  # To infinity, which is refused.
                array = array.astype(dtype)
        low, high = (self.card or {}).get("ranges", {}).get(name) or (None, None)
        if kinds == "iu":
            limits = np.iinfo(dtype)
            low = limits.min if low is None else max(low, limits.min)
            high = limits.max if high is None else min(high, limits.max)
        least, most = (array.min(), array.max()) if array.size else (0, 0)
        if not (math.isfinite(least) and math.isfinite(most)):
            raise ValueError(
                f"`{name}` holds NaN or infinity. Expected finite numbers. Received: "
                f"{int((~np.isfinite(array)).sum())} bad ones"
            )
        if (low is not None and least < low) or (high is not None and most > high):
            raise ValueError(
                f"`{name}` is out of range. Expected numbers from {low} to {high}. Received: "
                f"{name} from {least} to {most}"
            )
        return array.astype(dtype)

    def _patiently(self, call, *arguments):
        for attempt in range(self.retries + 1):
            try:
                return call(*arguments)
            except Unavailable as error:
                if attempt == self.retries:
                    raise ConnectionError(
                        f"`url` has no server that answers, after {attempt + 1} attempts. Expected "
                        f"one with the model {self.model!r}. Received: {error}"
                    ) from error
                time.sleep(PAUSE * 2**attempt)


def _read(folder, version):
    """The card of a version; in a folder of versions, of that number or of the largest."""
    folder = pathlib.Path(folder)
    if version in exported.versions(folder):
        folder = folder / str(version)
    path = exported.latest(folder) / exported.CARD
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"`card` cannot be read ({error}). Expected the folder of a version that export.save "
            f"wrote. Received: card={str(folder)!r}"
        ) from error


def _listed(card):
    """The signatures as a card has them."""
    try:
        return {
            name: tuple(
                {key: (spec["dtype"], spec["shape"]) for key, spec in side[name].items()}
                for side in (card["signatures"], card["outputs"])
            )
            for name in card["signatures"]
        }
    except (AttributeError, TypeError, KeyError) as error:
        raise ValueError(
            "`card` is needed, as the server says nothing of signatures. Expected the folder of "
            f"the version that it serves. Received: {'no card' if card is None else 'another'}"
        ) from error


__all__ = ["Client", "ServerError"]
