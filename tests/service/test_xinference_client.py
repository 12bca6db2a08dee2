"""The real `xinference_client` package on the real service."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from xinference_client import RESTfulClient as Client

from realtime.audio.formats import Samples

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


def test_a_text_is_spoken_in_chunks(client: Client, word_errors: Callable[[str, str], float]) -> None:
    chunks = list(client.get_model("hibari-tts").speech(SENTENCE, stream=True))
    assert len(chunks) > 5
    answer = client.get_model("whisper-base").transcriptions(b"".join(map(bytes, chunks)))
    assert word_errors(SENTENCE, answer["text"]) == 0


def test_another_model_is_launched_and_terminated(client: Client, word_errors: Callable[[str, str], float]) -> None:
    speech = client.get_model("hibari-tts").speech(SENTENCE)
    assert client.launch_model("whisper-tiny.en", model_type="audio", model_uid="captions") == "captions"
    answer = client.get_model("captions").transcriptions(speech)
    assert word_errors(SENTENCE, answer["text"]) < 0.3
    client.terminate_model("captions")
    assert not client.describe_model("whisper-tiny.en")["loaded"]
    with pytest.raises(RuntimeError, match="'captions' does not exist"):
        client.get_model("captions")


def test_the_default_is_still_there_after_its_termination(client: Client) -> None:
    client.terminate_model(client.launch_model("hibari-tts", model_type="audio"))
    assert client.describe_model("hibari-tts")["loaded"]


def test_errors_have_readable_messages(client: Client) -> None:
    with pytest.raises(RuntimeError, match="Failed to transcribe the audio, detail: "):
        client.get_model("whisper-base").transcriptions(b"This is no recording. " * 50)
