"""Dates and times of day in written German, French and Spanish."""

import re
from typing import Final

from realtime.text_normalization.european.amounts import AFTER, BEFORE, BLANK
from realtime.text_normalization.european.language import Language
from realtime.text_normalization.numerals import year
from realtime.text_normalization.rules import Rule

_HOURS: Final = "(?P<hour>[01]?[0-9]|2[0-4])"
_MINUTES: Final = "(?P<minute>[0-5][0-9])"
_SECONDS: Final = "(?P<second>:[0-5][0-9])"
_YEAR: Final = "[12][0-9]{3}"


def dates(language: Language) -> tuple[Rule, ...]:
    """Return the rules for dates, months of a year and spans of years."""
    code = language.code

    def date(match: re.Match[str], month: int) -> str:
        day, number = int(match["day"]), match["year"] or ""
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return match[0]
        if len(number) == 2:
            number = ("19" if int(number) > 50 else "20") + number
        return language.date(match.string[: match.start()], day, month, number and year(int(number), code))

    def numeric(match: re.Match[str]) -> str:
        return date(match, int(match["month"]))

    def named(match: re.Match[str]) -> str:
        patterns = enumerate(language.month_patterns, 1)
        return date(match, next(index for index, names in patterns if re.fullmatch(f"(?i:{names})", match["month"])))

    months = "|".join(language.month_patterns)
    before_year = rf"(?= (?:de |del )?{_YEAR}(?![\w]|[.,][0-9]))"
    return (
        (re.compile(rf"{BEFORE}(?P<year>{_YEAR})-(?P<month>[01]?[0-9])-(?P<day>[0-3]?[0-9]){AFTER}"), numeric),
        (re.compile(rf"{BEFORE}(?P<day>[0-3]?[0-9])(?P<mark>[./-])(?P<month>[01]?[0-9])(?P=mark)"
                    rf"(?P<year>{_YEAR}|[0-9]{{2}})(?![\w/]|[.,:-][0-9])"),
         numeric),
        (re.compile(rf"(?<=[0-9])\. ?[-–] ?(?=[0-3]?[0-9]\. (?i:{months})\b)"), f". {language.to} "),
        (re.compile(rf"(?<=[0-9])\.?/(?=[0-3]?[0-9]\.? (?:de )?(?i:{months})\b)"), " "),
        (re.compile(rf"{BEFORE}({_YEAR})-(0[1-9])(?![\w-])"),
         lambda match: f"{language.months[int(match[2]) - 1]} {year(int(match[1]), code)}"),
        (re.compile(rf"{BEFORE}(?P<day>[0-3]?[0-9])(?:\.|er|º|°)? (?:de )?(?P<month>(?i:{months}))(?![\w-])"
                    rf"(?: (?:de |del )?(?P<year>{_YEAR})(?![\w]|[.,][0-9]))?"),
         named),
        *((re.compile(rf"(?<![\w.])(?i:{names})(?<=\.){before_year}"), month)
          for names, month in zip(language.month_patterns, language.months, strict=True)),
        (re.compile(rf"(?<=(?:{language.before_date}) )(?P<day>[0-3]?[0-9])/(?P<month>[01]?[0-9])(?P<year>)"
                    rf"(?![\w/]|[.,:-][0-9]|{BLANK}(?:de|des|du|d['’]))"),
         numeric),
        *(
            ((re.compile(rf"{BEFORE}(?P<day>[0-3]?[0-9])\.(?P<month>[01]?[0-9])\.(?P<year>)(?![\w/]|[.,:-]?[0-9])"),
             numeric),)
            if code == "de"
            else ()
        ),
        (re.compile(r"(?<![\w.,/-])(1[0-9]{3}|20[0-9]{2}) ?[-–] ?(1[0-9]{3}|20[0-9]{2})(?![\w/-]|[.,][0-9])"),
         lambda match: f"{year(int(match[1]), code)} {language.to} {year(int(match[2]), code)}"),
    )  # fmt: skip


def times(language: Language) -> tuple[Rule, ...]:
    """Return the rules for times of day, with or without a unit."""

    def clock(match: re.Match[str]) -> str:
        found = match.groupdict()
        return language.time(int(match["hour"]), int(match["minute"] or 0), int((found.get("second") or ":0")[1:]))

    suffix = r"(?:Uhr|h\b|horas\b|hrs?\b)"
    return (
        (re.compile(r"(?<![0-9:])([0-2]?[0-9]:[0-5][0-9])(?: ?(?:Uhr|h))? ?[-–] ?(?=[0-2]?[0-9]:[0-5][0-9])"),
         rf"\1 {language.to} "),
        (re.compile(rf"(?<![\w.,:-])([0-2]?[0-9])\.([0-5][0-9])(?: ?(?:Uhr|h))? ?[-–] ?"
                    rf"(?=[0-2]?[0-9][:.][0-5][0-9] ?{suffix})"),
         rf"\1:\2 {language.to} "),
        (re.compile(r"(?<![\w.,:-])([0-2]?[0-9] ?h(?: ?[0-5][0-9])?) ?[-–] ?(?=[0-2]?[0-9] ?h ?[0-5][0-9])"),
         rf"\1 {language.to} "),
        (re.compile(rf"(?<![\w.,:-])([0-2]?[0-9])(?: ?(?:Uhr|h))? ?[-–] ?(?=[0-2]?[0-9](?:[:.][0-5][0-9])? ?{suffix})"),
         rf"\1 {language.to} "),
        (re.compile(rf"{BEFORE}{_HOURS}[:.]{_MINUTES}{_SECONDS}?[ \u00a0\u202f]?{suffix}"), clock),
        (re.compile(rf"{BEFORE}{_HOURS}:{_MINUTES}{_SECONDS}?{AFTER}"), clock),
        (re.compile(rf"{BEFORE}{_HOURS}\.{_MINUTES}(?= de la (?:mañana|tarde)\b)"), clock),
        (re.compile(rf"{BEFORE}{_HOURS}{BLANK}?h(?:eures?)?{BLANK}?{_MINUTES}(?!\w|{BLANK}?min)"), clock),
        (re.compile(rf"{BEFORE}{_HOURS}{BLANK}?(?:Uhr|heures?)(?P<minute>)(?!\w)"), clock),
        (re.compile(rf"(?<=[Uu]m ){_HOURS}(?P<minute>){BLANK}?h\b"), clock),
    )  # fmt: skip
