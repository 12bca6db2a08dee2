import pytest

from realtime.catalogue.names import ALIASES, available, can_translate, find
from realtime.catalogue.table import ENTRIES, Task
from realtime.catalogue.voices import OPENAI_VOICES, resolve_voice
from realtime.errors import UnknownModel, UnknownVoice
from realtime.settings import Settings


def recognizer(name: str, default: str = "whisper-base") -> str:
    return find(name, Task.TRANSCRIPTION, default).name


def test_every_name_of_the_catalogue_is_found() -> None:
    for entry in ENTRIES:
        assert find(entry.name, entry.task, "") is entry


def test_names_and_sources_are_unique() -> None:
    names = [name for entry in ENTRIES for name in (entry.name, entry.source)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", [alias for alias, task in ALIASES.items() if task is Task.TRANSCRIPTION])
def test_openai_recognizers_mean_the_default(name: str) -> None:
    assert recognizer(name, default="whisper-small.en") == "whisper-small.en"


@pytest.mark.parametrize("name", ["tts-1", "tts-1-hd", "gpt-4o-mini-tts"])
def test_openai_voice_models_mean_the_default(name: str) -> None:
    assert find(name, Task.SPEECH, "hibari-tts").name == "hibari-tts"


def test_no_name_means_the_default() -> None:
    assert recognizer("") == "whisper-base"


def test_a_source_is_as_good_as_its_name() -> None:
    assert recognizer("Systran/faster-whisper-tiny.en") == "whisper-tiny.en"


def test_any_repository_is_a_recognizer_of_unknown_licence() -> None:
    entry = find("someone/whisper-icelandic", Task.TRANSCRIPTION, "whisper-base")
    assert (entry.source, entry.licence, entry.languages) == ("someone/whisper-icelandic", "unknown", ())
    assert entry.multilingual


@pytest.mark.parametrize("name", ["a/b/c", "../etc", "/etc", "someone/", "whisper-gigantic", "a/b\n"])
def test_what_is_neither_a_name_nor_a_repository_is_unknown(name: str) -> None:
    with pytest.raises(UnknownModel):
        recognizer(name)


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(UnknownModel, match="The model 'whisper-gigantic' does not exist") as caught:
        recognizer("whisper-gigantic")
    assert caught.value.param == "model"


def test_repositories_that_the_settings_name_are_offered_once() -> None:
    settings = Settings(
        transcription_model="their/default",
        preload=("their/preloaded", "hibari-tts", "whisper-1"),
        model_paths=("their/local=/weights", "whisper-tiny=/tiny", "their/default=/default"),
    )
    added = [entry.name for entry in available(settings)[len(ENTRIES) :]]
    assert added == ["their/default", "their/preloaded", "their/local"]


@pytest.mark.parametrize("name", ["hibari-tts", "tts-1"])
def test_a_model_of_another_task_is_unknown(name: str) -> None:
    with pytest.raises(UnknownModel):
        recognizer(name)


def test_a_repository_does_not_speak() -> None:
    with pytest.raises(UnknownModel):
        find("someone/voice", Task.SPEECH, "hibari-tts")


def test_english_and_chinese_models_do_not_translate() -> None:
    for entry in ENTRIES:
        if not entry.multilingual:
            assert not entry.can_translate


@pytest.mark.parametrize(
    ("name", "possible"),
    [("whisper-base", True), ("whisper-tiny.en", False), ("whisper-large-v3-turbo", False), ("someone/theirs", True)],
)
def test_a_recognizer_says_whether_it_translates(name: str, possible: bool) -> None:
    assert can_translate(name) is possible


def test_openais_own_repositories_mean_the_models_of_the_same_name() -> None:
    assert recognizer("openai/whisper-large-v3") == "whisper-large-v3"


def test_there_are_thirteen_openai_voices_and_each_is_always_the_same_local_one() -> None:
    voices = ("heart", "emma", "adam")
    assert len(OPENAI_VOICES) == 13
    assert [resolve_voice(name, voices) for name in OPENAI_VOICES[:4]] == ["heart", "emma", "adam", "heart"]


def test_no_voice_means_the_first() -> None:
    assert resolve_voice("", ("heart", "emma")) == "heart"


def test_a_local_voice_comes_before_an_openai_name() -> None:
    assert resolve_voice("nova", ("heart", "emma", "nova")) == "nova"


def test_an_unknown_voice_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownVoice, match=r"'sarah'.*heart, emma") as caught:
        resolve_voice("sarah", ("heart", "emma"))
    assert caught.value.param == "voice"
