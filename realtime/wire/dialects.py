"""The dialects of the service, by the path of the websocket.

A new dialect is a folder beside `openai` whose codec follows `realtime.wire.codec.Codec`, and a line in `DIALECTS`.
"""

from collections.abc import Mapping
from typing import Final

from realtime.wire.codec import Dialect
from realtime.wire.openai.codec import OpenAICodec

DIALECTS: Final[Mapping[str, Dialect]] = {
    "/v1/realtime": OpenAICodec.open,
    "/v1/realtime/": OpenAICodec.open,
    "/realtime": OpenAICodec.open,
    "/openai/v1/realtime": OpenAICodec.open,
}
"""The dialect of each path: the canonical one first, then those that LiveKit's and Azure's clients build."""
