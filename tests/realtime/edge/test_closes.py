"""The code of every close, and whether a retry helps: what the `openai` package takes it for."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from openai import OpenAI
from openai.types.websocket_reconnection import is_recoverable_close
from websockets.frames import Frame, Opcode

from realtime.edge.outbox import SlowReaderError
from realtime.errors import Overloaded
from tests.support.markdown import ROOT, table_rows
from tests.support.realtime_service import ProtocolClient, RealtimeService, read_to_end, realtime_service, utterance
from tests.support.scripted_engines import ScriptedEngines, Work

LISTENING = "intent=transcription"


class Buggy(ScriptedEngines):
    def work(self, work: Work, audio_seconds: float) -> None:
        if work is Work.SCORING:
            raise ZeroDivisionError


def send_raw(client: ProtocolClient, opcode: Opcode, data: bytes, *, mask: bool = True) -> None:
    client.socket.socket.sendall(Frame(opcode, data).serialize(mask=mask))


def no_frame(_: RealtimeService, client: ProtocolClient) -> None:
    send_raw(client, Opcode.TEXT, b"{}", mask=False)


def binary(_: RealtimeService, client: ProtocolClient) -> None:
    client.socket.send(bytes(100))


def no_unicode(_: RealtimeService, client: ProtocolClient) -> None:
    send_raw(client, Opcode.TEXT, b"\xff\xfe")


def too_large(_: RealtimeService, client: ProtocolClient) -> None:
    client.socket.send("x" * 40_001)


def speech(_: RealtimeService, client: ProtocolClient) -> None:
    client.send_audio_until_closed(utterance([1]))


def nothing(_: RealtimeService, client: ProtocolClient) -> None:
    pass


def restart(server: RealtimeService, _: ProtocolClient) -> None:
    server.signal()


@pytest.mark.parametrize(
    ("trigger", "settings", "code"),
    [
        (nothing, {"idle_timeout_seconds": 0.2}, 1001),
        (no_frame, {}, 1002),
        (binary, {}, 1003),
        (no_unicode, {}, 1007),
        (too_large, {"max_message_bytes": 40_000}, 1009),
        (speech, {"engines": Buggy()}, 1011),
        (restart, {"drain_timeout_seconds": 10.0}, 1012),
    ],
)
def test_a_connection_ends_with_the_code_that_the_documentation_names(
    trigger: Callable[[RealtimeService, ProtocolClient], None], settings: dict[str, Any], code: int
) -> None:
    with realtime_service(**settings) as server, server.session(LISTENING) as client:
        trigger(server, client)
        assert read_to_end(client.socket) == code


def test_congestion_is_told_from_a_violation() -> None:
    assert SlowReaderError.close_code == Overloaded.close_code == 1013


def test_unmodified_clients_retry_after_the_codes_after_which_it_helps_and_no_others() -> None:
    closes = {
        int(row[0]): row[2] for row in table_rows(ROOT / "docs/reliability.md") if re.fullmatch(r"[14]\d\d\d", row[0])
    }
    assert closes.keys() >= {1001, 1008, 1012, 1013}
    assert {code: "yes" if is_recoverable_close(code) else "no" for code in closes} == closes


@pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")
def test_openais_client_connects_again_after_an_idle_session_was_closed() -> None:
    closed: list[int] = []

    def reconnecting(event: Any) -> Any:
        closed.append(event.close_code)
        return {"abort": len(closed) == 2}

    with realtime_service(idle_timeout_seconds=0.2) as server:
        address = f"127.0.0.1:{server.port}/v1"
        with (
            OpenAI(base_url=f"http://{address}", websocket_base_url=f"ws://{address}", api_key="any") as client,
            client.realtime.connect(model="any", on_reconnecting=reconnecting) as connection,
        ):
            created = [event for event in connection if event.type == "session.created"]
    assert closed == [1001, 1001]
    assert len(created) == 2
