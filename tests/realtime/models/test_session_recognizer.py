"""The recognizer of a session: admission, and changes of the recognizer."""

import asyncio
import contextlib
import json
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from clients.blocking import speak
from clients.cli import say
from realtime.catalogue.table import ModelEntry
from realtime.errors import RETRY_SOON, ModelInUse, Overloaded
from realtime.models.models import Models
from realtime.models.session_recognizer import SessionRecognizer
from realtime.scheduling.admission import DEFAULT_LOAD_LIMIT, PROMISED_INTERVAL
from realtime.scheduling.cadence import DRAFTED_PATIENCE
from tests.support.loaded_models import BASE, SMALL, TINY, opened
from tests.support.realtime_service import (
    RATE,
    ProtocolClient,
    RealtimeService,
    eventually,
    realtime_service,
    utterance,
)
from tests.support.recordings import silence
from tests.support.scenarios import run
from tests.support.scripted_engines import ScriptedEngines, say_numbers

COMPLETED = "conversation.item.input_audio_transcription.completed"
FAILED = "conversation.item.input_audio_transcription.failed"


def fill(models: Models, entry: ModelEntry = BASE) -> list[SessionRecognizer]:
    """Admit sessions until the next one is refused."""
    admitted: list[SessionRecognizer] = []
    with contextlib.suppress(Overloaded):
        while True:
            admitted.append(models.admit(f"{entry.name} {len(admitted)}", entry))
    return admitted


def test_a_session_beyond_the_capacity_of_the_engine_is_refused() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            assert len(fill(models)) > 1
            with pytest.raises(Overloaded) as refused:
                models.admit("one more", BASE)
            assert refused.value.retry_after == RETRY_SOON

    run(scenario())


def test_a_session_with_more_speakers_than_at_first_takes_more_room() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            call = models.admit("call", BASE)
            alone = len(fill(models))
            call.expect(1)
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            call = models.admit("call", BASE)
            call.expect(3)
            assert len(fill(models)) == alone - 2
            call.close()
            call.expect(2)

    run(scenario())


def test_a_session_without_a_recognizer_is_admitted_when_it_first_uses_one() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            first, *_ = fill(models)
            session = models.admit("session", None)
            session.expect(2)
            with pytest.raises(Overloaded, match="no capacity for another session with whisper-base"):
                await session.use(BASE)
            first.close()
            session.expect(1)
            assert (await session.use(BASE)).name == "whisper-base"
            with pytest.raises(Overloaded):
                models.admit("one more", BASE)
            session.close()
            models.admit("in its place", BASE)

    run(scenario())


def test_a_session_that_ends_makes_room_once() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            first, *_ = fill(models)
            first.close()
            first.close()
            models.admit("one more", BASE)
            with pytest.raises(Overloaded):
                models.admit("yet another", BASE)

    run(scenario())


def test_a_session_counts_against_the_recognizer_it_asks_for_if_that_is_loaded() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            await models.load(TINY)
            fill(models)
            models.admit("another model", TINY)
            with pytest.raises(Overloaded):
                models.admit("one that is not loaded", SMALL)

    run(scenario())


def test_a_session_that_changes_its_recognizer_makes_room_at_the_one_before() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            first, *_ = fill(models)
            assert (await first.use(TINY)).name == "whisper-tiny"
            models.admit("in its place", BASE)
            with pytest.raises(Overloaded):
                models.admit("one more", BASE)

    run(scenario())


def test_a_session_cannot_change_to_a_recognizer_that_has_no_room_and_keeps_its_own() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.05)) as models:
            await models.load(TINY)
            fill(models, TINY)
            session = models.admit("session", BASE)
            with pytest.raises(Overloaded, match="no capacity for another session with whisper-tiny"):
                await session.use(TINY)
            assert (await session.use(BASE)).name == "whisper-base"
            fill(models)
            session.close()
            models.admit("in its place", BASE)

    run(scenario())


def test_concurrent_jobs_of_a_session_change_its_recognizer_once() -> None:
    async def scenario() -> None:
        async with opened() as models:
            session = models.admit("session", BASE)
            asked = [asyncio.create_task(session.use(TINY)) for _ in range(2)]
            assert [(await each).name for each in asked] == ["whisper-tiny"] * 2
            session.close()
            await models.unload(TINY)

    run(scenario())


def test_the_recognizer_of_an_admitted_session_is_not_unloaded() -> None:
    async def scenario() -> None:
        async with opened() as models:
            await models.load(TINY)
            session = models.admit("session", TINY)
            with pytest.raises(ModelInUse):
                await models.unload(TINY)
            session.close()
            await models.unload(TINY)

    run(scenario())


def test_sessions_are_admitted_by_what_they_and_their_drafts_cost() -> None:
    async def scenario() -> None:
        async with opened(ScriptedEngines(decoding=0.025), draft_model="whisper-tiny") as models:
            drafted = fill(models)
            tiny = models.schedulers["whisper-tiny"].load.admission
            assert drafted[0].draft.name == "whisper-tiny"
            assert tiny.sessions == len(drafted)
            await drafted[0].use(TINY)
            assert tiny.sessions == len(drafted)
            for each in drafted:
                each.close()
            assert tiny.sessions == 0
            partial_seconds = 3 * 0.025
            each_second = (partial_seconds + partial_seconds / DRAFTED_PATIENCE) / PROMISED_INTERVAL
            assert len(drafted) == int(DEFAULT_LOAD_LIMIT / each_second)

    run(scenario())


# Over the websocket.


def test_a_session_with_a_draft_model_has_the_words_of_its_recognizer() -> None:
    query = "intent=transcription&ext=partials"
    with realtime_service(draft_model="whisper-tiny") as server, server.session(query) as session:
        session.send_audio(np.concatenate([silence(0.4, RATE), say_numbers([1, 2, 3], RATE)]))
        session.wait_for("x.transcription.partial")
        session.send_audio(silence(0.8, RATE))
        assert session.wait_for(COMPLETED)["transcript"] == "Word1 word2 word3"
        assert server.metric("partials_run_total", model="whisper-tiny") > 0


def check_that_turns_fail_until_there_is_room(session: ProtocolClient, admitted: list[SessionRecognizer]) -> None:
    session.send_audio(utterance([1]))
    assert session.wait_for(FAILED)["error"]["code"] == "server_overloaded"
    for each in admitted:
        each.close()
    session.send_audio(utterance([2]))
    assert session.wait_for(COMPLETED)["transcript"] == "word2"


def load_and_fill(server: RealtimeService, entry: ModelEntry) -> list[SessionRecognizer]:
    async def work() -> list[SessionRecognizer]:
        await server.models.load(entry)
        return fill(server.models, entry)

    admitted = server.call(work())
    assert isinstance(admitted, list)
    return admitted


def test_a_conversation_counts_against_the_recognizer_it_uses_and_not_against_the_model_of_its_query() -> None:
    with realtime_service(ScriptedEngines(decoding=0.05)) as server:
        load_and_fill(server, TINY)
        with server.session("model=whisper-tiny"):
            pass
        with pytest.raises(InvalidStatus) as refused, connect(f"{server.url}?intent=transcription&model=whisper-tiny"):
            pass
        body = json.loads(refused.value.response.body)
        assert body["error"]["message"] == "The server has no capacity for another session with whisper-tiny."


def test_a_session_that_only_speaks_needs_no_recognizer_until_it_transcribes() -> None:
    with realtime_service(ScriptedEngines(decoding=0.05)) as server:
        admitted = load_and_fill(server, BASE)
        with pytest.raises(InvalidStatus), connect(server.url):
            pass
        with server.session("model=tts-1") as session:
            session.speak("Good morning.")
            assert session.wait_for("response.done")["response"]["status"] == "completed"
            session.send("session.update", session={"type": "realtime", "audio": {"input": {"transcription": {}}}})
            check_that_turns_fail_until_there_is_room(session, admitted)


def test_a_session_whose_key_has_it_transcribe_needs_a_recognizer_whatever_its_model() -> None:
    with realtime_service(ScriptedEngines(decoding=0.05)) as server:
        load_and_fill(server, BASE)
        session = {"type": "realtime", "audio": {"input": {"transcription": {}}}}
        secrets = f"http://127.0.0.1:{server.port}/v1/realtime/client_secrets"
        value = httpx.post(secrets, json={"session": session}).json()["value"]
        headers = {"authorization": f"Bearer {value}"}
        with pytest.raises(InvalidStatus), connect(f"{server.url}?model=tts-1", additional_headers=headers):
            pass


def test_every_client_that_only_speaks_needs_no_recognizer(tmp_path: Path) -> None:
    with realtime_service(ScriptedEngines(decoding=0.05)) as server:
        load_and_fill(server, BASE)
        with connect(f"ws://127.0.0.1:{server.port}/v1/speak") as deepgram:
            deepgram.send('{"type": "Close"}')
        assert b"".join(speak("Good morning.", server.url))
        output = tmp_path / "speech.wav"
        assert asyncio.run(say.speak(say.SpeakOptions("Good morning.", output, url=server.url))) == 0


def test_an_update_to_a_recognizer_without_capacity_fails_transcriptions_until_there_is_some() -> None:
    with realtime_service(ScriptedEngines(decoding=0.05)) as server:
        admitted = load_and_fill(server, TINY)
        with server.session("intent=transcription") as session:
            transcription = {"model": "whisper-tiny"}
            session.send(
                "session.update",
                session={"type": "transcription", "audio": {"input": {"transcription": transcription}}},
            )
            check_that_turns_fail_until_there_is_room(session, admitted)


def test_a_session_leases_its_recognizer_between_its_turns_and_until_its_end() -> None:
    with realtime_service() as server:
        with server.session("intent=transcription&model=whisper-tiny") as session:
            session.send_audio(utterance([1, 2]))
            session.wait_for(COMPLETED)
            with pytest.raises(ModelInUse):
                server.call(server.models.unload(TINY))
        assert eventually(lambda: server.sessions == 0)
        server.call(server.models.unload(TINY))
        assert server.engines.closed == ["whisper-tiny"]
