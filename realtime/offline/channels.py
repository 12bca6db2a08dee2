"""Find the speech segments of a recording of which each channel is a speaker, in the order in which they begin."""

import asyncio
import heapq
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from realtime.audio.crosstalk import CrosstalkGate
from realtime.audio.formats import SAMPLE_RATE
from realtime.offline.speech_segments import SpeechSegment, SpeechSegmenter

_STEP: Final = SAMPLE_RATE
"""Samples between two chances for other tasks to run: 1 s, of which the crosstalk of stereo takes 4 ms to find."""


class ChannelSegmenter:
    """Cuts each channel of one recording into speech segments; crosstalk between them is muted before.

    Attributes:
        channels: Number of channels; 0 before the first block.
        samples: Number of samples received of each channel.
    """

    def __init__(self, new_segmenter: Callable[[], SpeechSegmenter]) -> None:
        """Cut each channel with a new segmenter."""
        self.channels = 0
        self.samples = 0
        self._new_segmenter = new_segmenter
        self._segmenters: list[SpeechSegmenter] = []
        self._waiting: list[tuple[int, int, SpeechSegment]] = []
        """Segments that one which is not complete may precede, by their start and channel."""

    @property
    def earliest_needed(self) -> int:
        """Position before which no later segment begins."""
        starts = [segmenter.earliest_needed for segmenter in self._segmenters]
        return min([*starts, *(start for start, *_ in self._waiting[:1])], default=0)

    async def segments(self, blocks: AsyncIterator[NDArray[np.float32]]) -> AsyncGenerator[SpeechSegment, None]:
        """Yield the segments of all channels, of blocks of shape (channels, n) at 16 kHz."""
        segmenters, waiting = self._segmenters, self._waiting
        gate = CrosstalkGate(0)

        async def take(samples: NDArray[np.float32]) -> None:
            for channel, segmenter in enumerate(segmenters):
                async for segment in segmenter.add(samples[channel]):
                    heapq.heappush(waiting, (segment.start, channel, replace(segment, channel=channel)))

        async for block in blocks:
            if not segmenters:
                self.channels = len(block)
                gate = CrosstalkGate(self.channels)
                segmenters += [self._new_segmenter() for _ in range(self.channels)]
            self.samples += block.shape[1]
            for start in range(0, block.shape[1], _STEP):
                await asyncio.sleep(0)
                await take(gate.process(block[:, start : start + _STEP]))
                earliest = min(segmenter.earliest_needed for segmenter in segmenters)
                while waiting and waiting[0][0] <= earliest:
                    yield heapq.heappop(waiting)[-1]
        await take(gate.flush())
        for channel, segmenter in enumerate(segmenters):
            async for segment in segmenter.finish():
                heapq.heappush(waiting, (segment.start, channel, replace(segment, channel=channel)))
        while waiting:
            yield heapq.heappop(waiting)[-1]
