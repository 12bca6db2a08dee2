"""What a Wyoming server says of itself, and its answer to a ping."""

import json

import pytest

from realtime.catalogue.names import lookup
from realtime.catalogue.table import WHISPER_BASE, WHISPER_V2_LANGUAGES
from realtime.errors import BadMessage, EngineError, TooLarge
from realtime.languages import LANGUAGES
from realtime.wire.wyoming.framing import EventReader, WyomingEvent
from realtime.wire.wyoming.info import error_event, info, pong

SPEECH = lookup("hibari-tts")
GERMAN = lookup("piper-de_DE-thorsten-medium")


def test_info_offers_streaming_recognition_and_speech_with_all_that_clients_require() -> None:
    data = info(
        [WHISPER_BASE, lookup("whisper-tiny.en")], [(SPEECH, ["heart", "amber"]), (GERMAN, ["thorsten"])], "1.2"
    ).data
    asr, tts = data["asr"][0], data["tts"][0]
    assert asr["supports_transcript_streaming"] is tts["supports_synthesize_streaming"] is True
    assert {model["name"]: model["languages"] for model in asr["models"]} == {
        "whisper-base": list(WHISPER_V2_LANGUAGES),
        "whisper-tiny.en": ["en"],
    }
    assert [(voice["name"], voice["languages"]) for voice in tts["voices"]] == [
        ("heart", ["en"]),
        ("amber", ["en"]),
        ("thorsten", ["de"]),
    ]
    for artifact in (asr, tts, *asr["models"], *tts["voices"]):
        assert artifact["installed"] is True
        assert artifact["version"] == "1.2"
        assert artifact["description"]
        assert artifact["attribution"].keys() == {"name", "url"}


def test_a_voice_of_kokoros_offers_its_own_language() -> None:
    data = info([WHISPER_BASE], [(lookup("kokoro"), ["af_heart", "zf_xiaoxiao"])], "1").data
    assert [voice["languages"] for voice in data["tts"][0]["voices"]] == [["en"], ["zh"]]


def test_a_model_of_unknown_languages_offers_all() -> None:
    data = info([lookup("someone/whisper-of-theirs")], [(SPEECH, ["heart"])], "1").data
    assert data["asr"][0]["models"][0]["languages"] == list(LANGUAGES)


def test_info_lists_what_there_is_not() -> None:
    data = info([WHISPER_BASE], [(SPEECH, ["heart"])], "1").data
    assert [data[each] for each in ("handle", "intent", "wake", "mic", "snd")] == [[]] * 5


def test_info_is_one_event_that_fits_into_the_limits_of_clients() -> None:
    frame = info([WHISPER_BASE], [(SPEECH, ["heart"])], "1").frame()
    assert len(frame.partition(b"\n")[0]) < 200
    (event,) = EventReader(len(frame)).feed(frame)
    assert json.dumps(event.data)


@pytest.mark.parametrize("data", [{}, {"text": None}, {"text": "there?"}])
def test_a_pong_has_the_text_of_the_ping(data: dict[str, str | None]) -> None:
    assert pong(WyomingEvent("ping", data)) == WyomingEvent("pong", {"text": data.get("text")})


def test_a_ping_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(BadMessage, match="ping"):
        pong(WyomingEvent("ping", {"text": 1}))


def test_errors_have_a_text_and_a_code_and_no_details_of_the_server() -> None:
    assert error_event(TooLarge("Too much.")).data == {"text": "Too much.", "code": "too_large"}
    assert "/secret" not in str(error_event(EngineError("/secret")).data)
