"""A recording of two words, and functions that upload it."""

from typing import Any, Final

import numpy as np
from starlette.testclient import TestClient

from tests.support.recordings import silence, tone, wav_file

TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
TRANSLATIONS: Final = "/v1/audio/translations"
TWO_WORDS: Final = np.concatenate([silence(1), tone(1, 440), silence(1), tone(1, 880), silence(1)])
PITCHES: Final = (440, 660, 880, 1100, 1320, 1540)
LONG: Final = np.concatenate([part for pitch in PITCHES for part in (tone(11, pitch), silence(1))])
"""Six speech segments of one word each."""


def upload(client: TestClient, data: bytes = wav_file(TWO_WORDS), path: str = TRANSCRIPTIONS, /, **fields: Any) -> Any:
    """Post a form with a recording and fields."""
    files = {"file": ("upload", data, "application/octet-stream")}
    return client.post(path, data={"model": "whisper-1", **fields}, files=files)


def error(answer: Any) -> tuple[int, str, str | None]:
    """Return status, code and field of an error response."""
    body = answer.json()
    assert body["detail"] == body["error"]["message"]
    return answer.status_code, body["error"]["code"], body["error"]["param"]
