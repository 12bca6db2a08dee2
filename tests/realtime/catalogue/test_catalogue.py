import pytest

from realtime.catalogue.names import ModelNames, is_synthesizer, lookup
from realtime.catalogue.piper import PIPER_REPOSITORY, piper_file
from realtime.catalogue.pocket import POCKET_LANGUAGES, POCKET_REPOSITORY, pocket_folder, pocket_name
from realtime.catalogue.table import COSYVOICE_NAME, ENTRIES, EngineName, Task
from realtime.catalogue.voices import (
    OPENAI_VOICES,
    AnyVoice,
    MixableVoices,
    VoiceNames,
    find_voice,
    mixture,
    resolve_voice,
    voice_language,
    voice_of_language,
)
from realtime.engines.speech_job import SpeechJob
from realtime.errors import UnknownModel, UnknownVoice, UnsupportedModel
from realtime.settings import Settings


def recognizer(name: str, **settings: str) -> str:
    return ModelNames(Settings(**settings)).resolve(name, Task.TRANSCRIPTION).name  # type: ignore[arg-type]


def test_every_name_of_the_catalogue_is_found() -> None:
    for entry in ENTRIES:
        assert lookup(entry.name) is entry


def test_a_model_is_printed_as_its_name() -> None:
    assert repr(lookup("whisper-base")) == "ModelEntry('whisper-base')"


def test_names_and_sources_are_unique() -> None:
    names = [entry.name for entry in ENTRIES]
    single = [entry for entry in ENTRIES if entry.name != COSYVOICE_NAME]  # the best of several
    sources = [entry.source for entry in single if entry.source not in (PIPER_REPOSITORY, POCKET_REPOSITORY)]
    assert len(names + sources) == len({*names, *sources})


@pytest.mark.parametrize(
    "name",
    ["whisper-1", "whisper-2", "gpt-4o-transcribe", "gpt-4o-mini-transcribe-2025-12-15", "gpt-4o-transcribe-diarize",
     "gpt-transcribe", "gpt-live-transcribe", "gpt-realtime-whisper", "openai/whisper-1", "Whisper-1", " whisper-1 "],
)  # fmt: skip
def test_openai_recognizers_mean_the_default(name: str) -> None:
    assert recognizer(name, transcription_model="whisper-small.en") == "whisper-small.en"


@pytest.mark.parametrize(
    "name", ["tts-1", "tts-1-hd", "tts-1-1106", "tts-1-hd-1106", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15"]
)
def test_openai_voice_models_mean_the_default(name: str) -> None:
    assert ModelNames(Settings()).resolve(name, Task.SPEECH).name == "hibari-tts"


def test_no_name_means_the_default() -> None:
    assert recognizer("") == "whisper-base"


def test_a_model_is_found_by_its_repository() -> None:
    assert recognizer("Systran/faster-whisper-tiny.en") == "whisper-tiny.en"


def test_any_repository_is_a_recognizer_of_unknown_licence() -> None:
    entry = lookup("someone/whisper-icelandic")
    assert (entry.source, entry.licence, entry.languages) == ("someone/whisper-icelandic", "unknown", ())
    assert entry.multilingual


@pytest.mark.parametrize("name", ["a/b/c", "../etc", "/etc", "someone/", "whisper-gigantic", "a/b\n"])
def test_what_is_neither_a_name_nor_a_repository_is_unknown(name: str) -> None:
    with pytest.raises(UnknownModel):
        lookup(name)
    with pytest.raises(UnknownModel):
        recognizer(name)


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(UnknownModel, match="The model 'whisper-gigantic' does not exist") as caught:
        recognizer("whisper-gigantic")
    assert caught.value.param == "model"


def test_repositories_that_the_settings_name_are_available_once() -> None:
    settings = Settings(
        transcription_model="their/default",
        preload=("their/preloaded", "hibari-tts", "whisper-1"),
        model_paths=("their/local=/weights", "whisper-tiny=/tiny", "their/default=/default", "nothing=/nowhere"),
    )
    added = [name for name in ModelNames(settings).listed() if name not in {entry.name for entry in ENTRIES}]
    assert added == ["their/default", "their/preloaded", "their/local"]


def test_a_repository_is_available_only_if_the_operator_named_it() -> None:
    with pytest.raises(UnknownModel):
        recognizer("somebody/unlisted")
    listed = ModelNames(Settings(model_paths=("somebody/listed=/models/listed",)))
    assert listed.resolve("somebody/listed", Task.TRANSCRIPTION).name == "somebody/listed"
    assert recognizer("somebody/default", transcription_model="somebody/default") == "somebody/default"


def test_the_defaults_and_the_preloaded_models_are_pinned_once() -> None:
    settings = Settings(preload=("whisper-tiny", "whisper-1", "tts-1", "Systran/faster-whisper-tiny"))
    assert [entry.name for entry in ModelNames(settings).pinned] == ["whisper-base", "hibari-tts", "whisper-tiny"]


def test_all_other_recognizers_have_the_draft_model_which_is_pinned() -> None:
    names = ModelNames(Settings(draft_model="tiny", preload=("their/whisper", "whisper-tiny")))
    assert names.draft == lookup("whisper-tiny")
    assert [entry.name for entry in names.pinned] == ["whisper-base", "hibari-tts", "whisper-tiny", "their/whisper"]
    drafted = {name for name, entry in names.listed().items() if entry.draft == names.draft}
    recognizers = {name for name, entry in names.listed().items() if entry.task is Task.TRANSCRIPTION}
    assert drafted == recognizers - {"whisper-tiny"}
    assert names.resolve("", Task.TRANSCRIPTION).draft == names.draft


def test_a_draft_model_must_transcribe() -> None:
    with pytest.raises(UnsupportedModel, match="is for speech, not for transcription"):
        ModelNames(Settings(draft_model="hibari-tts"))


@pytest.mark.parametrize("name", ["hibari-tts", "tts-1"])
def test_a_model_of_another_task_is_not_supported(name: str) -> None:
    with pytest.raises(UnsupportedModel, match="is for speech, not for transcription"):
        recognizer(name)
    with pytest.raises(UnsupportedModel):
        ModelNames(Settings()).resolve("whisper-base", Task.SPEECH)


def test_a_default_of_another_task_is_not_supported() -> None:
    with pytest.raises(UnsupportedModel, match="is for speech, not for transcription"):
        ModelNames(Settings(transcription_model="hibari-tts"))


@pytest.mark.parametrize(
    ("names", "model"),
    [
        (("base", "Base", "whisper-base", "openai/whisper-base", "ggml-base.bin", "Systran/faster-whisper-base",
          "faster-whisper-base", "whisper_base", "Xenova/whisper-base"), "whisper-base"),
        (("base.en", "base-en", "ggml-base.en-q5_1.bin"), "whisper-base.en"),
        (("large", "large-v3", "whisper-v3", "guillaumekln/faster-whisper-large-v3", "groq/whisper-large-v3",
          "mlx-community/whisper-large-v3-mlx-4bit"), "whisper-large-v3"),
        (("turbo", "large-v3-turbo", "deepdml/faster-whisper-large-v3-turbo-ct2"), "whisper-large-v3-turbo"),
        (("distil-large-v3", "distil-whisper/distil-large-v3", "distil-whisper-large-v3-en"),
         "distil-whisper-large-v3"),
        (("distil-small.en",), "distil-whisper-small.en"),
    ],
)  # fmt: skip
def test_a_size_means_this_size_in_whatever_format(names: tuple[str, ...], model: str) -> None:
    assert {name: recognizer(name) for name in names} == dict.fromkeys(names, model)


@pytest.mark.parametrize(
    "name",
    ["large-v1", "openai/whisper-large-v1", "ivrit-ai/whisper-large-v3-ct2", "someone/whisper-base", "nvidia/parakeet",
     "whisper-base-icelandic", "whisper-icelandic", "base-icelandic", "distil-tiny"],
)  # fmt: skip
def test_another_recognizer_never_answers_for_a_certain_one(name: str) -> None:
    with pytest.raises(UnknownModel):
        recognizer(name)


@pytest.mark.parametrize("name", ["default", "kokoro", "gpt-4o", "my model", "whisper", "nova-3"])
def test_the_default_answers_for_names_that_mean_nothing_unless_the_settings_refuse_them(name: str) -> None:
    names = ModelNames(Settings())
    assert (names.resolve(name, Task.TRANSCRIPTION).name, names.is_substituted(name)) == ("whisper-base", True)
    with pytest.raises(UnknownModel):
        ModelNames(Settings(unknown_names="refuse")).resolve(name, Task.TRANSCRIPTION)


@pytest.mark.parametrize("name", ["kokoro", "hexgrad/Kokoro-82M", "alloy", "someone/voice"])
def test_the_default_speaks_for_any_unknown_voice_model_unless_the_settings_refuse_it(name: str) -> None:
    assert ModelNames(Settings()).resolve(name, Task.SPEECH).name == "hibari-tts"
    with pytest.raises(UnknownModel):
        ModelNames(Settings(unknown_names="refuse")).resolve(name, Task.SPEECH)


@pytest.mark.parametrize("name", ["", "whisper-1", "base", "tts-1", "whisper-tiny"])
def test_what_a_name_means_is_no_substitute(name: str) -> None:
    assert not ModelNames(Settings()).is_substituted(name)


@pytest.mark.parametrize("name", ["base", "Systran/faster-whisper-base", "their/whisper-base-ct2"])
def test_an_operator_may_name_a_size_too_and_a_repository_stays_itself(name: str) -> None:
    expected = name if name.startswith("their/") else "whisper-base"
    assert recognizer("", transcription_model=name) == expected
    assert recognizer(name, transcription_model=name) == expected


def test_a_converted_size_in_the_settings_is_not_taken_for_the_catalogue_s() -> None:
    assert recognizer("whisper-1", transcription_model="deepdml/faster-whisper-base-ct2") == (
        "deepdml/faster-whisper-base-ct2"
    )


def test_unknown_recognizers_are_told_from_available_ones() -> None:
    names = ModelNames(Settings())
    found = [names.recognizer(name) for name in ("", "tiny.en", "gpt-transcribe", "gpt-realtime", "hibari-tts")]
    assert found == [lookup("whisper-base"), lookup("whisper-tiny.en"), lookup("whisper-base"), None, None]


def test_english_and_chinese_models_do_not_translate() -> None:
    for entry in ENTRIES:
        if not entry.multilingual:
            assert not entry.capabilities.translation


@pytest.mark.parametrize(
    ("name", "possible"),
    [("whisper-base", True), ("whisper-tiny.en", False), ("whisper-large-v3-turbo", False), ("someone/theirs", True)],
)
def test_a_recognizer_says_whether_it_translates(name: str, possible: bool) -> None:
    assert lookup(name).capabilities.translation is possible


def test_no_voice_claims_what_its_engine_is_not_given() -> None:
    """A recorded prompt or instructions would otherwise be accepted and dropped on the way to the engine."""
    assert {"instructions", "transcript"} <= set(SpeechJob.__slots__)
    for entry in ENTRIES:
        if entry.capabilities.cloning or entry.capabilities.instructions:
            assert entry.engine in (EngineName.CHATTTS, EngineName.COSYVOICE)


def test_openais_own_repositories_mean_the_models_of_the_same_name() -> None:
    assert recognizer("openai/whisper-large-v3") == "whisper-large-v3"


def test_there_are_thirteen_openai_voices_and_each_is_always_the_same_local_one() -> None:
    voices = ("heart", "emma", "adam")
    assert len(OPENAI_VOICES) == 13
    assert [resolve_voice(name, voices) for name in OPENAI_VOICES[:4]] == ["heart", "emma", "adam", "heart"]


def test_an_openai_voice_means_the_similar_one_if_that_is_there() -> None:
    voices = ("heart", "emma", "fenrir")
    assert [resolve_voice(name, voices) for name in ("onyx", "sage", "shimmer", "cedar")] == [
        "fenrir",
        "emma",
        "heart",
        "fenrir",
    ]


def test_no_voice_means_the_first() -> None:
    assert resolve_voice("", ("heart", "emma")) == "heart"


@pytest.mark.parametrize("name", ["default", " Default", "HEART", "heart ", "af_heart", "Alloy", "alloy "])
def test_case_and_blanks_of_a_voice_do_not_matter(name: str) -> None:
    assert find_voice(name, ("heart", "emma")) == "heart"


@pytest.mark.parametrize("name", ["af_bella", "af_heart(2)+af_sky(1)", "hibari-tts", "de-DE-KatjaNeural", "heart2"])
def test_a_voice_of_another_model_is_unknown(name: str) -> None:
    assert find_voice(name, ("heart", "emma")) is None


@pytest.mark.parametrize(
    "name",
    [
        "kokoro",
        "Kokoro-82M",
        "hexgrad/Kokoro-82M",
        "speaches-ai/Kokoro-82M-v1.0-ONNX",
        "onnx-community/Kokoro-82M-v1.0-ONNX",
    ],
)
def test_kokoro_is_meant_only_where_the_settings_name_it(name: str) -> None:
    assert lookup(name).name == "kokoro"
    assert ModelNames(Settings(preload=("kokoro",))).resolve(name, Task.SPEECH).name == "kokoro"
    assert ModelNames(Settings(model_paths=("kokoro=/models",))).resolve(name, Task.SPEECH).name == "kokoro"
    names = ModelNames(Settings())
    assert names.resolve(name, Task.SPEECH).name == "hibari-tts"
    assert names.is_substituted(name)


KOKORO = MixableVoices(("af_heart", "af_nova", "am_echo", "am_fenrir", "am_santa", "bf_emma", "ef_dora", "em_santa"))


@pytest.mark.parametrize(
    ("name", "voice"),
    [("", "af_heart"), ("AF_Heart", "af_heart"), ("heart", "af_heart"), ("santa", "am_santa"), ("em_santa", "em_santa"),
     ("nova", "af_nova"), ("echo", "am_echo"), ("onyx", "am_fenrir"), ("sage", "bf_emma"), ("bf_heart", None),
     ("af_sarah", None)],
)  # fmt: skip
def test_a_name_means_a_voice_of_kokoros_with_and_without_its_prefix(name: str, voice: str | None) -> None:
    assert find_voice(name, KOKORO) == voice


@pytest.mark.parametrize(
    ("name", "mixed"),
    [("af_heart+bf_emma", "af_heart(1)+bf_emma(1)"), (" AF_Heart(2) + emma(0.5)", "af_heart(2)+bf_emma(0.5)"),
     ("heart+nova+echo", "af_heart(1)+af_nova(1)+am_echo(1)"),
     ("heart(9999)+emma(0.000001)", "af_heart(9999)+bf_emma(0.000001)")],
)  # fmt: skip
def test_a_sum_of_kokoros_voices_is_a_voice(name: str, mixed: str) -> None:
    assert find_voice(name, KOKORO) == mixed
    assert find_voice(mixed, KOKORO) == mixed
    assert len(mixture(mixed)) == mixed.count("+") + 1


@pytest.mark.parametrize(
    "name",
    [
        "af_heart+af_sarah",
        "af_heart+",
        "+",
        "af_heart(x)+bf_emma",
        "af_heart(0)+bf_emma(0)",
        "af_heart(10000)+bf_emma",
        "+".join(["heart"] * 9),
    ],
)
def test_what_is_no_sum_of_voices_is_unknown(name: str) -> None:
    assert find_voice(name, KOKORO) is None


def test_a_mixture_has_voices_with_weights() -> None:
    assert mixture("af_heart(2)+bf_emma") == [("af_heart", 2.0), ("bf_emma", 1.0)]
    assert mixture("af_heart") == [("af_heart", 1.0)]


@pytest.mark.parametrize(
    ("voice", "language"),
    [("bf_emma", "en"), ("ef_dora(2)+af_heart(1)", "es"), ("zf_xiaoxiao", "zh"), ("jf_alpha", ""), ("heart", "")],
)
def test_the_name_of_a_voice_of_kokoros_says_its_language(voice: str, language: str) -> None:
    assert voice_language(voice, lookup("kokoro").languages) == language
    assert voice_language(voice, ("en",)) == ""


def test_a_local_voice_comes_before_an_openai_name() -> None:
    assert resolve_voice("nova", ("heart", "emma", "nova")) == "nova"


def test_the_error_for_an_unknown_voice_lists_the_voices() -> None:
    with pytest.raises(UnknownVoice, match=r"'sarah'.*heart, emma") as caught:
        resolve_voice("sarah", ("heart", "emma"))
    assert caught.value.param == "voice"
    assert find_voice("sarah", ("heart", "emma")) is None


@pytest.mark.parametrize(
    ("name", "owner", "voice"),
    [
        ("thorsten", "piper-de_DE-thorsten-medium", "thorsten"),
        (" Thorsten ", "piper-de_DE-thorsten-medium", "thorsten"),
        ("emma", "hibari-tts", "emma"),
        ("alloy", "hibari-tts", "heart"),
        ("", "hibari-tts", "heart"),
        ("zoe", "hibari-tts", None),
    ],
)
def test_a_voice_that_only_the_model_of_a_language_has_means_that_model(
    name: str, owner: str, voice: str | None
) -> None:
    german = lookup("piper-de_DE-thorsten-medium"), ("thorsten", "emma")
    voices = VoiceNames(lookup("hibari-tts"), ("heart", "emma"), {"de": german})
    assert (voices.owner(name).name, voices.find(name)) == (owner, voice)


def test_a_name_that_another_model_lists_is_no_invented_voice_of_the_default_one() -> None:
    french = lookup("piper-fr_FR-siwis-medium"), ("siwis",)
    voices = VoiceNames(lookup("ChatTTS"), AnyVoice(("default",)), {"fr": french})
    assert (voices.owner("siwis").name, voices.find("siwis"), voices.find("Ann")) == (french[0].name, "siwis", "Ann")


def test_a_mixture_of_another_models_voices_means_that_model() -> None:
    voices = VoiceNames(lookup("hibari-tts"), ("heart", "emma"), {"es": (lookup("kokoro"), KOKORO)})
    assert (voices.owner("ef_dora+em_santa").name, voices.find("ef_dora+em_santa")) == (
        "kokoro",
        "ef_dora(1)+em_santa(1)",
    )
    assert voices.owner("ef_dora+nobody").name == "hibari-tts"
    both = VoiceNames(lookup("kokoro"), KOKORO, {"de": (lookup("piper-de_DE-thorsten-medium"), ("thorsten",))})
    assert both.owner("ef_dora+em_santa").name == "kokoro"


@pytest.mark.parametrize("name", ["kokoro", "hexgrad/Kokoro-82M", "tts-1", "piper-de_DE-eva_k-x_low"])
def test_every_name_of_a_voice_model_means_one(name: str) -> None:
    assert is_synthesizer(name)
    assert not is_synthesizer("gpt-realtime")


def test_a_language_has_the_voice_that_is_configured_for_it() -> None:
    german, mixed = lookup("piper-de_DE-thorsten-medium"), lookup("ChatTTS")
    voices = VoiceNames(lookup("hibari-tts"), ("heart",), {"de": (german, ("thorsten",)), "zh": (mixed, ("default",))})
    assert [voices.of_language(each) for each in ("de", "en", "zh")] == ["thorsten", None, None]


@pytest.mark.parametrize(
    ("voice", "language", "chosen"),
    [("af_heart", "es", "ef_dora"), ("am_fenrir", "es", "em_santa"), ("am_fenrir", "fr", "am_fenrir"),
     ("bf_emma", "en", "bf_emma"), ("ef_dora", "en", "af_heart")],
)  # fmt: skip
def test_a_language_has_a_voice_of_kokoros_of_the_same_sex(voice: str, language: str, chosen: str) -> None:
    assert voice_of_language(voice, KOKORO, lookup("kokoro").languages, language) == chosen


def test_a_language_for_which_kokoro_is_configured_has_a_voice_of_that_language() -> None:
    voices = VoiceNames(lookup("hibari-tts"), ("heart",), {"es": (lookup("kokoro"), KOKORO)})
    assert voices.of_language("es") == "ef_dora"


def test_a_freely_chosen_name_that_means_nothing_means_the_default() -> None:
    names = ModelNames(Settings())
    assert names.resolve("my-whisper", Task.TRANSCRIPTION, chosen_freely=True).name == "whisper-base"
    assert names.resolve("whisper-tiny", Task.TRANSCRIPTION, chosen_freely=True).name == "whisper-tiny"
    with pytest.raises(UnknownModel):
        ModelNames(Settings(unknown_names="refuse")).resolve("my-whisper", Task.TRANSCRIPTION, chosen_freely=True)


@pytest.mark.parametrize("name", ["piper-de_DE-thorsten-medium", "piper-sv_SE-nst-medium", " piper-de_DE-eva_k-x_low "])
def test_any_voice_of_pipers_is_a_model_of_its_language(name: str) -> None:
    entry = lookup(name)
    assert (entry.name, entry.task, entry.languages) == (name.strip(), Task.SPEECH, (name.strip()[6:8],))


def test_pocket_tts_has_a_model_and_a_folder_for_each_language() -> None:
    assert lookup("pocket-tts").languages == ("en",)
    assert lookup("pocket-tts-german").languages == ("de",)
    assert [pocket_folder(pocket_name(folder)) for folder in POCKET_LANGUAGES] == [*POCKET_LANGUAGES]


@pytest.mark.parametrize("name", ["piper", "piper-thorsten", "piper-de_DE-thorsten", "piper-de-thorsten-medium"])
def test_other_names_are_no_voices_of_pipers(name: str) -> None:
    with pytest.raises(UnknownModel):
        lookup(name)


def test_the_files_of_a_voice_of_pipers_are_below_its_language() -> None:
    assert piper_file("piper-de_DE-eva_k-x_low") == "de/de_DE/eva_k/x_low/de_DE-eva_k-x_low.onnx"
