"""Enrollment from the command line, through a running engine's API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
import json
from pathlib import Path

import aiohttp
import av
import av.error
import numpy as np

from facegate.domain import Image
from facegate.errors import FaceGateError, ImageError, NotFoundError
from facegate.face.picture import encode_jpeg
from facegate.office.enrollment import MAX_REFERENCES
from facegate.protocol import (
    SUBJECTS_PATH,
    ErrorCode,
    ErrorMessage,
    ProtocolError,
    decode_engine,
)

_PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
_FROM_CLIP = 5
_TIMEOUT = aiohttp.ClientTimeout(total=60)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Whom to enroll, and the consent that was given; ``guardian`` for a child."""

    name: str
    kind: str
    doors: list[str]
    consent_version: str
    consent_purpose: str
    consent_language: str
    signer: str
    guardian: str | None = None


async def enroll(data: Path, url: str, person: NewPerson, files: list[Path]) -> str:
    """Enroll a person and return a sentence about it; raises ``FaceGateError``.

    Where no picture can be used, nobody is enrolled.
    """
    pictures = await asyncio.to_thread(_pictures, files)
    token = await asyncio.to_thread(_read, data / "token")
    headers = {"Authorization": f"Bearer {token.decode('ascii', 'replace').strip()}"}
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
    try:
        async with aiohttp.ClientSession(url, headers=headers, timeout=_TIMEOUT) as session:
            answer = await _ask(session, "POST", SUBJECTS_PATH, json.dumps(subject).encode())
            path = f"{SUBJECTS_PATH}/{json.loads(answer)['id']}"
            try:
                await _ask(session, "POST", f"{path}/consents", json.dumps(consent).encode())
                for picture_name, picture in pictures:
                    try:
                        answer = await _ask(session, "POST", f"{path}/photos", picture)
                        references = json.loads(answer)["references"]
                    except FaceGateError as err:
                        refusals.append(f"{picture_name}: {err}")
            finally:
                if not references:
                    await _ask(session, "DELETE", path)
    except (aiohttp.ClientError, TimeoutError) as err:
        why = str(err) or "it does not answer"
        raise FaceGateError(f"the engine at {url} cannot be reached: {why}") from err
    except (ProtocolError, ValueError, KeyError) as err:
        raise FaceGateError(f"what answers at {url} is not this version's engine: {err}") from err
    if not references:
        raise ImageError("nobody was enrolled:\n  " + "\n  ".join(refusals), ErrorCode.NO_FACE)
    told = f"{person.name} is enrolled as {path.rpartition('/')[2]} with {references} references"
    return "\n  refused: ".join([told, *refusals])


async def _ask(
    session: aiohttp.ClientSession, method: str, path: str, body: bytes | None = None
) -> bytes:
    async with session.request(method, path, data=body) as response:
        answer = await response.read()
        if response.ok:
            return answer
        error = decode_engine(answer.decode("utf-8", "replace"))
        if isinstance(error, ErrorMessage):
            raise FaceGateError(error.message)
        raise FaceGateError(f"the engine answered {response.status}")


def _pictures(files: list[Path]) -> list[tuple[str, bytes]]:
    pictures = []
    for file in files:
        if file.suffix.lower() in _PHOTOS:
            pictures.append((file.name, _read(file)))
        else:
            pictures += _from_clip(file)
    return pictures[:MAX_REFERENCES]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as err:
        raise NotFoundError(f"{file}: {err.strerror}") from err


def _from_clip(file: Path) -> list[tuple[str, bytes]]:
    """Return frames spread evenly over a short video; it is read twice, never held whole."""
    try:
        with av.open(str(file)) as container:
            count = sum(1 for _ in container.decode(video=0))
        chosen = {(2 * part + 1) * count // (2 * _FROM_CLIP) for part in range(_FROM_CLIP)}
        with av.open(str(file)) as container:
            return [
                (f"{file.name}, frame {index}", encode_jpeg(_bgr(frame)))
                for index, frame in enumerate(container.decode(video=0))
                if index in chosen
            ]
    except (OSError, IndexError, av.error.FFmpegError) as err:
        raise ImageError(f"{file}: neither a photo nor a video that can be read ({err})") from err


def _bgr(frame: av.VideoFrame) -> Image:
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
