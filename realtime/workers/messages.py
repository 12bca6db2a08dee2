"""Messages between the service and the process of an engine: a JSON object and samples, with their sizes before them.

Both ends use this module. It needs numpy and nothing else, because the process may run in another environment. Samples
travel as bytes: a chunk of half a second takes 0.03 ms through the socket, too little to save.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np

from realtime.audio.formats import Samples

HEADER: Final = struct.Struct("<BII")
"""The kind of a message, the bytes of its JSON object and the bytes of its samples."""

MAX_FIELDS: Final = 1 << 20
"""Most bytes of a JSON object."""

MAX_SAMPLES: Final = 1 << 26
"""Most bytes of samples in one message: eleven minutes at 24 kHz."""

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
    """To the service: loading, or the present job, has failed."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message of either direction; `samples` are float32."""

    kind: Kind
    fields: Mapping[str, Any] = field(default_factory=dict)
    samples: Samples = field(default_factory=lambda: NO_SAMPLES)

    def encode(self) -> bytes:
        fields, samples = json.dumps(self.fields).encode(), self.samples.astype("<f4", copy=False).tobytes()
        return HEADER.pack(self.kind, len(fields), len(samples)) + fields + samples


def body_sizes(header: bytes) -> tuple[Kind, int, int]:
    """Return the kind of a message and the sizes of its parts. Raises `ValueError` for what is no header."""
    number, fields, samples = HEADER.unpack(header)
    if fields > MAX_FIELDS or samples > MAX_SAMPLES or samples % 4:
        raise ValueError("The message is malformed.")
    return Kind(number), fields, samples


def decode_body(kind: Kind, fields_size: int, body: bytes) -> Message:
    """Decode what follows the header. Raises `ValueError` for fields that are no JSON."""
    return Message(kind, json.loads(body[:fields_size]), np.frombuffer(body, "<f4", offset=fields_size))
