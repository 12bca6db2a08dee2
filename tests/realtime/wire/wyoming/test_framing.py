"""Bytes of a Wyoming connection to events, however they are cut, and events to bytes."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import BadMessage, TooLarge, VoiceError
from realtime.wire.wyoming.framing import MAX_HEADER_BYTES, EventReader, WyomingEvent

TEXT = st.text('aé\n\0"{', max_size=9)
JSON = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-9, 9) | TEXT, max_size=6)
EVENTS = st.lists(st.builds(WyomingEvent, TEXT, JSON, st.binary(max_size=40)), max_size=6)
HOSTILE = st.binary(max_size=60) | st.sampled_from([b"\n", b"{}", b'{"type":"a"}\n', b'"data_length":3'])


def read(data: bytes, *, max_bytes: int = 1000) -> list[WyomingEvent]:
    return list(EventReader(max_bytes).feed(data))


@given(EVENTS, st.data())
def test_events_survive_the_wire_however_they_are_cut(events: list[WyomingEvent], draw: st.DataObject) -> None:
    whole, reader = b"".join(event.frame() for event in events), EventReader(1000)
    found: list[WyomingEvent] = []
    while whole:
        size = draw.draw(st.integers(1, len(whole)))
        found += reader.feed(whole[:size])
        whole = whole[size:]
    assert found == events


def test_an_event_is_a_line_then_data_then_the_payload() -> None:
    line, rest = WyomingEvent("audio-chunk", {"rate": 16_000}, b"\n\0").frame().split(b"\n", 1)
    data = b'{"rate":16000}'
    assert json.loads(line) == {
        "type": "audio-chunk",
        "version": "1.10.2",
        "data_length": len(data),
        "payload_length": 2,
    }
    assert rest == data + b"\n\0"


def test_an_event_without_data_is_a_line() -> None:
    assert WyomingEvent("describe").frame() == b'{"type":"describe","version":"1.10.2"}\n'


def test_data_may_stand_in_the_header_and_behind_it() -> None:
    (event,) = read(b'{"type": "a", "data": {"x": 1, "y": 1}, "data_length": 8}\n{"y": 2}')
    assert event.data == {"x": 1, "y": 2}


def test_members_that_are_null_or_unknown_do_not_matter() -> None:
    assert read(b'{"type": "a", "data": null, "data_length": null, "payload_length": null, "new": [1]}\n') == [
        WyomingEvent("a")
    ]


def test_an_event_waits_for_its_last_byte() -> None:
    reader = EventReader(1000)
    assert list(reader.feed(b'{"type": "a", "payload_length": 2}\n1')) == []
    assert list(reader.feed(b'2{"type": "b"}')) == [WyomingEvent("a", {}, b"12")]
    assert list(reader.feed(b"\n")) == [WyomingEvent("b")]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET / HTTP/1.1\r",
        b"\xff",
        b"[]",
        b"null",
        b'{"data": {}}',
        b'{"type": 1}',
        b'{"type": "a", "data": []}',
        b'{"type": "a", "data_length": "1"}',
        b'{"type": "a", "data_length": -1}',
        b'{"type": "a", "payload_length": 1.5}',
        b"[" * 60_000,
        b'{"type": "a", "data_length": 2}\n[]',
        b'{"type": "a", "data_length": 1}\n{',
    ],
)
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(BadMessage):
        read(line + b"\n")


def test_the_events_before_a_fault_are_read() -> None:
    events = EventReader(1000).feed(b'{"type": "a"}\nnothing\n')
    assert next(events) == WyomingEvent("a")
    with pytest.raises(BadMessage):
        next(events)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_header_has_a_limit(end: bytes) -> None:
    with pytest.raises(TooLarge):
        read(b" " * (MAX_HEADER_BYTES + 1) + end)


def test_data_and_payload_have_a_limit_before_they_are_received() -> None:
    header = b'{"type": "a", "data_length": %d, "payload_length": %d}\n'
    with pytest.raises(TooLarge):
        read(header % (500, 501))
    with pytest.raises(TooLarge):
        read(header % (0, 10**18))
    assert read(header % (500, 500)) == []


@given(st.lists(HOSTILE, max_size=8))
def test_hostile_bytes_are_events_or_one_error(chunks: list[bytes]) -> None:
    reader = EventReader(100)
    with contextlib.suppress(VoiceError):
        for chunk in chunks:
            assert all(len(event.payload) <= 100 for event in reader.feed(chunk))
