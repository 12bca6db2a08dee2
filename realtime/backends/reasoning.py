"""Remove reasoning from the text of an answer: `<think>...</think>`.

Servers with a reasoning parser send it as `reasoning_content`; without one it comes as text, in tags.
"""

import re
from typing import Final

_OPENING: Final = ("<think>", "<thinking>", "<thought>", "<reasoning>", "<seed:think>", "[THINK]", "◁think▷")
"""Tags in which the models of several makers write their reasoning."""

_CLOSING: Final = {f"{tag[0]}/{tag[1:]}": tag for tag in _OPENING}
"""Closing tags, each with the one that opens."""

_TAG: Final = re.compile("|".join(map(re.escape, (*_OPENING, *_CLOSING))))
_LONGEST_TAG: Final = max(map(len, _CLOSING))

_UNKNOWN: Final = "any"
"""The tag around reasoning whose opening tag is not part of the answer."""


class ReasoningFilter:
    """Text without reasoning, from text that arrives in deltas.

    A tag may be divided among deltas: what may still become one is held back. Reasoning without an end is dropped, and
    so is white space after reasoning.

    The templates of some models put the opening tag into the prompt, so that the answer only has the closing one. With
    `begins_inside` the answer is taken to begin with reasoning; all of it is text if no closing tag comes.
    """

    def __init__(self, *, begins_inside: bool = False) -> None:
        self.begins_inside = False
        """Whether the text so far has a closing tag without an opening one."""
        self._tag = _UNKNOWN if begins_inside else ""
        self._text = ""
        self._read = 0
        """Characters of `_text` that hold no more tags; it is kept whole until it is known whether it is reasoning."""
        self._after_reasoning = False

    def feed(self, delta: str) -> str:
        """Take more text; return what is certain not to be reasoning."""
        self._text += delta
        spoken, start = "", self._read
        for match in _TAG.finditer(self._text, start):
            tag = match[0]
            if not self._tag:
                spoken += self._said(self._text[start : match.start()])
            if tag in _CLOSING and self._tag in ("", _UNKNOWN, _CLOSING[tag]):
                self.begins_inside = self.begins_inside or self._tag != _CLOSING[tag]
                self._tag, self._after_reasoning = "", True
            elif tag in _OPENING and (
                not self._tag or (self._tag == _UNKNOWN and not self._text[: match.start()].strip())
            ):
                self._tag = tag
            start = match.end()
        end = _possible_tag(self._text, start)
        if self._tag == _UNKNOWN:
            self._read = end
            return ""
        if not self._tag:
            spoken += self._said(self._text[start:end])
        self._text, self._read = self._text[end:], 0
        return spoken

    def flush(self) -> str:
        """End the text; return what was held back and is no reasoning."""
        rest = self._text if self._tag in ("", _UNKNOWN) else ""
        self._text = ""
        return self._said(rest)

    def _said(self, text: str) -> str:
        if self._after_reasoning:
            text = text.lstrip()
            self._after_reasoning = not text
        return text


def _possible_tag(text: str, start: int) -> int:
    """Return where a tag begins that `text` may end inside of, from `start` on, or the length of `text`."""
    for begin in range(max(start, len(text) - _LONGEST_TAG + 1), len(text)):
        if any(tag.startswith(text[begin:]) for tag in (*_OPENING, *_CLOSING)):
            return begin
    return len(text)
