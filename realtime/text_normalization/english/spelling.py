"""Letters that are named one by one."""


def spelled(letters: str) -> str:
    """Return letters as a reader names them: `T X T`."""
    return " ".join(letters.upper())
