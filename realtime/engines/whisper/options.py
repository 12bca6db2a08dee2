"""Translate the options of a request into CTranslate2's options and Whisper's prompt tokens."""

from typing import Any, Final

from faster_whisper.tokenizer import Tokenizer

from realtime.engines.whisper.terms import is_list
from realtime.speech.recognition import DecodingOptions, TranscriptionRequest

PROMPT_TOKENS: Final = 200
"""Tokens of hotwords and preceding text before a transcript, of the 223 that fit."""

HOTWORD_TOKENS: Final = 100
"""Tokens of hotwords among them."""


def generation(decoding: DecodingOptions, temperature: float) -> dict[str, Any]:
    """Return the search options of `ctranslate2.models.Whisper.generate` at this temperature."""
    options: dict[str, Any] = {
        "length_penalty": decoding.length_penalty,
        "repetition_penalty": decoding.repetition_penalty,
        "no_repeat_ngram_size": decoding.no_repeat_ngram_size,
    }
    if temperature > 0:
        sampling = {"sampling_topk": 0, "sampling_temperature": temperature, "num_hypotheses": decoding.best_of}
        return options | sampling | {"beam_size": 1}
    return options | {"beam_size": decoding.beam_size, "patience": decoding.patience}


def preceding(request: TranscriptionRequest, tokenizer: Tokenizer, *, terms: bool) -> list[int]:
    """Return the prompt before the task tokens: the end of the preceding text; with `terms`, those to expect before it.

    It is empty without either.
    """
    hotwords, prompt = request.hotwords, request.prompt
    if not terms:
        hotwords, prompt = "", "" if is_list(prompt) else prompt
    expected, prefix = (tokenizer.encode(f" {text.strip()}") if text.strip() else [] for text in (hotwords, prompt))
    expected = expected[:HOTWORD_TOKENS]
    tokens = [*expected, *prefix[len(expected) - PROMPT_TOKENS :]]
    return [tokenizer.sot_prev, *tokens] if tokens else []
