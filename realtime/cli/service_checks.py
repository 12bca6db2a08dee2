"""Checks of `vivavoce doctor`: the directories, the address and the keys that the service would use."""

import contextlib
import errno
import http.client
import shutil
import ssl
import tempfile
from typing import Final

from realtime.cli.findings import Finding, Findings, Status
from realtime.edge.listening_sockets import listening_error, listening_socket
from realtime.settings import PREFIX, Settings
from realtime.tls import tls_context
from realtime.tracing.files import prepare_directory

LOW_DISK_BYTES: Final = 1 << 30
"""Free disk space below which a warning is due; the cached weights of whisper-base take 0.15 GB."""

PROBE_SECONDS: Final = 1.0
"""Timeout in seconds for the server on the configured port to answer."""


def check_cache(settings: Settings) -> Findings:
    """Report whether the cache directory can be written and has space for weights."""
    directory = settings.cache_dir.expanduser()
    existing = next(each for each in (directory, *directory.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        found = f"{directory} cannot be written: {error.strerror or error}"
        advice = f"Make {existing} writable, or set {PREFIX}CACHE_DIR to another directory."
        yield Finding("cache", Status.FAILURE, found, advice)
        return
    low = free < LOW_DISK_BYTES
    yield Finding(
        "cache",
        Status.WARNING if low else Status.OK,
        f"{directory}, {free / 1e9:.1f} GB free",
        f"Delete models (vivavoce models rm NAME), or set {PREFIX}CACHE_DIR to a larger disk." if low else "",
        {"directory": str(directory), "free_bytes": free},
    )


def check_traces(settings: Settings) -> Findings:
    """Report whether traces can be written, if they are switched on."""
    if settings.trace is None:
        return
    directory = settings.trace.expanduser()
    try:
        prepare_directory(directory)
    except OSError as error:
        found = f"traces cannot be written to {directory}: {error.strerror or error}"
        yield Finding("traces", Status.FAILURE, found, f"Set {PREFIX}TRACE to another directory, or unset it.")
    else:
        yield Finding("traces", Status.OK, f"written to {directory}")


def listening_advice(error: OSError | OverflowError, port: str, address: str) -> str:
    """Return what to do about a failure to listen; `port` and `address` say how to choose another one."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"Choose another port {port}, or stop the program that uses it."
    return f"Choose another address {address}, and a port from 1024 to 65535."


def check_port(settings: Settings) -> Findings:
    """Report whether the service can listen on the configured address and port."""
    place = f"{settings.host}, port {settings.port}"
    try:
        listening_socket(settings).close()
    except (OSError, OverflowError) as error:
        answer = _answer_at(settings)
        if answer is not None and answer.get("x-request-id", "").startswith("req_"):
            yield Finding("port", Status.OK, f"a Vivavoce server is running on {place}")
            return
        found = f"cannot listen on {place}: {listening_error(error)}"
        found += " (another HTTP server answers there)" if answer else ""
        advice = listening_advice(error, f"with --port or {PREFIX}PORT", f"with --host or {PREFIX}HOST")
        yield Finding("port", Status.FAILURE, found, advice)
    else:
        yield Finding("port", Status.OK, f"{place} is free")


def check_tls(settings: Settings) -> Findings:
    """Report whether the files for TLS can be used, if they are set."""
    try:
        context = tls_context(settings)
    except ValueError as error:
        yield Finding(
            "tls", Status.FAILURE, str(error), f"Correct or unset {PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY."
        )
    else:
        if context is not None:
            yield Finding("tls", Status.OK, f"certificate in {settings.tls_certificate}")


def check_access(settings: Settings) -> Findings:
    """Report whether the service would refuse to start because clients on other machines need no key."""
    if settings.lacks_api_keys:
        found = f"vivavoce serve refuses to listen on {settings.host} without API keys"
        advice = f"Set {PREFIX}API_KEYS, or pass --insecure to vivavoce serve."
        yield Finding("access", Status.FAILURE, found, advice)
    elif settings.api_keys:
        yield Finding("access", Status.OK, "clients need an API key")
    else:
        yield Finding("access", Status.OK, "only clients on this machine can connect")


def _answer_at(settings: Settings) -> http.client.HTTPMessage | None:
    """Return the headers with which a server at the configured address answers; None if there is no HTTP server."""
    if settings.tls_certificate is None:
        connection = http.client.HTTPConnection(settings.host, settings.port, timeout=PROBE_SECONDS)
    else:
        unverified = ssl._create_unverified_context()  # noqa: S323 - to learn what answers there; nothing is sent
        connection = http.client.HTTPSConnection(
            settings.host, settings.port, timeout=PROBE_SECONDS, context=unverified
        )
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/livez")
        return connection.getresponse().headers
    return None
