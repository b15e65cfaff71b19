"""Who was erased, kept beside the key and out of backups.

A backup made before an erasure still holds the person; the tombstone keeps them from coming back
with it. A tombstone is the SHA-256 of a random subject id, which by itself tells nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
import re

from facegate.errors import VaultError
from facegate.record import durable

TOMBSTONES_FILE = "tombstones"
_LINE = re.compile(rb"[0-9a-f]{64}")


def digest(subject_id: str) -> str:
    """Return what a tombstone says of a subject: 64 hexadecimal digits."""
    return hashlib.sha256(subject_id.encode()).hexdigest()


class Tombstones:
    """The file of digests in the folder of keys; it only grows.

    Opening and adding wait for the disk and raise ``VaultError`` where the file is damaged or
    cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / TOMBSTONES_FILE
        self._digests: frozenset[str] = frozenset()
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as err:
            raise self._failure(err) from err
        self._digests = self._parse(text)

    def covers(self, subject_id: str) -> bool:
        """Tell whether a subject was erased."""
        return digest(subject_id) in self._digests

    def add(self, subject_id: str) -> None:
        """Note an erasure; when this returns, a power cut does not undo it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, durable.OWNER_ONLY)
            with os.fdopen(descriptor, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                text = file.read()
                known = self._parse(text)
                line = digest(subject_id)
                if line not in known:
                    # What a power cut left of a last line was never told to be noted.
                    file.truncate(text.rfind(b"\n") + 1)
                    file.seek(0, os.SEEK_END)
                    file.write(f"{line}\n".encode())
                file.flush()
                os.fsync(descriptor)
                durable.sync_folder(self._path.parent)
                self._digests = known | {line}
        except OSError as err:
            raise self._failure(err) from err

    def _parse(self, text: bytes) -> frozenset[str]:
        whole, _, _torn = text.rpartition(b"\n")
        lines = whole.split(b"\n") if whole else []
        if not all(_LINE.fullmatch(line) for line in lines):
            raise VaultError(
                f"{self._path}: damaged: every line has 64 hexadecimal digits; put it back from a"
                " copy, or remove the damaged lines and erase those people again"
            )
        return frozenset(line.decode() for line in lines)

    def _failure(self, err: OSError) -> VaultError:
        return VaultError(
            f"{self._path}: who was erased cannot be noted: {err.strerror}; make the folder of keys"
            " writable for the engine, and free some space where the disk is full"
        )
