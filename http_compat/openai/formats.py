"""Transcripts in OpenAI's response formats: json, verbose_json, text, srt, vtt."""

import math
import sys
from collections.abc import Collection, Iterable
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from http_compat.parsing.transcript_format import Granularity, TranscriptFormat
from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.formats import (
    READABLE,
    seconds,
    suppressed_field,
    to_dict,
    to_srt,
    to_text,
    to_vtt,
    track_field,
)
from realtime.offline.transcript import TranscribedSegment, Transcript
from realtime.speech.subtitles import SubtitleLayout

_TOKENS_PER_SECOND: Final = 10
"""Tokens OpenAI counts for one second of audio."""


def render(
    transcript: Transcript,
    transcript_format: TranscriptFormat,
    granularities: Collection[Granularity],
    subtitles: SubtitleLayout | None = READABLE,
    *,
    with_logprobs: bool = False,
    as_json_string: bool = False,
) -> Response:
    """Render a transcript as a response.

    `granularities` select the contents of verbose_json, `subtitles` lays out srt and vtt. With `as_json_string` the
    text formats are sent as a JSON string, which is all that Xinference's clients can read.
    """
    match transcript_format:
        case TranscriptFormat.JSON:
            body = {
                "text": transcript.text,
                "usage": _usage(transcript),
                **suppressed_field(transcript),
                **track_field(transcript),
            }
            return JSONResponse({**body, "logprobs": logprobs(transcript.segments)} if with_logprobs else body)
        case TranscriptFormat.VERBOSE_JSON:
            segments, words = (each in granularities for each in (Granularity.SEGMENT, Granularity.WORD))
            return JSONResponse({**to_dict(transcript, segments=segments, words=words), "usage": _usage(transcript)})
        case TranscriptFormat.TEXT:
            text, media_type = to_text(transcript), "text/plain"
        case TranscriptFormat.SRT:
            text, media_type = to_srt(transcript, subtitles), "application/x-subrip; charset=utf-8"
        case TranscriptFormat.VTT:
            text, media_type = to_vtt(transcript, subtitles), "text/vtt"
    return JSONResponse(text) if as_json_string else Response(text, media_type=media_type)


def logprobs(segments: Iterable[TranscribedSegment]) -> list[dict[str, Any]]:
    """Return OpenAI's list of the tokens of a text, each with its bytes and the logarithm of its probability."""
    return [
        {
            "token": token.text.decode("utf-8", "replace"),
            "logprob": math.log(max(token.probability, sys.float_info.min)),
            "bytes": list(token.text),
        }
        for segment in segments
        for word in segment.words
        for token in word.tokens
    ]


def token_usage(transcript: Transcript) -> dict[str, Any]:
    """Return the usage in tokens, which OpenAI's clients expect of a stream: text tokens, and a rate for the audio."""
    audio = math.ceil(transcript.samples * _TOKENS_PER_SECOND / SAMPLE_RATE)
    text = sum(len(segment.hypothesis.tokens) for segment in transcript.segments)
    return {
        "type": "tokens",
        "input_tokens": audio,
        "input_token_details": {"audio_tokens": audio, "text_tokens": 0},
        "output_tokens": text,
        "total_tokens": audio + text,
    }


def _usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": seconds(transcript.samples)}
