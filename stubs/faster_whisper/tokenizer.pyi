"""Whisper's tokenizer in faster-whisper."""

from collections.abc import Sequence

import tokenizers

class Tokenizer:
    tokenizer: tokenizers.Tokenizer
    language_code: str
    task: int
    translate: int
    sot_prev: int
    eot: int
    no_timestamps: int
    timestamp_begin: int
    sot_sequence: list[int]
    def __init__(
        self,
        tokenizer: tokenizers.Tokenizer,
        multilingual: bool,
        task: str | None = ...,
        language: str | None = ...,
    ) -> None: ...
    def encode(self, text: str) -> list[int]: ...
    def decode(self, tokens: Sequence[int]) -> str: ...
    def split_tokens_on_unicode(self, tokens: Sequence[int]) -> tuple[list[str], list[list[int]]]: ...
