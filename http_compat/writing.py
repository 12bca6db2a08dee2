"""From excerpts of a recording to what was said in them, in order.

Several excerpts are with the recognizer at the same time, because it decodes them together for little more than one
costs. But each waits for the one before while its text or its language may matter: until the first excerpt with words
has settled the language of all, and where the text before is part of the prompt.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from http_compat.formats import Passage, Withheld
from http_compat.forms import TranscriptionForm
from http_compat.recording import Excerpt
from realtime.events import Priority
from realtime.evidence import suppression
from realtime.load import Owner
from realtime.transcript import TranscriptionRequest

if TYPE_CHECKING:
    from realtime.models import RecognizerHandle

AT_ONCE: Final = 4
"""Excerpts of one recording that may be with the recognizer."""

_CONDITION: Final = 500
"""Characters of the text before that an excerpt is told."""


class Writing:
    """Writes down one recording. `language` is a code, None as long as nothing has told it.

    `withheld` has the excerpts whose text is not given, as they came back.
    """

    def __init__(
        self, recognizer: "RecognizerHandle", wanted: TranscriptionForm, owner: Owner, *, translate: bool
    ) -> None:
        """`wanted.languages` are such as the recognizer knows."""
        self.language = wanted.languages[0] if len(wanted.languages) == 1 else None
        self.withheld: list[Withheld] = []
        self._recognizer = recognizer
        self._wanted = wanted
        self._owner = owner
        self.translate = translate
        self._before = ""

    async def passages(self, excerpts: AsyncGenerator[Excerpt, None]) -> AsyncGenerator[Passage, None]:
        """Yield what was said, leaving out excerpts in which nothing was; closing the generator cancels the work."""
        under_way: deque[asyncio.Task[Passage | None]] = deque()
        try:
            async with aclosing(excerpts):
                async for excerpt in excerpts:
                    while under_way and (len(under_way) >= self._room or under_way[0].done()):
                        if passage := await under_way[0]:
                            yield passage
                        under_way.popleft()
                    under_way.append(asyncio.create_task(self._transcribed(excerpt)))
            while under_way:
                if passage := await under_way[0]:
                    yield passage
                under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    @property
    def _room(self) -> int:
        return 1 if self.language is None or self._wanted.conditioned else AT_ONCE

    async def _transcribed(self, excerpt: Excerpt) -> Passage | None:
        if not excerpt.voice.heard:
            return None
        wanted = self._wanted
        request = TranscriptionRequest(
            excerpt.samples,
            language=self.language,
            candidates=wanted.languages,
            prompt=f"{wanted.prompt} {self._before}" if wanted.conditioned else wanted.prompt,
            hotwords=wanted.hotwords,
            final=True,
            word_times=wanted.response_format.timed or wanted.logprobs,
            translate=self.translate,
            decoding=wanted.decoding,
        )
        hypothesis = await self._recognizer.transcribe(request, Priority.UPLOAD, self._owner)
        if not hypothesis.words:
            return None
        if reason := suppression(hypothesis, excerpt.voice, wanted.decoding):
            self.withheld.append(Withheld(excerpt.start, excerpt.start + len(excerpt.samples), reason))
            return None
        self.language = self.language or hypothesis.language
        self._before = (self._before + hypothesis.text)[-_CONDITION:]
        words = tuple(word.shifted(excerpt.start) for word in hypothesis.words)
        return Passage(excerpt.start, words, hypothesis)
