"""The fields of a transcription request: those of OpenAI's API, and the options of faster-whisper and Xinference.

Unknown fields are ignored. A known option that would change the text, and that this server does not have, is refused
instead of silently ignored.
"""

from dataclasses import dataclass, field
from typing import Final

from http_compat.errors import MissingParameter, UnsupportedValue
from http_compat.parsing.form_fields import Fields
from http_compat.parsing.transcript_format import Granularity, TranscriptFormat
from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import ClientError
from realtime.languages import language_code, language_codes
from realtime.offline.options import OFFLINE_DECODING, OfflineOptions
from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import DecodingOptions, Thresholds
from realtime.speech.subtitles import SubtitleLayout, subtitle_layout

MAX_PROMPT: Final = 2_000
"""Characters of a prompt that are used, from its end; more than a recognizer can take."""

_MAX_TRACK: Final = 40
"""Characters of the name of a track that are used, more than the longest name of a language."""

NUMBERS: Final = {
    "temperature": (0.0, 1.0),
    "patience": (1.0, 2.0),
    "length_penalty": (0.0, 2.0),
    "repetition_penalty": (1.0, 2.0),
    "no_speech_threshold": (0.0, 1.0),
    "log_prob_threshold": (-20.0, 0.0),
    "compression_ratio_threshold": (0.0, 100.0),
}
"""Options that are numbers, with their minimum and maximum."""

INTEGERS: Final = {
    "beam_size": (1, 10),
    "best_of": (1, 5),
    "no_repeat_ngram_size": (0, 20),
    "max_line_width": (0, 1000),
    "max_line_count": (1, 10),
}
"""Options that are integers, with their minimum and maximum."""

_HOTWORDS: Final = ("keywords", "hotwords", "hotword")
"""Names of the field for words to expect: OpenAI's, faster-whisper's and FunASR's."""

MAX_PADDING_MS: Final = 5_000
"""Maximum audio before speech to include, in milliseconds."""

MAX_SILENCE_MS: Final = 10_000
"""Maximum silence that ends speech, in milliseconds."""

UNSUPPORTED: Final = {
    "known_speaker_names": "There is no speaker diarization.",
    "known_speaker_references": "There is no speaker diarization.",
    "prefix": "Use `prompt` instead.",
    "suppress_tokens": "The tokens to suppress cannot be chosen.",
    "clip_timestamps": "The whole recording is transcribed.",
    "hallucination_silence_threshold": "Silence is skipped by the voice activity detector; see `chunking_strategy`.",
    "max_new_tokens": "The length of the text is limited by the length of the audio.",
}
"""Options that are refused, with the second sentence of the error."""

_DEFAULTS: Final = frozenset({"0", "-1"})
"""Default values of `clip_timestamps` and `suppress_tokens`, which are accepted."""


@dataclass(frozen=True, slots=True)
class TranscriptionForm:
    """The fields of the request besides the file.

    Attributes:
        languages: Language codes to choose from, empty for all.
        multilingual: Detect the language of each speech segment by itself.
        prompt: Text before the recording, of which only the end is used.
        granularities: Contents of verbose_json, and of the events of a stream.
        progress: Report in a stream how much of the recording is done.
        subtitles: How large a subtitle is; None for one of each sentence.
        detection: Parameters of the voice activity detector.
        vad_filter: Skip audio without speech.
        track: Index or language of the audio track to transcribe, empty to have it chosen.
        separate_channels: Transcribe each channel by itself, as a speaker of its own.
        condition_on_previous_text: Give each speech segment the preceding text as context.
        text_as_json_string: Send text formats as JSON strings, because Xinference's clients read nothing else; they
            are recognized by the field `kwargs`.
    """

    model: str
    languages: tuple[str, ...]
    multilingual: bool
    prompt: str = field(repr=False)
    hotwords: str = field(repr=False)
    response_format: TranscriptFormat
    granularities: frozenset[Granularity]
    subtitles: SubtitleLayout | None
    stream: bool
    progress: bool
    logprobs: bool
    detection: TurnDetection
    vad_filter: bool
    track: str
    separate_channels: bool
    condition_on_previous_text: bool
    decoding: DecodingOptions
    text_as_json_string: bool

    @property
    def streams_words(self) -> bool:
        """Whether the events of a stream have the words with their times."""
        return self.stream and Granularity.WORD in self.granularities

    def offline_options(self, *, translate: bool) -> OfflineOptions:
        """Return the options for the offline path."""
        return OfflineOptions(
            languages=self.languages,
            multilingual=self.multilingual,
            prompt=self.prompt,
            hotwords=self.hotwords,
            detection=self.detection,
            vad_filter=self.vad_filter,
            condition_on_previous_text=self.condition_on_previous_text,
            word_times=self.response_format.timed or self.logprobs or self.streams_words,
            translate=translate,
            separate_channels=self.separate_channels,
            decoding=self.decoding,
        )


def read_fields(fields: Fields) -> TranscriptionForm:
    """Read all fields but the file. Raises `ClientError`."""
    text_as_json_string = "kwargs" in fields
    _add_kwargs(fields)
    model = fields.text("model")
    if model is None:
        raise MissingParameter("The field `model` is missing.", param="model")
    for name, message in UNSUPPORTED.items():
        if not set(fields.texts(name)) <= _DEFAULTS:
            raise UnsupportedValue(f"`{name}` is not supported. {message}", param=name)
    response_format = _response_format(fields.text("response_format") or TranscriptFormat.JSON)
    stream = bool(fields.flag("stream"))
    if stream and response_format in {TranscriptFormat.SRT, TranscriptFormat.VTT}:
        raise UnsupportedValue("`response_format` srt and vtt cannot be streamed.", param="response_format")
    return TranscriptionForm(
        model=model,
        languages=_languages(fields),
        multilingual=bool(fields.flag("multilingual")),
        prompt=(fields.text("prompt") or fields.text("initial_prompt") or "")[-MAX_PROMPT:],
        hotwords=", ".join(word for name in _HOTWORDS for word in fields.texts(name))[:MAX_PROMPT],
        response_format=response_format,
        granularities=_granularities(fields),
        subtitles=_subtitles(fields),
        stream=stream,
        progress=_progress(fields),
        logprobs=_logprobs(fields, response_format, stream=stream),
        detection=_detection(fields),
        vad_filter=fields.flag("vad_filter") is not False,
        track=(fields.text("track") or "").strip()[:_MAX_TRACK],
        separate_channels=_separate_channels(fields),
        condition_on_previous_text=bool(fields.flag("condition_on_previous_text")),
        decoding=_decoding(fields),
        text_as_json_string=text_as_json_string,
    )


def _add_kwargs(fields: Fields) -> None:
    """Add the options that Xinference's clients send as JSON in `kwargs`; fields of the form take precedence."""
    more = fields.members("kwargs")
    if more is not None:
        fields.add_missing(more)
    elif fields.text("kwargs"):
        raise ClientError("`kwargs` must be a JSON object.", param="kwargs")


def _response_format(text: str) -> TranscriptFormat:
    value = text.strip().lower()
    if value == "diarized_json":
        message = "`response_format` diarized_json is not supported: there is no speaker diarization."
        raise UnsupportedValue(message, param="response_format")
    if value not in set(TranscriptFormat):
        raise ClientError(f"`response_format` must be one of {', '.join(TranscriptFormat)}.", param="response_format")
    return TranscriptFormat(value)


def _granularities(fields: Fields) -> frozenset[Granularity]:
    """Read what verbose_json or a stream shall contain; other formats ignore it: subtitle editors send it with any."""
    names = {each.lower() for each in fields.texts("timestamp_granularities")}
    if not names <= set(Granularity):
        raise ClientError("`timestamp_granularities` must be word or segment.", param="timestamp_granularities")
    found = {Granularity(name) for name in names} or {Granularity.SEGMENT}
    if fields.flag("word_timestamps"):
        found.add(Granularity.WORD)
    return frozenset(found)


def _subtitles(fields: Fields) -> SubtitleLayout | None:
    """Read how large a subtitle is, in the names of Whisper's own program."""
    width = fields.integer("max_line_width", *INTEGERS["max_line_width"])
    lines = fields.integer("max_line_count", *INTEGERS["max_line_count"])
    return subtitle_layout(width, lines)


def _logprobs(fields: Fields, response_format: TranscriptFormat, *, stream: bool) -> bool:
    wanted = set(fields.texts("include"))
    if not wanted <= {"logprobs"}:
        raise ClientError("`include` must be logprobs.", param="include")
    if wanted and not stream and response_format is not TranscriptFormat.JSON:
        raise ClientError("`include` logprobs requires `response_format` json.", param="include")
    return bool(wanted)


def _progress(fields: Fields) -> bool:
    """Read the extensions of streams, of which there is one; others are refused, as on the websocket."""
    extensions = fields.texts("ext")
    if not set(extensions) <= {"progress"}:
        raise ClientError("`ext` must be progress.", param="ext")
    return bool(extensions)


def _separate_channels(fields: Fields) -> bool:
    """Read whether channels are mixed: `channels`, or Deepgram's `multichannel`."""
    value = (fields.text("channels") or "").strip().lower()
    if value not in {"", "mixed", "separate"}:
        raise ClientError("`channels` must be mixed or separate.", param="channels")
    return value == "separate" or (not value and bool(fields.flag("multichannel")))


def _languages(fields: Fields) -> tuple[str, ...]:
    if code := language_code(fields.text("language") or ""):
        return (code,)
    return language_codes(fields.texts("languages"), param="languages")


def _detection(fields: Fields) -> TurnDetection:
    """Read the parameters of the detector: OpenAI's `chunking_strategy` or faster-whisper's `vad_parameters`."""
    strategy, parameters = fields.members("chunking_strategy"), fields.members("vad_parameters")
    if strategy is None:
        valid = fields.text("chunking_strategy") in {None, "auto", "null", "None"}
    else:
        valid = strategy.text("type") == "server_vad"
    if not valid:
        message = "`chunking_strategy` must be auto or an object of type server_vad."
        raise ClientError(message, param="chunking_strategy")
    if parameters is None and fields.text("vad_parameters"):
        raise ClientError("`vad_parameters` must be a JSON object.", param="vad_parameters")
    if fields.flag("vad_filter") is False:
        if strategy is not None or parameters is not None:
            message = "`vad_filter` false cannot be combined with `vad_parameters` or `chunking_strategy`."
            raise ClientError(message, param="vad_filter")
        return TurnDetection()
    if strategy is not None:
        return _turns(strategy, "chunking_strategy", "prefix_padding_ms", "silence_duration_ms")
    if parameters is not None:
        return _turns(parameters, "vad_parameters", "speech_pad_ms", "min_silence_duration_ms")
    return TurnDetection()


def _turns(members: Fields, name: str, padding_name: str, silence_name: str) -> TurnDetection:
    default = TurnDetection()
    threshold = members.number("threshold", 0.0, 1.0, f"{name}[threshold]")
    padding = members.integer(padding_name, 0, MAX_PADDING_MS, f"{name}[{padding_name}]")
    silence = members.integer(silence_name, 0, MAX_SILENCE_MS, f"{name}[{silence_name}]")
    return TurnDetection(
        default.threshold if threshold is None else threshold,
        default.prefix_padding if padding is None else padding * SAMPLE_RATE // 1000,
        default.silence if silence is None else silence * SAMPLE_RATE // 1000,
    )


def _decoding(fields: Fields) -> DecodingOptions:
    """Read the decoding options. Temperature 0 stands for Whisper's default: a search, then fallback temperatures."""
    temperature = fields.number("temperature", *NUMBERS["temperature"])
    defaults, thresholds = OFFLINE_DECODING, OFFLINE_DECODING.thresholds

    def number(name: str, default: float) -> float:
        value = fields.number(name, *NUMBERS[name])
        return default if value is None else value

    def integer(name: str, default: int) -> int:
        value = fields.integer(name, *INTEGERS[name])
        return default if value is None else value

    return DecodingOptions(
        temperatures=(temperature,) if temperature else defaults.temperatures,
        beam_size=integer("beam_size", defaults.beam_size),
        best_of=integer("best_of", defaults.best_of),
        patience=number("patience", defaults.patience),
        length_penalty=number("length_penalty", defaults.length_penalty),
        repetition_penalty=number("repetition_penalty", defaults.repetition_penalty),
        no_repeat_ngram_size=integer("no_repeat_ngram_size", defaults.no_repeat_ngram_size),
        thresholds=Thresholds(
            no_speech=number("no_speech_threshold", thresholds.no_speech),
            log_probability=number("log_prob_threshold", thresholds.log_probability),
            compression_ratio=number("compression_ratio_threshold", thresholds.compression_ratio),
        ),
        thorough=defaults.thorough,
    )
