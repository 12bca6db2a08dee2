"""What the page saves: text, subtitles and JSON."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from realtime.audio.formats import SAMPLE_RATE
from realtime.speech.subtitles import SubtitleLayout, subtitles
from realtime.speech.transcript import Word
from tests.page.conftest import chromium_only
from tests.support.browsers.page import Page
from tests.support.realtime_service import realtime_service

SIDECAR = Path(__file__).parents[2] / "../shared/speech/words.jsonl"
ENGLISH = (
    "When the rain had stopped at last, the children ran out into the street, and Mrs. Miller called them back. Nobody"
    " knows yet whether the old bridge over the River Thames will be closed for 12 weeks. It was written by Maria"
    " Louisa Fernanda Gonzalez of Guadalajara, who had never left it: it costs 300 million euros."
)
GERMAN = "Am 3. Oktober kommen wir, wenn alles gut geht, mit Dr. Weber und den anderen aus Hamburg zurück nach Berlin."
CHINESE = "我们明天上午十点在图书馆前面见面然后一起去看电影，大家都很高兴。"

Cue: TypeAlias = tuple[float, float, list[str]]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    browse = chromium_only()
    with (
        realtime_service() as service,
        browse(f"http://127.0.0.1:{service.port}/", tmp_path_factory.mktemp("silence")) as page,
    ):
        yield page


def timed(texts: Sequence[str], seconds: float, pause_after: int) -> list[dict[str, Any]]:
    """Return words that take this time each, with pauses of 0.3 s and, after every `pause_after` of them, of 1 s."""
    words, at = [], 0.0
    for number, text in enumerate(texts, 1):
        words.append({"word": text, "start": round(at, 3), "end": round(at + seconds, 3), "probability": 1.0})
        at += seconds + (1.0 if number % pause_after == 0 else 0.3 if number % 9 == 0 else 0.0)
    return words


def of_page(page: Page, turns: Sequence[tuple[list[dict[str, Any]], str]]) -> list[list[Cue]]:
    """Return the subtitles that the page makes of each turn alone."""
    made = [{"committed": "", "words": words, "language": language} for words, language in turns]
    cues = page.evaluate(
        f"import('/page/subtitles.js').then(({{ cues }}) => {json.dumps(made)}.map((turn) => cues([turn])))"
    )
    return [[(each["start"] / 1000, each["end"] / 1000, each["lines"]) for each in turn] for turn in cues]


def of_server(words: Sequence[dict[str, Any]], language: str) -> list[Cue]:
    samples = [
        Word(each["word"], round(each["start"] * SAMPLE_RATE), round(each["end"] * SAMPLE_RATE), 1.0) for each in words
    ]
    return [
        (cue.start / SAMPLE_RATE, cue.end / SAMPLE_RATE, list(cue.lines))
        for cue in subtitles([(samples, language)], SubtitleLayout())
    ]


def same(one: list[Cue], other: list[Cue]) -> bool:
    return [lines for *_, lines in one] == [lines for *_, lines in other] and all(
        first[:2] == pytest.approx(second[:2], abs=0.001) for first, second in zip(one, other, strict=True)
    )


def test_subtitles_of_the_page_are_those_of_the_server(page: Page) -> None:
    texts = [([f" {word}" for word in ENGLISH.split()], "en"), ([f" {word}" for word in GERMAN.split()], "de")]
    turns = [
        (timed(words, seconds, pause_after), language)
        for words, language in [*texts, (list(CHINESE), "zh")]
        for seconds in (0.13, 0.31, 0.62)
        for pause_after in (5, 17, 100)
    ]
    for (words, language), made in zip(turns, of_page(page, turns), strict=True):
        assert same(made, of_server(words, language)), made


@pytest.mark.shared
def test_subtitles_of_recorded_speech_are_those_of_the_server(page: Page) -> None:
    if not SIDECAR.is_file():
        pytest.skip("the recorded speech is not beside this checkout")
    turns = [
        ([{"word": f" {text}", "start": start, "end": end} for text, start, end in utterance["words"]], "en")
        for row in map(json.loads, SIDECAR.read_text(encoding="utf-8").splitlines())
        for utterance in row["utterances"]
    ]
    for (words, language), made in zip(turns, of_page(page, turns), strict=True):
        assert same(made, of_server(words, language)), made


def test_names_and_numbers_stay_whole(page: Page) -> None:
    (made,) = of_page(page, [(timed([f" {word}" for word in ENGLISH.split()], 0.3, 100), "en")])
    ends = {line.split()[-1] for *_, lines in made for line in lines}
    assert not {"Mrs.", "Maria", "Louisa", "Fernanda", "River", "12", "300"} & ends


def test_markup_in_what_is_said_is_text_in_webvtt(page: Page) -> None:
    words = timed([" Smith", " &", " <b>Co</b>", " -->", " gone."], 0.3, 100)
    turn = json.dumps({"committed": "", "words": words, "language": "en"})
    vtt = page.evaluate(f"import('/page/subtitles.js').then(({{ FORMATS }}) => FORMATS.vtt([{turn}]))")
    assert vtt.splitlines()[3:] == ["Smith &amp; &lt;b&gt;Co&lt;/b&gt; --&gt; gone."]
    shown = page.evaluate(
        f"""(async () => {{
          const {{ FORMATS }} = await import("/page/subtitles.js");
          const track = Object.assign(document.createElement("track"), {{
            src: URL.createObjectURL(new Blob([FORMATS.vtt([{turn}])], {{ type: "text/vtt" }})),
          }});
          const video = document.body.appendChild(document.createElement("video"));
          video.append(track);
          track.track.mode = "hidden";
          await new Promise((resolve, reject) => {{ track.onload = resolve; track.onerror = reject; }});
          return [...track.track.cues].map((cue) => cue.getCueAsHTML().textContent);
        }})()"""
    )
    assert shown == ["Smith & <b>Co</b> --> gone."]


def test_lines_of_chinese_have_sixteen_characters(page: Page) -> None:
    text = "我们明天上午十点在图书馆前面见面然后一起去看电影，大家都很高兴"
    words = [{"word": each, "start": at / 5, "end": at / 5 + 0.2} for at, each in enumerate(text)]
    turn = json.dumps({"committed": text, "words": words, "start": 0, "end": 7, "language": "zh"})
    srt = page.evaluate(f"import('/page/subtitles.js').then(({{ FORMATS }}) => FORMATS.srt([{turn}]))")
    lines = [line for cue in srt.strip().split("\n\n") for line in cue.split("\n")[2:]]
    assert "".join(lines) == text
    assert max(map(len, lines)) == 16


def test_a_turn_that_was_cut_off_has_lines_that_can_be_read(page: Page) -> None:
    text = "The committee meets again on Thursday, and nobody knows yet whether the old bridge will be closed for long"
    turn = json.dumps({"committed": text, "words": [], "start": 2, "end": 9, "language": None})
    srt = page.evaluate(f"import('/page/subtitles.js').then(({{ FORMATS }}) => FORMATS.srt([{turn}]))")
    cues = [cue.split("\n") for cue in srt.strip().split("\n\n")]
    assert " ".join(line for cue in cues for line in cue[2:]) == text
    assert max(len(line) for cue in cues for line in cue[2:]) <= 42
    assert (cues[0][1][:12], cues[-1][1][-12:]) == ("00:00:02,000", "00:00:09,000")


def test_a_turn_whose_times_are_not_known_can_be_saved(page: Page) -> None:
    turn = json.dumps({"committed": "Good morning.", "words": [], "start": 3, "language": None})
    turns = f"[{{ ...{turn}, end: NaN }}, {{ ...{turn}, start: NaN, end: NaN }}]"
    srt = page.evaluate(f"import('/page/subtitles.js').then(({{ FORMATS }}) => FORMATS.srt({turns}))")
    assert srt.startswith("1\n00:00:03,000 --> 00:00:0")
    assert srt.count("Good morning.") == 2
