"""What the page says and shows where something fails, in all of its languages, and on the screen of a phone."""

import contextlib
import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import http_compat.errors  # its errors are among those of the test
import realtime.session.generation  # likewise
from realtime.errors import VoiceError
from tests.page.conftest import Browse
from tests.support.browsers.chromium import ChromiumPage
from tests.support.browsers.page import Page
from tests.support.realtime_service import eventually, realtime_service
from tests.support.recordings import silence

UNMET = {
    "events_forgotten", "session_not_resumable", "session_idle", "slow_reader",  # the library opens another session
    "host_not_allowed", "origin_not_allowed",  # for the operator, whom the page tells what the server says
    "invalid_event", "invalid_json", "invalid_multipart", "invalid_query_parameter", "invalid_type", "invalid_value",
    "missing_required_parameter", "model_in_use", "not_found", "schema_error", "string_above_max_length",
    "unsupported_content", "unsupported_media_type", "unsupported_value",  # the page sends nothing of the kind
}  # fmt: skip
"""Codes of errors that users of the page do not meet."""


def translate(page: Page, locale: str) -> None:
    page.evaluate(f"import('/page/texts.js').then(({{ translatePage }}) => translatePage({locale!r}))")


def drop(page: Page, content: str, name: str) -> None:
    """Drop a file on the page."""
    page.evaluate(f"""(() => {{
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([{json.dumps(content)}], {json.dumps(name)}));
      document.dispatchEvent(new DragEvent("drop", {{ dataTransfer }}));
    }})()""")


def is_shown(page: Page, selector: str) -> bool:
    return bool(page.evaluate(f"document.querySelector({json.dumps(selector)}).getClientRects().length"))


@pytest.mark.parametrize("width", [390, 320])
def test_no_view_is_wider_than_the_screen_of_a_phone(page: ChromiumPage, width: int) -> None:
    page.resize(width, 800, "light")
    for locale in ("en", "de", "fr", "es", "zh"):
        translate(page, locale)
        for view in ("captions", "recording", "speak", "talk"):
            page.click(f"#tab-{view}")
            shown = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert shown == [width, width], (locale, view)


def test_a_hint_names_the_button_as_it_is_called(page: Page) -> None:
    texts = page.evaluate("import('/page/texts.js').then(({ TEXTS }) => TEXTS)")
    for hint, button in (("captionsHint", "start"), ("talkHint", "startTalking")):
        for said, name in zip(texts[hint], texts[button], strict=True):
            assert name in said


def codes(error: type[VoiceError]) -> Iterator[str]:
    yield error.code
    for kind in error.__subclasses__():
        if not kind.__module__.startswith("tests."):
            yield from codes(kind)


def test_every_error_that_users_of_the_page_can_meet_is_explained_in_their_language(page: Page) -> None:
    assert {http_compat.errors.QueueFull.code, realtime.session.generation.ChatTimeout.code} <= set(codes(VoiceError))
    explain = "import('/page/failures.js').then(({ explain }) => explain({ code: %r, message: 'untranslated' }))"
    for locale in ("en", "de", "fr", "es", "zh"):
        translate(page, locale)
        untranslated = {code for code in codes(VoiceError) if page.evaluate(explain % code) == "untranslated"}
        assert untranslated <= UNMET
    assert page.evaluate(explain % "invalid_json") == "untranslated"


def test_a_server_that_is_full_is_named_as_the_cause_in_the_language_of_the_page(
    browse_chromium: Browse, microphone: Callable[..., Path]
) -> None:
    recording = microphone(silence(1))
    with realtime_service(max_sessions=1) as service, contextlib.ExitStack() as stack:
        stack.enter_context(service.session())
        page = stack.enter_context(browse_chromium(f"http://127.0.0.1:{service.port}/#talk", recording))
        translate(page, "de")
        page.click("#talk-start")
        assert eventually(lambda: page.text("#alert").startswith("Der Server öffnet gerade keine Sitzung"), 30)
        assert page.text("#talk-start") == "Gespräch beginnen"
        assert [each for each in page.problems if "503" not in each] == []  # the browser itself tells of the refusal


def test_a_server_that_is_not_ready_and_one_that_is_gone_are_told_apart(
    browse_chromium: Browse, microphone: Callable[..., Path]
) -> None:
    why = "import('/page/failures.js').then(({ whyNoSession }) => whyNoSession({ url: document.baseURI }))"
    with contextlib.ExitStack() as stack:
        with realtime_service() as service:
            url = f"http://127.0.0.1:{service.port}/"
            page = stack.enter_context(browse_chromium(url, microphone(silence(1))))
            assert page.evaluate(why).startswith("The server opens no session now")
            page.evaluate("window.real = fetch; window.fetch = async () => new Response('', { status: 503 })")
            assert page.evaluate(why).startswith("The server is starting or stopping")
            page.evaluate("window.fetch = real")
        with pytest.raises(OSError, match="refused"):
            http.client.HTTPConnection("127.0.0.1", service.port).connect()
        assert page.evaluate(why) == "The server cannot be reached."


def test_what_is_stopped_twice_ends_once_and_quietly(page: Page) -> None:
    states, rejections = page.evaluate("""(async () => {
      const { listen, talk } = await import("/vivavoce.js");
      const { Capture } = await import("/vivavoce/capture.js");
      const rejections = [];
      addEventListener("unhandledrejection", ({ reason }) => rejections.push(reason.message));
      const states = [];
      const onState = (state) => states.push(state);
      const captured = new Capture(new MediaStream());
      captured.stop();
      captured.stop();
      const conversation = await talk({ source: null, onState });
      conversation.stop();
      conversation.stop();
      const listener = await listen({ source: null, onState });
      await Promise.all([listener.stop(), listener.stop()]);
      await new Promise((resolve) => setTimeout(resolve));
      return [states, rejections];
    })()""")
    assert rejections == []
    assert states == ["connecting", "open", "closed"] * 2


def test_speech_that_is_stopped_twice_ends_once_and_quietly(page: Page) -> None:
    states, rejections = page.evaluate("""(async () => {
      const { speak } = await import("/vivavoce.js");
      const rejections = [];
      addEventListener("unhandledrejection", ({ reason }) => rejections.push(reason.message));
      const states = [];
      const speech = await speak("Good morning.", { onState: (state) => states.push(state) });
      speech.stop();
      speech.stop();
      await new Promise((resolve) => setTimeout(resolve));
      return [states, rejections];
    })()""")
    assert (states, rejections) == (["connecting", "open", "closed"], [])


def test_a_text_that_is_empty_is_explained_until_another_view_is_chosen(page: Page) -> None:
    translate(page, "fr")
    page.click("#tab-speak")
    page.click("#speak-start")
    assert eventually(lambda: page.text("#alert").startswith("Entrez un texte"), 30)
    page.click("#tab-talk")
    assert not is_shown(page, "#alert")


def test_a_file_without_a_recording_leaves_no_player_and_nothing_to_export(page: Page) -> None:
    translate(page, "es")
    drop(page, "This is a text.", "notes.txt")
    assert eventually(lambda: page.text("#alert").startswith("No es una grabación"), 30)
    assert eventually(lambda: not is_shown(page, "#recording-audio"), 30)
    assert not is_shown(page, "#recording-exports")
    page.click("#tab-captions")
    assert not is_shown(page, "#captions-exports")
