"""Captions of audio in containers: what browsers record, through the whole service with scripted engines."""

import base64
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import psutil
import pytest

from realtime.audio.formats import Samples
from tests.support.decoding_processes import decoding_processes
from tests.support.realtime_service import (
    ProtocolClient,
    RealtimeService,
    eventually,
    read_to_end,
    realtime_service,
)
from tests.support.recorders import LOSSLESS, cut, recorded
from tests.support.recordings import silence, tone, wav_file
from tests.support.scripted_engines import say_numbers, transcript_of

WEBM = "audio/webm;codecs=pcm"
LISTENING = "intent=transcription&ext=binary"
COMPLETED = "conversation.item.input_audio_transcription.completed"
SAID = ([3, 1, 4], [1, 5])


def spoken(numbers: Sequence[int]) -> Samples:
    return np.concatenate([silence(0.4), say_numbers(numbers), silence(0.8)])


def decoding() -> set[psutil.Process]:
    """Return the processes that have begun to decode, and are confined since."""
    return {each for each in decoding_processes() if resource.prlimit(each.pid, resource.RLIMIT_NOFILE) == (0, 0)}


@pytest.fixture(scope="module")
def server() -> Iterator[RealtimeService]:
    with realtime_service() as service:
        yield service


@contextmanager
def recording(server: RealtimeService, media_type: str, **input_audio: object) -> Iterator[ProtocolClient]:
    """Open a session that takes audio of this type in binary messages."""
    with server.session(LISTENING) as client:
        client.send("session.update", session={"audio": {"input": {"format": {"type": media_type}, **input_audio}}})
        client.wait_for("session.updated")
        yield client


@pytest.mark.parametrize("media_type", LOSSLESS)
def test_what_a_recorder_sends_is_captioned(server: RealtimeService, media_type: str) -> None:
    stream = recorded(np.concatenate([spoken(numbers) for numbers in SAID]), media_type)
    with recording(server, media_type) as client:
        for chunk in cut(stream, 2000):
            client.socket.send(chunk)
        assert [client.wait_for(COMPLETED)["transcript"] for _ in SAID] == [transcript_of(numbers) for numbers in SAID]


def test_chunks_may_come_in_base64(server: RealtimeService) -> None:
    with recording(server, WEBM) as client:
        for chunk in cut(recorded(spoken([2, 7]), WEBM), 2000):
            client.send("input_audio_buffer.append", audio=base64.b64encode(chunk).decode())
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([2, 7])


def test_a_commit_follows_the_audio_before_it(server: RealtimeService) -> None:
    with recording(server, WEBM, turn_detection=None) as client:
        for numbers in SAID:
            client.socket.send(recorded(spoken(numbers), WEBM))
            client.send("input_audio_buffer.commit")
        assert [client.wait_for(COMPLETED)["transcript"] for _ in SAID] == [transcript_of(numbers) for numbers in SAID]


def test_a_wav_file_that_is_committed_is_transcribed_whole(server: RealtimeService) -> None:
    with recording(server, "audio/wav", turn_detection=None) as client:
        for numbers in SAID:
            client.socket.send(wav_file(np.concatenate([silence(0.3), say_numbers(numbers)])))
            client.send("input_audio_buffer.commit")
            assert client.wait_for(COMPLETED)["transcript"] == transcript_of(numbers)


def test_a_clear_drops_the_audio_before_it_only(server: RealtimeService) -> None:
    with recording(server, WEBM, turn_detection=None) as client:
        client.socket.send(recorded(spoken([9, 9]), WEBM))
        client.send("input_audio_buffer.clear")
        client.socket.send(recorded(spoken([4, 2]), WEBM))
        client.send("input_audio_buffer.commit")
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([4, 2])


def test_a_session_may_change_between_samples_and_a_container(server: RealtimeService) -> None:
    with recording(server, WEBM, turn_detection=None) as client:
        client.socket.send(recorded(spoken([6]), WEBM))
        client.send("session.update", session={"audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}}}})
        client.send_audio(np.concatenate([silence(0.4, 24_000), say_numbers([5], 24_000)]), binary=True)
        client.send("session.update", session={"audio": {"input": {"format": {"type": WEBM}}}})
        client.socket.send(recorded(spoken([4]), WEBM))
        client.send("input_audio_buffer.commit")
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([6, 5, 4])


def test_a_lost_chunk_is_reported_and_the_captions_go_on(server: RealtimeService) -> None:
    stream = recorded(np.concatenate([spoken([8, 8, 8]), spoken([1, 2])]), WEBM)
    with recording(server, WEBM) as client:
        for chunk in cut(stream[:20_000] + stream[21_001:], 3000):
            client.socket.send(chunk)
        error = client.wait_for("error")["error"]
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "damaged_audio", "audio")
        client.wait_for(COMPLETED)
        assert client.wait_for(COMPLETED)["transcript"] == transcript_of([1, 2])


def test_what_is_no_media_is_one_error_and_the_session_goes_on(server: RealtimeService) -> None:
    with recording(server, WEBM) as client:
        for _ in range(5):
            client.socket.send(bytes(range(200)))
        client.socket.send(recorded(spoken([7]), WEBM))
        messages = client.until(COMPLETED)
        errors = [message["error"] for message in messages if message["type"] == "error"]
        assert [error["code"] for error in errors] == ["invalid_file_format"]
        assert messages[-1]["transcript"] == transcript_of([7])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the limits of another process")
def test_a_decoder_that_dies_ends_only_its_session() -> None:
    with realtime_service(max_sessions=2) as server, recording(server, WEBM) as neighbour:
        neighbour.socket.send(recorded(tone(0.5), WEBM))
        assert eventually(lambda: len(decoding()) == 1)
        others = decoding()
        with recording(server, WEBM) as client:
            client.socket.send(recorded(spoken([7]), WEBM))
            client.wait_for(COMPLETED)
            (process,) = decoding() - others
            process.kill()
            client.socket.send(recorded(spoken([7]), WEBM))
            assert client.wait_for("error")["error"]["code"] == "unsupported_audio"
            assert read_to_end(client.socket) == 1003
        neighbour.send("input_audio_buffer.clear")
        neighbour.wait_for("input_audio_buffer.cleared")


def test_a_decoder_ends_with_its_session() -> None:
    before = psutil.Process().children()
    with realtime_service() as server:
        with recording(server, WEBM) as client:
            client.socket.send(recorded(tone(0.5), WEBM))
            assert eventually(lambda: len(decoding()) == 1)
        assert eventually(lambda: not decoding())
    assert psutil.Process().children() == before
