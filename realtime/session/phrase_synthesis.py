"""The phrases of a response at the engine, one at a time, and what it makes of them.

The text of a phrase is sent with its first audio. An engine may make no audio of a phrase at all; its text then waits
for that of the next phrases, and a response that has letters or digits and no audio in the end has failed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from realtime.session.jobs import CancelJob, Jobs, SpeechSynthesized, SynthesisFinished, Synthesize
from realtime.session.speech_queue import SpeechQueue
from realtime.speech.phrases import has_words
from realtime.speech.style import ReferenceClip


@dataclass(frozen=True, slots=True)
class Speaker:
    """How an answer is spoken."""

    voice: str
    speed: float
    clip: ReferenceClip | None

    def synthesize(self, job: int, phrase: str, ahead: float = 0.0) -> Synthesize:
        """Return the job that speaks a phrase to a client that has `ahead` seconds of speech left to play."""
        return Synthesize(job, phrase, self.voice, self.speed, ahead, self.clip)


class PhraseSynthesis:
    """Has the phrases of a response synthesized, and adds their texts and audio to `speech`."""

    def __init__(self, jobs: Jobs, speech: SpeechQueue) -> None:
        self.job: int | None = None
        """Number of the job in flight."""
        self.unread = ""
        """The phrases so far, as long as they have letters or digits of which the engine made no audio at all."""
        self.unspoken_languages: tuple[str, ...] = ()
        """Codes of the languages of phrases that the voice does not speak."""
        self._jobs = jobs
        self._speech = speech
        self._phrase = ""
        """The phrase in flight, as long as none of its audio has come."""

    @property
    def audible(self) -> bool:
        """Whether audio of the phrase in flight has come."""
        return not self._phrase

    def request(self, phrase: str, speaker: Speaker, ahead: float) -> Synthesize:
        """Request the audio of a phrase for a client that has `ahead` seconds of speech left to play."""
        self._phrase, self.job = phrase, self._jobs.begin()
        return speaker.synthesize(self.job, phrase, ahead)

    def take(self, job: Synthesize) -> None:
        """Take over a job that was requested before; its results follow."""
        self._phrase, self.job = job.text, job.number

    def add(self, result: SpeechSynthesized) -> None:
        """Add audio of the phrase in flight, and its text before the first of it."""
        self._speech.set_speech_rate(result.sample_rate)
        if self._phrase:
            before = len(self.unread)
            self._speech.add_text(self.unread + self._phrase, [before + place for place in result.positions])
            self.unread = self._phrase = ""
        self._speech.add_audio(result.samples)

    def finish(self, result: SynthesisFinished) -> None:
        """End the job in flight after its last result."""
        self.end()
        if result.unspoken_language and result.unspoken_language not in self.unspoken_languages:
            self.unspoken_languages += (result.unspoken_language,)
        self.unread += self._phrase
        self._phrase = ""
        if self.unread and (self._speech.has_audio or not has_words(self.unread)):
            self._speech.add_text(self.unread)
            self.unread = ""

    def end(self) -> None:
        """End the job in flight, which has failed or is finished."""
        assert self.job is not None
        self._jobs.end(self.job)
        self.job = None

    def cancel(self) -> Iterator[CancelJob]:
        """Cancel the job in flight, if there is one."""
        if self.job is not None:
            yield self._jobs.cancel(self.job)
            self.job = None
