"""The engine as a program: its options, its life, and its REST API as a client sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
import json
import os
from pathlib import Path
import shlex
import sys
import time
from typing import Any

import aiohttp

from demo.back_door import BackDoor
from demo.program import ROOT, Program, ProgramError
from facegate.protocol import EVENTS_PATH, HEALTH_PATH, SUBJECTS_PATH

START_LIMIT_S = 60.0
DOOR_ID = "front"
AREA_ID = "building"
CAMERA_ID = "front"
PULSE_S = 3.0

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the engine's record; ``body`` holds what the kind of event needs."""

    seq: int
    kind: str
    subject_id: str | None
    body: Mapping[str, object]

    @property
    def first_seen_at(self) -> float | None:
        """When the first frame with the face arrived, seconds since the epoch."""
        value = self.body.get("first_seen_at")
        return float(value) if isinstance(value, (int, float)) else None


class EngineError(Exception):
    """The engine refused something."""


def engine_python() -> Path:
    """Return the interpreter of the shipped engine's environment, else our own."""
    shipped = ROOT / ".venv-engine" / "bin" / "python"
    return shipped if shipped.exists() else Path(sys.executable)


def engine_command() -> tuple[str, ...]:
    """Return what runs an engine, to be followed by its ``--options`` and ``--data``.

    FACEGATE_ENGINE_COMMAND names another, a container say, that gets the same arguments.
    """
    named = os.environ.get("FACEGATE_ENGINE_COMMAND")
    return tuple(shlex.split(named)) if named else (str(engine_python()), "-m", "facegate", "run")


def liveness_models() -> Path | None:
    """Return the folder of the liveness models, which no package carries, where they are at hand.

    Beside the repository, or where FACEGATE_MODELS says.
    """
    named = os.environ.get("FACEGATE_MODELS")
    folder = Path(named) if named else ROOT.parent / "shared" / "models"
    return folder.absolute() if folder.is_dir() else None


def options(
    camera: Mapping[str, object],
    port: int,
    models: Path | None = None,
    back_door: BackDoor | None = None,
) -> dict[str, object]:
    """Return the options of a site; ``camera`` holds ``url`` or ``clip``.

    Without the folder of the liveness ``models`` motion alone tells a person from a picture.
    """
    return {
        **({"models": {"folder": str(models)}} if models else {}),
        "cameras": [{"id": CAMERA_ID, "name": "Front door camera", **camera}],
        "areas": [{"id": AREA_ID, "name": "Building", "capacity": 20}],
        "doors": [
            {
                "id": DOOR_ID,
                "name": "Front door",
                "entry_camera": CAMERA_ID,
                "pulse_seconds": PULSE_S,
                "area": AREA_ID,
                "liveness": {"model": models is not None},
            },
            *([back_door.door] if back_door else []),
        ],
        **({"mqtt": back_door.options} if back_door else {}),
        "api": {"host": "127.0.0.1", "port": port},
    }


class Engine:
    """``facegate run`` with its data in a folder; can be killed and started again."""

    def __init__(self, folder: Path, settings: Mapping[str, object], port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._options = folder / "options.json"
        self._data = folder / "data"
        self._data.mkdir(parents=True, exist_ok=True)
        self._options.write_text(json.dumps(settings, indent=2), encoding="utf-8")
        arguments = ("--options", str(self._options), "--data", str(self._data))
        self.program = Program("the engine", engine_command() + arguments, folder / "engine.log")
        self._session: aiohttp.ClientSession | None = None

    @property
    def token(self) -> str:
        """The token that the engine made at its first start."""
        return (self._data / "token").read_text(encoding="ascii").strip()

    async def start(self) -> None:
        """Start, and return once it answers; raises ``ProgramError``."""
        await self.program.start()
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            self.program.check()
            try:
                async with self._session.get(self.url + HEALTH_PATH) as response:
                    if response.status == HTTPStatus.OK:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
        raise ProgramError(
            f"the engine does not answer after {START_LIMIT_S:g} s; its log is"
            f" {self.program.log}\n{self.program.last_words()}"
        )

    async def kill(self) -> None:
        """End it as a power cut does (SIGKILL); ``start`` brings it back."""
        await self.program.kill()

    async def stop(self) -> None:
        """Stop it; idempotent."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self.program.stop()

    async def enroll(self, name: str, pictures: tuple[Path, ...]) -> str:
        """Enroll a resident who consents and may pass the front door; return the subject's id."""
        body = {"name": name, "kind": "resident", "permits": [{"door_id": DOOR_ID}]}
        subject = await self._request("POST", SUBJECTS_PATH, json=body)
        subject_id = str(subject["id"])
        consent = {"text_version": "demo", "purpose": "access", "language": "en", "signer": name}
        await self._request("POST", f"{SUBJECTS_PATH}/{subject_id}/consents", json=consent)
        for picture in pictures:
            await self._request(
                "POST", f"{SUBJECTS_PATH}/{subject_id}/photos", data=picture.read_bytes()
            )
        return subject_id

    async def events(self) -> list[Event]:
        """Return every row of the record, the oldest first."""
        found: list[Event] = []
        while True:
            after = found[-1].seq if found else 0
            page = await self._request("GET", f"{EVENTS_PATH}?after={after}&limit={_PAGE}")
            rows = page["events"]
            found += [
                Event(row["seq"], row["kind"], row["subject_id"], row["body"]) for row in rows
            ]
            if len(rows) < _PAGE:
                return found

    async def _request(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        assert self._session is not None
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self._session.request(
            method, self.url + path, headers=headers, **content
        ) as response:
            if not response.ok:
                raise EngineError(f"{method} {path}: {response.status} {await response.text()}")
            answer: dict[str, Any] = await response.json()
            return answer
