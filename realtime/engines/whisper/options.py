"""What a request may say about how Whisper decodes, as CTranslate2's options and Whisper's tokens."""

from typing import Any, Final

from faster_whisper.tokenizer import Tokenizer

from realtime.speech.recognition import DecodingOptions, TranscriptionRequest

PROMPT_TOKENS: Final = 200
HOTWORD_TOKENS: Final = 100
"""Tokens that may stand before a transcript, and how many of them may be words to expect."""


def generation(decoding: DecodingOptions, temperature: float) -> dict[str, Any]:
    """The options of `Whisper.generate` that say how to look for the text at this temperature."""
    options: dict[str, Any] = {
        "length_penalty": decoding.length_penalty,
        "repetition_penalty": decoding.repetition_penalty,
        "no_repeat_ngram_size": decoding.no_repeat_ngram_size,
    }
    if temperature > 0:
        sampling = {"sampling_topk": 0, "sampling_temperature": temperature, "num_hypotheses": decoding.best_of}
        return options | sampling | {"beam_size": 1}
    return options | {"beam_size": decoding.beam_size, "patience": decoding.patience}


def preceding(request: TranscriptionRequest, tokenizer: Tokenizer) -> list[int]:
    """The tokens before those of the task: words to expect, and the end of the text that came before."""
    expected, prefix = (
        tokenizer.encode(f" {text.strip()}") if text.strip() else [] for text in (request.hotwords, request.prompt)
    )
    expected = expected[:HOTWORD_TOKENS]
    tokens = [*expected, *prefix[len(expected) - PROMPT_TOKENS :]]
    return [tokenizer.sot_prev, *tokens] if tokens else []
