"""The processes that decode the files and streams of this one."""

import contextlib

import psutil


def fork_servers() -> set[psutil.Process]:
    """Return those from which decoding processes are forked."""
    return {each for each in psutil.Process().children() if "decoder_process.py" in "".join(_command(each))}


def decoding_processes() -> set[psutil.Process]:
    """Return those that decode now."""
    forks = set()
    for server in fork_servers():
        with contextlib.suppress(psutil.NoSuchProcess):
            forks |= {each for each in server.children() if each.status() != psutil.STATUS_ZOMBIE}
    return forks


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
