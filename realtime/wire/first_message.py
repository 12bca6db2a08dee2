"""The path `/`, which vosk-server and WhisperLive share: the first message tells their clients apart.

WhisperLive's begins with JSON that has a `uid`, Vosk's with another text or with audio.
"""

from collections.abc import Sequence

from realtime.errors import VoiceError
from realtime.session.config import SessionConfig
from realtime.session.events import Event
from realtime.wire.codec import Codec, Decoded, Handshake, Outgoing
from realtime.wire.vosk.codec import VoskCodec
from realtime.wire.whisperlive.codec import WhisperLiveCodec
from realtime.wire.whisperlive.messages import find_uid


class FirstMessageCodec(Codec):
    """A codec of one of the two dialects, once it is known of which."""

    def __init__(self, handshake: Handshake) -> None:
        self._handshake = handshake
        self._codec: Codec = VoskCodec.open(handshake)
        self._known = False

    @property
    def config(self) -> SessionConfig:
        return self._codec.config

    def decode(self, message: str | bytes) -> Sequence[Decoded]:
        """Parse one message in the dialect of the client. Raises what its codec does."""
        if not self._known:
            self._known = True
            if isinstance(message, str) and find_uid(message) is not None:
                self._codec = WhisperLiveCodec.open(self._handshake)
        return self._codec.decode(message)

    def encode(self, event: Event) -> Outgoing:
        """Return the messages that report an event."""
        return self._codec.encode(event)

    def encode_error(self, error: VoiceError, *, final: bool = False) -> Outgoing:
        """Return the messages that report an error."""
        return self._codec.encode_error(error, final=final)
