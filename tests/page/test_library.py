"""What the page and its library do where something fails, with scripted engines."""

import base64
import contextlib
import itertools
import json
import re
from pathlib import Path

import pytest

from realtime.audio.formats import Encoding, encode
from realtime.errors import Overloaded
from realtime.models.models import Models
from tests.page.conftest import Browse
from tests.support.browsers.page import Page
from tests.support.fault_proxy import fault_proxy
from tests.support.loaded_models import BASE
from tests.support.realtime_service import eventually, realtime_service, utterance
from tests.support.recordings import silence, wav_file
from tests.support.scripted_engines import ScriptedEngines, transcript_of

FAKE_SOCKET = """(() => {
  window.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 1;
    sent = [];
    constructor() {
      super();
      window.socket = this;
      setTimeout(() => this.dispatchEvent(new Event("open")));
    }
    receive(event) {
      this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(event) }));
    }
    send(message) {
      this.sent.push(message);
      if (this.sent.length === 1) setTimeout(() => this.receive({ type: "session.updated", session: {} }));
    }
    close() {
      this.readyState = 3;
      this.dispatchEvent(new CloseEvent("close", { code: 1006 }));
    }
  };
})()"""
"""A websocket that the test answers itself."""


def test_a_secret_that_the_server_does_not_know_is_not_used_again(browse_chromium: Browse, tmp_path: Path) -> None:
    forgotten = json.dumps({"value": f"ek_{'0' * 32}", "expires": 4_000_000_000})
    with (
        realtime_service(api_keys=("correct-key",)) as service,
        browse_chromium(f"http://127.0.0.1:{service.port}/", tmp_path) as page,
    ):
        assert eventually(lambda: page.evaluate("document.querySelector('#key-dialog').open"), 30)
        page.evaluate(f"sessionStorage.setItem('vivavoce.secret', {forgotten!r})")
        page.evaluate("document.querySelector('#key-dialog').close()")
        assert eventually(lambda: page.text("#alert").startswith("This server needs an API key."), 30)
        page.evaluate(
            "void import('/page/credentials.js').then(({ key }) => { window.keys = Promise.all([key(), key()]) })"
        )
        assert eventually(lambda: page.evaluate("document.querySelector('#key-dialog').open"), 30)
        page.enter("#key", "correct-key")
        page.click("#key-form button")
        one, other = page.evaluate("window.keys")
        assert one == other != json.loads(forgotten)["value"]


def test_speech_that_cannot_begin_keeps_no_audio_device(page: Page) -> None:
    states = page.evaluate("""(async () => {
      const { speak } = await import("/vivavoce.js");
      const contexts = [];
      window.AudioContext = class extends AudioContext {
        constructor(options) { super(options); contexts.push(this); }
      };
      await speak("Good morning.", { key: () => Promise.reject(new Error("no key")) }).catch(() => {});
      return contexts.map(({ state }) => state);
    })()""")
    assert states == ["closed"]


def test_views_of_samples_are_sent_as_audio(page: Page) -> None:
    sent = page.evaluate("""(async () => {
      const { listen } = await import("/vivavoce.js");
      const sent = [];
      const send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (message) { sent.push(typeof message); return send.call(this, message); };
      const listener = await listen({ source: null });
      listener.send(new Int16Array(960));
      await listener.stop();
      return sent;
    })()""")
    assert sent == ["string", "object", "string", "string"]  # the update, the audio, the commit and its answer


def test_the_connection_begins_when_the_source_has_delivered_its_first_frame(page: Page) -> None:
    calls = page.evaluate("""(async () => {
      const { listen } = await import("/vivavoce.js");
      const sooner = window.setTimeout;
      window.setTimeout = (action, milliseconds) => sooner(action, 10 * milliseconds);  // for a busy browser
      const context = new AudioContext();
      const destination = context.createMediaStreamDestination();
      const sound = context.createOscillator();
      sound.connect(destination);
      sound.start();
      await context.resume();
      const calls = [];
      const onLevel = () => calls.push("frame");
      const listener = await listen({ source: destination.stream, onLevel, onState: (state) => calls.push(state) });
      await listener.stop();
      await context.close();
      return calls.filter((call, index) => call !== calls[index - 1]);
    })()""")
    assert calls[0] == "frame"
    assert "open" in calls


def test_no_session_is_opened_for_a_source_that_has_ended_before_its_first_frame(page: Page) -> None:
    code, states = page.evaluate("""(async () => {
      const { listen } = await import("/vivavoce.js");
      const context = new AudioContext();
      const { stream } = context.createMediaStreamDestination();
      stream.getTracks().forEach((track) => track.stop());
      const states = [];
      const error = await listen({ source: stream, onState: (state) => states.push(state) }).catch((error) => error);
      await context.close();
      return [error.code, states];
    })()""")
    assert (code, states) == ("ended", [])


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("listen({ source: null, model: 'no-such', onState })", "model_not_found"),
        ("listen({ source: null, language: 'xx', onState })", "invalid_value"),
        ("talk({ source: null, voice: 'nobody', onState })", "invalid_voice"),
        ("speak('Good morning.', { voice: 'nobody', onState })", "invalid_voice"),
        ("listen({ source: null, keywords: 'text', onState })", "invalid_type"),
    ],
)
def test_what_the_server_does_not_have_is_refused(page: Page, call: str, code: str) -> None:
    refusal, states = page.evaluate(f"""(async () => {{
      const {{ listen, speak, talk }} = await import("/vivavoce.js");
      const states = [];
      const onState = (state) => states.push(state);
      const error = await {call}.catch((error) => error);
      return [error.code, states];
    }})()""")
    assert (refusal, states[-1]) == (code, "closed")


@pytest.mark.parametrize(
    "server",
    [
        "socket.send = () => {}",  # it says nothing
        "socket.send = () => socket.close()",  # it drops each connection
        "socket.dispatchEvent = () => false",  # it does not answer the handshake
    ],
)
def test_a_server_that_opens_no_session_is_given_up(page: Page, server: str) -> None:
    page.evaluate(FAKE_SOCKET)
    message, states = page.evaluate(f"""(async () => {{
      const {{ listen }} = await import("/vivavoce.js");
      const later = window.setTimeout;
      window.setTimeout = (action, milliseconds) => later(action, milliseconds === 10_000 ? 1_000 : milliseconds);
      const Fake = window.WebSocket;
      window.WebSocket = class extends Fake {{
        constructor() {{ super(); const socket = this; {server}; }}
      }};
      const states = [];
      const onState = (state) => states.push(state);
      const bound = new Promise((resolve) => later(() => resolve({{ message: "still waiting" }}), 5_000));
      const opening = listen({{ source: null, language: "en", onState }}).catch((error) => error);
      const error = await Promise.race([opening, bound]);
      return [error.message, states];
    }})()""")
    assert re.fullmatch(r"The server at 127\.0\.0\.1:\d+ opened no session within 10 s\.", message)
    assert states[-1] == "closed"


def test_a_container_is_sent_from_its_beginning_to_each_session(page: Page) -> None:
    page.evaluate(FAKE_SOCKET)
    sent = page.evaluate("""(async () => {
      const { listen } = await import("/vivavoce.js");
      const chunks = ["beginning", "middle", "end"].map((text) => new Blob([text]));
      const listener = await listen({ source: null, format: "audio/webm" });
      const sessions = [socket];
      chunks.slice(0, 2).forEach((chunk) => listener.send(chunk));
      socket.close();
      listener.send(chunks[2]);
      while (socket === sessions[0] || socket.sent.length < 3) await new Promise((resolve) => setTimeout(resolve, 50));
      sessions.push(socket);
      return Promise.all(sessions.map(({ sent }) => Promise.all(sent.slice(1).map((chunk) => chunk.text()))));
    })()""")
    assert sent == [["beginning", "middle"], ["beginning", "end"]]


def test_an_answer_ends_where_the_conversation_is_stopped(page: Page) -> None:
    page.evaluate(FAKE_SOCKET)
    answer = page.evaluate("""(async () => {
      const { talk } = await import("/vivavoce.js");
      let last = null;
      const conversation = await talk({ source: null, onAnswer: (answer) => { last = { ...answer }; } });
      socket.receive({ type: "response.created", response: { id: "resp_1" } });
      const text = { response_id: "resp_1", delta: "Good", start_time: 0 };
      socket.receive({ type: "response.output_audio_transcript.delta", ...text });
      conversation.stop();
      return last;
    })()""")
    assert (answer["done"], answer["interrupted"], answer["text"]) == (True, True, "")  # nothing of it was heard


def test_a_session_that_replaces_a_lost_one_is_told_what_was_said_and_answers(page: Page) -> None:
    page.evaluate(FAKE_SOCKET)
    sent = page.evaluate("""(async () => {
      const { talk } = await import("/vivavoce.js");
      let hear = () => {};
      const heard = new Promise((resolve) => (hear = resolve));
      const conversation = await talk({ source: null, onAnswer: ({ done }) => done && hear() });
      const lost = socket;
      const type = "conversation.item.input_audio_transcription.completed";
      const completed = (id, transcript) => lost.receive({ type, item_id: id, transcript, words: [] });
      completed("item_1", "Good morning.");
      lost.receive({ type: "response.created", response: { id: "resp_1" } });
      lost.receive({ type: "response.output_text.delta", response_id: "resp_1", delta: "Hello." });
      lost.receive({ type: "response.done", response: { id: "resp_1", status: "completed" } });
      await heard;
      completed("item_2", "How are you?");
      lost.close();
      while (socket === lost || socket.sent.length < 5) await new Promise((resolve) => setTimeout(resolve, 50));
      conversation.stop();
      const events = socket.sent.slice(1).map((each) => JSON.parse(each));
      return events.map(({ type, item }) => [type, item?.role, item?.content[0].text]);
    })()""")
    create = "conversation.item.create"
    assert sent == [
        [create, "user", "Good morning."],
        [create, "assistant", "Hello."],
        [create, "user", "How are you?"],
        ["response.create", None, None],
    ]


def test_the_overlay_begins_as_soon_as_there_is_room_for_its_session(browse_chromium: Browse, tmp_path: Path) -> None:
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(wav_file(silence(1)))
    with realtime_service(max_sessions=1) as service, contextlib.ExitStack() as stack:
        with service.session():
            page = stack.enter_context(browse_chromium(f"http://127.0.0.1:{service.port}/overlay", microphone))
            assert eventually(lambda: page.text("#message").startswith("No session could be opened"), 30)
        assert eventually(lambda: page.text("#message") == "" and service.sessions == 1, 20)


def test_a_tab_that_is_shared_without_sound_is_explained(page: Page) -> None:
    page.evaluate("""navigator.mediaDevices.getDisplayMedia = () =>
      Promise.resolve(document.createElement("canvas").captureStream())""")
    page.choose("#captions-source", "display")
    page.click("#captions-start")
    assert eventually(lambda: page.text("#alert").startswith("What was shared has no sound."), 30)
    assert page.text("#captions-start") == "Start"


LISTEN = """
  Object.assign(window, { states: [], finals: [] });
  const onState = (state) => states.push(state);
  const onFinal = ({ committed, cut }) => finals.push([committed.trim(), cut]);
  void import("/vivavoce.js").then(async ({ listen }) => {
    window.listener = await listen({ source: null, onState, onFinal });
  });
"""
SEND = """((text) => {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  for (let at = 0; at < bytes.length; at += 4_800) window.listener.send(bytes.slice(at, at + 4_800).buffer);
})"""


@pytest.mark.parametrize("max_parked_sessions", [100, 0], ids=["resumed", "replaced"])
def test_captions_go_on_over_another_connection_without_losing_or_doubling_words(
    browse_chromium: Browse, tmp_path: Path, max_parked_sessions: int
) -> None:
    audio = encode(utterance(range(1, 9)), Encoding.PCM16)
    parts = [base64.b64encode(audio[start : start + 48_000]).decode() for start in range(0, len(audio), 48_000)]
    with (
        realtime_service(max_parked_sessions=max_parked_sessions) as service,
        fault_proxy(service.port) as proxy,
        browse_chromium(f"http://127.0.0.1:{proxy.port}/", tmp_path) as page,
    ):
        page.evaluate(LISTEN)
        assert eventually(lambda: page.evaluate("'listener' in window"), 30)
        for part in parts[:-1]:
            page.evaluate(f"{SEND}({json.dumps(part)})")
            proxy.cut()
        page.evaluate(f"{SEND}({json.dumps(parts[-1])})")
        assert eventually(lambda: page.evaluate("finals.length") == 1, 30)
        assert page.evaluate("finals") == [[transcript_of(range(1, 9)), False]]
        assert page.evaluate("[...new Set(states.slice(2))]") == ["lost", "open"]
        page.evaluate("void window.listener.stop()")
        assert eventually(lambda: service.sessions == 0, 30)


def test_the_server_is_told_what_has_been_received(page: Page) -> None:
    told = page.evaluate("""import("/vivavoce/resumption.js").then(({ Resumption }) => {
      const resumption = new Resumption();
      resumption.take({ type: "x.session.resumable", x_sequence: 2 });
      return [1, 2, 3].map(() => {
        const due = resumption.acknowledgement(new ArrayBuffer(40_000));
        resumption.countAudio();
        return due;
      });
    })""")
    assert told == [None, None, {"type": "x.session.received", "messages": 4}]


def test_a_page_that_is_left_leaves_no_session_behind(browse_chromium: Browse, tmp_path: Path) -> None:
    with realtime_service() as service, browse_chromium(f"http://127.0.0.1:{service.port}/", tmp_path) as page:
        page.evaluate(LISTEN)
        assert eventually(lambda: page.evaluate("'listener' in window"), 30)
        page.evaluate(f"{SEND}({json.dumps(base64.b64encode(bytes(4_800)).decode())})")
        assert eventually(lambda: service.sessions == 1, 30)
        page.evaluate("void (location = 'about:blank')")
        assert eventually(lambda: service.sessions == 0, 30)
        assert service.metric("sessions_parked") == 0


@pytest.mark.parametrize(
    "event",
    [
        "new DragEvent('drop', { dataTransfer })",
        "new ClipboardEvent('paste', { clipboardData: dataTransfer })",
    ],
)
def test_a_recording_that_is_dropped_or_pasted_is_captioned(page: Page, event: str) -> None:
    words = [{"word": "Good", "start": 0.1, "end": 0.3}, {"word": "morning.", "start": 0.3, "end": 0.9}]
    answer = f"data: {json.dumps({'type': 'transcript.text.delta', 'delta': 'Good morning.', 'words': words})}\n\n"
    sent = page.evaluate(f"""(async () => {{
      const real = fetch;
      const fetched = new Promise((resolve) => (window.fetch = async (url, options) => {{
        if (!String(url).endsWith("/v1/audio/transcriptions")) return real(url, options);
        resolve(options.body.get("file").name);
        return new Response({json.dumps(answer)});
      }}));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["sound"], "clip.wav"));
      document.dispatchEvent({event});
      return fetched;
    }})()""")
    assert sent == "clip.wav"
    assert eventually(lambda: page.text("#recording-turns") == "Good morning.", 30)
    assert page.evaluate("document.querySelectorAll('#recording .word').length") == 2
    assert page.evaluate("document.querySelector('#recording-exports').getClientRects().length") == 1


def test_a_text_is_spoken_where_no_recognizer_has_capacity(browse_chromium: Browse, tmp_path: Path) -> None:
    async def fill(models: Models) -> None:
        with contextlib.suppress(Overloaded):
            for number in itertools.count():
                models.admit(f"session {number}", BASE)

    with realtime_service(ScriptedEngines(decoding=0.05)) as service:
        service.call(fill(service.models))
        with browse_chromium(f"http://127.0.0.1:{service.port}/", tmp_path) as page:
            page.evaluate(
                "void import('/vivavoce.js').then(({ speak }) => speak('Good morning.'))"
                ".then((speech) => { window.firstAudioMs = speech.firstAudioMs })"
            )
            assert eventually(lambda: page.evaluate("window.firstAudioMs > 0"), 30)
