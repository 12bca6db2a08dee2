"""What the codec of a connection starts from: the request, and what this server offers."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from realtime.catalogue.names import ModelNames
from realtime.catalogue.voices import find_voice
from realtime.edge.sessions import new_id
from realtime.settings import Settings
from realtime.wire.codec import Handshake


class Handshakes:
    """Builds the handshakes of one service."""

    def __init__(self, settings: Settings, voices: Callable[[], tuple[str, ...]], *, chat: bool) -> None:
        """`voices` returns the voices, the default one first, and raises `Overloaded` while they are being loaded.

        `chat` says whether a chat backend is configured.
        """
        self._settings = settings
        self._names = ModelNames(settings)
        self._voices = voices
        self._chat = chat

    def build(
        self,
        session_id: str,
        *,
        query: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        session: bytes = b"",
    ) -> Handshake:
        """Build the handshake of one connection. Raises `Overloaded` while the default models are loading."""
        return Handshake(
            session_id=session_id,
            query=query or {},
            new_id=new_id,
            find_recognizer=self._names.recognizer,
            find_voice=partial(find_voice, voices=self._voices()),
            max_input_characters=self._settings.max_input_characters,
            chat=self._chat,
            prepare_answers=self._settings.chat_prepare_answers,
            resume_false_interruptions=self._settings.resume_false_interruptions,
            opened_at=int(time.time()),
            headers=headers or {},
            subprotocols=subprotocols,
            session=session,
        )
