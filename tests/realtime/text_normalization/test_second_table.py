"""What is said for written forms of a table that was made without knowledge of the rules and of other tables."""

from pathlib import Path

import pytest

from realtime.text_normalization.normalizer import spoken_text
from tests.support.read_aloud import letters
from tests.support.round_trip import alternatives

TABLE = Path(__file__).parents[2] / "data" / "written_forms" / "second.tsv"
ROWS = [tuple(line.split("\t")) for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]

NOT_YET = {
    "Let f(x) = x² + 1.", "Merge sort runs in O(n log n) time.", "FYI, it moved to Tue, 3/4 at 10:30.",
    "It moved to Wed, 3/4 at 10:30.", "The 49ers finished 2nd, not 22nd.", "Henry VIII's wives are in Chapter IV.",
    "Open 24/7, call 1-800-555-0199.", 'They sell a 55" 4K TV.', "Take I-95 N to exit 4A.",
    "She has a 401(k) and 20/20 vision.", "Open Settings > Wi-Fi and tap Off.", "Geöffnet Mo–Fr 9–18 Uhr.",
    "Appelez le 01 42 68 53 00.", "Hay 21 personas y 200 páginas.",
}  # fmt: skip


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
