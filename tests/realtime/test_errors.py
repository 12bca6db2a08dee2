import re

from realtime import errors
from realtime.errors import VoiceError


def drawn() -> dict[str, str]:
    """Each class in the tree of the module's docstring, with its parent."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([│├└─ ]*)(\w+)", line):
            depth = len(found[1]) // 4
            path = [*path[:depth], found[2]]
            parents[found[2]] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_in_the_documentation_is_that_of_the_classes() -> None:
    defined = {
        name: kind.__base__.__name__
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, VoiceError) and kind.__base__ is not None
    }
    assert drawn() == defined
