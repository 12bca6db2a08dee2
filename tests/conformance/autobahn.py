"""Run the fuzzing cases of Autobahn against the websocket protocol of the service.

`python -m tests.conformance.autobahn WSTEST` takes the program that `autobahn.sh` installs. The service echoes nothing,
so that an echo stands behind its protocol here. Cases 9 (speed), 12 and 13 (compression, which the service does not
accept) are left out.
"""

import asyncio
import json
import logging
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import uvicorn

from realtime.edge.guarded_protocols import GuardedHttpProtocol, GuardedWebSocketProtocol

KNOWN_FAILURES: Final = frozenset({"7.1.5"})
"""A close in the middle of a fragmented message, which websockets answers as it documents (compliance/README.rst)."""

NAME: Final = "vivavoce"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Return each message to its sender."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


@contextmanager
def echoing() -> Iterator[int]:
    """Run the echo behind the protocol of the service, on the port that is returned."""
    config = uvicorn.Config(
        echo, http=GuardedHttpProtocol, ws=GuardedWebSocketProtocol, ws_per_message_deflate=False, lifespan="off",
        ws_ping_timeout=None, log_config=None,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


def outcomes(wstest: str, port: int, directory: Path) -> dict[str, str]:
    """Run the cases, and return what Autobahn finds of each."""
    spec = {
        "outdir": str(directory),
        "servers": [{"agent": NAME, "url": f"ws://127.0.0.1:{port}"}],
        "cases": ["*"],
        "exclude-cases": ["9.*", "12.*", "13.*"],
    }
    (directory / "spec.json").write_text(json.dumps(spec))
    command = [wstest, "-m", "fuzzingclient", "-s", str(directory / "spec.json")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    cases = json.loads((directory / "index.json").read_text())[NAME]
    return {case: found["behavior"] for case, found in cases.items()}


def main() -> int:
    """Print the cases by outcome and those that failed; the exit code says whether others than known ones did."""
    logging.disable()  # a record for each hostile message
    with echoing() as port, TemporaryDirectory() as directory:
        found = outcomes(sys.argv[1], port, Path(directory))
    failed = {case for case, behavior in found.items() if behavior == "FAILED"}
    print(", ".join(f"{number} {behavior}" for behavior, number in Counter(found.values()).most_common()))
    print("failed:", ", ".join(sorted(failed)) or "none")
    return int(bool(failed - KNOWN_FAILURES))


if __name__ == "__main__":
    sys.exit(main())
