"""How much of a text Whisper owes to the audio, and how much to its habit of writing something.

For silence Whisper writes what followed speech in its training data: thanks to the viewers, the names of subtitlers.
Such a text is as likely given silence as given the audio; what was said is far more likely given the audio. The
comparison needs no list of phrases, and holds in all languages.
"""

import math
from collections.abc import Sequence

import ctranslate2
import numpy as np
from faster_whisper.tokenizer import Tokenizer

from realtime.engines.whisper.windows import Encoding

_LEAST: float = 1e-9
"""Probability that replaces a smaller one, so that its logarithm is finite."""


def log_likelihood_ratio(
    model: ctranslate2.models.Whisper,
    tokenizer: Tokenizer,
    tokens: Sequence[int],
    encoding: Encoding,
    silence: Encoding,
) -> float:
    """Return the log-likelihood of text tokens given an encoding less that given as much of the encoded `silence`.

    Both are in nats. One parallel pass over the tokens, as for word times; nothing is generated.
    """
    memories = np.ascontiguousarray(np.stack([encoding, silence[: len(encoding)]]))
    given_audio, given_silence = (
        sum(math.log(max(probability, _LEAST)) for probability in result.text_token_probs)
        for result in model.align(
            ctranslate2.StorageView.from_array(memories),
            tokenizer.sot_sequence,
            [list(tokens)] * 2,
            2 * len(encoding),
        )
    )
    return given_audio - given_silence
