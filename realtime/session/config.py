"""Session configuration: everything a client may set."""

from dataclasses import dataclass
from enum import StrEnum

from realtime.audio.formats import AudioFormat, Encoding
from realtime.catalogue.table import WHISPER_BASE, ModelEntry
from realtime.speech.endpointing import TurnDetection


class SessionKind(StrEnum):
    """What a session is for, in the words of OpenAI's protocol."""

    TRANSCRIPTION = "transcription"
    """Transcripts only."""
    CONVERSATION = "realtime"
    """Speech as well."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Everything a client may set."""

    kind: SessionKind = SessionKind.CONVERSATION
    input_format: AudioFormat = AudioFormat(Encoding.PCM16, 24_000)
    output_format: AudioFormat = AudioFormat(Encoding.PCM16, 24_000)
    turn_detection: TurnDetection | None = TurnDetection()
    """None: the client commits its turns by hand."""
    interrupt_response: bool = True
    """Whether the beginning of speech cancels the response in progress."""
    transcribe: bool = False
    """Whether transcripts of the turns are wanted."""
    recognizer: ModelEntry = WHISPER_BASE
    language: str | None = None
    """Whisper's language code; None: detect it."""
    translate: bool = False
    """Whether to transcribe in English instead of the language spoken (an extension of the protocol)."""
    prompt: str = ""
    """Text that precedes the audio for the recognizer: names and spellings to expect."""
    include_partials: bool = False
    """Whether to report tentative words (an extension of the protocol)."""
    instructions: str = ""
    """Held for the client; no model of the service reads them."""
    voice: str = ""
    """Name of the voice; empty: the default."""
    speed: float = 1.0
    """Speed of the voice; 1.0 is normal."""
