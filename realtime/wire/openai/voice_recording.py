"""The recording of a voice to clone in an event of the client, an extension of the OpenAI Realtime dialect."""

from collections.abc import Callable, Sequence

from realtime.errors import Overloaded, VoiceError
from realtime.session.commands import Command
from realtime.speech.style import ReferenceClip
from realtime.wire.codec import Handshake, MediaChunk, VoiceRecording
from realtime.wire.openai import client_events as wire
from realtime.wire.openai.client_events import InvalidValue, OverloadedRequest
from realtime.wire.openai.session_update import OutputPatch


def voice_recording(
    request: wire.ClientRequest,
    handshake: Handshake,
    accept: Callable[[ReferenceClip], Sequence[Command | MediaChunk]],
) -> VoiceRecording | None:
    """Return the recording of a `session.update` or `response.create`, if it has one.

    `accept` makes the commands of the request. Raises `InvalidValue` where the voice model clones no voices, and for
    the words of a recording that is missing.
    """
    match request:
        case wire.UpdateSession(session=patch) | wire.UpdateTranscriptionSession(session=patch):
            output, place = patch.nested_audio().output or OutputPatch(), "session"
        case wire.CreateResponse(response=wire.ResponseParameters() as parameters):
            output, place = parameters.output, "response"
        case _:
            return None
    field = f"{place}.audio.output.x_prompt_speech"

    def refusal(message: str) -> InvalidValue:
        return InvalidValue(message, param=field, request_id=request.event_id)

    if not isinstance(output.x_prompt_speech, bytes):
        if output.x_prompt_text:
            raise refusal("`x_prompt_text` needs a recording in `x_prompt_speech`.")
        return None
    model = handshake.voice_model
    if model is None or not model.capabilities.cloning:
        name = f"model {model.name}" if model else "voice"
        raise refusal(f"The {name} does not clone voices. Remove `x_prompt_speech`.")

    def unusable(error: VoiceError) -> VoiceError:
        if isinstance(error, Overloaded):
            return OverloadedRequest(error.message, request_id=request.event_id)
        return refusal(f"`x_prompt_speech`: {error.message}")

    return VoiceRecording(output.x_prompt_speech, output.x_prompt_text or "", accept, unusable)
