"""streamdouble: a simulator of Twilio's Media Streams, which reports violations of the protocol."""

import wave
from pathlib import Path

from reporting import ADDRESS, RATE, RECORDINGS, recording, report
from streamdouble.api import CallReport, run_scenario
from streamdouble.session import SessionConfig

GREETING = "Hello, this is the office. I will tell you many things about the weather, so please listen for a while."


def script(steps: tuple[str, ...]) -> Path:
    """Write a scenario of these steps, in which `turn.wav` and the like are recordings."""
    for name in ("turn", "long", "interruption"):
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


async def answer() -> None:
    finished = await call("say: turn.wav", "wait_for: audio", "wait: 1.0")
    assert finished.spoke


async def greeting() -> None:
    finished = await call("wait_for: audio", "wait_for: mark", greeting="Hello.")
    assert finished.time_to_first_audio_ms is not None
    assert finished.time_to_first_audio_ms < 1000, finished.time_to_first_audio_ms


async def interruption() -> None:
    await call(
        "wait_for: audio", "say: interruption.wav", "expect: clear", "wait: 5.0", "say: long.wav", "wait: 3.0",
        "say: interruption.wav", "expect: clear", greeting=GREETING,
    )  # fmt: skip


async def keys() -> None:
    await call("wait_for: audio", "dtmf: '1'", "expect: clear", "dtmf: '2#'", "wait: 2.0", greeting=GREETING)


if __name__ == "__main__":
    import asyncio

    asyncio.run(report({"answer": answer, "greeting": greeting, "interruption": interruption, "keys": keys}))
