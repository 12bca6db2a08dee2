"""Recordings in items of the conversation that the client creates, instead of speaking a turn.

Each is heard as a turn that the client commits by hand, beside the turns of the microphone. Only its transcript is
kept.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from realtime.audio.buffer import AudioBuffer
from realtime.scheduling.priority import LoadLevel
from realtime.session.commands import AppendAudio, CommitAudio
from realtime.session.config import SessionConfig
from realtime.session.events import CommandRefused, Output, RecordingTranscribed, TranscriptCompleted, TranscriptFailed
from realtime.session.jobs import CancelJob, Jobs, ListeningResult, ScoreWindows, Transcribe
from realtime.session.listening import Listening
from realtime.speech.recognition import TranscriptionRequest

MAX_RECORDINGS: Final = 4
"""Recordings that may be in work before the session takes no more commands. A message has at most half a minute."""


@dataclass(slots=True)
class _Recording:
    item_id: str
    part: int
    listening: Listening


class ItemAudio:
    """Transcribes the recordings of one session."""

    def __init__(self, jobs: Jobs, new_buffer: Callable[[], AudioBuffer]) -> None:
        self._jobs = jobs
        self._new_buffer = new_buffer
        self._recordings: list[_Recording] = []
        self._owners: dict[int, _Recording] = {}
        """Recordings by the numbers of their jobs in flight."""

    @property
    def saturated(self) -> bool:
        """Whether so many recordings are in work that the session should be given no more commands."""
        return len(self._recordings) >= MAX_RECORDINGS

    @property
    def unfinished(self) -> bool:
        """Whether a transcript is still to come."""
        return bool(self._recordings)

    def awaits(self, job: int) -> bool:
        """Return whether a live job is one of a recording."""
        return job in self._owners

    def is_transcribing(self, item_id: str) -> bool:
        """Return whether transcripts of an item are still to come."""
        return any(recording.item_id == item_id for recording in self._recordings)

    def add(self, item_id: str, audio: Iterable[tuple[int, bytes]], config: SessionConfig) -> Iterator[Output]:
        """Begin to transcribe the parts of an item, each with its index."""
        config = replace(config, separate_channels=False, turn_detection=None, transcribe=True, decode_partials=False)
        added = [
            (_Recording(item_id, part, Listening(config, self._jobs, lambda _: item_id, self._new_buffer())), data)
            for part, data in audio
        ]
        self._recordings += [recording for recording, _ in added]
        for recording, data in added:
            for command in (AppendAudio(data), CommitAudio()):
                yield from self._follow(recording, recording.listening.receive(command))

    def discard(self, item_id: str) -> Iterator[CancelJob]:
        """Give up the transcripts of an item that has been deleted."""
        for number in [number for number, each in self._owners.items() if each.item_id == item_id]:
            del self._owners[number]
            yield self._jobs.cancel(number)
        self._recordings = [each for each in self._recordings if each.item_id != item_id]

    def receive(self, result: ListeningResult) -> Iterator[Output]:
        """Take the result of a job that `awaits` names. Raises the error of a failed scoring job."""
        recording = self._owners.pop(result.number)
        yield from self._follow(recording, recording.listening.receive(result))

    def request_for(self, job: int, load: LoadLevel) -> TranscriptionRequest | None:
        """Return what to decode for a `Transcribe` job; see `Session.request_for`."""
        return self._owners[job].listening.request_for(job, load)

    def _follow(self, recording: _Recording, outputs: Iterator[Output]) -> Iterator[Output]:
        """Pass on the jobs, and the transcript of the only turn of a recording, empty for one without audio."""
        for output in outputs:
            match output:
                case ScoreWindows(number):
                    self._owners[number] = recording
                    yield replace(output, channel=None)
                case Transcribe(number):
                    self._owners[number] = recording
                    yield output
                case CancelJob(number):
                    del self._owners[number]
                    yield output
                case TranscriptCompleted() | TranscriptFailed():
                    yield self._end(recording, output)
                case CommandRefused():
                    nothing = TranscriptCompleted(recording.item_id, "", words=(), language="", samples=0)
                    yield self._end(recording, nothing)
                case _:
                    pass

    def _end(self, recording: _Recording, transcript: TranscriptCompleted | TranscriptFailed) -> RecordingTranscribed:
        self._recordings.remove(recording)
        return RecordingTranscribed(recording.item_id, recording.part, transcript)
