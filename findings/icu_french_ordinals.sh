#!/usr/bin/env bash
# ICU 77.1 (pyicu-wheels 2.15.2): the French ordinals of 81 and 91 have an "et" that its cardinals do not have.
#
# Guess: as its cardinals, 81 "quatre-vingt-un" and 91 "quatre-vingt-onze", the ordinals are "quatre-vingt-unième" and
#        "quatre-vingt-onzième".
# Seen:  "quatre-vingt-et-unième" and "quatre-vingt-et-onzième".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyicu-wheels==2.15.2
"$work/venv/bin/python" - <<'PY'
import icu

print("PyICU", icu.VERSION, "with ICU", icu.ICU_VERSION)
french = icu.RuleBasedNumberFormat(icu.URBNFRuleSetTag.SPELLOUT, icu.Locale("fr"))
for number, seen, meant in (
    (81, "quatre-vingt-et-unième", "quatre-vingt-unième"),
    (91, "quatre-vingt-et-onzième", "quatre-vingt-onzième"),
):
    said = french.format(number, "%spellout-ordinal-masculine")
    print(f"{french.format(number)}: {said}; right would be {meant}")
    assert said == seen, said
PY
