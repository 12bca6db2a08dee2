"""Options for transcribing a recording."""

from dataclasses import dataclass, field, replace
from typing import Final

from realtime.catalogue.table import ModelEntry
from realtime.errors import ClientError, UnsupportedModel
from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import DecodingOptions

OFFLINE_DECODING: Final = DecodingOptions(temperatures=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), beam_size=3, thorough=True)
"""Beam search with Whisper's fallback temperatures, tried until a hypothesis passes (Radford et al. 2022, 4.5).

Word errors of whisper-base on 25 minutes of recordings with one, three and five beams: 7.0, 6.5 and 6.7 % in English,
18.1, 15.3 and 16.1 % in eight other languages. Three cost 7 % more CPU time than one, five 14 %. Three only where the
greedy text has an average log-probability below -0.5 save 5 %, and cost accuracy in other languages.
"""


@dataclass(frozen=True, slots=True)
class OfflineOptions:
    """How to transcribe a recording.

    Attributes:
        languages: Language codes the recognizer may choose from, empty for any; with a single one, nothing is detected.
        multilingual: Detect the language of each speech segment by itself, without regard to those around it.
        prompt: Text given to the recognizer as preceding context.
        hotwords: Words to expect, separated by commas.
        detection: Parameters of the voice activity detector.
        vad_filter: Skip audio without speech; if False, the whole recording is transcribed.
        condition_on_previous_text: Give each speech segment the text of the one before as context.
        word_times: Determine the time and probability of every word.
        translate: Translate to English.
        separate_channels: Transcribe each channel by itself, as a speaker of its own, with `word_times`.
        decoding: Search parameters and thresholds of the decoder.
    """

    languages: tuple[str, ...] = ()
    multilingual: bool = False
    prompt: str = field(default="", repr=False)
    hotwords: str = field(default="", repr=False)
    detection: TurnDetection = TurnDetection()
    vad_filter: bool = True
    condition_on_previous_text: bool = False
    word_times: bool = False
    translate: bool = False
    separate_channels: bool = False
    decoding: DecodingOptions = OFFLINE_DECODING

    def for_model(self, entry: ModelEntry) -> "OfflineOptions":
        """Restrict `languages` to those of the model; a model with a single language always uses it.

        Raises:
            UnsupportedModel: The model does not translate.
            ClientError: The model knows none of `languages`.
        """
        if self.translate and not entry.capabilities.translation:
            raise UnsupportedModel(f"The model {entry.name!r} does not support translation.", param="model")
        if not entry.languages:
            return self
        known = tuple(language for language in self.languages if language in entry.languages)
        if self.languages and not known:
            param = "language" if len(self.languages) == 1 else "languages"
            given = ", ".join(self.languages)
            raise ClientError(f"The model {entry.name!r} does not support the {param} {given}.", param=param)
        return replace(self, languages=entry.languages if len(entry.languages) == 1 else known)
