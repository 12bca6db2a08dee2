import pytest

from realtime.audio.formats import AudioFormat, Encoding
from realtime.errors import ClientError, Overloaded, Unauthorized
from realtime.wire.deepgram.errors import error_body
from realtime.wire.deepgram.query import FLAGS, InvalidQuery, languages_to_detect
from realtime.wire.deepgram.transcripts import plain
from tests.support.deepgram_client import opened

RAW = {"encoding": "linear16", "sample_rate": "16000"}


@pytest.mark.parametrize(
    ("query", "audio_format"),
    [
        ({"encoding": "linear16", "sample_rate": "48000"}, AudioFormat(Encoding.PCM16, 48_000)),
        ({"encoding": "mulaw"}, AudioFormat(Encoding.MULAW, 8_000)),
        ({"encoding": "alaw", "sample_rate": "8000"}, AudioFormat(Encoding.ALAW, 8_000)),
        ({**RAW, "channels": "2"}, AudioFormat(Encoding.PCM16, 16_000, 2)),
        ({**RAW, "channels": "1", "multichannel": "true"}, AudioFormat(Encoding.PCM16, 16_000)),
    ],
)
def test_raw_audio_has_the_format_of_the_query(query: dict[str, str], audio_format: AudioFormat) -> None:
    assert opened("/v1/listen", **query).config.input_format == audio_format


@pytest.mark.parametrize(
    ("path", "query", "words"),
    [
        ("/v1/listen", {"encoding": "linear16"}, "`sample_rate` is missing"),
        ("/v1/listen", {"encoding": "linear16", "sample_rate": "x"}, "`sample_rate` must be a whole number"),
        ("/v1/listen", {"encoding": "linear16", "sample_rate": "9" * 10}, "`sample_rate` must be a whole number"),
        ("/v1/listen", {"encoding": "linear16", "sample_rate": "1000"}, "between 8000 and 48000"),
        ("/v1/listen", {"encoding": "mulaw", "sample_rate": "16000"}, "must be 8000 Hz"),
        ("/v1/listen", {"encoding": "amr-nb"}, "'amr-nb' is not supported. Use linear16"),
        ("/v1/listen", {"channels": "2", "multichannel": "true"}, "`multichannel` needs raw audio"),
        ("/v1/listen", {**RAW, "channels": "9"}, "between 1 and 8 channels"),
        ("/v1/listen", {**RAW, "endpointing": "soon"}, "`endpointing` must be a whole number"),
        ("/v1/listen", {**RAW, "language": "klingon"}, "klingon"),
        *(("/v1/listen", {**RAW, name: "maybe"}, f"`{name}` must be true or false, not 'maybe'") for name in FLAGS),
        ("/v1/listen", {**RAW, "punctuate": "true", "smart_format": "2"}, "`smart_format` must be true or false"),
        ("/v1/speak", {"encoding": "mp3"}, "Streamed speech is raw"),
        ("/v1/speak", {"container": "wav"}, "Streamed speech is raw"),
        ("/v1/speak", {"speed": "fast"}, "`speed` must be a number"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(path: str, query: dict[str, str], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        opened(path, **query)


@pytest.mark.parametrize(
    ("written", "asked"), [("true", True), ("True", True), ("1", True), ("false", False), ("", False)]
)
def test_a_flag_is_true_or_false(written: str, asked: bool) -> None:
    config = opened("/v1/listen", interim_results=written).config
    assert (config.include_partials, config.decode_partials) == (asked, asked)


@pytest.mark.parametrize(
    ("written", "language"),
    [("en-US", "en"), ("pt-BR", "pt"), ("de", "de"), ("zh-TW", "zh"), ("multi", None), ("", None)],
)
def test_the_language_is_that_of_the_region_or_detected(written: str, language: str | None) -> None:
    assert opened("/v1/listen", language=written).config.language == language


@pytest.mark.parametrize(
    ("query", "milliseconds"),
    [({}, 500), ({"endpointing": "true"}, 500), ({"endpointing": "false"}, 500), ({"endpointing": "25"}, 300),
     ({"endpointing": "800"}, 800), ({"endpointing": "999999"}, 10_000)],
)  # fmt: skip
def test_an_utterance_ends_after_the_silence_of_the_query_within_bounds(
    query: dict[str, str], milliseconds: int
) -> None:
    detection = opened("/v1/listen", **query).config.turn_detection
    assert detection is not None
    assert detection.silence == 16 * milliseconds


@pytest.mark.parametrize(("written", "milliseconds"), [("", None), ("1500", 1500), ("100", 1000)])
def test_an_utterance_end_is_reported_after_a_second_at_least(written: str, milliseconds: int | None) -> None:
    detection = opened("/v1/listen", utterance_end_ms=written).config.turn_detection
    assert detection is not None
    assert detection.reported_silence == (milliseconds and 16 * milliseconds)


@pytest.mark.parametrize(
    ("written", "languages"),
    [
        ([], None), (["false"], None), (["true"], ()), (["de"], ("de",)), (["en-US", "fr"], ("en", "fr")),
        (["multi", "de"], ("de",)), (["true", "de"], ("de",)), (["de", "true"], ("de",)), ([""], None),
    ],
)  # fmt: skip
def test_the_language_is_detected_on_demand_among_all_or_some(
    written: list[str], languages: tuple[str, ...] | None
) -> None:
    assert languages_to_detect({"detect_language": written}) == languages


def test_languages_to_detect_that_are_none_are_refused() -> None:
    with pytest.raises(ClientError, match="maybe"):
        languages_to_detect({"detect_language": ["maybe"]})


def test_terms_to_expect_precede_the_audio_without_their_weights() -> None:
    config = opened("/v1/listen", keyterm=["Vivavoce", " Hibari "], keywords=["Silero:2.5", "ratio 3:1", "x:-1"]).config
    assert config.prompt == "Vivavoce, Hibari, Silero, ratio 3, x"


@pytest.mark.parametrize(
    ("asked", "used"), [("nova-3", "whisper-base"), ("whisper-tiny", "whisper-tiny"), ("", "whisper-base")]
)
def test_an_unknown_model_stands_for_the_default_one(asked: str, used: str) -> None:
    assert opened("/v1/listen", model=asked).config.recognizer.name == used


@pytest.mark.parametrize(
    ("model", "voice"),
    [("aura-2-thalia-en", "calm"), ("amber", "amber"), ("aura-2-amber-en", "amber"), ("aura-amber-en", "amber"),
     ("", "calm"), ("alloy", "calm")],
)  # fmt: skip
def test_the_model_of_speech_names_a_voice(model: str, voice: str) -> None:
    assert opened("/v1/speak", model=model).config.voice == voice


@pytest.mark.parametrize(
    ("query", "audio_format"),
    [
        ({}, AudioFormat(Encoding.PCM16, 24_000)),
        ({"encoding": "linear16", "sample_rate": "16000"}, AudioFormat(Encoding.PCM16, 16_000)),
        ({"encoding": "mulaw", "container": "none"}, AudioFormat(Encoding.MULAW, 8_000)),
    ],
)
def test_speech_has_the_format_of_the_query(query: dict[str, str], audio_format: AudioFormat) -> None:
    assert opened("/v1/speak", **query).config.output_format == audio_format


@pytest.mark.parametrize(("written", "speed"), [("", 1.0), ("1.2", 1.2), ("9", 4.0), ("0", 0.25)])
def test_speech_has_the_speed_of_the_query_within_bounds(written: str, speed: float) -> None:
    assert opened("/v1/speak", speed=written).config.speed == speed


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Don't go, Mr. Smith-Jones!", "don't go mr smith-jones"),
        ("It costs 3.50, or 1,000 -- about -5 % @home.", "it costs 3.50 or 1,000 about -5 % @home"),
        ("你好。再见！", "你好再见"),
        ("– ...", ""),
        ("“Well,” she said (twice).", "well she said twice"),
    ],
)
def test_plain_text_has_no_capitals_and_punctuation_only_within_words(written: str, text: str) -> None:
    assert plain(written) == text


def test_a_refusal_has_the_form_of_deepgram() -> None:
    assert error_body(Unauthorized("Incorrect API key provided."), "sess_1") == {
        "err_code": "INVALID_AUTH",
        "err_msg": "Incorrect API key provided.",
        "request_id": "sess_1",
    }
    assert error_body(InvalidQuery("No."), "sess_1")["err_code"] == "Bad Request"
    assert error_body(Overloaded("Later."), "sess_1")["err_code"] == "SERVICE_UNAVAILABLE"
