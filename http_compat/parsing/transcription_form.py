"""What a client asks of a recording: the fields of OpenAI's contract, and options that Whisper's users know.

Names that mean nothing here are left alone. An option that would change the text, and that this server has not, is
refused: its user would believe in it.
"""

from dataclasses import dataclass, field
from typing import Final

from http_compat.errors import MissingParameter, UnsupportedValue
from http_compat.parsing.form_fields import Fields
from http_compat.parsing.transcript_format import Granularity, TranscriptFormat
from realtime.audio.formats import SAMPLE_RATE
from realtime.errors import ClientError
from realtime.languages import language_code
from realtime.offline.options import OFFLINE_DECODING, OfflineOptions
from realtime.speech.endpointing import TurnDetection
from realtime.speech.recognition import DecodingOptions, Thresholds

_MAX_PROMPT: Final = 2_000
"""Characters, more than a recognizer takes."""

NUMBERS: Final = {
    "temperature": (0.0, 1.0),
    "patience": (1.0, 2.0),
    "length_penalty": (0.0, 2.0),
    "repetition_penalty": (1.0, 2.0),
    "no_speech_threshold": (0.0, 1.0),
    "log_prob_threshold": (-20.0, 0.0),
    "compression_ratio_threshold": (0.0, 100.0),
}
"""The least and the most they may be."""

INTEGERS: Final = {"beam_size": (1, 10), "best_of": (1, 5), "no_repeat_ngram_size": (0, 20)}

_AUTO: Final = "auto"
"""What some clients call a language that is to be detected."""

MAX_PADDING_MS: Final = 5_000
MAX_SILENCE_MS: Final = 10_000

UNSUPPORTED: Final = {
    "known_speaker_names": "This server does not tell speakers apart.",
    "known_speaker_references": "This server does not tell speakers apart.",
    "prefix": "This server takes a `prompt`, and no `prefix`.",
    "suppress_tokens": "This server does not suppress tokens of a client's choice.",
    "clip_timestamps": "This server transcribes a recording as a whole.",
    "hallucination_silence_threshold": "Silence is left out by the detector; see `chunking_strategy`.",
    "max_new_tokens": "How much is written depends on how long the audio is.",
}
_USUAL: Final = frozenset({"0", "-1"})
"""What `clip_timestamps` and `suppress_tokens` are where nobody meant anything by them."""


@dataclass(frozen=True, slots=True)
class TranscriptionForm:
    """What is wanted, besides the file.

    `languages` are the codes to choose from, none for all; `prompt` is the end of a long one. `detected` says whether
    the detector may leave audio out, `conditioned` whether each excerpt is told the text before it. `quoted` asks for
    text formats as JSON strings: Xinference's clients, which read nothing else, give themselves away by the field
    `kwargs`.
    """

    model: str
    languages: tuple[str, ...]
    prompt: str = field(repr=False)
    hotwords: str = field(repr=False)
    response_format: TranscriptFormat
    granularities: frozenset[Granularity]
    stream: bool
    logprobs: bool
    detection: TurnDetection
    vad_filter: bool
    condition_on_previous_text: bool
    decoding: DecodingOptions
    text_as_json_string: bool

    def offline_options(self, *, translate: bool) -> OfflineOptions:
        return OfflineOptions(
            languages=self.languages,
            prompt=self.prompt,
            hotwords=self.hotwords,
            detection=self.detection,
            vad_filter=self.vad_filter,
            condition_on_previous_text=self.condition_on_previous_text,
            word_times=self.response_format.timed or self.logprobs,
            translate=translate,
            decoding=self.decoding,
        )


def read_fields(fields: Fields) -> TranscriptionForm:
    """Read every field but the file. Raises `ClientError`."""
    text_as_json_string = "kwargs" in fields
    _add_kwargs(fields)
    model = fields.text("model")
    if model is None:
        raise MissingParameter("The field `model` is missing.", param="model")
    for name, message in UNSUPPORTED.items():
        if not set(fields.texts(name)) <= _USUAL:
            raise UnsupportedValue(f"`{name}` is not supported. {message}", param=name)
    response_format = _response_format(fields.text("response_format") or TranscriptFormat.JSON)
    stream = bool(fields.flag("stream"))
    if stream and response_format in {TranscriptFormat.SRT, TranscriptFormat.VTT}:
        raise UnsupportedValue(
            "`response_format` must be another with `stream`: subtitles cannot be streamed.", param="response_format"
        )
    return TranscriptionForm(
        model=model,
        languages=_languages(fields),
        prompt=(fields.text("prompt") or fields.text("initial_prompt") or "")[-_MAX_PROMPT:],
        hotwords=", ".join(fields.texts("keywords") + _hotwords(fields))[:_MAX_PROMPT],
        response_format=response_format,
        granularities=_granularities(fields, response_format),
        stream=stream,
        logprobs=_logprobs(fields, response_format, stream=stream),
        detection=_detection(fields),
        vad_filter=fields.flag("vad_filter") is not False,
        condition_on_previous_text=bool(fields.flag("condition_on_previous_text")),
        decoding=_decoding(fields),
        text_as_json_string=text_as_json_string,
    )


def _add_kwargs(fields: Fields) -> None:
    """Xinference's clients send options they have no field for as JSON in `kwargs`; a field of the form comes first."""
    more = fields.members("kwargs")
    if more is not None:
        fields.add_missing(more)
    elif fields.text("kwargs"):
        raise ClientError("`kwargs` must be a JSON object.", param="kwargs")


def _hotwords(fields: Fields) -> list[str]:
    return [text for name in ("hotwords", "hotword") if (text := fields.text(name))]


def _response_format(value: str) -> TranscriptFormat:
    if value == "diarized_json":
        message = "`response_format` cannot be diarized_json: this server does not tell speakers apart."
        raise UnsupportedValue(message, param="response_format")
    if value not in set(TranscriptFormat):
        raise ClientError(f"`response_format` must be one of {', '.join(TranscriptFormat)}.", param="response_format")
    return TranscriptFormat(value)


def _granularities(fields: Fields, response_format: TranscriptFormat) -> frozenset[Granularity]:
    names = set(fields.texts("timestamp_granularities"))
    if not names <= set(Granularity):
        raise ClientError("`timestamp_granularities` are word and segment.", param="timestamp_granularities")
    found = {Granularity(name) for name in names} or {Granularity.SEGMENT}
    verbose = response_format is TranscriptFormat.VERBOSE_JSON
    if Granularity.WORD in found and not verbose:
        raise ClientError("Word times need `response_format` verbose_json.", param="timestamp_granularities")
    if fields.flag("word_timestamps"):
        if not verbose:
            raise ClientError("`word_timestamps` need `response_format` verbose_json.", param="word_timestamps")
        found.add(Granularity.WORD)
    return frozenset(found)


def _logprobs(fields: Fields, response_format: TranscriptFormat, *, stream: bool) -> bool:
    wanted = set(fields.texts("include"))
    if not wanted <= {"logprobs"}:
        raise ClientError("`include` can be logprobs only.", param="include")
    if wanted and not stream and response_format is not TranscriptFormat.JSON:
        raise ClientError("`include` of logprobs needs `response_format` json.", param="include")
    return bool(wanted)


def _languages(fields: Fields) -> tuple[str, ...]:
    language = fields.text("language") or _AUTO
    if language.strip().lower() != _AUTO:
        return (language_code(language),)
    languages = [each for each in fields.texts("languages") if each.strip().lower() != _AUTO]
    return tuple(dict.fromkeys(language_code(each, param="languages") for each in languages))


def _detection(fields: Fields) -> TurnDetection:
    """`chunking_strategy` is OpenAI's, `vad_filter` and `vad_parameters` are faster-whisper's way to say the same."""
    strategy, parameters = fields.members("chunking_strategy"), fields.members("vad_parameters")
    text = fields.text("chunking_strategy")
    if strategy is not None:
        if strategy.text("type") != "server_vad":
            raise ClientError("`chunking_strategy` must be `auto`, or of type `server_vad`.", param="chunking_strategy")
    elif text not in {None, "auto", "null", "None"}:
        raise ClientError("`chunking_strategy` must be `auto`, or an object.", param="chunking_strategy")
    if parameters is None and fields.text("vad_parameters"):
        raise ClientError("`vad_parameters` must be a JSON object.", param="vad_parameters")
    if fields.flag("vad_filter") is False:
        if strategy is not None or parameters is not None:
            raise ClientError("Where `vad_filter` is false the detector has no parameters.", param="vad_filter")
        return TurnDetection()
    if strategy is not None:
        return _turns(strategy, "chunking_strategy", "prefix_padding_ms", "silence_duration_ms")
    if parameters is not None:
        return _turns(parameters, "vad_parameters", "speech_pad_ms", "min_silence_duration_ms")
    return TurnDetection()


def _turns(members: Fields, name: str, padding_name: str, silence_name: str) -> TurnDetection:
    usual = TurnDetection()
    threshold = members.number("threshold", 0.0, 1.0, f"{name}[threshold]")
    padding = members.integer(padding_name, 0, MAX_PADDING_MS, f"{name}[{padding_name}]")
    silence = members.integer(silence_name, 0, MAX_SILENCE_MS, f"{name}[{silence_name}]")
    return TurnDetection(
        usual.threshold if threshold is None else threshold,
        usual.prefix_padding if padding is None else padding * SAMPLE_RATE // 1000,
        usual.silence if silence is None else silence * SAMPLE_RATE // 1000,
    )


def _decoding(fields: Fields) -> DecodingOptions:
    """Temperature 0 means what it means to Whisper: the likeliest text, and others only where that is no good."""
    temperature = fields.number("temperature", *NUMBERS["temperature"])
    usual, thresholds = OFFLINE_DECODING, OFFLINE_DECODING.thresholds

    def number(name: str, default: float) -> float:
        value = fields.number(name, *NUMBERS[name])
        return default if value is None else value

    def integer(name: str, default: int) -> int:
        value = fields.integer(name, *INTEGERS[name])
        return default if value is None else value

    return DecodingOptions(
        temperatures=(temperature,) if temperature else usual.temperatures,
        beam_size=integer("beam_size", usual.beam_size),
        best_of=integer("best_of", usual.best_of),
        patience=number("patience", usual.patience),
        length_penalty=number("length_penalty", usual.length_penalty),
        repetition_penalty=number("repetition_penalty", usual.repetition_penalty),
        no_repeat_ngram_size=integer("no_repeat_ngram_size", usual.no_repeat_ngram_size),
        thresholds=Thresholds(
            no_speech=number("no_speech_threshold", thresholds.no_speech),
            log_probability=number("log_prob_threshold", thresholds.log_probability),
            compression_ratio=number("compression_ratio_threshold", thresholds.compression_ratio),
        ),
        thorough=usual.thorough,
    )
