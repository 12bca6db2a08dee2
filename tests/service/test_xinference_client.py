"""The real `xinference_client` package on the real service."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from xinference_client import RESTfulClient as Client

from realtime.audio import Samples

pytestmark = pytest.mark.models

SENTENCE = "The teacher wrote the answer on the blackboard."


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    client = Client(f"http://{address}")
    yield client
    client.close()


def test_a_recording_is_transcribed(
    client: Client,
    spoken: Callable[[str], Samples],
    wav: Callable[[Samples], bytes],
    word_errors: Callable[[str, str], float],
) -> None:
    recording = wav(np.concatenate([spoken(SENTENCE), np.zeros(12_000, np.float32)]))
    answer = client.get_model("whisper-base").transcriptions(recording)
    assert word_errors(SENTENCE, answer["text"]) == 0


def test_a_text_is_spoken(client: Client, word_errors: Callable[[str, str], float]) -> None:
    speech = client.get_model("hibari-tts").speech(SENTENCE)
    answer = client.get_model("whisper-base").transcriptions(speech, response_format="verbose_json")
    assert word_errors(SENTENCE, answer["text"]) == 0


def test_what_goes_wrong_is_told_in_words(client: Client) -> None:
    with pytest.raises(RuntimeError, match="Failed to transcribe the audio, detail: "):
        client.get_model("whisper-base").transcriptions(b"This is no recording. " * 50)
