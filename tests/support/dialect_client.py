"""A client of any dialect and engines around one session, without a socket: messages in, messages out."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from realtime.catalogue.table import WHISPER_BASE
from realtime.errors import ClientError, UnsupportedAudio
from realtime.session.jobs import CancelJob, Generate, ScoreTurn, ScoreWindows, Synthesize, Transcribe
from realtime.speech.transcript import Hypothesis
from realtime.wire.codec import Answer, Close, Codec, Handshake, MediaChunk, VoiceRecording
from tests.support.scripted_conversation import Conversation, EngineJob, Microphone, hypothesis_of

_JOBS = (ScoreWindows, ScoreTurn, Transcribe, Synthesize, Generate, CancelJob)


def handshake(**changes: Any) -> Handshake:
    """Return the request of a client, with counted ids and the voices `calm` and `bright`."""
    numbers = itertools.count(1)
    fields: dict[str, Any] = {
        "session_id": "sess_1",
        "query": {},
        "new_id": lambda kind: f"{kind}_{next(numbers)}",
        "find_recognizer": {"": WHISPER_BASE}.get,
        "find_voice": {"": "calm", "calm": "calm", "bright": "bright"}.get,
        "max_input_characters": 1000,
    }
    return Handshake(**(fields | changes))


class DialectClient:
    """A codec and the session that carries out its commands; engines of the `held` kinds wait to be answered."""

    def __init__(
        self,
        open_codec: Callable[[Handshake], Codec],
        *,
        held: tuple[type[EngineJob], ...] = (Transcribe,),
        **changes: Any,
    ) -> None:
        self.codec = open_codec(handshake(**changes))
        self.conversation = Conversation(self.codec.config, held=held)
        self.frames: list[str | bytes | Close] = list(self.codec.greeting())
        """All messages to the client."""
        self._reported = 0

    def send(self, message: str | bytes | dict[str, Any]) -> list[Any]:
        """Send one message, and return what answers it, parsed."""
        before = len(self.frames)
        try:
            commands = self.codec.decode(json.dumps(message) if isinstance(message, dict) else message)
        except ClientError as error:
            final = isinstance(error, UnsupportedAudio)
            self.frames += self.codec.encode_error(error, final=final)
            commands = []
        for command in commands:
            assert not isinstance(command, MediaChunk | VoiceRecording)
            if isinstance(command, Answer):
                self.frames += command.frames
            else:
                self.conversation.send(command)
                self._report()
        return self.received(before)

    def wait(self, seconds: float) -> list[Any]:
        """Let time pass, and return what came in it."""
        before = len(self.frames)
        self.conversation.wait(seconds)
        self._report()
        return self.received(before)

    def transcribe(self, hypothesis: str | Hypothesis = "") -> list[Any]:
        """Answer all transcriptions with this text or hypothesis, or with what was said; return what follows."""
        written = hypothesis_of(hypothesis) if isinstance(hypothesis, str) else hypothesis
        before = len(self.frames)
        while self.conversation.pending(Transcribe):
            self.conversation.answer(Transcribe, written if hypothesis else None)
            self._report()
        return self.received(before)

    def fail(self, kind: type[EngineJob]) -> list[Any]:
        """Fail the oldest job of this kind, and return what follows."""
        before = len(self.frames)
        self.conversation.fail(kind)
        self._report()
        return self.received(before)

    def received(self, start: int = 0) -> list[Any]:
        """Return the messages from number `start` on, those in JSON parsed."""
        return [json.loads(frame) if isinstance(frame, str) else frame for frame in self.frames[start:]]

    @property
    def closed(self) -> Close | None:
        """How the connection has ended; None as long as it has not."""
        return next((frame for frame in self.frames if isinstance(frame, Close)), None)

    def _report(self) -> None:
        events, self._reported = self.conversation.outputs[self._reported :], len(self.conversation.outputs)
        for event in events:
            if not isinstance(event, _JOBS):
                self.frames += self.codec.encode(event)


def golden_captions(path: Path) -> list[dict[str, Any]]:
    """Read the messages of a golden conversation, each with whom it is `from`."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def captions_again(golden: list[dict[str, Any]], open_codec: Callable[[Handshake], Codec]) -> list[dict[str, Any]]:
    """Send the client's messages of a golden conversation again; return the conversation with the answers to them.

    `<speech>` and `<silence>` are 0.32 s of audio, other strings bytes; `times` repeats a message.
    """
    client, microphone = DialectClient(open_codec, held=()), Microphone()
    sounds = {"<speech>": microphone.speech, "<silence>": microphone.silence}
    lines: list[dict[str, Any]] = []
    for line in golden:
        if line["from"] == "client":
            before = len(client.frames)
            for _ in range(line.get("times", 1)):
                message = line["message"]
                if isinstance(message, str):
                    message = sounds[message](0.32) if message in sounds else message.encode()
                client.send(message)
            answers = ({"close": each.code} if isinstance(each, Close) else each for each in client.received(before))
            lines += [line, *({"from": "server", "message": each} for each in answers)]
    return lines
