"""Sessions that are resumed after their connection was lost: nothing is lost, doubled or reordered.

Every word that is sent is another one, named by its place in the audio.
"""

import contextlib
import json
import logging
import random
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from realtime.audio.formats import Encoding, Samples, encode
from realtime.edge import drain, resumable_outbox
from realtime.tracing import files
from tests.support.fault_proxy import fault_proxy
from tests.support.realtime_service import (
    RATE,
    SILENT,
    TIMEOUT,
    Message,
    RealtimeService,
    eventually,
    has_rested,
    read_to_end,
    realtime_service,
    utterance,
)
from tests.support.repetitions import repetitions
from tests.support.resuming_client import ResumingClient, resuming_client
from tests.support.scripted_engines import transcript_of

TRANSCRIPTION = "intent=transcription"
DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"
GREETING_BYTES = 5_000
TURNS = [list(range(start, start + 10)) for start in range(0, 100, 10)]
AUDIO = [utterance(turn) for turn in TURNS]


@pytest.fixture(scope="module")
def server() -> Iterator[RealtimeService]:
    """Run the service with the default settings for all tests; each leaves no session behind."""
    with realtime_service() as service:
        yield service


def lifetimes(seed: int, cuts: int, longest: int) -> list[int]:
    """Return bytes after which connections are cut: the first one after the greeting, others even while they open."""
    chosen = random.Random(seed)
    return [GREETING_BYTES + chosen.randrange(longest), *(chosen.randrange(longest) for _ in range(cuts - 1))]


def hear(client: ResumingClient, audio: list[Samples], *, binary: bool = False) -> None:
    """Send turns, and receive until the last one is completed."""
    for turn in audio:
        client.send_audio(turn, binary=binary)
    for _ in audio:
        client.until(COMPLETED)


def of_type(client: ResumingClient, event_type: str) -> list[Message]:
    return [event for event in client.events if event["type"] == event_type]


@pytest.mark.parametrize("seed", range(repetitions(1, 50)))
def test_words_are_neither_lost_nor_doubled_nor_reordered_by_thirty_cuts(server: RealtimeService, seed: int) -> None:
    with (
        fault_proxy(server.port, lifetimes(seed, 30, 90_000)) as proxy,
        resuming_client(proxy.port, TRANSCRIPTION) as client,
    ):
        hear(client, AUDIO)
        assert proxy.resets == 30
        assert [event["transcript"] for event in of_type(client, COMPLETED)] == [transcript_of(turn) for turn in TURNS]
        committed = {event["item_id"]: "" for event in of_type(client, COMPLETED)}
        for event in of_type(client, DELTA):
            committed[event["item_id"]] += event["delta"]
        assert [text.strip() for text in committed.values()] == [transcript_of(turn) for turn in TURNS]


def test_binary_audio_and_single_byte_segments_survive_cuts_too(server: RealtimeService) -> None:
    with (
        fault_proxy(server.port, lifetimes(3, 8, 20_000), segment_bytes=1) as proxy,
        resuming_client(proxy.port, TRANSCRIPTION) as client,
    ):
        client.send_event("session.update", session={"audio": {"input": {"format": {"type": "audio/pcm"}}}})
        hear(client, AUDIO[:1], binary=True)
        assert of_type(client, COMPLETED)[0]["transcript"] == transcript_of(TURNS[0])


def test_requests_are_carried_out_once_however_often_they_are_sent(server: RealtimeService) -> None:
    with (
        fault_proxy(server.port, lifetimes(4, 20, 4_000)) as proxy,
        resuming_client(proxy.port) as client,
    ):
        for number in range(40):
            item = {"id": f"item{number}", "type": "message", "role": "user", "content": []}
            client.send_event("conversation.item.create", item=item)
        while len(of_type(client, "conversation.item.done")) < 40:
            client.receive()
        assert of_type(client, "error") == []  # no item was created twice
        assert [event["item"]["id"] for event in of_type(client, "conversation.item.done")] == [
            f"item{number}" for number in range(40)
        ]


def spoken(port: int) -> bytes:
    """Return the samples of a reply of about ten seconds."""
    with resuming_client(port) as client:
        text = "It goes on where it was heard. " * 5
        parts = [{"type": "output_text", "text": text}]
        message = {"type": "message", "role": "assistant", "content": parts}
        client.send_event("response.create", response={"input": [message], "conversation": "none"})
        client.until("response.done")
        audio = b"".join(frame[8:] for frame in client.audio)
        offsets = [int.from_bytes(frame[4:8], "little") for frame in client.audio]
        sizes = [len(frame[8:]) // 2 for frame in client.audio]
        assert offsets == [0, *np.cumsum(sizes)[:-1]]
    return audio


@pytest.mark.parametrize("seed", range(repetitions(1, 50)))
def test_speech_goes_on_where_it_was_heard(server: RealtimeService, seed: int) -> None:
    whole = spoken(server.port)
    with fault_proxy(server.port, lifetimes(seed, 12, 60_000)) as proxy:
        assert spoken(proxy.port) == whole
        assert proxy.resets > 2


def test_a_client_that_comes_back_before_the_loss_is_noticed_supersedes_its_connection(server: RealtimeService) -> None:
    with resuming_client(server.port, TRANSCRIPTION) as client:
        client.send_audio(AUDIO[0][: len(AUDIO[0]) // 2])
        superseded = server.metric("resumes_total", outcome="superseded")
        first = client.abandon()
        client.resume()
        client.send_audio(AUDIO[0][len(AUDIO[0]) // 2 :])
        client.until(COMPLETED)
        assert of_type(client, COMPLETED)[0]["transcript"] == transcript_of(TURNS[0])
        assert read_to_end(first) == 4409
        assert eventually(lambda: server.sessions == 1)
        assert server.metric("resumes_total", outcome="superseded") == superseded + 1


def test_a_connection_that_stalls_is_replaced_by_one_that_does_not(server: RealtimeService) -> None:
    with (
        fault_proxy(server.port) as stalled,
        resuming_client(stalled.port, TRANSCRIPTION) as client,
    ):
        client.send_audio(AUDIO[0][:20_000])
        stalled.stall()
        client.send_audio(AUDIO[0][20_000:])  # which may not arrive
        stalled.cut()
        stalled.flow()
        client.until(COMPLETED)
        assert of_type(client, COMPLETED)[0]["transcript"] == transcript_of(TURNS[0])


@contextlib.contextmanager
def lost(server: RealtimeService, query: str = TRANSCRIPTION, key: str = "") -> Iterator[ResumingClient]:
    """Open a session and lose its connection; the session is parked."""
    with fault_proxy(server.port) as proxy, resuming_client(proxy.port, query, key) as client:
        parked = server.metric("sessions_parked", key)
        proxy.cut()
        assert eventually(lambda: server.metric("sessions_parked", key) == parked + 1)
        yield client


def refusal(server: RealtimeService, query: str, token: str, key: str = "") -> tuple[int, str]:
    """Return the status and the code with which a request to resume is refused."""
    headers = {"x-resume-token": token} | ({"authorization": f"Bearer {key}"} if key else {})
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"{server.url}?{query}", additional_headers=headers, logger=SILENT),
    ):
        pass
    response = refused.value.response
    return response.status_code, json.loads(response.body)["error"]["code"]


def test_a_wrong_token_or_session_is_refused(server: RealtimeService) -> None:
    with lost(server) as client:
        there, elsewhere = f"resume={client.session_id}&last_event=1", "resume=sess_0&last_event=1"
        refused = server.metric("resumes_total", outcome="refused")
        assert refusal(server, there, "guessed") == (404, "session_not_resumable")
        assert refusal(server, there, "") == (404, "session_not_resumable")
        assert refusal(server, elsewhere, client.token) == (404, "session_not_resumable")
        assert refusal(server, f"resume={client.session_id}&last_event=x", client.token) == (400, "invalid_value")
        assert server.metric("resumes_total", outcome="refused") == refused + 3
        client.resume()  # nobody has taken it


def test_a_session_is_resumed_only_with_a_key_of_its_account() -> None:
    with realtime_service(api_keys=("one", "other")) as server, lost(server, key="one") as client:
        query = f"resume={client.session_id}&last_event={client.last}"
        assert refusal(server, query, client.token) == (401, "invalid_api_key")
        assert refusal(server, query, client.token, "other") == (404, "session_not_resumable")


def test_the_answer_to_a_handshake_names_the_session_for_balancers(server: RealtimeService) -> None:
    with resuming_client(server.port) as client:
        assert client.socket.response is not None
        assert client.socket.response.headers["x-session-id"] == client.session_id


@contextlib.contextmanager
def browser(server: RealtimeService, session_id: str, token: str, last: int) -> Iterator[ClientConnection]:
    """Resume a session as a page does, which can set no headers."""
    protocols = [Subprotocol("realtime"), Subprotocol(f"x-resume-token.{token}")]
    query = f"resume={session_id}&last_event={last}"
    with connect(f"{server.url}?{query}", subprotocols=protocols, logger=SILENT) as socket:
        yield socket


def test_a_browser_sends_the_token_as_a_subprotocol_and_reads_a_refusal_as_an_event(server: RealtimeService) -> None:
    with lost(server) as client:
        with browser(server, client.session_id, "guessed", client.last) as socket:
            assert socket.subprotocol == "realtime"
            assert json.loads(socket.recv(timeout=TIMEOUT))["error"]["code"] == "session_not_resumable"
            assert read_to_end(socket) == 4404
        with browser(server, client.session_id, client.token, client.last) as socket:
            assert json.loads(socket.recv(timeout=TIMEOUT))["type"] == "x.session.resumed"


def test_a_parked_session_ends_when_its_client_does_not_come_back_in_time() -> None:
    with (
        realtime_service(resume_timeout_seconds=0.2) as server,
        fault_proxy(server.port) as proxy,
        resuming_client(proxy.port, TRANSCRIPTION) as client,
    ):
        proxy.cut()
        assert eventually(lambda: server.metric("resumes_total", outcome="expired") == 1)
        assert eventually(lambda: server.sessions == 0)
        assert refusal(server, f"resume={client.session_id}&last_event=1", client.token)[0] == 404
        assert server.metric("sessions_parked") == 0
        assert server.jobs() == []


def test_of_too_many_parked_sessions_the_one_that_has_waited_longest_ends() -> None:
    with (
        realtime_service(max_parked_sessions=1) as server,
        lost(server) as first,
        fault_proxy(server.port) as proxy,
        resuming_client(proxy.port, TRANSCRIPTION) as second,
    ):
        proxy.cut()
        assert eventually(lambda: server.sessions == 1)
        assert refusal(server, f"resume={first.session_id}&last_event=1", first.token)[0] == 404
        second.resume()
        assert server.metric("resumes_total", outcome="evicted") == 1


def test_clients_of_one_key_do_not_end_the_parked_sessions_of_another() -> None:
    with (
        realtime_service(api_keys=("one", "other"), max_parked_sessions=2) as server,
        lost(server, key="other") as other,
        lost(server, key="one") as first,
        fault_proxy(server.port) as proxy,
        resuming_client(proxy.port, TRANSCRIPTION, "one") as second,
    ):
        proxy.cut()
        assert eventually(lambda: server.metric("resumes_total", "one", outcome="evicted") == 1)
        assert refusal(server, f"resume={first.session_id}&last_event=1", first.token, "one")[0] == 404
        for client in (other, second):
            client.resume()


def test_a_client_that_has_missed_more_than_is_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable_outbox, "ACKNOWLEDGEMENT_PATIENCE", 0.0)
    with realtime_service(resume_buffer_bytes=20_000) as server, resuming_client(server.port) as client:
        message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Long. " * 20}]}
        client.send_event("response.create", response={"input": [message], "conversation": "none"})
        client.until("response.done")
        query = f"resume={client.session_id}&last_event=3"
        assert refusal(server, query, client.token) == (410, "events_forgotten")
        query = f"resume={client.session_id}&last_event={client.last + 1}"
        assert refusal(server, query, client.token) == (410, "events_forgotten")
        assert server.metric("resumes_total", outcome="too_late") == 2


def test_a_client_that_does_not_read_is_waited_for() -> None:
    with (
        realtime_service(
            send_timeout_seconds=0.3, resume_timeout_seconds=0.3, resume_buffer_bytes=100_000_000
        ) as server,
        fault_proxy(server.port) as proxy,
        resuming_client(proxy.port) as client,
    ):
        proxy.stall(to_server=False)
        # Outside the conversation audio is not paced: half an hour of it, far more than the sockets buffer.
        client.send_event("response.create", response={"instructions": "Long. " * 4_000, "conversation": "none"})
        assert eventually(lambda: server.metric("resumes_total", outcome="expired") == 1)
        proxy.flow()


@pytest.mark.parametrize(("code", "parked"), [(1000, False), (1001, True), (1011, True)])
def test_a_client_that_closes_its_session_is_not_waited_for(server: RealtimeService, code: int, parked: bool) -> None:
    with resuming_client(server.port) as client:
        client.socket.close(code)
        assert eventually(lambda: server.metric("sessions_parked") == parked and server.sessions == parked)


def test_a_parked_session_gives_memory_back_and_is_not_ended_as_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FLUSH_SECONDS", 0.0)
    with (
        realtime_service(trace=tmp_path, idle_timeout_seconds=1.0) as server,
        resuming_client(server.port, TRANSCRIPTION) as client,
    ):
        client.send_audio(AUDIO[0])
        client.socket.close(CloseCode.INTERNAL_ERROR)
        assert eventually(lambda: has_rested(tmp_path))
        client.until(COMPLETED)
        assert client.resumed == 1
        assert [event["transcript"] for event in of_type(client, COMPLETED)] == [transcript_of(TURNS[0])]


def test_a_close_frame_without_a_code_ends_the_session(server: RealtimeService) -> None:
    with resuming_client(server.port) as client:
        with client.socket.protocol_mutex:
            client.socket.protocol.send_close()
            client.socket.send_data()
        assert eventually(lambda: server.sessions == 0)
        assert server.metric("sessions_parked") == 0


def test_a_client_that_is_lost_before_it_has_sent_anything_is_not_waited_for(server: RealtimeService) -> None:
    with (
        fault_proxy(server.port) as proxy,
        connect(f"ws://127.0.0.1:{proxy.port}/v1/realtime?ext=resume", logger=SILENT) as socket,
    ):
        socket.recv(timeout=TIMEOUT)
        assert eventually(lambda: server.sessions == 1)
        proxy.cut()
        assert eventually(lambda: server.sessions == 0)


def test_a_client_that_comes_back_to_a_server_that_drains_gets_what_is_left() -> None:
    with (
        realtime_service(drain_timeout_seconds=10) as server,
        fault_proxy(server.port) as proxy,
        resuming_client(proxy.port, TRANSCRIPTION) as client,
    ):
        proxy.stall(to_server=False)
        client.send_audio(AUDIO[0])
        assert eventually(lambda: server.metric("turns_completed_total") == 1)
        proxy.cut()
        proxy.flow()
        assert eventually(lambda: server.metric("sessions_parked") == 1)
        server.signal()
        assert eventually(lambda: server.drain.begun)
        client.until(COMPLETED)
        assert of_type(client, COMPLETED)[0]["transcript"] == transcript_of(TURNS[0])
        assert read_to_end(client.socket) == CloseCode.SERVICE_RESTART


APPEND = {
    "type": "input_audio_buffer.append",
    "audio": b64encode(encode(utterance([3])[: RATE // 2], Encoding.PCM16)).decode(),
}
SPEAK = {
    "type": "response.create",
    "response": {
        "input": [
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Long. " * 100}]}
        ]
    },
}


READ = {"type": "response.create", "response": {"instructions": "Long. " * 1_000, "conversation": "none"}}
"""As much speech as is kept and more, as fast as it is made."""


@pytest.mark.parametrize(("seconds", "parked_seconds"), [(0.2, 60.0), (60.0, 0.1)])
@pytest.mark.parametrize(
    ("request_", "begun"),
    [
        (APPEND, "input_audio_buffer.speech_started"),
        (SPEAK, "response.output_audio.delta"),
        (READ, "response.output_audio.delta"),
    ],
    ids=["listening", "speaking", "full"],
)
def test_a_server_that_drains_does_not_wait_long_for_a_client_that_is_lost(
    monkeypatch: pytest.MonkeyPatch, request_: Message, begun: str, seconds: float, parked_seconds: float
) -> None:
    monkeypatch.setattr(drain, "PARKED_SECONDS", parked_seconds)
    with realtime_service(drain_timeout_seconds=seconds, resume_buffer_bytes=50_000) as server:
        with (
            fault_proxy(server.port) as proxy,
            connect(f"ws://127.0.0.1:{proxy.port}/v1/realtime?ext=resume") as socket,
        ):
            socket.send(json.dumps(request_))
            while json.loads(socket.recv(timeout=TIMEOUT))["type"] != begun:
                pass
            proxy.cut()
            assert eventually(lambda: server.metric("sessions_parked") == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 20  # it would be parked for a minute


def test_without_the_extension_a_lost_connection_ends_the_session_and_events_have_no_number(
    server: RealtimeService,
) -> None:
    with (
        fault_proxy(server.port) as proxy,
        connect(f"ws://127.0.0.1:{proxy.port}/v1/realtime", logger=SILENT) as socket,
    ):
        assert "x_sequence" not in json.loads(socket.recv(timeout=TIMEOUT))
        proxy.cut()
        assert eventually(lambda: server.sessions == 0)


def test_no_session_is_resumable_where_none_may_be_parked() -> None:
    with (
        realtime_service(max_parked_sessions=0) as server,
        connect(f"{server.url}?ext=resume", logger=SILENT) as socket,
    ):
        assert "x_sequence" not in json.loads(socket.recv(timeout=TIMEOUT))


def test_nothing_is_left_of_sessions_that_were_resumed(server: RealtimeService) -> None:
    before = descriptors()
    for seed in range(3):
        with (
            fault_proxy(server.port, lifetimes(seed, 6, 20_000)) as proxy,
            resuming_client(proxy.port, TRANSCRIPTION) as client,
        ):
            hear(client, AUDIO[:1])
    assert eventually(lambda: server.sessions == 0 and server.jobs() == [])
    assert eventually(lambda: server.connections == 0)
    assert eventually(lambda: descriptors() <= before)


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_the_log_has_no_token(server: RealtimeService, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), lost(server) as client:
        client.resume()
        with browser(server, client.session_id, client.token, client.last) as socket:
            socket.recv(timeout=TIMEOUT)
        assert client.token not in caplog.text
