"""What the codec of a connection starts from: the request, and what this server offers."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from realtime.catalogue.names import ModelNames
from realtime.catalogue.table import Task
from realtime.catalogue.voices import VoiceNames
from realtime.edge.sessions import new_id
from realtime.settings import Settings
from realtime.wire.codec import Handshake

MIN_WORDS: Final = 4
"""Words of the first phrase of a response where its language decides which voice speaks it.

With four, 88 % of fragments in English, German, French and Spanish show their language, with two 50 %.
"""


def first_words(names: ModelNames) -> int:
    """Return the least words of the first phrase of a response."""
    return MIN_WORDS if names.voices_by_language else 1


class Handshakes:
    """Builds the handshakes of one service."""

    def __init__(self, settings: Settings, voices: Callable[[], VoiceNames], *, chat: bool) -> None:
        """`voices` returns the voices, and raises `Overloaded` while they are being loaded.

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
            find_voice=self._voices().find,
            first_words=first_words(self._names),
            voice_model=self._names.defaults[Task.SPEECH],
            max_input_characters=self._settings.max_input_characters,
            chat=self._chat,
            prepare_answers=self._settings.chat_prepare_answers,
            resume_false_interruptions=self._settings.resume_false_interruptions,
            opened_at=int(time.time()),
            headers=headers or {},
            subprotocols=subprotocols,
            session=session,
        )
