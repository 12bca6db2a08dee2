"""The library for programs without asyncio, with the whole service."""

import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients import Completed, ConnectionRefused, RequestFailed
from clients.blocking import caption, converse, open_microphone, speak
from clients.options import SAMPLE_RATE
from realtime.audio.formats import Encoding, encode
from realtime.backends.scripted_server import scripted_app
from tests.support.http_service import listening
from tests.support.portaudio import Plugged, PortAudio
from tests.support.realtime_service import RealtimeService, realtime_service, utterance

SECOND = bytes(2 * SAMPLE_RATE)


def said(*numbers: int) -> bytes:
    return encode(utterance(numbers), Encoding.PCM16)


@pytest.fixture(scope="module")
def service() -> Iterator[RealtimeService]:
    with listening(scripted_app()) as backend, realtime_service(chat_base_url=backend) as service:
        yield service


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Wait for the threads of the library, which end by themselves."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("vivavoce"):
            thread.join(20)
            assert not thread.is_alive()


def captions_of(service: RealtimeService, pieces: Iterable[bytes]) -> list[str]:
    with caption(pieces, service.url) as captions:
        return [event.text for event in captions if isinstance(event, Completed)]


def test_a_program_waits_for_its_captions(service: RealtimeService) -> None:
    assert captions_of(service, iter([said(1, 2), said(3)])) == ["word1 word2", "word3"]


def test_a_text_without_words_is_refused_and_is_no_question_to_the_chat_model(service: RealtimeService) -> None:
    with pytest.raises(RequestFailed, match="nothing to speak") as refusal:
        list(speak("...", service.url))
    assert refusal.value.code == "invalid_value"


def test_threads_caption_beside_each_other(service: RealtimeService) -> None:
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda number: captions_of(service, iter([said(number)])), range(1, 5)))
    assert results == [[f"word{number}"] for number in range(1, 5)]


def test_a_block_that_is_left_early_closes_its_session(service: RealtimeService) -> None:
    ended = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield said(1)
        ended.wait(10)

    with caption(pieces(), service.url) as captions:
        next(captions)
    ended.set()


def test_a_block_that_has_ended_runs_nothing_and_reads_nothing(service: RealtimeService) -> None:
    with caption(iter([]), service.url) as captions:
        pass
    assert "vivavoce client" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(RuntimeError, match="the block has ended"):
        next(captions)


def test_a_text_is_spoken_chunk_by_chunk(service: RealtimeService) -> None:
    assert sum(map(len, speak("Good morning.", service.url))) > SAMPLE_RATE


def test_speech_that_nobody_hears_any_more_is_cancelled(service: RealtimeService) -> None:
    chunks = speak("Good morning, everybody. This goes on for a while.", service.url)
    assert next(chunks)
    chunks.close()


def test_a_conversation_is_held(service: RealtimeService) -> None:
    class Deaf:
        played_seconds = 0.0

        def play(self, pcm: bytes) -> None:
            self.played_seconds += len(pcm) / (2 * SAMPLE_RATE)

        def stop(self) -> None:
            pass

    with converse(iter([said(2), SECOND]), Deaf(), service.url) as conversation:
        assert "word2" in [event.text for event in conversation if isinstance(event, Completed)]


def test_errors_are_those_of_the_library(service: RealtimeService) -> None:
    with pytest.raises(ConnectionRefused, match="no server answers"), caption(iter([]), "ws://127.0.0.1:9"):
        pass
    with pytest.raises(RequestFailed) as refusal:
        list(speak("Good morning.", service.url, speed=9.0))
    assert refusal.value.code == "invalid_value"


def test_what_a_source_raises_is_raised_where_its_captions_are_read(service: RealtimeService) -> None:
    def pieces() -> Iterator[bytes]:
        yield said(1)
        raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"):
        captions_of(service, pieces())


def test_a_microphone_is_recorded_until_it_is_stopped(
    service: RealtimeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    portaudio = PortAudio(Plugged("Built-in Audio"))
    monkeypatch.setitem(sys.modules, "sounddevice", portaudio)
    with open_microphone() as microphone:
        portaudio.open["Built-in Audio"].record(said(1, 2))
        microphone.stop()
        assert captions_of(service, microphone) == ["word1 word2"]
    assert portaudio.open == {}
    microphone.stop()  # as a timer that comes too late does
