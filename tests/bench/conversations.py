"""What a conversation costs in time: `python -m tests.bench.conversations`.

Sentences of the bundled voice are played to a server with the scripted chat backend, in real time.

- *answer*: from the end of a sentence's sound to the first audio of the answer, with `semantic_vad`; the part of it
  until the turn ends is shown apart.
- *barge-in*: from the beginning of the first word of a clip, while an answer is spoken, to the last message of that
  answer; the same from the first sound, which may be noise before the word or the loud part of it. The clips are
  recorded speech or, without recordings, sentences of the voice.
- *end-of-turn model*: the processor time of one answer of Smart Turn, for a turn of 8 s.
- *frame*: the time in codec and session of a frame of 20 ms in each dialect, without the engines (`frames`).
- *idle*: the processor time of sessions that send nothing.

The load of the machine before and after says whether the figures are those of a quiet one.
"""

import argparse
import asyncio
import base64
import json
import os
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, Final, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect

from realtime.audio.formats import SAMPLE_RATE
from realtime.engines.hibari import Hibari
from realtime.engines.smart_turn import SmartTurn
from tests.bench import frames
from tests.bench.one_user import SOUND_LEVEL
from tests.bench.scoring import percentile
from tests.bench.speech_clips import RATE, TEXTS, SpeechClip, load_speech, pcm
from tests.bench.word_times import ask_word_times
from tests.support.running_service import RunningService, running_service

FRAME: Final = RATE // 50
"""Samples of a frame: 20 ms."""

LONG: Final = "Please tell me something long."
"""What makes the scripted backend say ten sentences."""

DECISIONS: Final = 20
"""Answers of the end-of-turn model that are timed."""

INTERRUPTION_SECONDS: Final = 8.0
"""Length of the longest clip that interrupts an answer."""

SAME_ONSET_SECONDS: Final = 0.05
"""Difference between two alignments of a first word that agree: those of 13 of 24 clips; the others were 0.19 to 0.59 s
apart."""

CONSOLE: Final = Console(width=120)


class Played(NamedTuple):
    """When a clip was begun, and when its sound began and ended."""

    began: float
    sound_began: float
    sound_ended: float


class Voice:
    """A client that plays sentences in real time and notes when what arrives."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.arrived: list[tuple[float, dict[str, Any]]] = []

    async def read(self) -> None:
        async for message in self._socket:
            self.arrived.append((time.monotonic(), json.loads(message)))

    async def send(self, **event: object) -> None:
        await self._socket.send(json.dumps(event))

    async def play(self, samples: np.ndarray[Any, Any], until: str, *, limit: float = 20.0) -> Played:
        """Play audio, then silence until an event of type `until` has arrived since."""
        loud = np.flatnonzero(np.abs(samples) > SOUND_LEVEL)
        known, began = len(self.arrived), time.monotonic()
        silence = np.zeros(FRAME, np.int16)
        for number in count():
            if any(event["type"] == until for _, event in self.arrived[known:]):
                break
            if number * FRAME / RATE > len(samples) / RATE + limit:
                raise TimeoutError(f"no {until} after {limit:g} s")
            frame = samples[number * FRAME : (number + 1) * FRAME] if number * FRAME < len(samples) else silence
            await self.send(type="input_audio_buffer.append", audio=base64.b64encode(frame.tobytes()).decode())
            await asyncio.sleep(max(0.0, began + (number + 1) * FRAME / RATE - time.monotonic()))
        return Played(began, began + loud[0] / RATE, began + loud[-1] / RATE)

    def first(self, kind: str, since: float) -> float:
        """Return when the first event of this type arrived after `since`."""
        return next(at for at, event in self.arrived if at > since and event["type"] == kind)


def sentences() -> list[np.ndarray[Any, Any]]:
    """Speak all texts with the bundled voice, PCM16 at 24 kHz."""
    hibari = Hibari()
    voice = next(iter(hibari.voices))
    parts = [np.concatenate(list(hibari.synthesize(text, voice, 1.0))) for text in (*TEXTS, LONG)]
    return [(part * 32_767).astype(np.int16) for part in parts]


async def answers(service: RunningService, eagerness: str, turns: int) -> tuple[list[float], list[float]]:
    """Return for each turn the seconds from its end to the decision, and to the first audio of the answer."""
    async with connect(service.realtime_url) as socket:
        voice = Voice(socket)
        reading = asyncio.create_task(voice.read())
        detection = {"type": "semantic_vad", "eagerness": eagerness}
        await voice.send(type="session.update", session={"audio": {"input": {"turn_detection": detection}}})
        decided, answered = [], []
        for samples in sentences()[:turns]:
            ended = (await voice.play(samples, "response.output_audio.delta")).sound_ended
            decided.append(voice.first("input_audio_buffer.speech_stopped", ended - 0.2) - ended)
            answered.append(voice.first("response.output_audio.delta", ended - 0.2) - ended)
            await voice.play(np.full(1, SOUND_LEVEL + 1, np.int16), "response.done", limit=60)
            await asyncio.sleep(3.5)  # until the rest has been played
        reading.cancel()
    return decided, answered


def interruptions(service: RunningService, turns: int) -> Iterator[tuple[SpeechClip, float]]:
    """Yield clips to interrupt answers with, and when their first word begins, in seconds.

    An alignment often begins the first word with the clip, or in the noise before it. So the clips are those whose own
    alignment and that of the service agree.
    """
    found = 0
    for clip in load_speech(service).clips:
        if found < turns and clip.seconds <= INTERRUPTION_SECONDS:
            words, _ = ask_word_times(service, clip.text, pcm(clip.samples), RATE)
            onsets = [each[0].start for each in (clip.words, words) if each]
            if len(onsets) == 2 and max(onsets) - min(onsets) <= SAME_ONSET_SECONDS:
                found += 1
                yield clip, min(onsets)


async def barge_ins(
    service: RunningService, clips: Iterable[tuple[SpeechClip, float]]
) -> tuple[list[float], list[float]]:
    """Return the seconds from the first word of each clip to the end of the answer, and from its first sound."""
    async with connect(service.realtime_url) as socket:
        voice = Voice(socket)
        reading = asyncio.create_task(voice.read())
        from_word, from_sound = [], []
        question = sentences()[-1]
        for clip, onset in clips:
            await voice.play(question, "response.output_audio.delta")
            await asyncio.sleep(0.7)
            played = await voice.play(np.frombuffer(pcm(clip.samples), np.int16), "response.created")
            ended = voice.first("response.done", played.began)
            from_word.append(ended - played.began - onset)
            from_sound.append(ended - played.sound_began)
            await voice.send(type="response.cancel")
            await asyncio.sleep(1.0)
        reading.cancel()
    return from_word, from_sound


def decision_milliseconds() -> float:
    """Return the processor time of one answer of the end-of-turn model."""
    model = SmartTurn()
    turn = np.random.default_rng(0).standard_normal(8 * SAMPLE_RATE).astype(np.float32)
    model.score(turn)
    began = time.process_time()
    for _ in range(DECISIONS):
        model.score(turn)
    return 1000 * (time.process_time() - began) / DECISIONS


async def idle_cores(service: RunningService, sessions: int, seconds: float) -> float:
    """Return the processors that idle sessions take."""
    sockets = [await connect(service.realtime_url) for _ in range(sessions)]
    await asyncio.sleep(2)
    before, began = service.cpu_seconds(), time.monotonic()
    await asyncio.sleep(seconds)
    cores = (service.cpu_seconds() - before) / (time.monotonic() - began)
    await asyncio.gather(*(socket.close() for socket in sockets))
    return cores


def rows(turns: int) -> Iterator[tuple[str, str]]:
    """Measure everything, and yield a name and its figures."""
    yield "load of the machine before (1, 5 and 15 minutes)", load_averages()
    with running_service(chat_base_url="scripted", max_sessions="1100", log_level="warning") as service:
        for eagerness in ("high", "auto"):
            decided, answered = asyncio.run(answers(service, eagerness, turns))
            yield f"answer, {eagerness}: end of speech to first audio", spread(answered)
            yield f"answer, {eagerness}: of that, to the end of the turn", spread(decided)
        from_word, from_sound = asyncio.run(barge_ins(service, list(interruptions(service, turns))))
        yield "barge-in: first word to the end of the answer", spread(from_word)
        yield "barge-in: first sound to the end of the answer", spread(from_sound)
        yield "1,000 idle sessions", f"{asyncio.run(idle_cores(service, 1_000, 20)):.3f} CPUs"
    yield "end-of-turn model, one answer", f"{decision_milliseconds():.0f} ms of one CPU"
    for name, microseconds in frames.figures():
        yield f"frame of 20 ms, {name}", f"{microseconds:.1f} microseconds"
    yield "load of the machine after", load_averages()


def load_averages() -> str:
    """Return the mean numbers of processes that wanted a processor, and how many processors there are."""
    return ", ".join(f"{load:.1f}" for load in os.getloadavg()) + f" with {os.cpu_count()} CPUs"


def spread(values: list[float]) -> str:
    p50, p95 = statistics.median(values), percentile(values, 0.95) or 0
    return f"p50 {1000 * p50:.0f} ms, p95 {1000 * p95:.0f} ms ({len(values)} times)"


def measure(turns: int) -> list[tuple[str, str]]:
    """Measure everything, print it as a table, and return its rows."""
    table = Table("conversation", "figure")
    found = []
    for row in rows(turns):
        print(*row, sep=": ", file=sys.stderr, flush=True)
        table.add_row(*row)
        found.append(row)
    CONSOLE.print(table)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--turns", type=int, default=len(TEXTS), help="sentences to play")
    measure(parser.parse_args().turns)
    return 0


if __name__ == "__main__":
    sys.exit(main())
