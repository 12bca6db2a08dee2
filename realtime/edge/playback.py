"""What a client plays, told to its echo gate."""

from realtime.audio.formats import SAMPLE_RATE, AudioFormat, Decoder
from realtime.audio.resampler import Resampler
from realtime.session.events import Event, SpeechStarted
from realtime.session.response_events import ResponseAudioExtended, ResponseFinished, ResponseStatus
from realtime.speech.echo_gate import EchoGate


class Playback:
    """The answers that are sent to one client, as the echo gate needs them.

    A client is taken to play the responses in the conversation, one after another, and to stop when one is cancelled or
    interrupted.
    """

    def __init__(self, gate: EchoGate) -> None:
        self._gate = gate
        self._format: AudioFormat | None = None
        self._decoder: Decoder | None = None
        self._resampler: Resampler | None = None

    def sent(self, event: Event) -> None:
        """Take an event that is sent to the client."""
        match event:
            case ResponseAudioExtended(response, data=data) if response.in_conversation:
                self._play(data, response.output_format)
            case SpeechStarted(interrupts=True) | ResponseFinished(status=ResponseStatus.CANCELLED):
                self._gate.stop()
            case _:
                pass

    def _play(self, data: bytes, output_format: AudioFormat) -> None:
        if self._decoder is None or self._resampler is None or output_format != self._format:
            self._format, self._decoder = output_format, Decoder(output_format)
            self._resampler = Resampler(output_format.sample_rate, SAMPLE_RATE)
        self._gate.play(self._resampler.process(self._decoder.decode(data)))
