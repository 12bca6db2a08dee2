"""Captions by the real service, through the command and through the client library."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from clients.aio import connect
from clients.events import Committed, Completed, Delta, Event, Partial, ServerError, SpeechStarted, SpeechStopped
from realtime.audio.formats import Encoding, Samples, encode
from realtime.audio.resampler import Resampler
from realtime.speech.local_agreement import TRAILING_PUNCTUATION

pytestmark = pytest.mark.models

RATE = 24_000
SENTENCE = "The morning train to the city was late again, so everybody waited on the platform."
SENTENCES = (
    SENTENCE,
    "My brother bought a small boat and painted it green.",
    "Please close the windows before the rain begins.",
)
SHORT = SENTENCES[-1]
STORY = (
    "Long ago, an old farmer lived with his daughter in a house near the river.",
    "Every evening they walked down to the water and counted the boats.",
    "One night a stranger knocked at the door and asked for bread.",
    "The farmer gave him half of his supper and a place beside the fire.",
    "In the morning the guest was gone, but he had left a silver coin on the table.",
    "The daughter carried the coin to the market and bought a white horse.",
    "With the horse they could work twice as fast as all their neighbours.",
    "Soon the whole village came to learn how such a thing was possible.",
    "The old man only smiled and put another plate on the table.",
    "From that day nobody in the valley ever closed a door at night.",
)


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def of(kind: type[Any], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def heard(events: list[Event]) -> str:
    return " ".join(event.text for event in of(Completed, events))


def without_pauses(samples: Samples, margin: float = 0.04) -> Samples:
    """Keep the samples within `margin` seconds of a sound."""
    reach = round(margin * RATE)
    sounds = np.cumsum(np.pad(np.abs(samples) > 0.01, (reach + 1, reach)))
    return samples[sounds[2 * reach + 1 :] > sounds[: -2 * reach - 1]]


@pytest.fixture(scope="module")
def sentence(spoken: Callable[[str], Samples]) -> Samples:
    return np.concatenate([quiet(0.5), spoken(SENTENCE), quiet(1)])


@pytest.fixture(scope="module")
def file(
    spoken: Callable[[str], Samples], wav: Callable[[Samples], bytes], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a file with the sentence `SHORT`."""
    path = tmp_path_factory.mktemp("captions") / "sentence.wav"
    path.write_bytes(wav(np.concatenate([quiet(0.3), spoken(SHORT), quiet(0.3)])))
    return path


@pytest.fixture(scope="module")
def live(captions: Callable[..., list[Event]], sentence: Samples) -> list[Event]:
    """Send the sentence in real time and return the events."""
    return captions(sentence, fast=False)


def test_the_command_prints_the_words_of_a_file_and_succeeds(
    vivavoce: Callable[..., "CompletedProcess[str]"], file: Path, word_errors: Callable[[str, str], float]
) -> None:
    done = vivavoce("listen", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1
    assert word_errors(SHORT, done.stdout) == 0


def test_the_command_prints_the_events_as_json(
    vivavoce: Callable[..., "CompletedProcess[str]"], file: Path, word_errors: Callable[[str, str], float]
) -> None:
    done = vivavoce("listen", "--json", "--fast", str(file))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert word_errors(SHORT, events[-1]["transcript"]) == 0
    assert events[-1]["language"] == "en"


def test_the_command_listens_to_a_wav_file_on_standard_input(
    vivavoce: Callable[..., "CompletedProcess[str]"], file: Path, word_errors: Callable[[str, str], float]
) -> None:
    done = vivavoce("listen", "--fast", "-", stdin=file.read_bytes())
    assert (done.returncode, done.stderr) == (0, "")
    assert word_errors(SHORT, done.stdout) == 0


def test_text_appears_before_the_utterance_has_ended(live: list[Event]) -> None:
    stopped = next(index for index, event in enumerate(live) if isinstance(event, SpeechStopped))
    partials = of(Partial, live[:stopped])
    assert len(partials) >= 3
    assert any(partial.tentative for partial in partials)
    assert of(Delta, live[:stopped])


def test_committed_text_is_only_ever_appended_to(live: list[Event]) -> None:
    """The punctuation after the last word of the stable text may still change."""
    stable = [partial.stable.rstrip(TRAILING_PUNCTUATION) for partial in of(Partial, live)]
    assert all(newer.startswith(older) for older, newer in pairwise(stable))
    [completed] = of(Completed, live)
    assert "".join(delta.text for delta in of(Delta, live)) == completed.text


def test_words_have_times_in_order_within_the_audio(live: list[Event], sentence: Samples) -> None:
    [completed] = of(Completed, live)
    times = [time for word in completed.words for time in (word.start, word.end)]
    assert [word.text for word in completed.words] == completed.text.split()
    assert times == sorted(times)
    sounds = np.flatnonzero(np.abs(sentence) > 0.02) / RATE
    assert [times[0], times[-1]] == pytest.approx([sounds[0], sounds[-1]], abs=0.3)


def test_several_utterances_become_items_in_order(
    captions: Callable[..., list[Event]],
    spoken: Callable[[str], Samples],
    word_errors: Callable[[str, str], float],
) -> None:
    audio = np.concatenate([quiet(0.5), *(part for text in SENTENCES for part in (spoken(text), quiet(1.2)))])
    events = captions(audio)
    completed = of(Completed, events)
    assert [word_errors(said, item.text) for said, item in zip(SENTENCES, completed, strict=True)] == [0, 0, 0]
    committed = of(Committed, events)
    assert [item.item_id for item in committed] == [item.item_id for item in completed]
    assert [item.previous_item_id for item in committed] == [None, *(item.item_id for item in committed[:-1])]


@pytest.mark.parametrize("decibels", [30, 45])
def test_a_quiet_speaker_is_understood(
    captions: Callable[..., list[Event]], sentence: Samples, word_errors: Callable[[str, str], float], decibels: int
) -> None:
    events = captions(sentence * np.float32(10 ** (-decibels / 20)))
    assert word_errors(SENTENCE, heard(events)) == 0


def test_a_quiet_speaker_after_a_loud_one_is_understood(
    captions: Callable[..., list[Event]], spoken: Callable[[str], Samples], word_errors: Callable[[str, str], float]
) -> None:
    loud, *whispered = (spoken(text) for text in SENTENCES)
    parts = [loud, quiet(1), *(part for text in whispered for part in (np.float32(0.03) * text, quiet(1)))]
    assert word_errors(" ".join(SENTENCES), heard(captions(np.concatenate(parts)))) == 0


@pytest.mark.parametrize("decibels", [0, 40])
def test_telephone_audio_gives_the_same_words(
    realtime_url: str, sentence: Samples, word_errors: Callable[[str, str], float], decibels: int
) -> None:
    attenuated = sentence * np.float32(10 ** (-decibels / 20))
    telephone = encode(Resampler(RATE, 8_000).process(attenuated), Encoding.MULAW)

    async def listen() -> str:
        async with asyncio.timeout(30), connect(realtime_url) as session:
            await session.send(
                {"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}}
            )
            audio = base64.b64encode(telephone).decode()
            await session.send({"type": "input_audio_buffer.append", "audio": audio})
            async for event in session:
                if isinstance(event, Completed):
                    return event.text
        raise AssertionError("no transcript")

    assert word_errors(SENTENCE, asyncio.run(listen())) == 0


def test_a_client_may_end_its_turns_itself(
    realtime_url: str, spoken: Callable[[str], Samples], word_errors: Callable[[str, str], float]
) -> None:
    async def listen() -> list[Event]:
        events: list[Event] = []
        async with asyncio.timeout(30), connect(realtime_url, turn_detection=False) as session:
            for text in SENTENCES[1:]:
                await session.send_audio(encode(np.concatenate([spoken(text), quiet(0.1)]), Encoding.PCM16))
                await session.commit()
            await session.commit()
            async for event in session:
                events.append(event)
                if len(of(Completed, events)) == 2 and of(ServerError, events):
                    return events
        return events

    events = asyncio.run(listen())
    texts = [completed.text for completed in of(Completed, events)]
    assert [word_errors(*pair) for pair in zip(SENTENCES[1:], texts, strict=True)] == [0, 0]
    assert [refused.code for refused in of(ServerError, events)] == ["input_audio_buffer_commit_empty"]
    assert of(SpeechStarted, events) == []


def test_half_a_minute_without_a_pause_loses_and_repeats_no_word(
    captions: Callable[..., list[Event]],
    spoken: Callable[[str], Samples],
    word_errors: Callable[[str, str], float],
) -> None:
    speech = np.concatenate([without_pauses(spoken(text)) for text in STORY])
    assert len(speech) > 30 * RATE
    events = captions(np.concatenate([quiet(0.5), speech, quiet(1)]))
    assert len(of(Completed, events)) == 1
    assert word_errors(" ".join(STORY), heard(events)) <= 0.05


@pytest.mark.shared
def test_the_language_is_detected(
    captions: Callable[..., list[Event]],
    recording: Callable[[str], Iterator[bytes]],
    word_errors: Callable[[str, str], float],
) -> None:
    [completed] = of(Completed, captions(recording("audio/de_thorsten_03.wav")))
    said = "Europa und Asien zusammengenommen wird auch als Eurasien bezeichnet."
    assert completed.language == "de"
    assert word_errors(said, completed.text) <= 0.2


@pytest.mark.shared
def test_german_is_translated_as_it_is_spoken(
    captions: Callable[..., list[Event]], recording: Callable[[str], Iterator[bytes]]
) -> None:
    events = captions(recording("audio/de_thorsten_03.wav"), translate=True)
    [completed] = of(Completed, events)
    assert completed.language == "de"
    assert {"europe", "asia"} <= {*completed.text.lower().split()}
    assert "".join(delta.text for delta in of(Delta, events)) == completed.text


@pytest.mark.shared
@pytest.mark.parametrize("decibels", [0, 30])
def test_what_is_not_speech_gives_no_words(
    captions: Callable[..., list[Event]],
    recording: Callable[[str], Iterator[bytes]],
    clips: list[dict[str, Any]],
    decibels: int,
) -> None:
    def attenuated(file: str) -> Samples:
        values = np.frombuffer(b"".join(recording(file)), "<i2")
        return values.astype(np.float32) * np.float32(10 ** (-decibels / 20) / 32_768)

    silent = [clip["file"] for clip in clips if clip["kind"] in ("silence", "noise")]
    assert {file: text for file in silent if (text := heard(captions(attenuated(file))).strip())} == {}


@pytest.mark.shared
def test_recorded_speech_is_understood(
    captions: Callable[..., list[Event]],
    recording: Callable[[str], Iterator[bytes]],
    clips: list[dict[str, Any]],
    word_errors: Callable[[str, str], float],
) -> None:
    """Twelve clips spread over the collection, sent faster than real time."""
    english = [clip for clip in clips if (clip["kind"], clip["lang"]) == ("clean", "en") and 3 <= clip["seconds"] <= 10]
    chosen = english[:: len(english) // 12][:12]
    texts = [heard(captions(recording(clip["file"]), language="en")) for clip in chosen]
    assert word_errors(" ".join(clip["text"] for clip in chosen), " ".join(texts)) <= 0.10


@pytest.mark.shared
def test_utterances_begin_and_end_where_speech_does(
    captions: Callable[..., list[Event]], recording: Callable[[str], Iterator[bytes]], clips: list[dict[str, Any]]
) -> None:
    [clip] = [clip for clip in clips if "pauses_endpointing" in clip["file"]]
    events = captions(recording(clip["file"]), silence_ms=1500)
    starts = [event.audio_start_ms / 1000 for event in of(SpeechStarted, events)]
    ends = [(event.audio_end_ms - 1500) / 1000 for event in of(SpeechStopped, events)]
    assert starts == pytest.approx([segment["start"] for segment in clip["segments"]], abs=0.3)
    assert ends == pytest.approx([segment["end"] for segment in clip["segments"]], abs=0.3)
