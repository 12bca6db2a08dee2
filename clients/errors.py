"""Errors of the client library."""


class RealtimeError(Exception):
    """Anything that goes wrong between this client and its server."""


class ConnectionRefused(RealtimeError):
    """No session was opened. `status` is the HTTP status of the refusal, None where nobody answered."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ProtocolError(RealtimeError):
    """The other side does not speak the protocol."""


class ServerClosed(RealtimeError):
    """The server closed the connection; 1006 where it vanished without a word."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the server closed the connection ({code}{': ' + reason if reason else ''})")
        self.code = code
        self.reason = reason


class RequestFailed(RealtimeError):
    """The server could not do what it was asked; `code` is its word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
