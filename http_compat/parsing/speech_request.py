"""The body of a speech request: JSON from OpenAI's clients, JSON or a form with files from Xinference's."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request

from http_compat.errors import InputTooLong, MissingParameter, UnsupportedMediaType, UnsupportedValue
from http_compat.limits import bounded
from http_compat.parsing.bodies import close_files, convert_texts, decode_json, media_type, read_form, read_json
from http_compat.parsing.form_fields import NOTHING
from realtime.catalogue.table import ModelEntry
from realtime.errors import ClientError, NothingToSpeak, UnknownVoice
from realtime.media.encoders import SpeechFormat
from realtime.settings import Settings
from realtime.speech.phrases import has_words

_ESCAPED_CHARACTER: Final = 12
r"""Bytes of the longest way to write one character in JSON: two escapes, as in `\ud83d\ude00`."""

_OTHER_FIELDS: Final = 64 * 1024
"""Bytes allowed for all fields but the text."""

_TEXTS: Final = frozenset({"input", "text"})
"""Fields whose texts are spoken, whatever they are."""

_CHOICES: Final = frozenset({"response_format", "speed", "stream", "stream_format"})
"""Fields in which case and surrounding blanks do not matter."""

_PROMPTS: Final = 16 * 1024 * 1024
"""Bytes allowed for the recording of a voice to clone: 30 s of stereo in 24 bits at 96 kHz."""


class VoiceReference(msgspec.Struct, frozen=True):
    """A voice as an object, as OpenAI's clients refer to custom voices."""

    id: str


class SpeechOptions(msgspec.Struct, frozen=True):
    """Options in Xinference's `kwargs`; unknown options are ignored."""

    prompt_text: str | None = None
    instruct_text: str | None = None


class SpeechBody(msgspec.Struct, frozen=True):
    """The fields of the request; unknown fields are ignored."""

    model: str
    input: str | None = None
    text: str | None = None
    """Alias of `input`."""
    voice: str | VoiceReference | None = None
    instructions: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    """How to speak; clients of OpenAI send it to any model, so those that cannot follow it ignore it."""
    response_format: str | None = None
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=4.0)] | None = None
    stream: bool | None = None
    stream_format: Literal["audio", "sse"] | None = None
    kwargs: str | dict[str, Any] | None = None
    """Xinference's options, as JSON in a string or as an object."""
    prompt_text: str | None = None
    """What is said in `prompt_speech`; Xinference's clients send it in `kwargs`."""
    prompt_speech: Any = None
    prompt_latent: Any = None

    @property
    def voice_name(self) -> str:
        """Name of the voice, empty for the default."""
        return self.voice.id if isinstance(self.voice, VoiceReference) else self.voice or ""

    @property
    def speech_format(self) -> SpeechFormat:
        """Format of the response. Raises `UnsupportedValue`."""
        wanted = self.response_format or SpeechFormat.MP3
        if wanted not in set(SpeechFormat):
            formats = ", ".join(SpeechFormat)
            raise UnsupportedValue(f"`response_format` must be one of {formats}.", param="response_format")
        return SpeechFormat(wanted)

    @property
    def streamed(self) -> bool:
        """Whether to send audio while it is being synthesized.

        OpenAI does so for every request, and its clients do not ask for it. Without `stream`, it is done for formats
        without a length in their header, and for the `stream_format` that clients name only to stream.
        """
        if self.stream is not None:
            return self.stream
        return self.stream_format is not None or not self.speech_format.has_length

    @property
    def options(self) -> SpeechOptions:
        """Xinference's options. Raises `ClientError`."""
        try:
            given = self.kwargs or {}
            if isinstance(given, str):
                given = decode_json(given, dict[str, Any])
            return convert_texts(given, SpeechOptions)
        except ClientError as error:
            raise ClientError("`kwargs` must be a JSON object.", param="kwargs") from error

    @property
    def how_to_speak(self) -> str:
        """Return the instructions, by whatever name. Raises `ClientError`."""
        return self.instructions or self.options.instruct_text or ""

    @property
    def clip_transcript(self) -> str:
        """Return what is said in the recording of a voice, if the client knows it. Raises `ClientError`."""
        return self.prompt_text or self.options.prompt_text or ""

    def text_to_speak(self, max_characters: int) -> str:
        """Return the text. Raises `ClientError` if it is missing, too long or without a letter or digit."""
        for name, given in (("input", self.input), ("text", self.text)):
            if given is not None and len(given) > max_characters:
                raise InputTooLong(f"`{name}` should have at most {max_characters} characters.", param=name)
        text = self.text if self.input is None else self.input
        if text is None:
            raise MissingParameter("The field `input` is missing.", param="input")
        if not has_words(text):
            raise NothingToSpeak(param="input")
        return text

    def check_supported(self, entry: ModelEntry) -> None:
        """Raise `ClientError` for a voice to clone if the model clones none, or it is not complete."""
        given = {
            ("prompt_speech", "prompt_speech"): self.prompt_speech,
            ("prompt_latent", "prompt_latent"): self.prompt_latent,
            ("prompt_text", "kwargs"): self.clip_transcript,
        }
        for (name, param), value in given.items():
            if value and not entry.capabilities.cloning:
                raise UnsupportedValue(f"The model {entry.name} does not clone voices. Remove `{name}`.", param=param)
        if self.prompt_latent:
            message = "`prompt_latent` is not supported. Send the recording itself in `prompt_speech`."
            raise UnsupportedValue(message, param="prompt_latent")
        if self.prompt_speech and not isinstance(self.prompt_speech, bytes):
            raise ClientError("`prompt_speech` must be a file, in a form.", param="prompt_speech")
        if self.clip_transcript and not self.prompt_speech:
            raise ClientError("`prompt_text` needs a recording in `prompt_speech`.", param="prompt_speech")


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value; the texts to speak are taken as they are."""
    return {
        name: value.strip().lower() if isinstance(value, str) and name in _CHOICES else value
        for name, value in fields.items()
        if name in _TEXTS or not (value is None or (isinstance(value, str) and value.strip().lower() in NOTHING))
    }


async def read_speech(request: Request, settings: Settings) -> SpeechBody:
    """Read the body of the request, and from the query what the body lacks. Raises `ClientError`."""
    max_bytes = settings.max_input_characters * _ESCAPED_CHARACTER + _OTHER_FIELDS
    timeout = settings.idle_timeout_seconds
    try:
        sent = media_type(request)
        if sent not in ("application/json", "multipart/form-data"):
            raise UnsupportedMediaType("Send a JSON object with `Content-Type: application/json`, or a multipart form.")
        if sent == "application/json":
            values = await read_json(bounded(request, max_bytes, timeout), dict[str, Any])
            return convert_texts(_given(request.query_params) | _given(values), SpeechBody)
        limited = bounded(request, max_bytes + _PROMPTS, timeout)
        form = await read_form(limited, max_files=2, max_field_bytes=max_bytes)
        try:
            for name in form:
                if len(set(map(str, form.getlist(name)))) > 1:
                    raise ClientError(f"`{name}` is given more than once, with different values.", param=name)
            fields = _given(request.query_params) | _given(form)
            if isinstance(recording := fields.get("prompt_speech"), UploadFile):
                fields["prompt_speech"] = await recording.read()
            return convert_texts(fields, SpeechBody)
        finally:
            close_files(form)
    except ClientError as error:
        if error.param == "voice":
            raise UnknownVoice("`voice` must be a name or an object with an id.", param="voice") from error
        raise
