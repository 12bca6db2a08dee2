"""What a client that asks for a path without an endpoint may have meant.

Most such paths come from a base URL with or without `/v1`, or from a program that was written for another server:
whisper.cpp posts recordings to `/inference`.
"""

import re
from collections.abc import Sequence
from typing import Final

from starlette.routing import BaseRoute, Match

_MAX_PATH: Final = 200
"""Characters of the longest path for which a similar one is looked for, and which an error may quote."""

_MAX_PARTS: Final = 8
"""Parts of such a path; those of Azure's clients have five behind a prefix of one or two."""

_ELSEWHERE: Final = (
    (r"realtime|websocket|ws|live", "a websocket at /v1/realtime"),
    (r"translate|translations?", "POST /v1/audio/translations"),
    (r"asr|stt|inference|listen|recogni[sz]e|recognition|speech-?to-?text|transcri(?:be|pt|pts|ption|ptions)",
     "POST /v1/audio/transcriptions"),
    (r"tts|say|speak|speech|synthesi[sz]e|text-?to-?speech", "POST /v1/audio/speech"),
    (r"voices|speakers", "GET /v1/audio/voices"),
    (r"models|tags", "GET /v1/models"),
    (r"status|ping|healthz?|ready", "GET /readyz"),
)  # fmt: skip
"""Parts of the paths of other servers, and what this one has for them."""


def proposal(path: str, routes: Sequence[BaseRoute]) -> str | None:
    """Return the endpoint that `path` is likely to mean: one of `routes`, or what another server has at that path."""
    parts = path.split("/")[1:]
    if len(path) > _MAX_PATH or len(parts) > _MAX_PARTS:
        return None
    ends = ["/".join(parts[start:]) for start in range(len(parts))]
    for candidate in (f"{prefix}/{end}" for end in ends for prefix in ("/v1", "")):
        scope = {"type": "http", "path": candidate, "method": "GET"}
        if any(route.matches(scope)[0] is not Match.NONE for route in routes):
            return candidate
    for pattern, endpoint in _ELSEWHERE:
        if any(re.fullmatch(pattern, part.lower().replace("_", "-")) for part in parts):
            return endpoint
    return None
