"""Which sessions can be resumed."""

import asyncio

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from realtime.catalogue.table import WHISPER_BASE
from realtime.edge.driver import Driver
from realtime.edge.metrics import Metrics
from realtime.edge.resumable_link import ResumableLink
from realtime.edge.resumable_sessions import ResumableSessions, SessionNotResumable
from realtime.models.models import Models
from realtime.session.config import SessionConfig
from realtime.session.session import Session
from realtime.settings import Settings
from realtime.wire.codec import Close, ResumeRequest
from realtime.wire.openai.frames import FrameWriter
from realtime.wire.openai.resuming import SessionResumption
from tests.support.scenarios import run
from tests.support.scripted_engines import ScriptedEngines


def test_a_session_that_is_being_closed_is_not_resumed_any_more() -> None:
    async def scenario() -> None:
        read, settings = asyncio.Event(), Settings()

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            if message["type"] == "websocket.close":
                await read.wait()

        websocket = WebSocket({"type": "websocket"}, receive, send)
        await websocket.accept()
        sessions = ResumableSessions(settings, Metrics(dict))
        resumption = SessionResumption(FrameWriter(lambda prefix: prefix), "sess_1")
        link = ResumableLink(websocket, resumption, sessions, settings)
        models, config = Models(settings, ScriptedEngines()), SessionConfig(WHISPER_BASE, voice="amber")
        await models.open()
        session = Session(config, lambda prefix: prefix)
        driver = Driver(session, models, models.admit("sess_1", config.recognizer), lambda _: asyncio.sleep(0))
        async with asyncio.TaskGroup() as group:
            link.serve(driver, group)
            request = ResumeRequest("sess_1", sessions.add("sess_1", "", link), 0, reads_refusals=True)
            assert sessions.find(request, "") is link
            group.create_task(link.close([Close(1011, "")]))
            await asyncio.sleep(0)
            with pytest.raises(SessionNotResumable):
                sessions.find(request, "")
            read.set()
        await models.close()

    run(scenario())
