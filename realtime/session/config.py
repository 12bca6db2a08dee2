"""Session configuration: everything a client may set."""

from dataclasses import dataclass
from enum import StrEnum

from realtime.audio.formats import AudioFormat, Encoding
from realtime.catalogue.table import WHISPER_BASE, ModelEntry
from realtime.speech.endpointing import TurnDetection


class SessionKind(StrEnum):
    """What a session is for: only listening, or speaking too."""

    TRANSCRIPTION = "transcription"
    CONVERSATION = "realtime"


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Everything a client may set. `turn_detection` None means that the client commits by hand.

    `transcribe` says whether transcripts are wanted; `language` None means detect; `translate` asks for English instead
    of the language spoken, `include_partials` for revisable text (both extensions). `speed` is that of the voice.
    """

    kind: SessionKind = SessionKind.CONVERSATION
    input_format: AudioFormat = AudioFormat(Encoding.PCM16, 24_000)
    output_format: AudioFormat = AudioFormat(Encoding.PCM16, 24_000)
    turn_detection: TurnDetection | None = TurnDetection()
    interrupt_response: bool = True
    transcribe: bool = False
    recognizer: ModelEntry = WHISPER_BASE
    language: str | None = None
    translate: bool = False
    prompt: str = ""
    include_partials: bool = False
    instructions: str = ""
    voice: str = ""
    speed: float = 1.0
