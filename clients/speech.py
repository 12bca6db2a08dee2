"""Speech of a text, chunk by chunk."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from clients.aio import DEFAULT_URL, OPEN_TIMEOUT, open_session
from clients.arguments import check_numbers
from clients.first_session import open_patiently
from clients.options import SPEECH_MODEL, SessionOptions


async def speak(
    text: str,
    url: str = DEFAULT_URL,
    *,
    api_key: str | None = None,
    voice: str | None = None,
    speed: float | None = None,
    open_timeout: float = OPEN_TIMEOUT,
) -> AsyncGenerator[bytes, None]:
    """Speak a text, and yield its audio as it is synthesized: PCM16, mono, 24 kHz.

    Args:
        text: What is said.
        url: Address of the server, `ws`, `wss`, `http` or `https`.
        api_key: Key of the server, if it needs one.
        voice: Voice. Default: the server's.
        speed: Speed of speech, 0.25 to 1.5; 1 is the voice's own.
        open_timeout: Seconds allowed for connecting, and again for opening the session.

    A server that is full or loading is asked again for 45 s.

    Raises:
        ConnectionRefused: The server cannot be reached, refuses the client or does not answer in time.
        RequestFailed: The text cannot be spoken to its end, or there is no such voice; `code` says why.
        ServerClosed: The connection was lost.
        ProtocolError: The server does not speak the protocol.
    """
    check_numbers(open_timeout=open_timeout)
    options = SessionOptions(transcription=False, model=SPEECH_MODEL, voice=voice, turn_detection=False, binary=True)
    opening = partial(open_session, url, options, api_key=api_key, open_timeout=open_timeout)
    async with (
        open_patiently(opening) as session,
        aclosing(session.speak(text, speed=speed)) as chunks,
    ):
        async for chunk in chunks:
            yield chunk
