"""streamdouble: a simulator of Twilio's Media Streams, which reports violations of the protocol."""

import asyncio
import json
import wave
from pathlib import Path
from urllib.request import Request, urlopen

from reporting import ADDRESS, RATE, RECORDINGS, SENTENCE, recording, report, words
from streamdouble.api import CallReport, run_scenario
from streamdouble.session import SessionConfig

GREETING = "Hello, this is the office. I will tell you many things about the weather, so please listen for a while."


def script(steps: tuple[str, ...]) -> Path:
    """Write a scenario of these steps, in which `turn.wav` and the like are recordings."""
    for name in ("turn", "second", "long", "interruption", "noise", "nod"):
        with wave.open(str(RECORDINGS / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(recording(name))
    scenario = RECORDINGS / "call.yaml"
    scenario.write_text("steps:\n" + "".join(f"  - {step}\n" for step in steps))
    return scenario


async def call(*steps: str, **parameters: str) -> CallReport:
    """Place a call of these steps."""
    finished = await run_scenario(
        f"ws://{ADDRESS}/twilio/media", script(steps), config=SessionConfig(custom_parameters=parameters)
    )
    assert not finished.violations, finished.violations
    assert not finished.result.failed_expectations, finished.result.failed_expectations
    return finished


async def heard(mulaw: bytes) -> str:
    """Return the words of what was sent into a call."""
    url = f"http://{ADDRESS}/v1/listen?encoding=mulaw&sample_rate=8000&language=en"

    def answer() -> str:
        with urlopen(Request(url, mulaw, {"Content-Type": "audio/basic"}), timeout=30) as response:
            (channel,) = json.load(response)["results"]["channels"]
        return words(channel["alternatives"][0]["transcript"])

    return await asyncio.to_thread(answer)


def after_clear(finished: CallReport) -> bytes:
    """Return what was sent after the answer had been stopped for the last time."""
    (*_, cleared) = finished.result.events_of("clear_received")
    media = finished.result.events_of("media_received")
    return finished.audio_received[sum(event.detail["bytes"] for event in media if event.at < cleared.at) :]


async def turn() -> None:
    finished = await call("say: turn.wav", "wait_for: audio", "wait: 1.0")
    assert await heard(finished.audio_received) == f"you said {SENTENCE}"


async def second_turn() -> None:
    finished = await call("say: turn.wav", "wait_for: audio", "wait_for: quiet", "say: second.wav", "wait: 2.0")
    text = await heard(finished.audio_received)
    assert text.endswith(f"before that you said {SENTENCE}"), text


async def false_alarm() -> None:
    finished = await call("say: turn.wav", "wait_for: audio", "say: noise.wav", "wait: 1.0", "expect: no clear")
    assert await heard(finished.audio_received) == f"you said {SENTENCE}"


async def nod() -> None:
    """Have the greeting go on where a nod has stopped it."""
    finished = await call("wait_for: audio", "wait: 1.5", "say: nod.wav", "wait: 4.0", greeting=GREETING)
    text = await heard(after_clear(finished) if finished.result.clears_received else finished.audio_received)
    assert text.endswith("so please listen for a while"), text
    assert "okay" not in text, text


async def barge_in() -> None:
    finished = await call(
        "say: long.wav", "wait_for: audio", "wait: 1.5", "say: interruption.wav", "expect: clear", "wait: 2.0",
    )  # fmt: skip
    text = await heard(after_clear(finished))
    assert text.startswith("you said stop now"), text


async def greeting() -> None:
    finished = await call("wait_for: audio", "wait_for: mark", greeting="Hello.")
    assert finished.time_to_first_audio_ms is not None
    assert finished.time_to_first_audio_ms < 1000, finished.time_to_first_audio_ms


async def interrupted_greeting() -> None:
    await call("wait_for: audio", "say: interruption.wav", "expect: clear", "wait: 3.0", greeting=GREETING)


async def keys() -> None:
    await call("wait_for: audio", "dtmf: '1'", "expect: clear", "dtmf: '2#'", "wait: 2.0", greeting=GREETING)


if __name__ == "__main__":
    asyncio.run(
        report(
            {
                "turn": turn,
                "second turn": second_turn,
                "false alarm": false_alarm,
                "nod": nod,
                "barge-in": barge_in,
                "greeting": greeting,
                "interrupted greeting": interrupted_greeting,
                "keys": keys,
            }
        )
    )
