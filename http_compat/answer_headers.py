"""Headers that say what answered a request: the model, the voice, and where these are not what the client named."""

from typing import Final
from urllib.parse import quote

from realtime.offline.transcript import Transcript

MODEL_HEADER: Final = "x-vivavoce-model"
"""The model that answered."""

VOICE_HEADER: Final = "x-vivavoce-voice"
"""The voice that spoke."""

SUBSTITUTED_HEADER: Final = "x-vivavoce-substituted"
"""Fields of the request with a name unknown to this server, for which a default answered: `model`, `voice` or both."""

TEXT_LANGUAGE_HEADER: Final = "x-vivavoce-text-language"
"""The language of a text that the voice does not speak."""

TRACK_HEADER: Final = "x-vivavoce-audio-track"
"""Index of the audio track that was transcribed, if the recording has several."""

SUPPRESSED_HEADER: Final = "x-vivavoce-suppressed"
"""Reasons for which text of a recording was suppressed, if any was: `no_speech`, `improbable`, `repetition`."""

ANSWER_HEADERS: Final = (
    MODEL_HEADER, VOICE_HEADER, SUBSTITUTED_HEADER, TEXT_LANGUAGE_HEADER, TRACK_HEADER, SUPPRESSED_HEADER,
)  # fmt: skip


def answered_by(model_name: str, /, **substituted: bool) -> dict[str, str]:
    """Return the headers for the model that answered; `substituted` says for each field whether a default did."""
    fields = [name for name, is_substituted in substituted.items() if is_substituted]
    return {MODEL_HEADER: model_name} | ({SUBSTITUTED_HEADER: ", ".join(fields)} if fields else {})


def suppressed_header(transcript: Transcript) -> dict[str, str]:
    """Return the header that says why text was suppressed; no header where none was."""
    reasons = dict.fromkeys(each.reason.value for each in transcript.suppressed)
    return {SUPPRESSED_HEADER: ", ".join(reasons)} if reasons else {}


def voice_header(voice: str) -> str:
    """Return the name of a voice for a header: what is no ASCII, or a control character, is encoded as in URLs.

    Where every name is a voice, a client has chosen it.
    """
    return quote(voice, safe=" !#$&'()*+,/:;=?@[]")
