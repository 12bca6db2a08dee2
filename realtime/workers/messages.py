"""Messages between the service and the process of an engine: a JSON object, samples and bytes, after their sizes.

Both ends use this module. It needs numpy and nothing else, because the process may run in another environment. Samples
travel as bytes: a chunk of half a second takes 0.03 ms through the socket, 20 s of audio for a recognizer 0.4 ms,
which is too little to save by shared memory.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate, pairwise
from typing import Any, Final, TypeAlias

import numpy as np

from realtime.audio.formats import Samples

HEADER: Final = struct.Struct("<BIII")
"""The kind of a message, and the sizes in bytes of its JSON object, its samples and its data."""

MAX_FIELDS: Final = 1 << 20
"""Most bytes of a JSON object."""

MAX_SAMPLES: Final = 1 << 26
"""Most bytes of samples in one message: eleven minutes at 24 kHz."""

MAX_DATA: Final = 1 << 28
"""Most bytes of data in one message: thirty full windows encoded by the largest Whisper model, eight make a batch."""

NO_SAMPLES: Final[Samples] = np.empty(0, np.float32)


class Kind(IntEnum):
    """What a message says."""

    START = 1
    """To the process, once: which engine to load, its arguments and the memory it may take."""
    JOB = 2
    """To the process: a job, with its `number`."""
    CANCEL = 3
    """To the process: the result of the job with this `number` is not wanted any more."""
    STAGE = 4
    """To the service, while the engine loads: the stage that begins."""
    READY = 5
    """To the service, once: what the loaded engine says of itself."""
    RESULT = 6
    """To the service: a part of the result of the present job."""
    DONE = 7
    """To the service: the present job has ended, with all of its result or cancelled."""
    ERROR = 8
    """To the service: loading, or the present job or call, has failed."""
    CALL = 9
    """To the process: a call of the engine, by its name, with its argument as `data`."""
    ANSWER = 10
    """To the service: what the call has returned, as `data`."""
    LOG = 11
    """To the service, at any time: a record for the log."""


Buffer: TypeAlias = bytes | bytearray | memoryview
"""Bytes, which are not copied on their way through the socket."""

_SIZES: Final = "data_sizes"
"""The field of the JSON object that has the sizes of `Message.data`."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message of either direction; `samples` are float32, and `data` is for an engine and its handle to read."""

    kind: Kind
    fields: Mapping[str, Any] = field(default_factory=dict)
    samples: Samples = field(default_factory=lambda: NO_SAMPLES)
    data: Sequence[Buffer] = ()

    def encode(self) -> bytes:
        """Return the message as bytes."""
        return b"".join(self.buffers())

    def buffers(self) -> list[Buffer]:
        """Return the message as buffers, to be sent one after another."""
        sizes = [len(each) for each in self.data]
        fields = json.dumps({**self.fields, _SIZES: sizes} if sizes else self.fields).encode()
        samples = self.samples.astype("<f4", copy=False).tobytes()
        return [HEADER.pack(self.kind, len(fields), len(samples), sum(sizes)) + fields + samples, *self.data]


def body_sizes(header: Buffer) -> tuple[Kind, tuple[int, int, int]]:
    """Return the kind of a message and the sizes of its parts. Raises `ValueError` for what is no header."""
    number, fields, samples, data = HEADER.unpack(header)
    if fields > MAX_FIELDS or samples > MAX_SAMPLES or samples % 4 or data > MAX_DATA:
        raise ValueError("The message is malformed.")
    return Kind(number), (fields, samples, data)


def decode_body(kind: Kind, sizes: tuple[int, int, int], body: Buffer) -> Message:
    """Decode what follows the header. Raises `ValueError` for fields that are no JSON."""
    fields_size, samples_size, _ = sizes
    view = memoryview(body)
    fields = json.loads(bytes(view[:fields_size]))
    samples = np.frombuffer(body, "<f4", samples_size // 4, fields_size) if samples_size else NO_SAMPLES
    ends = [*accumulate(fields.pop(_SIZES, ()), initial=fields_size + samples_size)]
    return Message(kind, fields, samples, [view[start:end] for start, end in pairwise(ends)])
