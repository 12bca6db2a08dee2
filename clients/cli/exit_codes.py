"""Exit codes of the command `vivavoce`, for scripts."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from clients.errors import ConnectionRefused, RealtimeError, RequestFailed


class ExitCode(IntEnum):
    """What became of a command. A signal ends it with 128 and its number: 130 after Ctrl-C, 143 after SIGTERM."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_SERVER = 3
    REFUSED = 4
    NO_SPEECH = 5


MEANINGS: Final = {
    ExitCode.OK: "everything was done",
    ExitCode.FAILED: "something failed or was lost, or the reader of the output has gone",
    ExitCode.USAGE: "wrong arguments or settings",
    ExitCode.NO_SERVER: "no server answers at the address",
    ExitCode.REFUSED: "the server refused: a wrong key or value, no capacity, or no chat model",
    ExitCode.NO_SPEECH: "there was no speech, or none whose words are certain",
}
"""Each exit code, as `--help` explains it."""

INTERRUPTED: Final = "130  interrupted with Ctrl-C"


def explained(codes: tuple[ExitCode, ...]) -> str:
    """Return the lines that explain these exit codes, and the one after Ctrl-C, which every command has."""
    return "\n".join([*(f"  {code:<3}  {MEANINGS[code]}" for code in codes), f"  {INTERRUPTED}"])


def code_of(error: RealtimeError) -> ExitCode:
    """Return the exit code of a command whose session could not be opened."""
    if isinstance(error, RequestFailed) or (isinstance(error, ConnectionRefused) and error.status is not None):
        return ExitCode.REFUSED
    return ExitCode.NO_SERVER


def without_words(suppressed: Iterable[str]) -> str:
    """Return what is said of audio without words, of which text was `suppressed` for these reasons."""
    reasons = ", ".join(dict.fromkeys(suppressed))
    return f"what was said is too uncertain: its text was suppressed ({reasons})" if reasons else "there was no speech"
