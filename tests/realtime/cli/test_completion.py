"""The command `vivavoce completion`, with the shells that read its scripts."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from realtime.cli.commands import COMMANDS
from realtime.cli.completion import SHELLS, script
from tests.support.terminal import running


def shell(name: str) -> str:
    """Return the path of a shell; skip the test where it is not installed."""
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def completions(script: str, line: str) -> set[str]:
    """Return what bash offers for the last word of a line."""
    program = f"""
        {script}
        COMP_WORDS=({line}); [[ "{line}" == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}
        _shtab_vivavoce; printf '%s\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run([shell("bash"), "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_bash_completes_commands_options_names_and_files(tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").touch()
    bash = script("bash")
    assert completions(bash, "vivavoce tr") == {"transcribe", "trace"}
    assert completions(bash, "vivavoce listen --lang") == {"--language"}
    assert completions(bash, "vivavoce models pull whisper-tiny") == {"whisper-tiny", "whisper-tiny.en"}
    assert completions(bash, "vivavoce transcribe --format ") == {"txt", "srt", "vtt", "json"}
    assert completions(bash, f"vivavoce transcribe {tmp_path}/ta") == {f"{tmp_path}/talk.mp3"}


def test_zsh_completes_commands_options_and_names(tmp_path: Path) -> None:
    zsh = shell("zsh")
    (tmp_path / "_vivavoce").write_text(script("zsh"))

    async def scenario() -> None:
        async with running("-f", "-i", command=(zsh,), columns=100, HOME=str(tmp_path), PS1="$ ") as (terminal, _):
            terminal.press(f"fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -D; clear\n")
            await terminal.until(lambda: terminal.lines == ["$"])
            terminal.press("vivavoce transc\t")
            await terminal.until(lambda: terminal.lines == ["$ vivavoce transcribe"])
            terminal.press("--form\t\t")
            await terminal.until(lambda: terminal.lines[1:] and set(terminal.lines[1].split()) >= {"txt", "srt", "vtt"})

    asyncio.run(scenario())


@pytest.mark.parametrize("name", SHELLS)
def test_every_shell_has_a_script_with_every_command(name: str) -> None:
    written = script(name)
    assert [command for command in COMMANDS if command not in written] == []
