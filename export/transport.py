"""What the two ways to a server share: their errors."""


class ServerError(RuntimeError):
    """A server refused a request; the message has what it said."""


class NotFound(ServerError):
    """A server has no such model, version or address."""


class Unavailable(Exception):
    """A server is not there, or cannot answer now: a request may be sent again."""
