"""What is said for the written forms of seven tables whose right answers come from style guides, standards and use."""

from pathlib import Path

import pytest

from realtime.text_normalization.normalizer import spoken_text
from tests.support.read_aloud import letters
from tests.support.round_trip import alternatives

TABLES = Path(__file__).parents[2] / "data" / "written_forms"
ROWS = [
    tuple(line.split("\t"))
    for table in ("first.tsv", "second.tsv", "third.tsv", "fourth.tsv", "fifth.tsv", "sixth.tsv", "seventh.tsv")
    for line in (TABLES / table).read_text(encoding="utf-8").splitlines()[1:]
]


@pytest.mark.parametrize(
    ("language", "written"),
    [
        (
            "de",
            "Wir fahren in die Schweiz. Ich danke Dir. Das ist Max. Ein Gen. Im ersten Akt. M. E. Schmidt kam selbst.",
        ),
        (
            "fr",
            "Dans la cour. Sam. Il habite le Var. T. Xavier et V. Hugo. C'est long. Au bord de la mer. Un vol.",
        ),
        ("es", "Llegó S. V. Pérez. Me gusta la col. Don S. I. Ruiz. Falta sal. Es el fin."),
    ],
)
def test_words_at_the_end_of_sentences_and_initials_are_no_abbreviations(language: str, written: str) -> None:
    assert spoken_text(written, (language,)).text == written


@pytest.mark.parametrize(
    ("language", "variant", "written", "said"),
    [
        pytest.param(language, variant, written.replace("\\n", "\n"), said, id=f"{language}-{variant}: {written}")
        for language, variant, _, written, said, _ in ROWS
    ],
)
def test_a_form_is_read_as_an_educated_speaker_reads_it(language: str, variant: str, written: str, said: str) -> None:
    spoken = spoken_text(written, (language,), british=variant == "uk").text
    assert letters(spoken) in map(letters, alternatives(said)), spoken
