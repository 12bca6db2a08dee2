"""The extension `ext=resume`: sessions of the OpenAI dialect that outlive a connection.

Server events have `x_sequence`, which counts all messages of the server, binary ones included. The server counts the
messages of the client, and says from time to time how many it has. So each side can send again what the other one has
missed, as in stream management of XMPP (XEP-0198).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from realtime.errors import VoiceError
from realtime.wire.codec import Close, Outgoing, ResumeRequest
from realtime.wire.openai.client_events import InvalidValue
from realtime.wire.openai.frames import FrameWriter

TOKEN_HEADER: Final = "x-resume-token"  # noqa: S105
"""Header of the token that resumes a session."""

TOKEN_SUBPROTOCOL: Final = "x-resume-token."  # noqa: S105
"""Prefix of the subprotocol that carries it: browsers cannot set headers on a websocket."""

_MAX_DIGITS: Final = 18
"""Digits of a number that are read; no session has as many events."""


class SessionResumption:
    """What a connection says about resuming its session.

    Attributes:
        messages: Messages of the client that have been received in the session.
        audio_bytes: Bytes of audio in them, in the format of the session's input.
        delivered: Number of the last message that the client has said to have, 0 before that.
    """

    def __init__(self, writer: FrameWriter, session_id: str) -> None:
        self._writer = writer
        self._session_id = session_id
        self.messages = 0
        self.audio_bytes = 0
        self.delivered = 0

    def offer(self, token: str, seconds: float) -> str:
        return self._writer.event(
            "x.session.resumable", session_id=self._session_id, token=token, timeout_seconds=seconds
        )

    def numbered(self, message: str, number: int) -> str:
        return f'{{"x_sequence":{number},{message[1:]}'

    def received(self) -> str:
        return self._writer.event("x.session.received", messages=self.messages, audio_bytes=self.audio_bytes)

    def resumed(self, number: int) -> str:
        return self._writer.event(
            "x.session.resumed",
            session_id=self._session_id,
            next_sequence=number,
            messages=self.messages,
            audio_bytes=self.audio_bytes,
        )


def resume_request(
    query: Mapping[str, str], headers: Mapping[str, str], subprotocols: Sequence[str]
) -> ResumeRequest | None:
    """Return what a handshake with `resume` in its query asks for; None without it.

    Raises `InvalidValue` for a `last_event` that is no number.
    """
    if "resume" not in query:
        return None
    number = query.get("last_event", "")
    if not (number.isascii() and number.isdecimal()):
        raise InvalidValue("Give the `x_sequence` of the last event that you have received.", param="last_event")
    offered = [each.removeprefix(TOKEN_SUBPROTOCOL) for each in subprotocols if each.startswith(TOKEN_SUBPROTOCOL)]
    return ResumeRequest(
        session_id=query["resume"],
        token=headers.get(TOKEN_HEADER) or "".join(offered[:1]),
        number=int(number[:_MAX_DIGITS]),
        reads_refusals=not offered,
    )


def refusal(error: VoiceError, new_id: Callable[[str], str]) -> Outgoing:
    """Return the messages that refuse a request to resume after the handshake."""
    return [FrameWriter(new_id).error(error, None), Close(error.close_code, error.code)]
