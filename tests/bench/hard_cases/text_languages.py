"""The language of written text, by the transcripts of the recordings beside a development checkout.

    python -m tests.bench.hard_cases.text_languages

A text is noticed if it is taken for another language than English, which is an error for English text.
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from realtime.catalogue.table import ENGLISH
from realtime.engines.py3langid import Py3LangId
from tests.bench.hard_cases import recordings


def sentences() -> dict[str, list[str]]:
    """Return the sentences of at least four words, or four characters of an East Asian script, by language."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for clip in recordings.rows():
        for sentence in re.split(r"(?<=[.!?。])\s*", clip["text"] or ""):
            if clip["lang"] and len(re.findall(r"[\u3040-\ud7ff]|[^\W\d_]+", sentence)) >= 4:
                found[clip["lang"]][sentence] = None
    return {language: list(texts) for language, texts in sorted(found.items())}


def rows() -> Iterator[tuple[str, ...]]:
    """Yield for each language the number of texts, how many are noticed and recognized, and the time for each."""
    identifier = Py3LangId()
    for language, texts in sentences().items():
        began = time.perf_counter()
        guesses = [identifier.language(text, ENGLISH) for text in texts]
        milliseconds = 1000 * (time.perf_counter() - began) / len(texts)
        noticed = sum(guess not in (None, *ENGLISH) for guess in guesses)
        yield language, str(len(texts)), str(noticed), str(guesses.count(language)), f"{milliseconds:.2f}"


def main() -> None:
    table = Table("language", "texts", "noticed", "recognized", "ms", title="Language of text")
    for row in rows():
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
