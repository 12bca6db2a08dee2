"""What `vivavoce listen` shows on a real terminal."""

import asyncio
import os
import re
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.scripted_realtime_server import Peer, completed, delta, meet, partial
from tests.support.terminal import VIVAVOCE, Terminal, running

SENTENCE = "Please turn the lights off in the kitchen, in the hall and in the two rooms at the end of the corridor."
CHINESE = "请把厨房和走廊的灯关掉，然后把门也关上，因为外面很冷。"

Steps = Callable[[Peer, Terminal], Awaitable[None]]


@pytest.fixture
def recording(tmp_path: Path) -> str:
    """Write a tenth of a second of silence; the scripts ignore the audio."""
    path = tmp_path / "recording.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", "not compressed"))
        file.writeframes(bytes(4_800))
    return str(path)


def listening(recording: str, steps: Steps, *, columns: int = 40, rows: int = 12, **environment: str) -> Terminal:
    """Let `listen` run in a terminal while the server goes through these steps, to its end; return the terminal."""
    terminals: asyncio.Queue[Terminal] = asyncio.Queue()

    async def client(url: str) -> Terminal:
        command = ("listen", recording, "--fast", "--url", url)
        async with running(*command, columns=columns, rows=rows, **environment) as (terminal, process):
            terminals.put_nowait(terminal)
            await terminal.ended.wait()
            assert await process.wait() == 0
            assert not terminal.cursor_hidden
            return terminal

    async def script(peer: Peer) -> None:
        await peer.greet()
        terminal = await terminals.get()
        await peer.receive("input_audio_buffer.commit")
        await steps(peer, terminal)
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    return meet(script, client)


def test_tentative_text_is_dim_and_committed_text_bright(recording: str) -> None:
    async def steps(peer: Peer, terminal: Terminal) -> None:
        await peer.send(delta("item_1", "Please"), partial("item_1", "Please", " turn the light"))
        await terminal.until(lambda: terminal.lines == ["Please turn the light"])
        assert b"\x1b[1mPlease\x1b[0m\x1b[2m turn the light\x1b[0m" in terminal.output
        await peer.send(delta("item_1", " turn"))
        await terminal.until(lambda: b"\x1b[1mPlease turn\x1b[0m\x1b[2m the light\x1b[0m" in terminal.output)
        assert terminal.lines == ["Please turn the light"]
        await peer.send(completed("item_1", "Please turn the lights off."))
        await terminal.until(lambda: terminal.lines == ["Please turn the lights off."])

    assert listening(recording, steps).lines == ["Please turn the lights off."]


@pytest.mark.parametrize("text", [SENTENCE, CHINESE, f"The sign says {CHINESE}"])
def test_text_of_several_rows_is_drawn_anew_without_traces(recording: str, text: str) -> None:
    async def steps(peer: Peer, terminal: Terminal) -> None:
        for length in (len(text) // 2, len(text), len(text) // 3):
            await peer.send(partial("item_1", "", text[:length]))
            await terminal.until(lambda: terminal.text == "".join(text[:length].split()))  # noqa: B023 - awaited here
        await peer.send(completed("item_1", text), completed("item_2", "Thank you."))
        await terminal.until(lambda: terminal.lines[-1] == "Thank you.")

    shown = listening(recording, steps, columns=31)
    assert shown.text == "".join(f"{text}Thank you.".split())


def test_of_text_that_is_longer_than_the_screen_the_end_is_shown(recording: str) -> None:
    words = [f"word{number}" for number in range(60)]

    async def steps(peer: Peer, terminal: Terminal) -> None:
        for count in range(1, len(words) + 1, 6):
            await peer.send(partial("item_1", "", " ".join(words[:count])))
            await terminal.until(lambda: terminal.lines[-1].endswith(words[count - 1]))  # noqa: B023 - awaited here
            assert terminal.output.count(b"\n") < 50 * count
        await peer.send(completed("item_1", "It was long."))

    assert listening(recording, steps, columns=30, rows=5).lines == ["It was long."]


@pytest.mark.parametrize("columns", [24, 60])
def test_another_width_loses_nothing_and_shows_nothing_twice(recording: str, columns: int) -> None:
    async def steps(peer: Peer, terminal: Terminal) -> None:
        await peer.send(completed("item_1", "The first line."), partial("item_2", "", SENTENCE))
        await terminal.until(lambda: terminal.lines[-1].endswith("corridor."))
        terminal.resize(columns, 14)
        whole = "".join(f"The first line.{SENTENCE}".split())
        await terminal.until(lambda: terminal.text == whole and columns - 12 < len(terminal.lines[1]) <= columns)
        await peer.send(completed("item_2", SENTENCE))
        await terminal.until(lambda: terminal.text == whole)

    listening(recording, steps, columns=40, rows=14)


def test_no_colour_is_used_where_none_is_wanted(recording: str) -> None:
    async def steps(peer: Peer, _: Terminal) -> None:
        await peer.send(delta("item_1", "Please"), partial("item_1", "Please", " turn"), completed("item_1", "Please."))

    shown = listening(recording, steps, NO_COLOR="1")
    codes = {code for each in re.findall(rb"\x1b\[([\d;]*)m", shown.output) for code in each.split(b";")}
    assert codes <= {b"0", b"1", b"2", b""}  # bright, dim and neither


def test_a_terminal_without_cursor_movements_gets_plain_lines(recording: str) -> None:
    async def steps(peer: Peer, _: Terminal) -> None:
        await peer.send(
            partial("item_1", "", "Please turn"), completed("item_1", "Please."), completed("item_2", "Yes.")
        )

    assert listening(recording, steps, TERM="dumb").output == b"Please.\r\nYes.\r\n"


@pytest.mark.parametrize("colour", ["FORCE_COLOR", "NO_COLOR"])
def test_a_pipe_gets_each_line_at_once_and_no_control_characters(recording: str, colour: str) -> None:
    reading: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()

    async def client(url: str) -> int:
        process = await asyncio.create_subprocess_exec(
            *VIVAVOCE, "listen", recording, "--fast", "--url", url,
            stdout=asyncio.subprocess.PIPE, env={**os.environ, "TERM": "xterm", colour: "1"},
        )  # fmt: skip
        assert process.stdout is not None
        reading.put_nowait(process.stdout)
        return await process.wait()

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.receive("input_audio_buffer.commit")
        await peer.send(partial("item_1", "", "Please turn"), completed("item_1", SENTENCE))
        output = await reading.get()
        assert await output.readline() == f"{SENTENCE}\n".encode()
        await peer.refuse_commit(await peer.receive("input_audio_buffer.commit"))

    assert meet(script, client) == 0


def test_ctrl_c_prints_what_is_committed_and_gives_the_terminal_back(recording: str) -> None:
    exits: list[int] = []

    async def client(url: str) -> None:
        async with running("listen", recording, "--fast", "--url", url) as (terminal, process):
            modes = terminal.modes
            await terminal.until(lambda: terminal.lines == ["It was half said"])
            assert terminal.cursor_hidden
            terminal.press("\x03")
            await terminal.until(lambda: not terminal.cursor_hidden and terminal.lines[-1] == "It was half")
            assert terminal.modes == modes
            exits.append(await process.wait())
            assert b"Traceback" not in terminal.output

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.send(delta("item_1", "It was half"), partial("item_1", "It was half", " said"))
        await peer.connection.wait_closed()

    meet(script, client)
    assert exits == [130]
