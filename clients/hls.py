"""Captions as segments of WebVTT and their playlist, for HTTP Live Streaming (RFC 8216, section 3.5).

A player shows them some seconds behind the live edge, so a segment is written once the turns in it have their final
transcripts, whose words have exact times. Where somebody speaks without a pause for longer than `PATIENCE`, it has the
text that is committed by then, with the times at which it was committed.
"""

import errno
import os
import re
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Final

from clients.events import Completed, Delta, Event, Failed, Partial, SpeechStarted, Word
from clients.options import SAMPLE_RATE
from clients.subtitles import SHORTEST, Cue, cues, vtt_cues

PLAYLIST: Final = "captions.m3u8"

SECONDS: Final = 6
"""Duration of a segment in seconds, as Apple's authoring specification for HLS recommends."""

LISTED: Final = 600
"""Segments that the playlist lists: an hour. Older ones are deleted."""

PATIENCE: Final = 12.0
"""Seconds after its end in which a segment waits for final transcripts; players are about three segments behind."""

NOTICE: Final = 2.0
"""Seconds after which the server has told that speech has started."""

_BYTES_PER_SECOND: Final = 2 * SAMPLE_RATE

_WORD: Final = re.compile(r"\s*\S+")


@dataclass(slots=True, eq=False)
class _Turn:
    """A turn without its final transcript: its committed words that are in no cue yet, and the newest audio.

    `end` is that of its last word, and `shown` the number of characters, but for spaces, that are in cues.
    """

    start: float
    reached: float
    end: float
    words: list[Word] = field(default_factory=list)
    shown: int = 0

    def commit(self, text: str) -> None:
        """Add words, as if each had taken the same time since the last commit."""
        start = self.end
        added = _WORD.findall(text)
        seconds = max(0.0, self.reached - start) / max(1, len(added))
        self.words += [
            Word(word, start + index * seconds, start + (index + 1) * seconds, 1.0) for index, word in enumerate(added)
        ]
        self.end = self.words[-1].end if self.words else start

    def rest(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """Return the final words that are in no cue; they may be cut in other places than the committed ones."""
        characters = accumulate(len(word.text.strip()) for word in words)
        return tuple(word for word, until in zip(words, characters, strict=True) if until > self.shown)


class SegmentsUnwritable(Exception):
    """The folder, or a file in it, cannot be written."""


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SegmentsUnwritable(f"cannot write to {folder}: {error.strerror}") from None


class HlsCaptions:
    """The segments of one stream."""

    def __init__(self, folder: Path, start: int = 0, patience: float = PATIENCE) -> None:
        """Create the folder, and the playlist in it.

        Args:
            folder: Where the files are written.
            start: Timestamp of the media at which the audio begins, in ticks of 90 kHz.
            patience: Seconds of audio in which a segment waits for final transcripts; infinite for audio that is not
                sent at the speed of playback.

        Raises:
            SegmentsUnwritable: The folder cannot be created or written.
        """
        self._patience = patience
        self._folder = folder
        self._start = start
        self._turns: dict[str, _Turn] = {}
        self._cues: list[Cue] = []
        """Cues that are in no segment yet."""
        self._shown: list[Cue] = []
        """Cues of the last segment, of which those that last longer are repeated in the next."""
        self._listed: deque[tuple[int, float]] = deque()
        self._written = 0
        self._sent = 0.0
        with _writing(folder):
            if folder.exists() and not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            folder.mkdir(parents=True, exist_ok=True)
        self._write_playlist(ended=False)

    async def follow(self, audio: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Pass PCM16 at 24 kHz on, and write the segments that are due by then."""
        async for pcm in audio:
            yield pcm
            self.advance(self._sent + len(pcm) / _BYTES_PER_SECOND)

    def receive(self, event: Event) -> None:
        """Take an event of the session."""
        match event:
            case SpeechStarted(item_id=item, audio_start_ms=start_ms):
                self._turns[item] = _Turn(start_ms / 1000, start_ms / 1000, start_ms / 1000)
            case Partial(item_id=item, audio_end_ms=end_ms) if item in self._turns:
                self._turns[item].reached = end_ms / 1000
            case Delta(item_id=item, text=text) if item in self._turns:
                self._turns[item].commit(text)
            case Completed(item_id=item):
                turn = self._turns.pop(item, None)
                if turn is None:
                    self._cues += cues([event])
                elif not event.words:
                    self._use_committed(turn)
                elif rest := turn.rest(event.words):
                    self._cues += cues([replace(event, words=rest)])
            case Failed(item_id=item) if item in self._turns:
                self._use_committed(self._turns.pop(item))
            case _:
                pass

    def advance(self, sent: float) -> None:
        """Write the segments that are due when so many seconds of audio have been sent."""
        self._sent = sent
        settled = min([sent - NOTICE, *(turn.start for turn in self._turns.values())])
        while (self._written + 1) * SECONDS <= max(settled, sent - self._patience):
            self._write_segment(SECONDS)

    def close(self) -> None:
        """Write what is left, and end the playlist."""
        while (rest := self._sent - self._written * SECONDS) > 0:
            self._write_segment(min(rest, SECONDS))
        self._write_playlist(ended=True)

    def _use_committed(self, turn: _Turn) -> None:
        words = tuple(turn.words)
        turn.words.clear()
        turn.shown += sum(len(word.text.strip()) for word in words)
        self._cues += cues([Completed("", "".join(word.text for word in words), words)])

    def _write_segment(self, seconds: float) -> None:
        begin = self._written * SECONDS
        end = begin + seconds
        for turn in self._turns.values():
            if turn.start < end:
                self._use_committed(turn)
        new = [
            cue if cue.start >= begin else replace(cue, start=begin, end=max(cue.end, begin + SHORTEST))
            for cue in self._cues
            if cue.start < end
        ]
        self._cues = [cue for cue in self._cues if cue.start >= end]
        shown = [cue for cue in self._shown if cue.end > begin] + new
        self._shown = shown
        header = f"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:{self._start}\n"
        # FFmpeg reads segments as one text: without an empty line, the next header would belong to the last cue.
        self._write(self._name(self._written), f"{header}{vtt_cues(shown)}\n")
        self._listed.append((self._written, seconds))
        self._written += 1
        if len(self._listed) > LISTED:
            oldest, _ = self._listed.popleft()
            with _writing(self._folder):
                (self._folder / self._name(oldest)).unlink(missing_ok=True)
        self._write_playlist(ended=False)

    def _write_playlist(self, *, ended: bool) -> None:
        first = self._listed[0][0] if self._listed else 0
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SECONDS}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        for number, seconds in self._listed:
            lines += [f"#EXTINF:{seconds:.3f},", self._name(number)]
        self._write(PLAYLIST, "\n".join([*lines, *["#EXT-X-ENDLIST"] * ended, ""]))

    def _write(self, name: str, text: str) -> None:
        """Write a file as a whole, so that no server delivers a part of it."""
        unfinished = self._folder / f".{name}.part"
        with _writing(self._folder):
            unfinished.write_text(text, encoding="utf-8", newline="\n")
            unfinished.replace(self._folder / name)

    @staticmethod
    def _name(number: int) -> str:
        return f"captions_{number}.vtt"
