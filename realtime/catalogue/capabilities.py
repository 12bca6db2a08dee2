"""What a loaded model can do, as its engine declares it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecognizerCapabilities:
    """What a loaded recognizer can do, which for a model outside the catalogue is known only now.

    Word times are not among it: live transcription commits words by them, so every recognizer has them.

    Attributes:
        languages: ISO 639 codes of the languages it transcribes; empty if unknown.
        can_translate: Whether it can translate speech into English.
    """

    languages: tuple[str, ...] = ()
    can_translate: bool = False


@dataclass(frozen=True, slots=True)
class SynthesizerCapabilities:
    """What a loaded voice model can do.

    Attributes:
        languages: ISO 639 codes of the languages it speaks.
        speed: Whether the `speed` of a synthesis has an effect.
        instructions: Whether it follows instructions in words on how to speak.
        cloning: Whether it can speak in the voice of a recording.
        streaming_text: Whether it can start to speak before the end of a phrase is known.
    """

    languages: tuple[str, ...]
    speed: bool = False
    instructions: bool = False
    cloning: bool = False
    streaming_text: bool = False
