"""Whether a measure describes the noun after it, and so is singular: "a 10 km run", but "it is 10 km away"."""

import re
from typing import Final

DESCRIBED: Final = re.compile(r"(?i)\b(?:an?|the|this|that|his|her|my|our|their|your|its|per|each|another) $")
"""What stands before a measure that describes something."""

NOUN: Final = re.compile(
    r" (?!(?:of|and|or|in|to|per|from|is|was|are|were|at|on|for|with|away|more|long|each|high|until|till|when|if|before"
    r"|after|during|while|by|but|so|as|than|then|we|you|they|he|she|it|will|can|has|had|have|off|out|up|down|above"
    r"|below|under|over|later|ago|earlier|total|daily|max|maximum|minimum)\b)[a-z]{2,}"
)
"""A noun, or what may be one, behind a measure."""

_MEASURED: Final = re.compile(
    r" (?:run|walk|ride|hike|race|relay|swim|sprint|marathon|timeout|delay|break|battery|charger|adapter|tablet|capsule"
    r"|pill|monitor|screen|display|lens|cable|hose|rope|ladder|bottle|bag|can|jar|pan|tin|skillet|bulb|motor|engine|SSD"
    r"|TV|TDP|supply|radius|diameter|limit|drive|trip|flight|journey|meeting|session|class|lesson|workout|workshop"
    r"|interval|video|clip|movie|episode|presentation|nap|shift|warranty|contract|lease|mortgage|subscription"
    r"|trial|read|fuse|breaker|circuit|outlet|socket|angle|rotation|corner|slope|incline|plank|pole|beam|pipe|boat|wall"
    r"|fence|ceiling|pool)(?:s|es)?\b"
)
"""Things that a measure before them describes, with an article or without."""

_SIGNED: Final = re.compile(" (?:turn|bend|view|board|arc|spin|twist)s?\\b")
"""More of them behind a sign; behind a word some are verbs: "in 500 m turn left"."""


def describes(match: re.Match[str]) -> bool:
    """Return whether a measure describes a noun: "a 10 km run", "a 90° angle"."""
    if _MEASURED.match(match.string, match.end()) or (
        match[0][-1] in "°'′" and _SIGNED.match(match.string, match.end())
    ):
        return True
    before = DESCRIBED.search(match.string, max(0, match.start() - 10), match.start())
    return bool(before) and bool(NOUN.match(match.string, match.end()))
