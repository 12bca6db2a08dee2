"""The processes that decode the files and streams of this one."""

import psutil


def decoding_processes() -> set[psutil.Process]:
    """Return those that run, without the fork servers that have started them."""
    forks = {fork for server in psutil.Process().children() for fork in server.children()}
    return {each for each in forks if each.status() != psutil.STATUS_ZOMBIE}
