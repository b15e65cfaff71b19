"""Enrollment from the command line, through a running engine's API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
import json
from pathlib import Path

import av
import av.error

from facegate.errors import FaceGateError, ImageError, NotFoundError
from facegate.protocol import SUBJECTS_PATH, ErrorCode
from facegate.remote import connected

_PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Whom to enroll, and the consent that was given; ``guardian`` for a child.

    ``distinct`` tells that a look-alike who is enrolled is somebody else.
    """

    name: str
    kind: str
    doors: list[str]
    consent_version: str
    consent_purpose: str
    consent_language: str
    signer: str
    guardian: str | None = None
    distinct: bool = False


async def enroll(data: Path, url: str, person: NewPerson, files: list[Path]) -> str:
    """Enroll a person and return a sentence about it; raises ``FaceGateError``.

    Where no picture can be used, nobody is enrolled.
    """
    uploads = await asyncio.to_thread(_uploads, files)
    permits = [{"door_id": door} for door in person.doors]
    subject = {"name": person.name, "kind": person.kind, "permits": permits}
    consent = {
        "text_version": person.consent_version,
        "purpose": person.consent_purpose,
        "language": person.consent_language,
        "signer": person.signer,
        "guardian": person.guardian,
    }
    refusals = []
    references = 0
    async with connected(data, url) as engine:
        answer = await engine.ask("POST", SUBJECTS_PATH, json.dumps(subject).encode())
        path = f"{SUBJECTS_PATH}/{json.loads(answer)['id']}"
        try:
            await engine.ask("POST", f"{path}/consents", json.dumps(consent).encode())
            for name, resource, content in uploads:
                try:
                    where = f"{path}/{resource}?distinct={str(person.distinct).lower()}"
                    answer = await engine.ask("POST", where, content)
                    references = json.loads(answer)["references"]
                except FaceGateError as err:
                    refusals.append(f"{name}: {err}")
        finally:
            if not references:
                await engine.ask("DELETE", path)
    if not references:
        raise ImageError("nobody was enrolled:\n  " + "\n  ".join(refusals), ErrorCode.NO_FACE)
    told = f"{person.name} is enrolled as {path.rpartition('/')[2]} with {references} references"
    return "\n  refused: ".join([told, *refusals])


def _uploads(files: list[Path]) -> list[tuple[str, str, bytes]]:
    """Return the name, the resource and the content of each file; raises ``FaceGateError``."""
    uploads = []
    for file in files:
        photo = file.suffix.lower() in _PHOTOS
        content = _read(file)
        if not photo:
            _require_video(file)
        uploads.append((file.name, "photos" if photo else "clip", content))
    return uploads


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as err:
        raise NotFoundError(f"{file}: {err.strerror}") from err


def _require_video(file: Path) -> None:
    try:
        with av.open(str(file)) as container:
            container.streams.video[0]
    except (OSError, IndexError, av.error.FFmpegError) as err:
        raise ImageError(f"{file}: neither a photo nor a video that can be read ({err})") from err
