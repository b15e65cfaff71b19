"""Reads labeled folders: what each picture or clip shows, by a ``labels.csv`` beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
import csv
from dataclasses import dataclass
from enum import StrEnum
import hashlib
from pathlib import Path
import re

from facegate.errors import InvalidError, NotFoundError

LISTING = "labels.csv"
COLUMNS = ("path", "label", "sha256", "note")
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
CLIPS = frozenset({".mp4", ".mkv", ".mov", ".avi", ".webm", ".ts", ".h264", ".264"})

LIVE = "live"
SPOOF = "spoof_"
WITH_MASK = "with_mask"
WITHOUT_MASK = "without_mask"
_MULTI, _UNKNOWN, _NONE = "MULTI:", "UNKNOWN:", "NONE"
_MOST_MISTAKES = 20


class Purpose(StrEnum):
    """What a set measures."""

    IDENTITY = "identity"
    ATTACK = "attack"
    MASK = "mask"


@dataclass(frozen=True, slots=True)
class Sample:
    """A labeled picture or clip; ``row`` is its line in the listing, ``notes`` its note's words."""

    set_name: str
    path: Path
    row: int
    label: str
    notes: tuple[str, ...] = ()

    @property
    def is_clip(self) -> bool:
        """Whether it is a video."""
        return self.path.suffix.lower() in CLIPS

    @property
    def subjects(self) -> frozenset[str]:
        """Who is in it by name: nobody for ``UNKNOWN:`` and ``NONE``, several for ``MULTI:``."""
        if self.label.startswith(_MULTI):
            return frozenset(self.label.removeprefix(_MULTI).split("+"))
        if self.label.startswith(_UNKNOWN) or self.label == _NONE:
            return frozenset()
        return frozenset({self.label})

    @property
    def of_one(self) -> str | None:
        """The subject, where the label names one alone."""
        return self.label if self.label in self.subjects else None

    @property
    def faceless(self) -> bool:
        """Whether nobody is in it."""
        return self.label == _NONE


@dataclass(frozen=True, slots=True)
class LabeledSet:
    """A folder's samples in the order of its listing."""

    name: str
    purpose: Purpose
    samples: tuple[Sample, ...]


def read_set(folder: Path, purpose: Purpose | None = None) -> LabeledSet:
    """Return a folder's set; without ``purpose`` its labels tell what it is for.

    Raises ``NotFoundError`` where there is no listing, and ``InvalidError`` that names every
    mistake (the first 20) by its row: a label that does not fit, a file that is missing, of an
    unknown type, outside of the folder, or not the one that was labeled (sha256).
    """
    listing = folder / LISTING
    rows = list(_rows(listing))
    name = folder.resolve().name
    samples = tuple(
        Sample(name, folder / row["path"], number, row["label"], _words(row["note"]))
        for number, row in rows
    )
    if not samples:
        raise InvalidError(f"{listing}: no row; write one for each picture: {','.join(COLUMNS)}")
    purpose = purpose or _inferred(samples)
    mistakes = [
        f"row {sample.row} ({row['path'] or 'no path'}): {mistake}"
        for sample, (_, row) in zip(samples, rows, strict=True)
        for mistake in (*_mistakes(folder, sample, row["sha256"]), *_unfit(sample, purpose))
    ]
    if mistakes:
        more = len(mistakes) - _MOST_MISTAKES
        told = mistakes[:_MOST_MISTAKES] + ([f"and {more} more"] if more > 0 else [])
        raise InvalidError("\n  ".join([f"{listing} cannot be used:", *told]))
    return LabeledSet(name, purpose, samples)


def _rows(listing: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line numbers and rows, with every column as stripped text."""
    try:
        with listing.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [c for c in COLUMNS[:2] if c not in (reader.fieldnames or ())]
            if missing:
                raise InvalidError(
                    f"{listing}: no column {' and '.join(missing)} in its first row; begin it with"
                    f" {','.join(COLUMNS)}"
                )
            for row in reader:
                yield reader.line_num, {c: (row.get(c) or "").strip() for c in COLUMNS}
    except FileNotFoundError as err:
        raise NotFoundError(
            f"{listing}: there is no such file; a labeled folder has one with the columns"
            f" {','.join(COLUMNS)}"
        ) from err
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise InvalidError(f"{listing}: not a CSV in UTF-8 that can be read ({err})") from err


def _words(note: str) -> tuple[str, ...]:
    return tuple(word for part in re.split(r"[;,]", note) if (word := part.strip().lower()))


def _inferred(samples: Sequence[Sample]) -> Purpose:
    """Return what the first label speaks of; labels that do not fit it are told by row."""
    first = samples[0].label
    if first in (WITH_MASK, WITHOUT_MASK):
        return Purpose.MASK
    if first == LIVE or first.startswith(SPOOF):
        return Purpose.ATTACK
    return Purpose.IDENTITY


def _mistakes(folder: Path, sample: Sample, sha256: str) -> Iterable[str]:
    if not sample.path.resolve().is_relative_to(folder.resolve()):
        yield "the path leads out of the folder: copy the file into it"
        return
    if sample.path.suffix.lower() not in PICTURES | CLIPS:
        known = " ".join(sorted(PICTURES | CLIPS))
        yield f"neither a picture nor a clip by its name: convert it to one of {known}"
        return
    try:
        found = hashlib.sha256(sample.path.read_bytes()).hexdigest()
    except OSError as err:
        yield f"{err.strerror}: put the file there or take the row out"
        return
    if sha256 and found != sha256.lower():
        yield (
            f"not the file that was labeled (sha256 {found[:12]}..., in the row"
            f" {sha256[:12]}...): restore it, or look at it and correct the row"
        )


def _unfit(sample: Sample, purpose: Purpose) -> Iterable[str]:
    label = sample.label
    masked = label in (WITH_MASK, WITHOUT_MASK)
    attack = label == LIVE or (label.startswith(SPOOF) and label != SPOOF)
    if not label or (not all(sample.subjects) and purpose is Purpose.IDENTITY):
        yield "a label or a part of it is empty: write who it shows"
    elif purpose is Purpose.MASK and sample.is_clip:
        yield "a clip in a mask set: take pictures out of it"
    elif purpose is Purpose.MASK and not masked:
        yield f"label {label!r} in a mask set: expected {WITH_MASK} or {WITHOUT_MASK}"
    elif purpose is Purpose.ATTACK and not attack:
        yield f"label {label!r} in an attack set: expected {LIVE} or {SPOOF}<species>"
    elif purpose is Purpose.IDENTITY and (masked or attack):
        yield f"label {label!r} in an identity set: put it into a folder of its own"
