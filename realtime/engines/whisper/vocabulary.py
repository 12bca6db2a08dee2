"""Whisper's vocabulary of byte-level tokens."""

import json
from typing import Final

from tokenizers import Tokenizer

_FIRST_MERGE: Final = ("Ġ", "t")
"""The first merge of GPT-2's byte-pair encoding: a space and a `t`."""


def with_first_merge(vocabulary: Tokenizer) -> Tokenizer:
    """Add `_FIRST_MERGE` if it is missing, as it is in the tokenizers of OpenAI's multilingual models.

    Without it " the" and " to" in a prompt are encoded as tokens that Whisper never saw in training.
    """
    description = json.loads(vocabulary.to_str())
    merges = description["model"].get("merges", [])
    if not merges or list(_FIRST_MERGE) in merges or "".join(_FIRST_MERGE) not in description["model"]["vocab"]:
        return vocabulary
    description["model"]["merges"] = [list(_FIRST_MERGE), *merges]
    return vocabulary.from_str(json.dumps(description))
