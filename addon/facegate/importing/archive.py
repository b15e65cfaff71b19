"""The archive: people.csv and photos in a zip that is not trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import io
import os
from typing import BinaryIO, Self, TextIO
import unicodedata
import zipfile
import zlib

from facegate.errors import InvalidError
from facegate.protocol import MAX_PICTURE_BYTES, ErrorCode

LISTING = "people.csv"
MAX_ARCHIVE_BYTES = 4 * 1024**3 - 1
MAX_ENTRIES = 60_000
MAX_LISTING_BYTES = 32 * 1024**2

_MAX_DIRECTORY_BYTES = 12 * 1024**2
_MAX_RATIO = 200
_RATIO_FROM_BYTES = 1024**2
_END = b"PK\x05\x06"
_END_BYTES = 22
_LONGEST_COMMENT = 65_535
_ZIP64 = b"PK\x06\x07"
_ZIP64_BYTES = 20
_ENCRYPTED = 0x1
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)
_LONGEST_SHOWN = 80


class Archive:
    """A zip with one people.csv; photos are named from its folder. Nothing is ever extracted.

    Use it from one thread at a time. Opening it raises ``InvalidError``, and so does everything
    that reads of it.
    """

    def __init__(self, file: BinaryIO) -> None:
        _check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGED as err:
            raise InvalidError(f"the archive is damaged: {err}") from err
        self._members = _members(self._zip)
        listings = [name for name in self._members if name.rpartition("/")[2] == LISTING]
        if len(listings) != 1:
            self._zip.close()
            raise InvalidError(f"the archive must hold one {LISTING}, not {len(listings)}")
        self._listing = listings[0]
        self._folder = self._listing.removesuffix(LISTING)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @contextmanager
    def listing(self) -> Iterator[TextIO]:
        """Open people.csv."""
        member = self._members[self._listing]
        if member.file_size > MAX_LISTING_BYTES:
            raise InvalidError(
                f"{LISTING} has more than {MAX_LISTING_BYTES} bytes", ErrorCode.TOO_LARGE
            )
        try:
            with self._zip.open(member) as raw:
                yield io.TextIOWrapper(raw, "utf-8-sig", newline="")
        except UnicodeDecodeError:
            raise
        except _DAMAGED as err:
            raise InvalidError(f"{LISTING} is damaged: {err}") from err

    def photo(self, name: str) -> bytes:
        """Return a photo."""
        wanted = self._folder + _normal(name.replace("\\", "/").removeprefix("./"))
        member = self._members.get(wanted)
        if member is None:
            raise InvalidError(f"photo: the archive holds no {name[:_LONGEST_SHOWN]!r}")
        if member.file_size > MAX_PICTURE_BYTES:
            raise InvalidError(
                f"photo: it has more than {MAX_PICTURE_BYTES} bytes", ErrorCode.TOO_LARGE
            )
        try:
            return self._zip.read(member)
        except _DAMAGED as err:
            raise InvalidError("photo: the file is damaged in the archive") from err


def _check_directory(file: BinaryIO) -> None:
    """Look at the archive's size and that of its directory, before that is read as a whole."""
    size = file.seek(0, os.SEEK_END)
    if size > MAX_ARCHIVE_BYTES:
        raise InvalidError(
            f"the archive has more than {MAX_ARCHIVE_BYTES} bytes", ErrorCode.TOO_LARGE
        )
    file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - _ZIP64_BYTES))
    tail = file.read()
    at = tail.rfind(_END)
    end = tail[at : at + _END_BYTES]
    if at < 0 or len(end) < _END_BYTES:
        raise InvalidError("not a zip archive, or not all of it")
    entries = int.from_bytes(end[10:12], "little")
    directory = int.from_bytes(end[12:16], "little")
    zip64 = tail[max(0, at - _ZIP64_BYTES) : at].startswith(_ZIP64)
    if zip64 or entries > MAX_ENTRIES or directory > _MAX_DIRECTORY_BYTES:
        raise _too_many()


def _members(opened: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files by name; raises ``InvalidError`` for an entry that nobody would pack."""
    if len(opened.filelist) > MAX_ENTRIES:
        raise _too_many()
    found: dict[str, zipfile.ZipInfo] = {}
    for info in opened.filelist:
        # What stands there, not what zipfile makes of it.
        name = _normal(info.orig_filename)
        shown = repr(name[:_LONGEST_SHOWN])
        parts = name.split("/")
        if "\\" in name or "\0" in name or name.startswith("/") or ".." in parts or ":" in parts[0]:
            raise InvalidError(f"the archive holds {shown}, which is not a name within a folder")
        if info.flag_bits & _ENCRYPTED:
            raise InvalidError(f"the archive holds {shown} encrypted; pack it without a password")
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise InvalidError(f"the archive holds {shown} in a way that is not read; use deflate")
        if info.file_size > _RATIO_FROM_BYTES and info.file_size > _MAX_RATIO * info.compress_size:
            raise InvalidError(f"the archive holds {shown}, which unpacks to far too much")
        if name in found:
            raise InvalidError(f"the archive holds {shown} twice")
        found[name] = info
    return found


def _too_many() -> InvalidError:
    return InvalidError(
        f"the archive has more than {MAX_ENTRIES} files, or zip64 records; split it",
        ErrorCode.TOO_LARGE,
    )


def _normal(name: str) -> str:
    """Return a name as it is compared: one system writes an accent apart, another does not."""
    return unicodedata.normalize("NFC", name)
