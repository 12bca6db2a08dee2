"""What is said for written forms of a table that was made without knowledge of the rules and of other tables."""

from pathlib import Path

import pytest

from realtime.text_normalization.normalizer import spoken_text
from tests.support.read_aloud import letters
from tests.support.round_trip import alternatives

TABLE = Path(__file__).parents[2] / "data" / "written_forms" / "second.tsv"
ROWS = [tuple(line.split("\t")) for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]

NOT_YET = {"Geöffnet Mo–Fr 9–18 Uhr.", "Appelez le 01 42 68 53 00.", "Hay 21 personas y 200 páginas."}


@pytest.mark.parametrize(
    ("language", "variant", "written", "said"),
    [
        pytest.param(
            language, variant, written.replace("\\n", "\n"), said, id=f"{language}-{variant}: {written}",
            marks=[pytest.mark.xfail(strict=True)] if written in NOT_YET else [],
        )
        for language, variant, _, written, said, _ in ROWS
    ],
)  # fmt: skip
def test_a_form_is_read_as_an_educated_speaker_reads_it(language: str, variant: str, written: str, said: str) -> None:
    spoken = spoken_text(written, (language,), british=variant == "uk").text
    assert letters(spoken) in map(letters, alternatives(said)), spoken
