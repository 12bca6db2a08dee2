"""What a model can do, as a value.

The catalogue declares it for every model; a loaded engine declares it again, from its weights, and has the last word.
A request for something that the model lacks is refused or, where the protocol allows, answered without it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Capabilities of a speech-to-text or text-to-speech model.

    Attributes:
        languages: ISO 639 codes of the languages it transcribes or speaks; empty if unknown.
        translation: It can translate speech into English.
        word_times: It returns the time and probability of every word. Live captions need them.
        streaming_text: It can start to speak before the text is complete.
        speed: It speaks faster and slower itself. The speech of other models is stretched.
        instructions: It can be told in words how to speak.
        cloning: It can speak with the voice of a recording.
        any_voice: Every name is a voice of it, always the same one.
        mixing: Sums of its voices are voices too, such as `af_heart+af_bella`.
        fastest: The fastest speed that it speaks itself; what is missing is stretched, too.
    """

    languages: tuple[str, ...] = ()
    translation: bool = False
    word_times: bool = False
    streaming_text: bool = False
    speed: bool = False
    instructions: bool = False
    cloning: bool = False
    any_voice: bool = False
    mixing: bool = False
    fastest: float = 4.0
