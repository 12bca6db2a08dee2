"""Errors of the client library."""


class RealtimeError(Exception):
    """Base class of the errors of this package."""


class ConnectionRefused(RealtimeError):
    """The session could not be opened. `status` is the HTTP status of a refusal, None if the server did not answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ProtocolError(RealtimeError):
    """The server sent something that is not part of the protocol, or more than the program reads."""


class ServerClosed(RealtimeError):
    """The server closed the connection; `code` is 1006 if the connection was lost (RFC 6455, section 7.4)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the server closed the connection ({code}{': ' + reason if reason else ''})")
        self.code = code
        self.reason = reason


class RequestFailed(RealtimeError):
    """The server refused a request or failed to complete it; `code` is its error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
