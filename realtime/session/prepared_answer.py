"""An answer that is generated before it is wanted: in a pause in which the turn of the user may end."""

from collections.abc import Iterator

from realtime.session.answer import Answer
from realtime.session.generation import ChatRequest
from realtime.session.jobs import CancelJob, Generate, Jobs


class PreparedAnswer:
    """At most one answer, with the request that it answers."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._request: ChatRequest | None = None
        self.answer: Answer | None = None
        """None where no answer is expected, or the generation of the one that is has failed."""

    def expect(self, request: ChatRequest | None) -> Iterator[CancelJob | Generate]:
        """Have the answer to this request generated; give up the one to any other."""
        if request == self._request:
            return
        yield from self.give_up()
        if request is not None:
            self._request, self.answer = request, Answer(self._jobs)
            yield self.answer.generate(request)

    def take(self, request: ChatRequest) -> Answer | None:
        """Return the answer, as far as it has come, if it is the one to this request."""
        if request != self._request:
            return None
        answer, self._request, self.answer = self.answer, None, None
        return answer

    def fail(self) -> None:
        """Note that the generation has failed. It is not tried again before the answer is wanted."""
        self.answer = None

    def give_up(self) -> Iterator[CancelJob]:
        """Stop generating the answer, if there is one, and forget it."""
        if self.answer is not None:
            yield from self.answer.cancel()
        self._request = self.answer = None
