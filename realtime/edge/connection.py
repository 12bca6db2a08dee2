"""The connection of one client: its link, its codec and the driver of its session.

Two tasks serve a connection: one reads and decodes, one runs the session. A third one writes while there is something
to write, and each job of the session has one. When the service comes to its end, two more end the connection: one when
nothing is in progress, one when the client is lost. When one of them fails, the others are cancelled.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from realtime.edge.drain import CLOSE, Drain
from realtime.edge.link import Link
from realtime.edge.resumable_link import ResumableLink
from realtime.edge.sessions import AdmittedSession
from realtime.edge.tasks import serve_tasks
from realtime.errors import ClientError, Overloaded, SessionIdle, UnsupportedAudio, VoiceError
from realtime.media.decoder_pool import DecoderPool
from realtime.media.live_decoder import LiveDecoder
from realtime.models.voice_clips import decoded_clip
from realtime.session.commands import AppendAudio, Command, Rest
from realtime.session.events import Event, TranscriptRevised
from realtime.settings import Settings
from realtime.wire.codec import Answer, Codec, Decoded, Frames, MediaChunk, Outgoing, VoiceRecording

REST_SECONDS: Final = 10.0
"""Seconds without a message after which a session gives memory back: 0.1 MB after speech at 24 kHz."""


class Connection:
    """The connection of one client, over one websocket or several ones after another."""

    def __init__(
        self,
        link: Link | ResumableLink,
        codec: Codec,
        session: AdmittedSession,
        settings: Settings,
        decoders: DecoderPool,
        drain: Drain,
        hear: Callable[[float], None],
    ) -> None:
        """Serve over `link`; `hear` counts minutes of audio, and raises `RateLimited` when there are too many."""
        self._link = link
        self._codec = codec
        self._driver = session.driver(self._deliver)
        self._settings = settings
        self._decoders = decoders
        self._drain = drain
        self._hear = hear
        self._media = LiveDecoder(decoders)

    async def serve(self, greeting: Frames) -> None:
        """Serve the session, which begins with these messages, until either side closes the connection."""
        try:
            await serve_tasks(
                partial(self._run, greeting),
                drain=self._drain,
                ending=(self._settle, self._end_when_abandoned),
                gone=WebSocketDisconnect,
                close=self._close,
            )
        finally:
            self._media.close()

    def _run(self, greeting: Frames, group: asyncio.TaskGroup) -> Coroutine[object, object, None]:
        """Run the session in the group; return what reads."""
        self._link.serve(self._driver, group)
        group.create_task(self._driver.run(group))
        return self._read(greeting)

    async def _settle(self) -> None:
        """Tell the client that the service comes to its end, and close when nothing is in progress."""
        await self._put(self._codec.encode_draining(self._drain.seconds_left))
        await self._drain.settle(self._driver)
        await self._put([CLOSE])

    async def _end_when_abandoned(self) -> None:
        """End a session whose client does not come back."""
        await self._drain.abandoned(self._driver)
        raise WebSocketDisconnect(1006)

    async def _read(self, greeting: Frames) -> None:
        await self._put(greeting)
        greeting.clear()  # which this task would keep
        while True:
            message = await self._receive()
            try:
                commands = self._codec.decode(message["text"] if message.get("text") is not None else message["bytes"])
            except UnsupportedAudio:
                raise
            except ClientError as error:
                await self._put(self._codec.encode_error(error))
                continue
            for command in commands:
                await self._pass_on(command)

    async def _pass_on(self, command: Decoded) -> None:
        match command:
            case MediaChunk(data):
                await self._append_media(data)
            case VoiceRecording():
                for following in await self._with_recording(command):
                    await self._pass_on(following)
            case Answer(frames):
                await self._put(frames)
            case _:
                if isinstance(command, AppendAudio):
                    self._hear(self._codec.config.input_format.seconds(command.data) / 60)
                await self._driver.inbox.put(command)

    async def _with_recording(self, recording: VoiceRecording) -> Sequence[Command | MediaChunk]:
        """Decode the recording of a voice; return the commands of its message, none if it is refused."""
        try:
            try:
                clip = await decoded_clip(self._decoders, recording.data, recording.transcript)
            except (ClientError, Overloaded) as error:
                raise recording.refusal(error) from error
            return recording.accept(clip)
        except VoiceError as error:
            await self._put(self._codec.encode_error(error))
            return ()

    async def _append_media(self, data: bytes) -> None:
        """Decode a chunk. The commands after it wait, so that they find its audio in the session."""
        async with aclosing(self._media.decode(data)) as parts:
            async for part in parts:
                if isinstance(part, ClientError):
                    await self._put(self._codec.encode_error(part))
                else:
                    self._hear(self._codec.config.input_format.seconds(part) / 60)
                    await self._driver.inbox.put(AppendAudio(part))

    async def _receive(self) -> Message:
        """Return the next message; have the session rest if none comes for `REST_SECONDS`.

        Raises `SessionIdle` after a timeout, unless a response is being played or the session is parked.
        """
        seconds = self._codec.idle_timeout_seconds or self._settings.idle_timeout_seconds
        with contextlib.suppress(TimeoutError):
            return await self._link.receive(min(REST_SECONDS, seconds))
        await self._driver.inbox.put(Rest())
        left = max(0.0, seconds - REST_SECONDS)
        while True:
            try:
                return await self._link.receive(left)
            except TimeoutError:
                if not (self._driver.responding or self._driver.paused):
                    raise SessionIdle(f"Received nothing for {seconds:g} seconds.") from None
                left = seconds

    async def _deliver(self, event: Event) -> None:
        await self._put(self._codec.encode(event), event.item_id if isinstance(event, TranscriptRevised) else None)

    async def _put(self, frames: Outgoing, revises: str | None = None) -> None:
        for frame in frames:
            await self._link.put(frame, revises)

    async def _close(self, error: VoiceError) -> None:
        """Send the error, if the client still reads, and close."""
        await self._link.close(self._codec.encode_error(error, final=True))
