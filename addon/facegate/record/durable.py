"""Small files that are either wholly on the disk or not there, readable by their owner only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
import os
from pathlib import Path
import secrets

OWNER_ONLY = 0o600


def create(path: Path, content: bytes) -> None:
    """Write a file that is not there yet; raises ``FileExistsError`` where it is."""
    _write(path, content, os.link)


def replace(path: Path, content: bytes) -> None:
    """Write a file in place of an older one, which stays as it was until this one is whole."""
    _write(path, content, Path.replace)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes, put: Callable[[Path, Path], object]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put(draft, path)
    finally:
        # Renamed, it is gone; linked or failed, it must not stay.
        with suppress(FileNotFoundError):
            draft.unlink()
    sync_folder(path.parent)
