"""The Hugging Face hub and its local cache.

The library takes half a second to import, so it is imported when the hub is first needed. It verifies downloads,
resumes interrupted ones, and lets one process at a time download a file.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.errors import EngineError
from realtime.weights import storage
from realtime.weights.progress import Report


class HubError(EngineError):
    """A request to the hub failed; the message is the reason, to be quoted within a sentence."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository: its size in bytes, and whether the cache has it."""

    size: int
    cached: bool


def switched_off() -> bool:
    """Whether the environment variable `HF_HUB_OFFLINE` is set."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def cached(source: str, patterns: Sequence[str]) -> Path | None:
    """Return the directory of a repository in the cache, which may hold only some of these files; None without it.

    Raises `EngineError` if `source` cannot be the name of a repository.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(source, allow_patterns=[*patterns], local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as exc:
        raise EngineError(f"{source} is not the name of a repository.") from exc


def files(source: str, patterns: Sequence[str]) -> dict[str, RemoteFile]:
    """Ask the hub which of these files the repository has; return them by name. Raises `HubError`."""
    from huggingface_hub import snapshot_download

    with _converted_errors():
        found = snapshot_download(
            source, allow_patterns=[*patterns], tqdm_class=_counter(lambda *_: None), dry_run=True
        )
        return {each.filename: RemoteFile(each.file_size or 0, each.is_cached) for each in found}


def missing_bytes(remote: Mapping[str, RemoteFile]) -> int:
    """Return the number of bytes to download."""
    return sum(file.size for file in remote.values() if not file.cached)


def download(source: str, remote: Mapping[str, RemoteFile], report: Report) -> Path:
    """Download what the cache lacks of these files; return their directory.

    Raises `HubError`, and `EngineError` if the disk is full.
    """
    from huggingface_hub import snapshot_download

    storage.require_space([(cache_directory(), missing_bytes(remote))])
    with _converted_errors():
        return Path(snapshot_download(source, allow_patterns=[*remote], tqdm_class=_counter(report)))


def cache_directory() -> Path:
    """Return the directory of the hub's cache."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def remove(source: str) -> int:
    """Delete a repository from the cache; return the number of bytes freed."""
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir()
    except CacheNotFound:
        return 0
    unwanted = [repo for repo in cache.repos if repo.repo_id == source and repo.repo_type == "model"]
    strategy = cache.delete_revisions(*(revision.commit_hash for repo in unwanted for revision in repo.revisions))
    strategy.execute()
    return int(strategy.expected_freed_size)


@contextmanager
def _converted_errors() -> Iterator[None]:
    """Raise the errors of the hub's library as `HubError`."""
    from huggingface_hub.errors import DryRunError, HTTPError  # type: ignore[attr-defined]  # httpx's own

    try:
        yield
    # Besides network errors: ValueError for the page of a captive portal, RuntimeError from hf_xet.
    except (HTTPError, OSError, ValueError, RuntimeError) as exc:
        reason = exc.__cause__ if isinstance(exc, DryRunError) and exc.__cause__ else exc
        raise HubError((str(reason) or type(reason).__name__).splitlines()[0].rstrip(".")) from exc


def _counter(report: Report) -> type[Any]:
    """Return a progress bar class for `snapshot_download` that draws nothing and reports the bytes of all files."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class Counter(tqdm):
        def __init__(self, *arguments: object, **options: object) -> None:
            # Other bars count files, and bytes on the network; the bar of this name counts the bytes of files.
            self.counts_bytes = options.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*arguments, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            with self.get_lock():
                self.n += n or 0
                if self.counts_bytes:
                    report(int(self.n), int(self.total or 0))

    return Counter
