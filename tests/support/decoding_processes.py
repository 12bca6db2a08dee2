"""The processes that decode the files and streams of this one."""

import contextlib

import psutil


def fork_servers() -> set[psutil.Process]:
    """Return those from which decoding processes are forked."""
    return {each for each in psutil.Process().children() if "decoder_process.py" in "".join(_command(each))}


def decoding_processes() -> set[psutil.Process]:
    """Return those that decode now."""
    return {fork for server in fork_servers() for fork in _forks(server) if _runs(fork)}


def _forks(server: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return server.children()
    return []


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _command(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []
