"""What the service and the process of a recognizer say to each other: requests, decode states and hypotheses as bytes.

The service makes the bytes of requests, and reads those of hypotheses, which are checked against their types. A decode
state is opaque to it: the process makes its bytes, and any process of the same model reads them. So a request goes on
in another process when the one that encoded it has ended.
"""

import pickle
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from realtime.catalogue.capabilities import Capabilities
from realtime.engines.base import Recognizer
from realtime.errors import EngineError
from realtime.speech.recognition import TranscriptionRequest
from realtime.speech.transcript import Hypothesis

ENCODE: Final = "encode"
"""The call that encodes a request."""

DECODE: Final = "decode"
"""The call that decodes a batch of states."""

_TO_ANSWERS: Final = msgspec.msgpack.Decoder(list[Hypothesis | bytes])


class RecognizerCalls:
    """A recognizer in a process of its own, as a `CalledEngine`."""

    def __init__(self, recognizer: Recognizer[Any]) -> None:
        self._recognizer = recognizer
        self.description = {
            "capabilities": msgspec.to_builtins(recognizer.capabilities),
            "partial_seconds": recognizer.partial_seconds,
        }

    def call(self, name: str, data: Sequence[bytes | bytearray | memoryview]) -> bytes:
        """Answer `ENCODE` of a request with a state, and `DECODE` of states with what `answers_of` reads."""
        # What is unpickled comes from the service, whose child this process is.
        arguments = [pickle.loads(each) for each in data]  # noqa: S301
        if name == ENCODE:
            return pickle.dumps(self._recognizer.encode(*arguments), pickle.HIGHEST_PROTOCOL)
        answers = self._recognizer.decode(arguments)
        return msgspec.msgpack.encode(
            [
                answer if isinstance(answer, Hypothesis) else pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
                for answer in answers
            ],
            enc_hook=_plain,
        )


def _plain(number: "np.generic[Any]") -> object:
    """Return a number of NumPy as one of Python."""
    return number.item()


def bytes_of_request(request: TranscriptionRequest) -> bytes:
    """Return the argument of an `ENCODE` call."""
    return pickle.dumps(request, pickle.HIGHEST_PROTOCOL)


def answers_of(data: bytes | bytearray | memoryview) -> list[Hypothesis | bytes]:
    """Read the answer to `DECODE`: hypotheses, and the bytes of states to decode next. Raises `EngineError`."""
    try:
        return _TO_ANSWERS.decode(data)
    except msgspec.DecodeError as exc:
        raise EngineError(f"The process of a recognizer has sent no hypotheses: {exc}") from exc


def capabilities_of(description: Mapping[str, Any]) -> Capabilities:
    """Return the capabilities in the description of a process."""
    return msgspec.convert(description["capabilities"], Capabilities)
