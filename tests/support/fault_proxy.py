"""A TCP proxy that breaks connections: resets after so many bytes, stalls, small segments. It can balance them, too."""

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Iterable, Iterator


class FaultProxy:
    """Forwards connections to ports of this machine, each until it has carried as many bytes as its lifetime.

    Attributes:
        port: Where it listens.
        targets: Ports to which it forwards, in turn. One that refuses a connection is passed over.
        newest_target: The port of the newest connection.
        accepted: Connections so far.
        resets: Connections that it has reset.
        segment_bytes: Most bytes that are forwarded at once, each time as a segment of its own.
    """

    def __init__(self, target_port: int, lifetimes: Iterable[int] = (), segment_bytes: int = 65_536) -> None:
        """`lifetimes` are those of the first connections, in bytes of both directions; others have no end."""
        self.targets = [target_port]
        self.newest_target = target_port
        self._lifetimes = itertools.chain(lifetimes, itertools.repeat(None))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[_Connection] = []
        self._to_server, self._to_client = threading.Event(), threading.Event()
        self.flow()
        self._thread = threading.Thread(target=self._accept)
        self.segment_bytes = segment_bytes
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self.resets = 0

    def cut(self) -> None:
        """Reset all connections."""
        for connection in list(self._connections):
            connection.reset()

    def stall(self, *, to_server: bool = True) -> None:
        """Forward nothing to the client, and perhaps to the server, until `flow`; close nothing."""
        self._to_client.clear()
        if to_server:
            self._to_server.clear()

    def flow(self) -> None:
        """Forward again."""
        self._to_client.set()
        self._to_server.set()

    def _accept(self) -> None:
        for lifetime in self._lifetimes:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.accepted += 1
            if (server := self._reach()) is None:
                client.close()
                continue
            connection = _Connection(self, client, server, lifetime)
            self._connections.append(connection)  # before it carries anything, so that `cut` misses none
            connection.forward(client, server, self._to_server)
            connection.forward(server, client, self._to_client)

    def _reach(self) -> socket.socket | None:
        """Connect to the next target that does not refuse."""
        targets = list(self.targets)
        first = self.accepted % len(targets)
        for port in targets[first:] + targets[:first]:
            with contextlib.suppress(OSError):
                server = socket.create_connection(("127.0.0.1", port))
                self.newest_target = port
                return server
        return None

    def close(self) -> None:
        """End everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.flow()
        for connection in self._connections:
            connection.reset()
            connection.join()

    def start(self) -> None:
        self._thread.start()


class _Connection:
    """One connection, with a thread for each direction."""

    def __init__(
        self,
        proxy: FaultProxy,
        client: socket.socket,
        server: socket.socket,
        lifetime: int | None,
    ) -> None:
        self._proxy = proxy
        self._ends = (client, server)
        self._left = lifetime
        self._lock = threading.Lock()
        self._closed = False
        self._threads: list[threading.Thread] = []
        for end in self._ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def forward(self, source: socket.socket, target: socket.socket, flowing: threading.Event) -> None:
        """Forward in one direction whenever `flowing` is set."""
        thread = threading.Thread(target=self._forward, args=(source, target, flowing))
        self._threads.append(thread)
        thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        for end in self._ends:
            end.close()

    def reset(self) -> None:
        """Reset both sides."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._proxy.resets += 1
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # On Linux this disconnects with a reset, and wakes the thread that reads.
                end.shutdown(socket.SHUT_RD)
                end.close()

    def _forward(self, source: socket.socket, target: socket.socket, flowing: threading.Event) -> None:
        try:
            while data := source.recv(65_536):
                flowing.wait()
                for start in range(0, len(data), self._proxy.segment_bytes):
                    self._pass_on(data[start : start + self._proxy.segment_bytes], target)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self.reset()

    def _pass_on(self, data: bytes, target: socket.socket) -> None:
        with self._lock:
            allowed = len(data) if self._left is None else min(len(data), self._left)
            if self._left is not None:
                self._left -= allowed
        target.sendall(data[:allowed])
        if allowed < len(data):
            raise ConnectionResetError


@contextlib.contextmanager
def fault_proxy(target_port: int, lifetimes: Iterable[int] = (), segment_bytes: int = 65_536) -> Iterator[FaultProxy]:
    """Run a proxy until the block ends."""
    proxy = FaultProxy(target_port, lifetimes, segment_bytes)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()
