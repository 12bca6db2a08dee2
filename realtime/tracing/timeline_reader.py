"""Compute the timeline of a session from its trace."""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from realtime.audio.formats import SAMPLE_RATE, WINDOW
from realtime.scheduling.queue import RequestProgress
from realtime.session.events import RefusalReason
from realtime.speech.recognition import DecodingOptions
from realtime.speech.suppression import VOICED, SpeechEvidence, suppression
from realtime.speech.transcript import Hypothesis
from realtime.tracing.replay import Trace
from realtime.tracing.timeline import Decode, Delta, LateWord, Reply, Timeline, Turn
from realtime.tracing.writer import Line

RECENT_TURNS: Final = 8
"""Most recent turns that may still be decoded; a session holds fewer."""

Fields: TypeAlias = Mapping[str, Any]


def timeline(trace: Trace) -> Timeline:
    """Compute the timeline of a trace."""
    header = trace.header
    reader = _Reader(Timeline(header["session"], header["version"], header["started"]), header["config"])
    for line in trace.lines:
        reader.read(line)
    reader.explain_unfinished()
    return reader.timeline


class _Reader:
    def __init__(self, timeline: Timeline, config: Fields) -> None:
        self.timeline = timeline
        self._threshold = _threshold(config)
        self._turns: dict[str, Turn] = {}
        self._decodes: dict[int, Decode] = {}
        self._stages: dict[int, tuple[str, float]] = {}
        """Stage of each decode, and since when."""
        self._scoring: deque[tuple[int, int]] = deque()
        self._scores: list[tuple[int, float]] = []
        self._judging: int | None = None
        """Number of the last end-of-turn job."""
        self._arrivals: list[tuple[int, float]] = [(0, 0.0)]
        """End of the audio received, and when; both grow."""
        self._waits: list[tuple[float, str | None]] = []
        """What was waited for before a decode was requested (`Waiting`), and since when."""

    def read(self, line: Line) -> None:
        now = self.timeline.seconds = line.get("t", self.timeline.seconds)
        if (audio := line.get("audio", 0)) > self._arrivals[-1][0]:
            self._arrivals.append((audio, now))
            self.timeline.audio_seconds = audio / SAMPLE_RATE
        match line:
            case {"output": message}:
                ((kind, fields),) = message.items()
                self._output(kind, fields, now, audio)
            case {"receive": message}:
                ((kind, fields),) = message.items()
                self._receive(kind, fields, now)
            case {"request": request}:
                self._request(request, now)
            case {"progress": {"job": job, "is": RequestProgress.PROCESS_ENDED.value}}:
                self._decodes[job].ended_processes += 1
            case {"progress": {"job": job, "is": progress}}:
                self._enter(job, progress, now)
            case {"waiting": waiting}:
                self._waits.append((now, waiting))
            case {"end": reason}:
                self.timeline.end = reason

    def _output(self, kind: str, fields: Fields, now: float, audio: int) -> None:
        match kind:
            case "SessionConfigured":
                self._threshold = _threshold(fields["config"])
            case "SpeechStarted":
                self._turn(fields["item_id"], now).start = fields["at"]
            case "SpeechStopped" | "AudioCommitted":
                turn = self._turn(fields["item_id"], now)
                turn.end = turn.end or fields.get("at", audio)
                turn.stopped = turn.stopped or now
            case "TranscriptExtended":
                delta = fields["delta"]
                text = delta if isinstance(delta, str) else None
                characters = delta if isinstance(delta, int) else len(delta)
                self._turn(fields["item_id"], now).deltas.append(Delta(now, characters, text, audio))
            case "TranscriptCompleted":
                self._complete(fields, now)
            case "TranscriptFailed":
                self._turn(fields["item_id"], now).error = fields["error"]
            case "Transcribe":
                kind = "draft" if fields.get("draft") else fields["priority"]
                self._decodes[fields["number"]] = Decode(fields["number"], kind, now)
            case "CancelJob" if decode := self._unfinished(fields["number"]):
                decode.done, decode.outcome = now, "cancelled"
                if decode.pulled is None and self.timeline.turns:
                    self.timeline.turns[-1].decodes.append(decode)
            case "ScoreWindows":
                self._scoring.append((fields["start"], fields["windows"]))
            case "ScoreTurn":
                self._judging = fields["number"]
            case "ResponseStarted":
                self.timeline.replies.append(Reply(fields["response"]["id"], now))
            case "Synthesize" if self.timeline.replies:
                self.timeline.replies[-1].phrases += 1
            case "ResponseAudioExtended":
                reply = self._reply(fields)
                reply.first_audio = now if reply.first_audio is None else reply.first_audio
            case "ResponseFinished":
                reply = self._reply(fields)
                reply.finished, reply.status, reply.error = now, fields["status"], fields.get("error") or ""
            case "CommandRefused" if fields["reason"] != RefusalReason.NOTHING_TO_COMMIT:
                self.timeline.refused.append((now, fields["reason"]))

    def _reply(self, fields: Fields) -> Reply:
        return next(reply for reply in self.timeline.replies if reply.response_id == fields["response"]["id"])

    def _receive(self, kind: str, fields: Fields, now: float) -> None:
        match kind:
            case "WindowsScored" if self._scoring:
                start, _ = self._scoring.popleft()
                for number, probability in enumerate(fields["probabilities"]):
                    self._scores.append((start + number * WINDOW, probability))
            case "TurnScored":
                self.timeline.turns[-1].pauses.append((now, fields["probability"]))
            case "JobFailed" if fields["number"] == self._judging:
                self.timeline.turns[-1].pauses.append((now, None))
            case "Transcribed" if decode := self._unfinished(fields["number"]):
                hypothesis = Hypothesis(**{**fields["hypothesis"], "words": ()})
                decode.done, decode.outcome = now, "answered"
                self._enter(decode.job, "answered", now)
                decode.words = len(fields["hypothesis"]["words"])
                decode.suppressed = suppression(hypothesis, self._evidence(decode), DecodingOptions()) or ""
            case "JobFailed" if decode := self._unfinished(fields["number"]):
                decode.done, decode.outcome = now, fields["error"]

    def _request(self, request: Fields, now: float) -> None:
        decode, asked = self._decodes.get(request["job"]), request["decode"]
        loads = self.timeline.loads
        if request["load"] != (loads[-1][1] if loads else "normal"):
            loads.append((now, request["load"]))
        if decode is None or asked is None:
            return
        decode.pulled, decode.load = now, request["load"]
        self._enter(decode.job, "encoding", now)
        decode.start, decode.end = asked["start"], asked["end"]
        if turn := self._turn_at(decode.start, decode.end):
            turn.decodes.append(decode)

    def _enter(self, job: int, stage: str, now: float) -> None:
        """Account the time since the last change to the stage that is left."""
        left, since = self._stages.get(job, ("", now))
        decode = self._decodes[job]
        match left:
            case "encoding":
                decode.encode_seconds += now - since
            case "encoded":
                decode.batch_seconds += now - since
            case "decoding":
                decode.decode_seconds += now - since
        self._stages[job] = stage, now

    def _unfinished(self, job: int) -> Decode | None:
        decode = self._decodes.get(job)
        return decode if decode is not None and decode.done is None else None

    def _turn(self, item_id: str, now: float) -> Turn:
        """Return the turn, a new one if it is unknown: turns that the client commits have no event for their start."""
        if item_id not in self._turns:
            ends = [turn.end for turn in self.timeline.turns if turn.end is not None]
            self._turns[item_id] = Turn(item_id, now, max(ends, default=0))
            self.timeline.turns.append(self._turns[item_id])
        return self._turns[item_id]

    def _turn_at(self, start: int, end: int) -> Turn | None:
        """Return the turn that has most of this audio."""

        def shared(turn: Turn) -> int:
            return min(end, turn.end if turn.end is not None else end) - max(start, turn.start)

        return max(self.timeline.turns[-RECENT_TURNS:], key=shared, default=None)

    def _evidence(self, decode: Decode) -> SpeechEvidence:
        evidence = SpeechEvidence(self._threshold)
        for position, probability in reversed(self._scores):
            if position + WINDOW <= decode.start:
                break
            if position < decode.end:
                evidence.add(probability)
        return evidence

    def _complete(self, fields: Fields, now: float) -> None:
        turn = self._turn(fields["item_id"], now)
        turn.completed = now
        turn.waited = self._waited(turn.started, now)
        turn.words, turn.erased, turn.suppressed = len(fields["words"]), fields["erased"], fields["suppressed"]
        turn.end = turn.start + fields["samples"] if fields["samples"] else turn.end
        timed = [word for word in fields["words"] if word["end"] > word["start"]]
        for word, lag in zip(timed, fields["commit_lags"], strict=False):
            if late := self._late_word(turn, word, word["end"] + lag):
                turn.late_words.append(late)

    def explain_unfinished(self) -> None:
        """Explain the lag of what was committed of turns that are not complete, as where the server was killed.

        Words have times when their turn is complete. Until then they count as spoken by the end of the decode before
        the one that committed them: LocalAgreement mostly commits what two decodes have. The lag of those that are
        committed by the first decode that has them comes out too long.
        """
        for turn in self.timeline.turns:
            for delta in turn.deltas if turn.completed is None else ():
                before = [
                    each for each in turn.own_decodes if each.outcome == "answered" and (each.done or 0) < delta.at
                ]
                text = delta.characters if delta.text is None else delta.text
                heard = {"text": text, "end": before[-1].end} if before else None
                if heard and (late := self._late_word(turn, heard, delta.audio)):
                    turn.late_words.append(late)

    def _late_word(self, turn: Turn, word: Fields, committed_at: int) -> LateWord | None:
        """Explain the lag of a word; None if the trace does not contain its decode."""
        delta = next((each for each in turn.deltas if each.audio >= committed_at), None)
        committed = delta.at if delta is not None else turn.completed
        decodes = turn.own_decodes
        covering = [each for each in decodes if each.end >= word["end"] and each.pulled is not None]
        decode = next((each for each in covering if each.outcome == "answered" and not each.suppressed), None)
        if committed is None or decode is None or decode.pulled is None or decode.done is None:
            return None
        arrived = self._arrivals[min(bisect_left(self._arrivals, (word["end"], 0.0)), len(self._arrivals) - 1)][1]
        waited = self._waited(arrived, min(decode.requested, committed))
        detection = max(arrived, min(decode.requested, committed)) - arrived
        # One transcription is in flight at a time: the times of the decode and of those after it do not overlap.
        queue = engine = 0.0
        for each in decodes[decodes.index(decode) :]:
            requested, pulled, done = (
                max(arrived, min(committed if at is None else at, committed))
                # A request that was cancelled in the queue never reached an engine.
                for at in (each.requested, each.done if each.pulled is None else each.pulled, each.done)
            )
            queue, engine = queue + pulled - requested, engine + done - pulled
        return LateWord(
            turn.item_id,
            word["text"] if isinstance(word["text"], str) else f"({word['text']} characters)",
            word["end"],
            lag=committed - arrived,
            detection=detection,
            queue=queue,
            engine=engine,
            agreement=committed - arrived - detection - queue - engine,
            waiting=max(waited, key=lambda reason: waited[reason], default=""),
        )

    def _waited(self, since: float, until: float) -> dict[str, float]:
        """Return the seconds of this time by what was waited for before a decode was requested."""
        seconds: dict[str, float] = defaultdict(float)
        first = max(0, bisect_left(self._waits, since, key=lambda wait: wait[0]) - 1)
        ends = [*(at for at, _ in self._waits[first + 1 :]), until]
        for (began, waiting), ended in zip(self._waits[first:], ends, strict=False):
            if began >= until:
                break
            if waiting is not None and (overlap := min(ended, until) - max(began, since)) > 0:
                seconds[waiting] += overlap
        return dict(seconds)


def _threshold(config: Fields) -> float:
    """Return the speech threshold of the session's suppression."""
    detection = config["turn_detection"]
    return VOICED if detection is None else min(VOICED, detection["threshold"])
