"""The real `openai` package on the real HTTP endpoints: speech is transcribed again."""

import io
import wave
from collections.abc import Callable, Iterator

import av
import numpy as np
import pytest
from openai import OpenAI

from realtime.audio.formats import Samples

pytestmark = pytest.mark.models

RATE = 24_000
SENTENCE = "Seven tired visitors were sitting on the floor of the station."
STORY = (
    SENTENCE,
    "The last train had left an hour before, and the doors were already locked.",
    "An old woman opened her basket and gave everybody a slice of bread.",
    "Outside the rain was falling on the empty streets of the town.",
    "In the morning a young man came with the keys and a can of hot coffee.",
)


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"http://{address}/v1", api_key="none", max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def file(spoken: Callable[[str], Samples], wav: Callable[[Samples], bytes]) -> tuple[str, bytes]:
    silence = np.zeros(RATE // 2, np.float32)
    return "speech.wav", wav(np.concatenate([silence, spoken(SENTENCE), silence]))


def test_a_transcript_as_json(
    client: OpenAI, file: tuple[str, bytes], word_errors: Callable[[str, str], float]
) -> None:
    answer = client.audio.transcriptions.create(model="whisper-1", file=file)
    assert word_errors(SENTENCE, answer.text) == 0


def test_a_quiet_recording_gives_the_same_transcript(
    client: OpenAI,
    spoken: Callable[[str], Samples],
    wav: Callable[[Samples], bytes],
    word_errors: Callable[[str, str], float],
) -> None:
    quiet = wav(np.float32(0.005) * spoken(SENTENCE))
    answer = client.audio.transcriptions.create(model="whisper-1", file=("quiet.wav", quiet))
    assert word_errors(SENTENCE, answer.text) == 0


def test_a_transcript_as_text(
    client: OpenAI, file: tuple[str, bytes], word_errors: Callable[[str, str], float]
) -> None:
    answer = client.audio.transcriptions.create(model="whisper-base", file=file, response_format="text")
    assert word_errors(SENTENCE, answer) == 0


def test_a_transcript_with_word_times(
    client: OpenAI, file: tuple[str, bytes], spoken: Callable[[str], Samples]
) -> None:
    answer = client.audio.transcriptions.create(
        model="whisper-1", file=file, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert answer.language == "english"
    assert answer.words is not None
    assert [word.word.strip(".").lower() for word in answer.words] == SENTENCE.strip(".").lower().split()
    times = [time for word in answer.words for time in (word.start, word.end)]
    assert times == sorted(times)
    onset = 0.5 + np.flatnonzero(np.abs(spoken(SENTENCE)) > 0.02)[0] / RATE
    assert times[0] == pytest.approx(onset, abs=0.3)
    assert answer.segments is not None
    assert [segment.text.strip() for segment in answer.segments] == [answer.text]


def test_a_transcript_as_it_is_written(
    client: OpenAI,
    spoken: Callable[[str], Samples],
    wav: Callable[[Samples], bytes],
    word_errors: Callable[[str, str], float],
) -> None:
    pause = np.zeros(RATE, np.float32)
    recording = wav(np.concatenate([part for sentence in STORY for part in (spoken(sentence), pause)]))
    stream = client.audio.transcriptions.create(model="whisper-1", file=recording, stream=True, include=["logprobs"])
    *deltas, done = list(stream)
    assert len(deltas) > 1
    assert done.type == "transcript.text.done"
    assert "".join(each.delta for each in deltas if each.type == "transcript.text.delta") == done.text
    assert word_errors(" ".join(STORY), done.text) < 0.05
    assert done.logprobs is not None
    assert "".join(logprob.token or "" for logprob in done.logprobs).strip() == done.text


@pytest.mark.shared
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # OpenAI will close its own translations
def test_a_translation(
    client: OpenAI,
    recording: Callable[[str], Iterator[bytes]],
    wav: Callable[[Samples], bytes],
    clips: list[dict[str, object]],
) -> None:
    pcm = np.frombuffer(b"".join(recording("audio/de_thorsten_03.wav")), "<i2").astype(np.float32) / np.float32(32_768)
    answer = client.audio.translations.create(model="whisper-1", file=wav(pcm), response_format="verbose_json")
    assert (answer.language, "Asia" in answer.text) == ("english", True)


def test_speech_as_a_wav_file_is_understood(client: OpenAI, word_errors: Callable[[str, str], float]) -> None:
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input=SENTENCE, response_format="wav").content
    with wave.open(io.BytesIO(speech)) as recording:
        assert recording.getparams()[:3] == (1, 2, RATE)
    answer = client.audio.transcriptions.create(model="whisper-1", file=("speech.wav", speech))
    assert word_errors(SENTENCE, answer.text) == 0


def test_speech_as_mp3_is_understood(client: OpenAI, word_errors: Callable[[str, str], float]) -> None:
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input=SENTENCE).content
    with av.open(io.BytesIO(speech)) as container:
        assert container.streams.audio[0].codec_context.name.startswith("mp3")
    answer = client.audio.transcriptions.create(model="whisper-1", file=("speech.mp3", speech))
    assert word_errors(SENTENCE, answer.text) == 0


def test_speech_as_pcm_arrives_while_it_is_made(client: OpenAI, spoken: Callable[[str], Samples]) -> None:
    text = f"{SENTENCE} " * 3
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input=text, response_format="pcm", extra_body={"stream": True}
    ) as response:
        chunks = list(response.iter_bytes(4_096))
    assert len(chunks) > 10
    assert sum(map(len, chunks)) == pytest.approx(2 * 3 * len(spoken(SENTENCE)), rel=0.1)
