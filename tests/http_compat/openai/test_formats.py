"""Transcripts in OpenAI's response formats."""

import json
from typing import Any

from http_compat.openai.formats import logprobs, render
from http_compat.parsing.transcript_format import Granularity, TranscriptFormat
from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.transcript import TranscribedSegment, Transcript
from realtime.speech.transcript import Hypothesis, Token, Word
from tests.support.transcripts import SILENT, SPOKEN, transcript, word


def body(spoken: Transcript, response_format: TranscriptFormat) -> str:
    return bytes(render(spoken, response_format, {Granularity.SEGMENT}).body).decode()


def verbose(*granularities: Granularity) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(bytes(render(SPOKEN, TranscriptFormat.VERBOSE_JSON, granularities).body))
    return answer


def test_json_has_the_text_and_the_seconds() -> None:
    assert json.loads(body(SPOKEN, TranscriptFormat.JSON)) == {
        "text": "Hello there. How are you?",
        "usage": {"type": "duration", "seconds": 12.0},
    }


def test_text_ends_with_a_newline() -> None:
    assert body(SPOKEN, TranscriptFormat.TEXT) == "Hello there. How are you?\n"


def test_srt_counts_its_cues_and_writes_commas() -> None:
    assert body(SPOKEN, TranscriptFormat.SRT) == (
        "1\n00:00:00,500 --> 00:00:01,700\nHello there. How are\n\n2\n01:00:01,000 --> 01:00:02,000\nyou?\n\n"
    )


def test_srt_of_whole_sentences_has_their_own_times() -> None:
    answer = render(SPOKEN, TranscriptFormat.SRT, (), None)
    assert bytes(answer.body).decode() == (
        "1\n00:00:00,500 --> 00:00:01,234\nHello there.\n\n"
        "2\n00:00:01,300 --> 00:00:01,700\nHow are\n\n"
        "3\n01:00:01,000 --> 01:00:02,000\nyou?\n\n"
    )


def test_vtt_begins_with_its_name_and_writes_dots() -> None:
    assert body(SPOKEN, TranscriptFormat.VTT).startswith(
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.700\nHello there. How are\n\n"
    )


def test_an_arrow_in_the_text_does_not_break_a_cue() -> None:
    assert "a -> b" in body(transcript((word(" a --> b", 0, 1),)), TranscriptFormat.SRT)
    assert "a --&gt; b" in body(transcript((word(" a --> b", 0, 1),)), TranscriptFormat.VTT)


def test_what_is_said_is_no_markup_in_vtt() -> None:
    said = transcript((word(" Smith & <b>Co</b>", 0, 1),))
    assert "Smith &amp; &lt;b&gt;Co&lt;/b&gt;" in body(said, TranscriptFormat.VTT)
    assert "Smith & <b>Co</b>" in body(said, TranscriptFormat.SRT)


def test_silence_is_an_empty_transcript_in_every_format() -> None:
    assert json.loads(body(SILENT, TranscriptFormat.JSON))["text"] == ""
    assert json.loads(body(SILENT, TranscriptFormat.VERBOSE_JSON))["segments"] == []
    assert body(SILENT, TranscriptFormat.SRT) == ""
    assert body(SILENT, TranscriptFormat.VTT) == "WEBVTT\n\n"


def test_verbose_json_names_the_language() -> None:
    assert verbose(Granularity.SEGMENT)["language"] == "english"


def test_verbose_json_shows_the_granularities_asked_for() -> None:
    assert verbose(Granularity.SEGMENT)["words"] is None
    assert verbose(Granularity.WORD)["segments"] is None
    both = verbose(Granularity.WORD, Granularity.SEGMENT)
    assert both["words"][0] == {"word": "Hello", "start": 0.5, "end": 0.9}
    assert len(both["segments"]) == 3


def test_a_segment_has_all_the_keys_that_clients_read() -> None:
    assert set(verbose(Granularity.SEGMENT)["segments"][0]) == {
        "id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob", "compression_ratio",
        "no_speech_prob", "language",
    }  # fmt: skip


def test_a_segment_has_its_own_language() -> None:
    words = (Word(" Hello.", 0, 8_000, 0.9),), (Word(" Bonjour.", 16_000, 24_000, 0.9),)
    parts = tuple(
        TranscribedSegment(each[0].start, each, Hypothesis(each, language))
        for each, language in zip(words, ("en", "fr"), strict=True)
    )
    shown = json.loads(
        bytes(render(Transcript(parts, "en", 32_000), TranscriptFormat.VERBOSE_JSON, {Granularity.SEGMENT}).body)
    )
    assert [segment["language"] for segment in shown["segments"]] == ["en", "fr"]


def test_text_formats_declare_utf_8() -> None:
    for each in (TranscriptFormat.TEXT, TranscriptFormat.SRT, TranscriptFormat.VTT):
        assert render(SPOKEN, each, set()).headers["content-type"].endswith("charset=utf-8")


def test_tokens_of_a_segment_are_those_of_its_words() -> None:
    words = tuple(
        Word(text, start, start + 1_000, 0.9, (Token(number, text.encode(), 0.5),))
        for number, (text, start) in enumerate([(" One.", 0), (" Two", 2_000), (" three.", 3_000)], 7)
    )
    body = render(transcript(words), TranscriptFormat.VERBOSE_JSON, {Granularity.SEGMENT}).body
    assert [segment["tokens"] for segment in json.loads(bytes(body))["segments"]] == [[7], [8, 9]]


def test_a_segment_contains_the_temperature_of_its_decoding() -> None:
    words = (word(" Hello.", 0, 1),)
    made = Transcript((TranscribedSegment(0, words, Hypothesis(words, "en", temperature=0.4)),), "en", SAMPLE_RATE)
    body = render(made, TranscriptFormat.VERBOSE_JSON, {Granularity.SEGMENT}).body
    assert json.loads(bytes(body))["segments"][0]["temperature"] == 0.4


def test_numbers_are_always_finite() -> None:
    words = (word(" Hello.", 0, 1),)
    wild = Hypothesis(words, "en", float("nan"), float("-inf"), float("inf"), temperature=float("nan"))
    body = render(
        Transcript((TranscribedSegment(0, words, wild),), "en", SAMPLE_RATE),
        TranscriptFormat.VERBOSE_JSON,
        {Granularity.SEGMENT},
    ).body
    segment = json.loads(bytes(body))["segments"][0]
    assert [segment[name] for name in ("temperature", "avg_logprob", "compression_ratio", "no_speech_prob")] == [
        0.0
    ] * 4


def test_a_token_may_be_part_of_a_character_with_probability_zero() -> None:
    half = "é".encode()[:1]
    words = (Word(" é", 0, 1, 0.0, (Token(7, half, 0.0),)),)
    (logprob,) = logprobs([TranscribedSegment(0, words, Hypothesis(words, "fr"))])
    assert (logprob["token"], logprob["bytes"]) == ("\ufffd", list(half))
    assert -1_000 < logprob["logprob"] < -100


def test_a_translation_is_in_english_for_any_spoken_language() -> None:
    made = Transcript(SPOKEN.segments, "de", SPOKEN.samples, translated=True)
    body = json.loads(bytes(render(made, TranscriptFormat.VERBOSE_JSON, {Granularity.SEGMENT}).body))
    assert (body["task"], body["language"]) == ("translate", "english")
