"""The dialects of the service, by the path of the websocket.

A new dialect is a folder beside `openai` whose codec follows `realtime.wire.codec.Codec`, a line in `DIALECTS` and its
name in the setting `dialects`.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from realtime.errors import VoiceError
from realtime.wire.codec import Dialect, Resuming
from realtime.wire.deepgram.errors import error_body
from realtime.wire.deepgram.listen import ListenCodec
from realtime.wire.deepgram.speak import SpeakCodec
from realtime.wire.first_message import FirstMessageCodec
from realtime.wire.openai.client_secrets import SecretKind
from realtime.wire.openai.codec import OpenAICodec
from realtime.wire.openai.resuming import refusal, resume_request
from realtime.wire.openai.translations import TranslationCodec
from realtime.wire.twilio.codec import TwilioCodec
from realtime.wire.vosk.codec import VoskCodec
from realtime.wire.whisperlive.codec import WhisperLiveCodec

_KEY: Final = "/{key:path}"
"""End of the paths with a key, for clients that can send none in a header."""


def _openai_refusal(error: VoiceError, _: str) -> Mapping[str, object]:
    return error.body()


_OPENAI: Final = Dialect(OpenAICodec.open, _openai_refusal, Resuming(resume_request, refusal))
_TRANSLATIONS: Final = Dialect(TranslationCodec.open, _openai_refusal)
_TWILIO: Final = Dialect(TwilioCodec.open, _openai_refusal, signed_by_twilio=True)
_VOSK: Final = Dialect(VoskCodec.open, _openai_refusal)
_WHISPERLIVE: Final = Dialect(WhisperLiveCodec.open, _openai_refusal)
_VOSK_OR_WHISPERLIVE: Final = Dialect(FirstMessageCodec, _openai_refusal)

DIALECTS: Final[Mapping[str, Mapping[str, Dialect]]] = {
    "openai": {
        "/v1/realtime": _OPENAI,
        "/v1/realtime/": _OPENAI,
        "/realtime": _OPENAI,
        "/openai/v1/realtime": _OPENAI,
        "/v1/realtime/translations": _TRANSLATIONS,
    },
    "deepgram": {
        "/v1/listen": Dialect(ListenCodec.open, error_body),
        "/v1/speak": Dialect(SpeakCodec.open, error_body),
    },
    "twilio": {"/twilio/media": _TWILIO, "/twilio/media" + _KEY: _TWILIO},
    "vosk": {"/vosk": _VOSK, "/vosk" + _KEY: _VOSK, "/": _VOSK},
    "whisperlive": {"/whisperlive": _WHISPERLIVE, "/whisperlive" + _KEY: _WHISPERLIVE, "/": _WHISPERLIVE},
}
"""The paths of each protocol, and the dialect of each path: the canonical one first, then those that LiveKit's and
Azure's clients build."""

_WITH_KEY: Final = re.compile(
    "|".join(
        re.escape(path.removesuffix(_KEY)) + "/" for paths in DIALECTS.values() for path in paths if path.endswith(_KEY)
    )
)


SECRET_DIALECTS: Final[Mapping[SecretKind, Dialect]] = {
    kind: _TRANSLATIONS if kind is SecretKind.TRANSLATIONS else _OPENAI for kind in SecretKind
}
"""The dialect that the client secrets of each endpoint are for."""


def served_paths(names: Collection[str]) -> dict[str, Dialect]:
    """Return the paths of the protocols with these names, and the dialect of each."""
    served = {path: dialect for name, paths in DIALECTS.items() if name in names for path, dialect in paths.items()}
    if {"vosk", "whisperlive"} <= set(names):
        served["/"] = _VOSK_OR_WHISPERLIVE
    return served


def without_key(path: str) -> str:
    """Return a path for the log: without the key that it may end with."""
    found = _WITH_KEY.match(path)
    return path if found is None else f"{found[0]}..."
