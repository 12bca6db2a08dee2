"""Which words of a hypothesis are committed already, and what follows them.

Words are compared as they are written and, where that explains more, with numbers digit by digit in whatever way they
are written. A number can be committed in part: after "55" the word "5550123" continues with "50123", and after "twenty"
the word "25" with "5". So can a word with hyphens: after "cold", "cold-hearted" continues with "-hearted".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, zip_longest
from typing import Final

from realtime.speech.number_units import Unit, units
from realtime.speech.transcript import Word, normalised

_SEPARATORS: Final = "-.,:/"
"""Marks between the digits of a number, which do not begin the rest of it after words."""


def align_words(committed: Sequence[Word], words: Sequence[Word]) -> tuple[list[int | None], tuple[Word, ...]]:
    """Align committed words with a hypothesis.

    Return for each committed word its index in `words`, or None, and the words after the prefix that corresponds to
    `committed`: the one with the least edit distance, the longer one on a tie. The first of them may be the rest of a
    number or of a word with hyphens; it begins with a space unless it continues the last committed word.
    """
    before, after = ([_plain(word) for word in each] for each in (committed, words))
    if after[: len(before)] == before:
        return list(range(len(committed))), tuple(words[len(committed) :])
    rests = [_rest_of_compound(committed[-1], word) for word in words]
    last = len(committed) - 1
    as_written = _Alignment(
        len(before),
        len(after),
        lambda row, column: before[row] != after[column] and not (row == last and rests[column]),
    )
    places: list[int | None] = [None] * len(committed)
    old = _tokens(committed)
    if any(_text(token).isdecimal() for token in old):
        new = _tokens(words)
        in_digits = _Alignment(len(old), len(new), lambda row, column: not _agree(old, row, new[column]))
        if in_digits.distance < as_written.distance:
            for row, column in in_digits.pairs():
                for one, other in zip_longest(old[row], new[column][: len(old[row])], fillvalue=new[column][-1]):
                    places[one.word] = other.word
            return places, _after(old[-1], new, in_digits.length, words)
    for row, column in as_written.pairs():
        places[row] = column
    following = tuple(words[as_written.length :])
    if (place := places[-1]) is not None and place == as_written.length - 1 and rests[place]:
        return places, (replace(words[place], text=rests[place], tokens=()), *following)
    return places, following


class _Alignment:
    """The edit distance of a sequence and the prefix of another that is most like it, the longest of several.

    Attributes:
        distance: The distance.
        length: Elements of the prefix.
    """

    def __init__(self, rows: int, columns: int, differ: Callable[[int, int], bool]) -> None:
        """Align sequences of so many elements, of which `differ` compares two by their indices."""
        self._differ = differ
        self._distances = [list(range(columns + 1))]
        for row in range(rows):
            above, current = self._distances[-1], [row + 1]
            for column in range(columns):
                changed = above[column] + differ(row, column)
                current.append(min(changed, above[column + 1] + 1, current[column] + 1))
            self._distances.append(current)
        last = self._distances[-1]
        self.length = min(range(columns + 1), key=lambda column: (last[column], -column))
        self.distance = last[self.length]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the indices of the elements that correspond to each other, from the last to the first."""
        row, column = len(self._distances) - 1, self.length
        while row and column:
            distance = self._distances[row][column]
            if distance == self._distances[row - 1][column - 1] + self._differ(row - 1, column - 1):
                row, column = row - 1, column - 1
                yield row, column
            elif distance == self._distances[row - 1][column] + 1:
                row -= 1
            else:
                column -= 1


def _rest_of_compound(said: Word, word: Word) -> str:
    """Return what follows in a word with hyphens if it begins with what was said; it begins with the hyphen."""
    for index, character in enumerate(word.text):
        if (
            character == "-"
            and normalised(word.text[:index]) == normalised(said.text)
            and normalised(word.text[index:])
        ):
            return word.text[index:]
    return ""


def _tokens(words: Sequence[Word]) -> list[list[Unit]]:
    """Return the units of words, of which the digits in a row, in one word or in several, are one token."""
    tokens: list[list[Unit]] = []
    for is_number, group in groupby(units(words), key=lambda unit: unit.text.isdecimal()):
        found = list(group)
        tokens += [found] if is_number else [[unit] for unit in found]
    return tokens


def _agree(old: Sequence[Sequence[Unit]], row: int, token: Sequence[Unit]) -> bool:
    """Whether a token of the committed words is the other one or, at their end, the beginning of the same number."""
    return _text(old[row]) == _text(token) or (row == len(old) - 1 and _goes_on(old[row], token))


def _goes_on(said: Sequence[Unit], token: Sequence[Unit]) -> bool:
    """Whether both are numbers, and what was said is the beginning of the other one, which has no fewer digits."""
    numbers = _text(said).isdecimal() and _text(token).isdecimal()
    return numbers and len(token) >= len(said) and _text(token).startswith(_beginning(said))


def _beginning(token: Sequence[Unit]) -> str:
    """Return the digits with which a number begins: all in digits, those before the zeros of a round one in words."""
    text = _text(token)
    return (token[-1].spelled and text.rstrip("0")) or text


def _text(token: Sequence[Unit]) -> str:
    return "".join(unit.text for unit in token)


def _after(said: Sequence[Unit], new: Sequence[Sequence[Unit]], known: int, words: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words after the first `known` tokens; of a number of which `said` is the beginning, the rest."""
    rest = [unit for token in new[known:] for unit in token]
    if not known or not _goes_on(said, new[known - 1]):
        return tuple(words[new[known - 1][-1].word + 1 :]) if known else tuple(words)
    token = new[known - 1]
    whole = len(said)
    more = _text(token)[len(_beginning(said)) : whole].lstrip("0")
    """What the number has instead of the zeros of a round one."""
    last = token[whole - 1]
    if more and last.spelled:
        return tuple(words[token[whole - len(more)].word :])
    rest = [*token[whole:], *rest]
    unsaid = words[last.word].text[last.end :] if rest and rest[0].word == last.word else ""
    if more:
        unsaid = f" {more}{unsaid}"
    elif said[-1].spelled and unsaid:
        unsaid = "" if rest[0].text == "th" else f" {unsaid.lstrip(_SEPARATORS)}"
    following = tuple(words[last.word + 1 :])
    return (replace(words[last.word], text=unsaid, tokens=()), *following) if unsaid else following


def _plain(word: Word) -> str:
    """Return a word as it is compared; that one has a percent sign is no matter of punctuation."""
    return normalised(word.text) + "%" * ("%" in word.text)
