"""The Hugging Face hub and its cache, where files of a repository are kept once they were downloaded.

Its library takes half a second to import, so it waits until it is asked. It checks what it downloads, resumes what was
interrupted, and lets only one process at a time download a file.
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
    """The hub did not give what was asked of it; the message is the reason, without a period."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository: its size, and whether the cache has it."""

    size: int
    cached: bool


def switched_off() -> bool:
    """Whether the environment says that the hub is not to be asked."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def cached(source: str, patterns: Sequence[str]) -> Path | None:
    """The directory of a repository in the cache, with whichever of these files it holds; None where it has none.

    Raises `EngineError` for what cannot be the name of a repository.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(source, allow_patterns=[*patterns], local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as exc:
        raise EngineError(f"{source} is not the name of a repository") from exc


def files(source: str, patterns: Sequence[str]) -> dict[str, RemoteFile]:
    """What the hub's repository has of these files, by name. Raises `HubError`."""
    from huggingface_hub import snapshot_download

    with _failures():
        found = snapshot_download(
            source, allow_patterns=[*patterns], tqdm_class=_counter(lambda *_: None), dry_run=True
        )
        return {each.filename: RemoteFile(each.file_size or 0, each.is_cached) for each in found}


def missing_bytes(remote: Mapping[str, RemoteFile]) -> int:
    """Bytes that would have to be downloaded."""
    return sum(file.size for file in remote.values() if not file.cached)


def download(source: str, remote: Mapping[str, RemoteFile], report: Report) -> Path:
    """The directory with these files, once all are there. Raises `HubError`, and `EngineError` for a full disk."""
    from huggingface_hub import snapshot_download

    storage.require_space([(cache_directory(), missing_bytes(remote))])
    with _failures():
        return Path(snapshot_download(source, allow_patterns=[*remote], tqdm_class=_counter(report)))


def cache_directory() -> Path:
    """Where the hub's library keeps what it downloaded."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def remove(source: str) -> int:
    """Delete a repository from the cache; the bytes that became free."""
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
def _failures() -> Iterator[None]:
    """Whatever goes wrong on the way as `HubError`."""
    from huggingface_hub.errors import DryRunError, HTTPError  # type: ignore[attr-defined]  # httpx's own

    try:
        yield
    # Besides what goes wrong on the network: ValueError for a captive portal's page, RuntimeError from hf_xet.
    except (HTTPError, OSError, ValueError, RuntimeError) as exc:
        reason = exc.__cause__ if isinstance(exc, DryRunError) and exc.__cause__ else exc
        raise HubError((str(reason) or type(reason).__name__).splitlines()[0].rstrip(".")) from exc


def _counter(report: Report) -> type[Any]:
    """A progress bar for `snapshot_download` that draws nothing and reports the bytes of all files together."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class Counter(tqdm):
        def __init__(self, *arguments: object, **options: object) -> None:
            # One bar counts files and one what crosses the network; only the bar of this name counts bytes of files.
            self.counts_bytes = options.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*arguments, **{**options, "disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            with self.get_lock():
                self.n += n or 0
                if self.counts_bytes:
                    report(int(self.n), int(self.total or 0))

    return Counter
