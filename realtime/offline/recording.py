"""Open a recording that may have several audio tracks, and choose the one to transcribe."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from realtime.audio.formats import SAMPLE_RATE, WINDOW, AudioFormat, Decoder, Encoding, Samples
from realtime.errors import AudioTooLong, ClientError, UnsupportedAudio
from realtime.languages import language_code, language_name
from realtime.media.decoder_pool import DecodedAudio, DecoderPool
from realtime.media.tracks import AudioTrack, by_preference
from realtime.offline.speech_segments import SpeechSegmenter
from realtime.speech.endpointing import TurnDetection

if TYPE_CHECKING:
    from realtime.models.protocols import AsyncDetector

_BEGINNING: Final = 120 * SAMPLE_RATE
"""Samples from the beginning of every track in which speech is looked for first: 2 minutes."""

_ENOUGH: Final = 0.2
"""Share of the most speech on any track that a preferred track must have.

Dubbed languages have about equal shares; on the track of a computer's sounds the detector takes some for speech.
"""


_RAW_BLOCK_BYTES: Final = 10 * 2 * SAMPLE_RATE
"""Bytes of a file without a header that are read at a time: 10 s, as much as of others."""


@dataclass(frozen=True, slots=True)
class Recording:
    """An open recording: the decoded audio, and its track if there are several."""

    audio: DecodedAudio
    track: AudioTrack | None


@asynccontextmanager
async def open_recording(
    decoders: DecoderPool, file: IO[bytes], max_seconds: float, detector: "AsyncDetector", track: str = ""
) -> AsyncIterator[Recording]:
    """Decode one audio track of `file` until the block ends.

    `track` is its index or language. Without it, the track that the file marks as default or else the first is taken,
    unless others have far more speech.

    Raises:
        ClientError: The file has no such track.
        Overloaded: Too many files are being decoded.
        UnsupportedAudio: The file is not audio, or cannot be decoded.
    """
    async with decoders.decoding(file, max_seconds) as audio:
        tracks = await audio.tracks()
        wanted = _named(track, tracks) if track else tracks[0] if len(tracks) == 1 else None
        if wanted == audio.track:
            yield Recording(audio, wanted if len(tracks) > 1 else None)
            return
    if wanted is None:
        wanted = await _with_speech(decoders, file, max_seconds, detector, by_preference(tracks))
    async with decoders.decoding(file, max_seconds, wanted.index) as audio:
        await audio.tracks()
        yield Recording(audio, wanted)


async def raw_samples(file: IO[bytes], max_seconds: float) -> AsyncGenerator[Samples, None]:
    """Yield the samples of a file without a header, 16-bit mono at 16 kHz, in blocks. Raises `AudioTooLong`."""
    decoder, samples = Decoder(AudioFormat(Encoding.PCM16, SAMPLE_RATE)), 0
    while data := file.read(_RAW_BLOCK_BYTES):
        block = decoder.decode(data)
        samples += len(block)
        if samples > max_seconds * SAMPLE_RATE:
            raise AudioTooLong(f"The audio is longer than {max_seconds:g} seconds.", param="file")
        yield block
        await asyncio.sleep(0)  # reading takes no turn of the event loop


def label(track: AudioTrack) -> str:
    """Return the index of a track and its language for a message."""
    language = language_name(_language(track.language)) or track.language or "unknown language"
    return f"{track.index} ({language})"


def _named(name: str, tracks: Sequence[AudioTrack]) -> AudioTrack:
    """Return the track with this index or language. Raises `ClientError` if there is none."""
    if name.isdecimal() and int(name) < len(tracks):
        return tracks[int(name)]
    code = _language(name)
    for track in by_preference(tracks):
        if code and _language(track.language) == code:
            return track
    offered = ", ".join(map(label, tracks))
    raise ClientError(f"The file has no audio track {name!r}. Its tracks: {offered}.", param="track")


def _language(name: str) -> str:
    """Return the code of a language, empty if the name is unknown."""
    try:
        return language_code(name) or ""
    except ClientError:
        return ""


async def _with_speech(
    decoders: DecoderPool,
    file: IO[bytes],
    max_seconds: float,
    detector: "AsyncDetector",
    tracks: Sequence[AudioTrack],
) -> AudioTrack:
    """Return the first of the tracks with enough speech, and the first of all if there is no speech on any."""

    async def speech(track: AudioTrack, *, whole: bool) -> int:
        async with decoders.decoding(file, max_seconds, track.index) as audio:
            return await _speech(audio, detector, whole=whole)

    amounts = [await speech(track, whole=False) for track in tracks]
    if most := max(amounts):
        return next(track for track, amount in zip(tracks, amounts, strict=True) if amount >= _ENOUGH * most)
    for track in tracks:
        if await speech(track, whole=True):
            return track
    return tracks[0]


async def _speech(audio: DecodedAudio, detector: "AsyncDetector", *, whole: bool) -> int:
    """Return the samples with speech at the beginning of a track, or until there is any in the whole of it."""
    segmenter = SpeechSegmenter(detector, TurnDetection(), vad_filter=True)
    found = 0
    try:
        async for block in audio:
            async with aclosing(segmenter.add(block)) as segments:
                found += sum(
                    [segment.evidence.voiced * WINDOW async for segment in segments if segment.evidence.has_speech]
                )
            if found if whole else segmenter.samples >= _BEGINNING:
                break
    except UnsupportedAudio:
        return 0
    async with aclosing(segmenter.finish()) as segments:
        return found + sum([each.evidence.voiced * WINDOW async for each in segments if each.evidence.has_speech])
