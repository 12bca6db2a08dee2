"""Text that repeats the prompt instead of what was said.

Whisper takes its prompt for the text before the audio, and where the audio is noisy or unclear it writes sentences of
the prompt as the transcript. A draft that consists of the prompt's words is decoded once more without the prompt. The
speaker may well have said those words: then that draft has them too, and the first, with the spelling of the prompt, is
kept.
"""

from collections.abc import Sequence
from typing import Final

from faster_whisper.tokenizer import Tokenizer

from realtime.speech.transcript import normalised

MIN_RUN: Final = 4
"""Fewest tokens in a row, without marks, that repeat the prompt; names and terms that it lists are shorter."""

MIN_SHARE: Final = 0.5
"""Share of a draft's tokens in such runs from which it is suspected to be the prompt."""


def echoes(tokens: Sequence[int], prompt: Sequence[int], tokenizer: Tokenizer) -> bool:
    """Whether at least `MIN_SHARE` of the text tokens are in runs of `MIN_RUN` or more that the prompt has too."""
    said, given = (_plain(each, tokenizer) for each in (tokens, prompt))
    runs = {tuple(given[start : start + MIN_RUN]) for start in range(len(given) - MIN_RUN + 1)}
    repeated = set[int]()
    for start in range(len(said) - MIN_RUN + 1):
        if tuple(said[start : start + MIN_RUN]) in runs:
            repeated.update(range(start, start + MIN_RUN))
    return len(repeated) > 0 and len(repeated) >= MIN_SHARE * len(said)


def _plain(tokens: Sequence[int], tokenizer: Tokenizer) -> list[str | int]:
    """Return tokens in lower case without marks; those within a character stay numbers."""
    plain: list[str | int] = []
    for token in tokens:
        if token < tokenizer.eot:
            text = tokenizer.decode([token])
            plain += [token] if "\ufffd" in text else [normalised(text)] if normalised(text) else []
    return plain
