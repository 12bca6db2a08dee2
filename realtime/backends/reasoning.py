"""Remove what a model thinks aloud from its answer: `<think>...</think>`.

Servers with a reasoning parser send it as `reasoning_content`; without one it comes as text, in tags.
"""

import re
from typing import Final

_NAMES: Final = ("think", "thinking", "thought", "reasoning")
"""Tags around thoughts: of DeepSeek and Qwen, of Granite and Claude's imitations, of Gemini, of other fine-tunes."""

_TAG: Final = re.compile(rf"<(/?)({'|'.join(_NAMES)})>", re.IGNORECASE)
_TAGS: Final = tuple(f"<{slash}{name}>" for name in _NAMES for slash in ("", "/"))
_LONGEST_TAG: Final = max(map(len, _TAGS))


class ReasoningFilter:
    """Text without thoughts, from text that arrives in deltas.

    A tag may be divided among deltas: what may still become one is held back. Thoughts that never end are dropped, and
    so are tags that end none, and white space after a tag that ends one.
    """

    def __init__(self) -> None:
        self._text = ""
        self._thought = ""
        """The name of the tag around the present thought; empty outside of thoughts."""
        self._after_thought = False

    def feed(self, delta: str) -> str:
        """Take more text; return what is certain not to be thought."""
        self._text += delta
        spoken, start = "", 0
        for tag in _TAG.finditer(self._text):
            closing, name = tag[1], tag[2].lower()
            if not self._thought:
                spoken += self._said(self._text[start : tag.start()])
            if closing and self._thought in ("", name):
                self._thought, self._after_thought = "", True
            elif not closing and not self._thought:
                self._thought = name
            start = tag.end()
        end = _possible_tag(self._text, start)
        if not self._thought:
            spoken += self._said(self._text[start:end])
        self._text = self._text[end:]
        return spoken

    def flush(self) -> str:
        """End the text; return what was held back and is no thought."""
        rest = "" if self._thought else self._text
        self._text = ""
        return self._said(rest)

    def _said(self, text: str) -> str:
        if self._after_thought:
            text = text.lstrip()
            self._after_thought = not text
        return text


def _possible_tag(text: str, start: int) -> int:
    """Return where a tag begins that `text` may end inside of, from `start` on, or the length of `text`."""
    begin = text.rfind("<", max(start, len(text) - _LONGEST_TAG))
    if begin >= 0 and any(tag.startswith(text[begin:].lower()) for tag in _TAGS):
        return begin
    return len(text)
