"""The jobs of speech engines that run in processes of their own: a phrase, with all that says how to speak it."""

from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from realtime.audio.formats import Samples
from realtime.catalogue.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class SpeechJob:
    """A phrase to speak.

    Attributes:
        text: The phrase.
        voice: One of the engine's voices, or any name where these are voices too.
        speed: 1.0 is normal.
        instructions: How to speak, in words; may be empty.
        transcript: What is said in the reference clip; empty if unknown.
        streamed: Whether the first samples are wanted as soon as possible.
        language: The ISO 639 code of the language that the text was written out in; empty if it is not known.
    """

    text: str
    voice: str
    speed: float
    instructions: str = ""
    transcript: str = ""
    streamed: bool = True
    language: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the job as a JSON object."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "SpeechJob":
        return cls(**{name: fields[name] for name in cls.__slots__})


def described(
    sample_rate: int, voices: tuple[str, ...], capabilities: Capabilities, **details: object
) -> dict[str, Any]:
    """Return the description of a speech engine as a JSON object."""
    return {"sample_rate": sample_rate, "voices": voices, "capabilities": asdict(capabilities), **details}


Parts = Generator[tuple[dict[str, Any], Samples], None, None]
"""The parts of the result of a job: no fields, and samples."""
