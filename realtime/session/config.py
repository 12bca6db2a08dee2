"""Configuration of a session: what a client may set and the core acts on."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from realtime.audio.formats import AudioFormat, Encoding
from realtime.catalogue.table import ModelEntry
from realtime.session.generation import ChatTool, ChatToolChoice
from realtime.speech.certainty import CERTAIN, Certainty
from realtime.speech.endpointing import TurnDetection
from realtime.speech.style import ReferenceClip

SOURCE_CHANNEL: Final = 1
"""Index of the channel of what is said in its own language, where channel 0 is its translation."""


class Modality(StrEnum):
    """What a response consists of."""

    AUDIO = "audio"
    """Speech, and its text."""
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """Input audio, turns, transcription, answers and speech of one session."""

    recognizer: ModelEntry
    """Model that transcribes the turns."""
    input_format: AudioFormat = AudioFormat(Encoding.PCM16, 24_000)
    separate_channels: bool = False
    """Whether each channel of the input is a speaker with turns of their own; if not, they are mixed.

    Neither this nor the number of separate channels may change once audio has been appended.
    """
    output_format: AudioFormat = AudioFormat(Encoding.PCM16, 24_000)
    turn_detection: TurnDetection | None = TurnDetection()
    """None: the client commits its turns by hand."""
    interrupt_response: bool = True
    """Whether the beginning of speech cancels the response in progress."""
    prepare_answers: bool = False
    """Whether the chat backend is asked in the pause in which a turn may end, before it has ended."""
    resume_false_interruptions: bool = False
    """Whether a response that was interrupted goes on if the user then says nothing, or a mere "mhm"."""
    create_response: bool = False
    """Whether the end of a turn starts a response, as soon as the turn is transcribed."""
    idle_timeout: float | None = None
    """Seconds of silence after a response that another one answers; None: silence is not answered."""
    transcribe: bool = False
    """Whether transcripts of the turns are wanted."""
    language: str | None = None
    """Whisper's language code; None: detect it."""
    languages: tuple[str, ...] = ()
    """Languages to choose from when it is detected, empty for all; a single one is not detected."""
    translate: bool = False
    """Whether to transcribe in English instead of the language spoken (an extension of the protocol)."""
    prompt: str = ""
    """Text that precedes the audio for the recognizer: names and spellings to expect."""
    certainty: Certainty = CERTAIN
    """How certain words must be to be committed while somebody speaks; under load, `LIKELY` stands for `CERTAIN`."""
    transcribe_source: bool = False
    """With `translate`: whether what is said is transcribed in its own language too, as if by a speaker on another
    channel, `SOURCE_CHANNEL`. Like `separate_channels`, it may not change once audio has been appended."""
    speak_transcripts: bool = False
    """Whether the transcripts are spoken, as an interpreter does."""
    decode_partials: bool = True
    """Whether turns are decoded while somebody speaks, so that words are committed before a pause.

    If not, each part of a turn is decoded as a whole, in a pause: later words, at a fraction of the cost, and the same
    ones whenever the same audio is received, unless the recognizer is under load.
    """
    include_partials: bool = False
    """Whether to report tentative words (an extension of the protocol); it needs `decode_partials`."""
    time_partials: bool = False
    """Whether words have times as soon as they are reported, unless the recognizer is under load.

    It takes 8 to 12 % more CPU time for partials of 2 to 8 s, with whisper-base on one core.
    """
    time_speech: bool = False
    """Whether to report when each word of a response is played (an extension of the protocol)."""
    voice: str = ""
    """Name of the voice; empty: the default."""
    speed: float = 1.0
    """Speed of the voice; 1.0 is normal."""
    clip: ReferenceClip | None = field(default=None, repr=False)
    """Recording of a voice that speaks instead (an extension of the protocol)."""
    first_words: int = 1
    """Least words of the first phrase of a response: more than one where they decide which voice speaks it."""
    chat: bool = False
    """Whether a chat backend generates answers; without one, only texts that the client gives are spoken."""
    modality: Modality = Modality.AUDIO
    """Whether responses are spoken."""
    instructions: str = field(default="", repr=False)
    """What the chat backend is told before the conversation; empty: its default instructions."""
    tools: tuple[ChatTool, ...] = ()
    """Functions that the chat backend may call."""
    tool_choice: ChatToolChoice = "auto"
    """Whether it may, must not or must call them."""
    max_output_tokens: int | None = None
    """Limit of tokens for each answer of the chat backend; None: the backend's own."""

    @property
    def speakers(self) -> int:
        """Number of channels that are transcribed by themselves; 1 if there is one, or if they are mixed.

        What is transcribed in two languages counts as two.
        """
        if self.transcribe_source:
            return SOURCE_CHANNEL + 1
        return self.input_format.channels if self.separate_channels else 1

    @property
    def answers_early(self) -> bool:
        """Whether answers are prepared in the pause in which a turn may end."""
        return self.prepare_answers and self.chat and self.create_response and self.turn_detection is not None

    @property
    def known_language(self) -> str | None:
        """The language that all speech is in; None: detect it."""
        return self.language or (self.languages[0] if len(self.languages) == 1 else None)
