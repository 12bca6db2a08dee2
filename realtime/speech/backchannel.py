"""Backchannels: what a listener says without wanting the turn, such as "mhm", "right" or "genau".

The term is Yngve's (1970, On getting a word in edgewise).
"""

import re
from collections.abc import Set
from typing import Final

from realtime.speech.transcript import normalised

MAX_WORDS: Final = 3
"""Words of a backchannel: "yeah, yeah, right"."""

_WORDS: Final = """
    mhm mmhm mmhmm mm mmm hm hmm hmmm uhhuh aha ahah uh um ah oh ok okay
    yeah yep yes right sure exactly true really wow
    ja jaja jo genau stimmt klar achso ach so
    oui ouais daccord voilà
    sí si claro vale ajá ya bueno
    sì certo esatto già
    sim isso pois
    jawel precies zeker
    嗯 嗯嗯 嗯哼 对 对对 好 好的 是 是的 哦 啊
    はい うん うんうん ええ そう そうそう なるほど
    """
"""Words in lower case and without punctuation. Sounds as Whisper writes them; then English, German, French, Spanish,
Italian, Portuguese, Dutch, Chinese and Japanese."""

_BACKCHANNELS: Final[Set[str]] = frozenset(_WORDS.split())

_PHRASES: Final[Set[str]] = frozenset({"i see", "of course", "alles klar", "ya veo"})
"""Backchannels whose words are none by themselves."""

_LAUGHTER: Final = re.compile(r"a?(h[aei]){2,}h?")
"""Laughter, as Whisper writes it: "haha", "hehehe"; as separate words, "ha ha", too."""


def is_backchannel(text: str) -> bool:
    """Return whether a transcript is nothing but a backchannel."""
    words = [word for word in map(normalised, text.split()) if word]
    if _LAUGHTER.fullmatch("".join(words)) or " ".join(words) in _PHRASES:
        return True
    return 0 < len(words) <= MAX_WORDS and all(word in _BACKCHANNELS for word in words)
