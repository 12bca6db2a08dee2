"""A recognizer in processes of its own, called as one in threads: each of its workers has a process.

A request whose process has ended, or was killed because it took longer than its audio explains, is given to another
process. One that ends `MAX_LOST` processes fails, and audio that begins like it fails at once from then on, so that it
ends no further ones: unless a process was slow because it got no CPU, which is not the fault of the audio. A batch that
has ended a process fails; its requests are tried alone, see `BatchWorker`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from realtime.audio.formats import SAMPLE_RATE, Samples
from realtime.engines.base import EngineProgram
from realtime.engines.recognizer_calls import DECODE, ENCODE, answers_of, bytes_of_request, capabilities_of
from realtime.errors import EngineError, Overloaded
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis
from realtime.workers.messages import Buffer
from realtime.workers.poison import PoisonedAudio
from realtime.workers.supervised_processes import SupervisedProcesses
from realtime.workers.worker_process import ProcessEnded, ProcessStalled

MAX_LOST: Final = 2
"""Processes that may end while they have the same request."""

SLOWNESS: Final = 4.0
"""How many times as long as a partial of 3 s each second of audio may take, on top of `stall_timeout`.

An upload takes as long as its audio with three beams in the full window on a CPU that other programs use.
"""

LEAST_SECONDS: Final = 10.0
"""Seconds of audio that a call is taken for at least, because short audio may be decoded again in a wide window."""

STARVED_SHARE: Final = 0.5
"""Share of the time of a call for which its process must have waited for a CPU to count as starved.

Threads that share a CPU with as many others of the machine wait for half of the time, and would need twice as long.
"""


@dataclass(eq=False, slots=True)
class RemoteState:
    """A request between two calls: the bytes of its decode state, its audio, and the processes that ended with it.

    `starved` says whether one of these was killed because it got no CPU.
    """

    samples: Samples
    data: Buffer = b""
    lost: int = 0
    starved: bool = False


class ProcessRecognizer:
    """A `Recognizer` whose calls are answered by processes; `close` may be called while calls are in progress."""

    def __init__(self, program: EngineProgram, on_stage: Callable[[str], None]) -> None:
        """Start the processes, which blocks until the first one has loaded the model.

        `on_stage` is called with the stages of the load; what it raises ends it. Raises what the engine raises.
        """
        self._program = program
        self._poison = PoisonedAudio()
        self.processes = SupervisedProcesses(program, on_stage)
        description = self.processes.description
        self.capabilities = capabilities_of(description)
        self.partial_seconds: float = description["partial_seconds"]
        self.workers = program.instances

    def encode(self, request: TranscriptionRequest) -> RemoteState:
        """Encode one request. Raises `EngineError`, `Overloaded`, and `ClientError` for an unknown language."""
        state = RemoteState(request.samples)
        state.data = self._call(ENCODE, [bytes_of_request(request)], [state])
        return state

    def decode(self, states: Sequence[RemoteState]) -> list[Hypothesis | RemoteState]:
        """Decode a batch; return for each state its hypothesis, or the state to decode next.

        Raises `EngineError` and `Overloaded`.
        """
        answers = answers_of(self._call(DECODE, [state.data for state in states], states))
        return [
            answer if isinstance(answer, Hypothesis) else replace(state, data=answer)
            for state, answer in zip(states, answers, strict=True)
        ]

    def close(self) -> None:
        """End the processes."""
        self.processes.close()

    def _call(self, name: str, data: Sequence[Buffer], states: Sequence[RemoteState]) -> Buffer:
        """Call a process, and another one if that ends."""
        if any(self._poison.begins(state.samples) for state in states):
            raise EngineError(f"{self._program.name} has failed on this audio before, and does not try it again.")
        while True:
            try:
                return self.processes.call(name, data, self._timeout(states))
            except ProcessEnded as exc:
                starved = isinstance(exc, ProcessStalled) and self._was_starved(exc, states)
                for state in states:
                    state.lost += 1
                    state.starved |= starved
                if len(states) > 1:
                    raise
                if states[0].lost >= MAX_LOST:
                    self._give_up(states[0], exc)

    def _give_up(self, state: RemoteState, ended: ProcessEnded) -> NoReturn:
        """Refuse a request that has ended too many processes, and remember its audio if that was its fault."""
        if state.starved:
            raise Overloaded("The machine is too busy to transcribe.") from ended
        self._poison.add(state.samples)
        raise EngineError(
            f"{self._program.name} was given up for {len(state.samples) / SAMPLE_RATE:.1f} s of audio "
            f"that have ended {MAX_LOST} processes. {ended.message}"
        ) from ended

    def _was_starved(self, stalled: ProcessStalled, states: Sequence[RemoteState]) -> bool:
        """Return whether a process has waited for a CPU, and has not run for as long as its audio explains.

        One that is in an endless loop has run for longer, however busy the machine is.
        """
        waited = stalled.spent.waiting >= STARVED_SHARE * self._timeout(states)
        return waited and stalled.spent.running < self._explained(states)

    def _explained(self, states: Sequence[RemoteState]) -> float:
        """Return the seconds that audio explains."""
        seconds = sum(len(state.samples) for state in states) / SAMPLE_RATE
        return SLOWNESS * self.partial_seconds * max(LEAST_SECONDS, seconds)

    def _timeout(self, states: Sequence[RemoteState]) -> float:
        """Return the seconds after which a call counts as hung."""
        return self._program.stall_timeout + self._explained(states)
