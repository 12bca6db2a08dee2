"""An answer that is generated before it is wanted, in a pause in which the turn of the user may end.

Its first phrase is synthesized too. None of it leaves the session before a reply takes it.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from realtime.session.answer import Answer
from realtime.session.generation import ChatDelta, ChatRequest
from realtime.session.jobs import (
    CancelJob,
    Generate,
    Generated,
    JobFailed,
    Jobs,
    ResponseResult,
    SpeechSynthesized,
    SynthesisFinished,
    Synthesize,
)
from realtime.session.phrase_synthesis import Speaker
from realtime.speech.phrases import PhraseChunker


@dataclass(slots=True)
class PreparedPhrase:
    """The first phrase of an answer, and what the engine has made of it."""

    job: Synthesize
    results: list[SpeechSynthesized | SynthesisFinished] = field(default_factory=list)


class PreparedAnswer:
    """At most one answer, with the request that it answers."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._request: ChatRequest | None = None
        self._speaker: Speaker | None = None
        self._chunker: PhraseChunker | None = None
        """What finds the first phrase; None once it has, and where nothing is spoken."""
        self.answer: Answer | None = None
        """None where no answer is expected, or the generation of the one that is has failed."""
        self.phrase: PreparedPhrase | None = None
        """None as long as the first phrase is not complete, where nothing is spoken, and where its synthesis failed."""

    def expect(
        self, request: ChatRequest | None, speaker: Speaker | None, first_words: int = 1
    ) -> Iterator[CancelJob | Generate]:
        """Have the answer to this request generated; give up the one to any other.

        Its first phrase, of at least `first_words`, is synthesized for `speaker`, unless that is None.
        """
        if request == self._request:
            return
        yield from self.give_up()
        if request is not None:
            self._request, self.answer = request, Answer(self._jobs)
            self._speaker, self._chunker = speaker, PhraseChunker(first_words) if speaker else None
            yield self.answer.generate(request)

    def awaits(self, job: int) -> bool:
        """Return whether this job works for the answer."""
        generation = None if self.answer is None else self.answer.generation
        return job == generation or (self.phrase is not None and job == self.phrase.job.number)

    def receive(self, message: ResponseResult) -> Iterator[CancelJob | Synthesize]:
        """Take the result of a job of the answer."""
        match message:
            case Generated(_, delta):
                yield from self._generated(delta)
            case SpeechSynthesized() | SynthesisFinished():
                assert self.phrase is not None
                self.phrase.results.append(message)
                if isinstance(message, SynthesisFinished):
                    self._jobs.end(message.number)
            case JobFailed(number) if self.phrase is not None and number == self.phrase.job.number:
                self._jobs.end(number)
                self.phrase = None  # it is not tried again before it is wanted
            case _:
                assert self.answer is not None
                self.answer.end_generation()
                self.answer = None  # as above

    def _generated(self, delta: ChatDelta) -> Iterator[CancelJob | Synthesize]:
        assert self.answer is not None
        known = len(self.answer.text)
        yield from self.answer.take(delta)
        if self._speaker is not None and self._chunker is not None:
            phrases = self._chunker.feed(self.answer.text[known:])
            if self.answer.complete:
                phrases += self._chunker.flush()
            if phrases:
                job = self._speaker.synthesize(self._jobs.begin(), phrases[0])
                self.phrase, self._chunker = PreparedPhrase(job), None
                yield job

    def take(
        self, request: ChatRequest, speaker: Speaker | None
    ) -> Generator[CancelJob, None, tuple[Answer, PreparedPhrase | None] | None]:
        """Return the answer and its first phrase, as far as they have come; None if it answers another request.

        The phrase is None unless it is spoken as by `speaker`.
        """
        if request != self._request or self.answer is None:
            yield from self.give_up()
            return None
        if speaker != self._speaker:
            yield from self._drop_phrase()
        taken = self.answer, self.phrase
        self._request = self.answer = self.phrase = None
        return taken

    def give_up(self) -> Iterator[CancelJob]:
        """Stop generating and synthesizing the answer, if there is one, and forget it."""
        if self.answer is not None:
            yield from self.answer.cancel()
        yield from self._drop_phrase()
        self._request = self.answer = None

    def _drop_phrase(self) -> Iterator[CancelJob]:
        if self.phrase is not None and self._jobs.is_live(self.phrase.job.number):
            yield self._jobs.cancel(self.phrase.job.number)
        self.phrase = None
