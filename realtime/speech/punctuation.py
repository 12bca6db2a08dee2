"""Punctuation that several modules must agree on.

The tables of `phrases` and of Whisper's words differ on purpose: there, what a mark means depends on its neighbours.
"""

from typing import Final

SENTENCE_ENDS: Final = tuple(".!?…。\uff01\uff1f")
"""Characters that end a sentence, the last two being the full-width exclamation and question mark."""
