"""One session on asyncio, against scripted engines."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Encoding, Samples, encode
from realtime.catalogue.names import lookup
from realtime.catalogue.table import WHISPER_BASE, ModelEntry
from realtime.edge.driver import MAX_COMMANDS, MAX_RESULTS, Driver, Inbox
from realtime.edge.session_clock import SessionClock
from realtime.errors import EngineError, UnspokenLanguage
from realtime.models.models import Models
from realtime.session.commands import AppendAudio, CancelResponse, ClearAudio, CommitAudio, Speak
from realtime.session.config import SessionConfig
from realtime.session.events import Event, SpeechStarted, TranscriptCompleted
from realtime.session.jobs import SynthesisFinished
from realtime.session.response_events import ResponseAudioExtended, ResponseFinished, ResponseStarted, ResponseStatus
from realtime.session.session import Session
from realtime.settings import Settings
from realtime.speech.endpointing import EndOfTurn, TurnDetection
from realtime.speech.pauses import pause_after
from realtime.speech.playout import CHUNK_SECONDS, MAX_LEAD_SECONDS
from realtime.speech.style import ReferenceClip
from tests.support.recordings import silence
from tests.support.scenarios import run, until
from tests.support.scripted_engines import (
    SECONDS_PER_CHARACTER,
    ScriptedEngines,
    ScriptedLanguageIdentifier,
    ScriptedSynthesizer,
    Work,
    say_numbers,
    transcript_of,
)

LISTENING = SessionConfig(
    WHISPER_BASE,
    input_format=AudioFormat(Encoding.PCM16, SAMPLE_RATE),
    transcribe=True,
)
SPEAKING = SessionConfig(WHISPER_BASE, voice="amber")
LONG_PHRASE = "a" * 200
KOKORO = lookup("kokoro")
GERMAN = lookup("piper-de_DE-thorsten-medium")
VOICE_RATE = SPEAKING.output_format.sample_rate


class Held(ScriptedEngines):
    """Engines that block while the gate of their work is closed; `done` counts what they began."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = {work: threading.Event() for work in Work}
        self.done = dict.fromkeys(Work, 0)
        self.failure: Exception | None = None
        for gate in self.gates.values():
            gate.set()

    def work(self, work: Work, audio_seconds: float) -> None:
        self.done[work] += 1
        assert self.gates[work].wait(5)
        if self.failure is not None:
            raise self.failure


class Listener:
    """Collects delivered events, and waits for those of a type. While `open` is cleared it accepts no more."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.open = asyncio.Event()
        self.open.set()
        self._changed = asyncio.Condition()

    async def __call__(self, event: Event) -> None:
        await self.open.wait()
        async with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    async def wait_for(self, kind: type[Event], count: int = 1) -> list[Any]:
        async with self._changed:
            await self._changed.wait_for(lambda: sum(isinstance(event, kind) for event in self.events) >= count)
        return [event for event in self.events if isinstance(event, kind)]


@contextlib.asynccontextmanager
async def driving(
    config: SessionConfig,
    engines: ScriptedEngines,
    deliver: Callable[[Event], Awaitable[None]],
    clock: SessionClock | None = None,
    /,
    **settings: Any,
) -> AsyncIterator[tuple[Driver, "asyncio.Task[None]"]]:
    models = Models(Settings(**settings), engines)
    await models.open()
    numbers = itertools.count(1)
    session = Session(config, lambda prefix: f"{prefix}_{next(numbers)}")
    driver = Driver(session, models, models.admit("session", config.recognizer), deliver, clock=clock)
    task = asyncio.create_task(_run(driver))
    try:
        yield driver, task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if isinstance(engines, Held):
            for gate in engines.gates.values():
                gate.set()
        await models.close()


async def _run(driver: Driver) -> None:
    async with asyncio.TaskGroup() as group:
        await driver.run(group)


def frame(samples: Samples) -> AppendAudio:
    return AppendAudio(encode(samples, Encoding.PCM16))


async def stable(value: Callable[[], int]) -> int:
    """Return the value once it no longer changes."""
    before = -1
    while before != (before := value()):  # noqa: ASYNC110 - that nothing happens cannot be waited for
        await asyncio.sleep(0.05)
    return before


def test_audio_becomes_its_transcript() -> None:
    async def scenario() -> None:
        listener = Listener()
        async with driving(LISTENING, ScriptedEngines(), listener) as (driver, _):
            audio = np.concatenate([silence(0.5), say_numbers([3, 1, 4, 1, 5]), silence(1)])
            for start in range(0, len(audio), 320):
                await driver.inbox.put(frame(audio[start : start + 320]))
            (completed,) = await listener.wait_for(TranscriptCompleted)
            assert completed.text == transcript_of([3, 1, 4, 1, 5])

    run(scenario())


def test_results_are_taken_before_commands() -> None:
    async def scenario() -> None:
        inbox: Inbox[str] = Inbox()
        await inbox.put("first")
        await inbox.put("second")
        await inbox.put_result(SynthesisFinished(7))
        assert [await inbox.get(commands=True) for _ in range(3)] == [SynthesisFinished(7), "first", "second"]

    run(scenario())


def test_commands_wait_while_only_results_are_taken() -> None:
    async def scenario() -> None:
        inbox: Inbox[str] = Inbox()
        await inbox.put("command")
        taking = asyncio.create_task(inbox.get(commands=False))
        await inbox.put_result(SynthesisFinished(7))
        assert await taking == SynthesisFinished(7)
        assert await inbox.get(commands=True) == "command"

    run(scenario())


def test_both_lanes_of_the_inbox_are_bounded_and_one_does_not_hold_up_the_other() -> None:
    async def scenario() -> None:
        inbox: Inbox[int] = Inbox()
        for number in range(MAX_COMMANDS):
            await inbox.put(number)
        waiting = [asyncio.create_task(inbox.put(number)) for number in (1000, 1001)]
        for number in range(MAX_RESULTS):
            await inbox.put_result(SynthesisFinished(number))
        waiting.append(asyncio.create_task(inbox.put_result(SynthesisFinished(1000))))
        await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        taken = [await inbox.get(commands=True) for _ in range(MAX_COMMANDS + MAX_RESULTS)]
        await asyncio.gather(*waiting)
        taken += [await inbox.get(commands=True) for _ in waiting]
        results = [each.number for each in taken if isinstance(each, SynthesisFinished)]
        assert results == [*range(MAX_RESULTS), 1000]
        assert [each for each in taken if isinstance(each, int)] == [*range(MAX_COMMANDS), 1000, 1001]

    run(scenario())


def test_a_saturated_session_stops_taking_commands_until_the_engines_catch_up() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), Held()
        async with driving(LISTENING, engines, listener) as (driver, _):
            engines.gates[Work.SCORING].clear()
            sent = 0

            async def send() -> None:
                nonlocal sent
                while True:
                    await driver.inbox.put(frame(silence(1)))
                    sent += 1

            sender = asyncio.create_task(send())
            # 21 seconds make the session saturated; then the inbox fills.
            assert await stable(lambda: sent) == 21 + MAX_COMMANDS
            engines.gates[Work.SCORING].set()
            await until(lambda: sent > 200)
            sender.cancel()

    run(scenario())


def test_a_cancelled_driver_closes_the_engines_generator() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), Held()
        async with driving(SPEAKING, engines, listener) as (driver, task):
            engines.gates[Work.SPEAKING].clear()
            await driver.inbox.put(Speak(LONG_PHRASE))
            await until(lambda: engines.speaking == [LONG_PHRASE])
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            engines.gates[Work.SPEAKING].set()
            await until(lambda: not engines.speaking)
            assert engines.done[Work.SPEAKING] < 20  # of 120
            assert [task for task in asyncio.all_tasks() if "_work" in repr(task)] == []

    run(scenario())


def test_a_cancelled_driver_withdraws_what_waits_for_the_recognizer() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), Held()
        async with driving(LISTENING, engines, listener) as (driver, task):
            engines.gates[Work.DECODING].clear()
            await driver.inbox.put(frame(np.concatenate([say_numbers([1, 2, 3]), silence(1)])))
            await until(lambda: engines.done[Work.DECODING] == 1)
            task.cancel()
            await asyncio.wait([task])
            assert [task for task in asyncio.all_tasks() if "_work" in repr(task)] == []

    run(scenario())


def test_a_cancelled_response_closes_the_engines_generator_and_the_session_goes_on() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), Held()
        async with driving(SPEAKING, engines, listener) as (driver, _):
            engines.gates[Work.SPEAKING].clear()
            await driver.inbox.put(Speak(LONG_PHRASE))
            await until(lambda: engines.speaking == [LONG_PHRASE])
            await driver.inbox.put(CancelResponse())
            (finished,) = await listener.wait_for(ResponseFinished)
            assert finished.status is ResponseStatus.CANCELLED
            engines.gates[Work.SPEAKING].set()
            await until(lambda: not engines.speaking)
            await driver.inbox.put(Speak("Again."))
            assert (await listener.wait_for(ResponseFinished, 2))[1].status is ResponseStatus.COMPLETED

    run(scenario())


def test_a_slow_consumer_applies_backpressure() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), Held()
        async with driving(SPEAKING, engines, listener) as (driver, _):
            await driver.inbox.put(Speak(f"{LONG_PHRASE} {LONG_PHRASE}", in_conversation=False))
            await listener.wait_for(ResponseStarted)
            listener.open.clear()
            sent = 0

            async def send() -> None:
                nonlocal sent
                while True:
                    await driver.inbox.put(ClearAudio())
                    sent += 1

            sender = asyncio.create_task(send())
            # All of the first phrase and the blank after it, which wait in the worker, and none of the second.
            assert await stable(lambda: engines.done[Work.SPEAKING]) == 121
            assert sent <= MAX_COMMANDS + 2
            sender.cancel()
            listener.open.set()
            (finished,) = await listener.wait_for(ResponseFinished)
            assert finished.status is ResponseStatus.COMPLETED
            assert engines.done[Work.SPEAKING] >= 240

    run(scenario())


def test_what_an_engine_cannot_do_fails_its_job_only() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), Held()
        async with driving(SPEAKING, engines, listener) as (driver, _):
            engines.failure = EngineError("hoarse")
            await driver.inbox.put(Speak("Hello."))
            (failed,) = await listener.wait_for(ResponseFinished)
            assert (failed.status, failed.error) == (ResponseStatus.FAILED, engines.failure)
            engines.failure = None
            await driver.inbox.put(Speak("Hello."))
            assert (await listener.wait_for(ResponseFinished, 2))[1].status is ResponseStatus.COMPLETED

    run(scenario())


@pytest.mark.parametrize("failure", [EngineError("deaf"), ZeroDivisionError("a bug")])
def test_a_session_that_cannot_go_on_ends_its_driver(failure: Exception) -> None:
    async def scenario() -> None:
        listener, engines = Listener(), Held()
        async with driving(LISTENING, engines, listener) as (driver, task):
            engines.failure = failure
            await driver.inbox.put(frame(silence(1)))
            with pytest.raises(ExceptionGroup) as raised:
                await task
            assert raised.group_contains(type(failure))

    run(scenario())


def test_time_passes_for_a_session_without_input() -> None:
    async def scenario() -> None:
        listener = Listener()
        async with driving(SPEAKING, ScriptedEngines(), listener) as (driver, _):
            await driver.inbox.put(Speak("b" * 55))  # 3.3 s, of which 3 may be sent ahead
            (finished,) = await listener.wait_for(ResponseFinished)
            assert finished.status is ResponseStatus.COMPLETED

    run(scenario())


def test_a_client_may_commit_by_hand() -> None:
    async def scenario() -> None:
        listener = Listener()
        by_hand = replace(LISTENING, turn_detection=None)
        async with driving(by_hand, ScriptedEngines(), listener) as (driver, _):
            await driver.inbox.put(frame(say_numbers([9, 9])))
            await driver.inbox.put(CommitAudio())
            (completed,) = await listener.wait_for(TranscriptCompleted)
            assert completed.text == transcript_of([9, 9])
            assert not any(isinstance(event, SpeechStarted) for event in listener.events)

    run(scenario())


def test_a_language_that_the_voice_does_not_speak_is_reported_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        listener = Listener()
        async with driving(SPEAKING, ScriptedEngines(), listener) as (driver, _):
            for spoken in (1, 2):
                await driver.inbox.put(Speak("Das Wetter ist heute schön."))
                finished = await listener.wait_for(ResponseFinished, spoken)
                assert finished[-1].unspoken_languages == ("de",)
        assert caplog.messages == ["the text is in de, which hibari-tts does not speak"]

    run(scenario())


class ByModel(ScriptedEngines):
    """Engines that record which model speaks what; the German voice has another sample rate and other voices."""

    def __init__(self) -> None:
        super().__init__()
        self.spoken: list[tuple[str, str]] = []

    def synthesizer(self, entry: ModelEntry) -> ScriptedSynthesizer:
        return RecordingSynthesizer(self, entry)


class RecordingSynthesizer(ScriptedSynthesizer):
    def __init__(self, engines: ByModel, entry: ModelEntry) -> None:
        super().__init__(engines, entry.name, entry.capabilities)
        if entry == GERMAN:
            self.sample_rate, self.voices = 16_000, ("thorsten",)
        if entry == KOKORO:
            self.voices = ("ff_siwis", "af_heart", "am_fenrir", "ef_dora", "em_alex")
        self._spoken = engines.spoken

    def synthesize(self, text: str, voice: str, speed: float) -> Iterator[Samples]:
        self._spoken.append((voice, text))
        return super().synthesize(text, voice, speed)


def test_phrases_in_another_language_are_spoken_by_the_voice_of_that_language() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), ByModel()
        settings = {"voices_by_language": (f"de={GERMAN.name}",)}
        async with driving(SPEAKING, engines, listener, **settings) as (driver, _):
            await driver.inbox.put(Speak("Das ist ein schöner Tag. Wirklich! And this is a nice day, too."))
            await listener.wait_for(ResponseFinished)
        assert [voice for voice, _ in engines.spoken] == ["thorsten", "thorsten", "amber"]
        audio = sum(len(event.data) for event in listener.events if isinstance(event, ResponseAudioExtended)) / 2
        pauses = sum(map(pause_after, (text for _, text in engines.spoken)))
        spoken = SECONDS_PER_CHARACTER * sum(len(text) for _, text in engines.spoken) + pauses
        assert audio / VOICE_RATE == pytest.approx(spoken, abs=0.001)

    run(scenario())


@pytest.mark.parametrize(
    ("settings", "named", "text", "voice"),
    [
        ({"voices_by_language": ("fr=kokoro",)}, "", "This is English.", "amber"),
        ({"voices_by_language": ("fr=kokoro", "en=kokoro")}, "", "This is English.", "af_heart"),
        ({"voices_by_language": ("en=kokoro",)}, "", "This is English.", "af_heart"),
        ({"voices_by_language": ("es=kokoro", "en=kokoro")}, "em_alex", "This is English.", "em_alex"),
    ],
)
def test_kokoro_speaks_a_language_that_it_is_configured_for_in_a_voice_of_that_language(
    settings: dict[str, Any], named: str, text: str, voice: str
) -> None:
    async def scenario() -> None:
        listener, engines = Listener(), ByModel()
        async with driving(SPEAKING, engines, listener, **settings) as (driver, _):
            await driver.inbox.put(Speak(text, voice=named))
            await listener.wait_for(ResponseFinished)
        assert {voice for voice, _ in engines.spoken} == {voice}

    run(scenario())


def test_a_voice_of_another_language_speaks_what_it_is_named_for() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), ByModel()
        settings = {"voices_by_language": (f"de={GERMAN.name}",)}
        async with driving(SPEAKING, engines, listener, **settings) as (driver, _):
            await driver.inbox.put(Speak("Licht! This is English, too.", voice="thorsten"))
            await listener.wait_for(ResponseFinished)
        assert [voice for voice, _ in engines.spoken] == ["thorsten", "thorsten"]

    run(scenario())


def test_the_model_that_clones_speaks_a_recording_whatever_voice_was_named_before() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), ByModel()
        settings = {"voices_by_language": (f"de={GERMAN.name}",)}
        cloned = replace(SPEAKING, voice="thorsten", clip=ReferenceClip(silence(1.0)))
        async with driving(cloned, engines, listener, **settings) as (driver, _):
            await driver.inbox.put(Speak("Das ist ein schöner Tag."))
            await listener.wait_for(ResponseFinished)
        assert [voice for voice, _ in engines.spoken] == ["amber"]

    run(scenario())


def test_an_answer_of_a_word_is_spoken_by_the_voice_of_the_language_of_the_user() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), ByModel()
        settings = {"voices_by_language": (f"en={GERMAN.name}",)}
        async with driving(LISTENING, engines, listener, **settings) as (driver, _):
            for samples in (say_numbers([1, 2]), silence(1.0)):
                await driver.inbox.put(frame(samples))
            await listener.wait_for(TranscriptCompleted)
            await driver.inbox.put(Speak("Licht!"))
            await listener.wait_for(ResponseFinished)
        assert [voice for voice, _ in engines.spoken] == ["thorsten"]

    run(scenario())


def test_a_response_in_a_language_that_the_voice_does_not_speak_can_be_refused() -> None:
    async def scenario() -> None:
        listener = Listener()
        async with driving(SPEAKING, ScriptedEngines(), listener, unspoken_languages="refuse") as (driver, _):
            await driver.inbox.put(Speak("Das Wetter ist heute schön."))
            (finished,) = await listener.wait_for(ResponseFinished)
        assert finished.status is ResponseStatus.FAILED
        assert isinstance(finished.error, UnspokenLanguage)

    run(scenario())


class SlowToIdentify(ScriptedEngines):
    """Engines whose identifier of languages is loaded once `identifier_loaded` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.identifier_loaded = threading.Event()

    def language_identifier(self) -> ScriptedLanguageIdentifier:
        assert self.identifier_loaded.wait(5)
        return super().language_identifier()


def test_speech_does_not_wait_for_the_identifier_of_languages() -> None:
    async def scenario() -> None:
        listener, engines = Listener(), SlowToIdentify()
        async with driving(SPEAKING, engines, listener) as (driver, _):
            await driver.inbox.put(Speak("Hello."))
            (finished,) = await listener.wait_for(ResponseFinished)
            assert finished.status is ResponseStatus.COMPLETED
            engines.identifier_loaded.set()

    run(scenario())


@pytest.mark.parametrize(("last", "turns"), [(4, ["word1 word4", "word6"]), (3, ["word1 word3 word6"])])
def test_a_pause_ends_a_turn_if_the_end_of_turn_model_says_so(last: int, turns: list[str]) -> None:
    async def scenario() -> None:
        detection = TurnDetection(end_of_turn=EndOfTurn(shortest=4_608, longest=32_000))
        listener = Listener()
        async with driving(replace(LISTENING, turn_detection=detection), ScriptedEngines(), listener) as (driver, _):
            for samples in (say_numbers([1, last]), silence(1.0), say_numbers([6]), silence(1.0)):
                await driver.inbox.put(frame(samples))
            completed = await listener.wait_for(TranscriptCompleted, len(turns))
            assert [event.text for event in completed] == turns

    run(scenario())


def test_a_paused_session_sends_no_speech_and_then_goes_on_where_it_was() -> None:
    async def scenario() -> None:
        listener, time = Listener(), [0.0]

        def seconds() -> float:
            sent = (len(each.data) for each in listener.events if isinstance(each, ResponseAudioExtended))
            return sum(sent) / 2 / VOICE_RATE

        async with driving(SPEAKING, ScriptedEngines(), listener, SessionClock(lambda: time[0])) as (driver, _):
            await driver.inbox.put(Speak(f"{LONG_PHRASE} {LONG_PHRASE}"))
            await until(lambda: seconds() >= MAX_LEAD_SECONDS)
            ahead = seconds()
            driver.pause()
            time[0] += 100
            assert await stable(lambda: round(seconds() * VOICE_RATE)) == round(ahead * VOICE_RATE)
            driver.resume()
            assert seconds() == ahead
            time[0] += 1
            await until(lambda: seconds() >= MAX_LEAD_SECONDS + 1)
            assert seconds() <= MAX_LEAD_SECONDS + 1 + CHUNK_SECONDS

    run(scenario())


def test_the_clock_of_a_session_stands_still_while_it_is_paused() -> None:
    time = [5.0]
    clock = SessionClock(lambda: time[0])
    times = []
    for act in (clock.pause, clock.pause, clock.resume, clock.resume):
        time[0] += 1
        act()
        times.append(clock())
    assert times == [1, 1, 1, 2]
