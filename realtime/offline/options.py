"""Options for transcribing a recording."""

from dataclasses import dataclass, field

from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import DecodingOptions
from realtime.speech.suppression import DEFAULT_DECODING


@dataclass(frozen=True, slots=True)
class OfflineOptions:
    """How to transcribe a recording. The defaults are those of a short request without any options.

    `languages` are ISO 639 codes to choose from, empty for any. `vad_filter` False takes all of the recording for
    speech. `condition_on_previous_text` gives each speech segment the text before it as context. `word_times` asks for
    the time and probability of each word, `translate` for English.
    """

    languages: tuple[str, ...] = ()
    prompt: str = field(default="", repr=False)
    hotwords: str = field(default="", repr=False)
    detection: TurnDetection = TurnDetection()
    vad_filter: bool = True
    condition_on_previous_text: bool = False
    word_times: bool = False
    translate: bool = False
    decoding: DecodingOptions = DEFAULT_DECODING
