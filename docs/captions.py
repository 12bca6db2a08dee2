"""Record docs/captions.svg, the picture of the README, from a real run of `vivavoce listen`.

    .venv/bin/pip install pyte
    .venv/bin/python docs/captions.py ws://127.0.0.1:8000

The server speaks a text, `listen` captions it on a pseudo-terminal, and every change of the screen becomes a
frame of an animated SVG. Viewers without animation show the last frame.
"""

import io
import os
import pty
import subprocess
import sys
import tempfile
import time
import wave
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS: Final = 64
ROWS: Final = 6
TEXTS: Final = (
    "Captions appear while people are still talking.",
    "Bright words are final, and dim words may still change.",
    "After a pause, the next line begins.",
)
PAUSE_SECONDS: Final = 1.8
LAST_FRAME_SECONDS: Final = 3.0
VIVAVOCE: Final = [sys.executable, "-m", "realtime.cli.main"]
DIM: Final = (b"\x1b[2m", b"\x1b[90m")
"""What rich writes for dim text, and a colour instead: pyte knows no dim text."""

STYLES: Final = {"bold": Style(bold=True), "dim": Style(dim=True), "plain": Style()}


@dataclass(frozen=True, slots=True)
class Frame:
    """What the terminal shows from `start`, in seconds."""

    start: float
    screen: Text


def main(url: str) -> None:
    """Record the frames and write the picture."""
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory) / "talk.wav"
        speak(recording, url)
        frames = record([*VIVAVOCE, "listen", str(recording), "--url", url, "--language", "en"])
    Path(__file__).with_suffix(".svg").write_text(picture(frames), encoding="utf-8")
    print(f"{len(frames)} frames, {frames[-1].start:.1f} s")


def speak(path: Path, url: str) -> None:
    """Write the texts as one recording with pauses between."""
    part = path.with_name("part.wav")
    with wave.open(str(path), "wb") as whole:
        whole.setparams((1, 2, 24_000, 0, "NONE", "not compressed"))
        for text in TEXTS:
            subprocess.run([*VIVAVOCE, "say", text, "-o", str(part), "--url", url], check=True)
            with wave.open(str(part), "rb") as spoken:
                whole.writeframes(spoken.readframes(spoken.getnframes()))
            whole.writeframes(bytes(2 * int(24_000 * PAUSE_SECONDS)))


def record(command: list[str]) -> list[Frame]:
    """Run a command on a pseudo-terminal until it ends; return every change of its screen."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    stream.feed(b"\x1b[1m$ vivavoce listen talk.wav\x1b[0m\r\n")
    frames = [Frame(0.0, as_text(screen))]
    process, terminal = pty.fork()
    if process == 0:
        os.environ |= {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color"}
        os.execv(command[0], command)
    started = time.monotonic()
    while data := read(terminal):
        stream.feed(data.replace(*DIM))
        if (text := as_text(screen)) != frames[-1].screen:
            frames.append(Frame(time.monotonic() - started, text))
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    return frames


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux: the other side has closed
        return b""


def as_text(screen: pyte.Screen) -> Text:
    """Return the screen with its bold and dim text."""
    rows = []
    for row in range(ROWS):
        cells = [screen.buffer[row][column] for column in range(COLUMNS)]
        rows.append(Text())
        for style, run in groupby(cells, style_of):
            rows[-1].append("".join(cell.data for cell in run), style)
        rows[-1].rstrip()
    return Text("\n").join([*rows, Text()])


def style_of(cell: pyte.screens.Char) -> Style:
    return STYLES["bold" if cell.bold else "plain" if cell.fg == "default" else "dim"]


def picture(frames: list[Frame]) -> str:
    """Return the frames as one animated SVG in rich's window."""
    total = frames[-1].start + LAST_FRAME_SECONDS
    groups, styles = [], []
    for number, frame in enumerate(frames):
        last = number == len(frames) - 1
        begin = 100 * frame.start / total
        end = 100.0 if last else 100 * frames[number + 1].start / total
        style, matrix = export(frame, f"f{number}", "{styles}\0{matrix}").split("\0")
        styles.append(style)
        before, after = ("hidden" if number else "visible", "visible" if last else "hidden")
        styles.append(
            f"@keyframes show{number} {{ 0% {{ visibility: {before}; }} {begin:.2f}% {{ visibility: visible; }} "
            f"{end:.2f}%, 100% {{ visibility: {after}; }} }}\n"
            f".show{number} {{ visibility: {after}; animation: show{number} {total:.2f}s step-end infinite; }}"
        )
        groups.append(f'<g class="frame show{number}">{matrix.replace(f"url(#f{number}-line", "url(#window-line")}</g>')
    styles.append("@media (prefers-reduced-motion) { .frame { animation: none; } }")
    template = CONSOLE_SVG_FORMAT.replace("{matrix}", "\0").replace("{styles}", "{styles}\1")
    window = export(frames[-1], "window", template)
    return window.replace("\0", "\n".join(groups)).replace("\1", "\n".join(styles))


def export(frame: Frame, unique_id: str, code_format: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(frame.screen, end="", no_wrap=True, overflow="crop")
    return console.export_svg(title="vivavoce", unique_id=unique_id, code_format=code_format)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000")
