"""A real engine in this process, all but its models: what faces bring, a test brings itself."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch
import uuid

import numpy as np

from facegate.assembly import running
from facegate.domain import AccessPoint, Decision, Subject
from facegate.face.library import Library
from facegate.protocol import Direction
from facegate.settings import parse
from facegate.site import Site
from facegate.verdicts import Basis, Control, Outcome, Reason, Requirement, Verdict
from tests.support import free_port

DOORS = [
    {"id": "front", "name": "Front door", "pulse_seconds": 1},
    {"id": "yard", "name": "Yard gate", "pulse_seconds": 1},
]
PICTURE = b"\xff\xd8\xff\xe0 a visitor \xff\xd9"
OTHER_PICTURE = b"\xff\xd8\xff\xe0 somebody else \xff\xd9"


class RealEngine:
    """One engine; may be stopped and started again on the same port with the same records."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stack = AsyncExitStack()
        self._site: Site | None = None
        self.port = free_port()
        self.options: dict[str, Any] = {"doors": DOORS, "api": {"port": self.port}}

    @property
    def site(self) -> Site:
        assert self._site is not None
        return self._site

    @property
    def site_id(self) -> str:
        return self.site.store.site_id

    @property
    def token(self) -> str:
        return (self._data / "token").read_text().strip()

    @token.setter
    def token(self, token: str) -> None:
        (self._data / "token").write_text(token)

    async def start(self) -> None:
        with patch("facegate.assembly.open_vision", return_value=(Library(self._data), None)):
            self._site = await self._stack.enter_async_context(
                running(parse(self.options), self._data)
            )

    async def stop(self) -> None:
        self._site = None
        await self._stack.aclose()

    async def ring(self, door_id: str = "front", picture: bytes = PICTURE) -> str:
        """Let an unknown face ring; return the call's id."""
        face = np.random.default_rng().normal(size=128).astype(np.float32)
        await self.site.visitors.ring(
            AccessPoint(door_id, Direction.ENTRY), picture, face / np.linalg.norm(face)
        )
        return next(call.id for call in self.site.board.state().calls if call.door_id == door_id)

    async def deny(self, door_id: str = "front") -> Decision:
        """Let a known face be denied."""
        return await self._conclude(door_id, granted=False)

    async def grant(self, door_id: str = "front") -> Decision:
        """Let a known face be granted; raises ``ActuatorError``."""
        return await self._conclude(door_id, granted=True)

    async def _conclude(self, door_id: str, *, granted: bool) -> Decision:
        decision = Decision(
            id=uuid.uuid4().hex,
            at=self.site.clock.now(),
            access_point=AccessPoint(door_id, Direction.ENTRY),
            basis=Basis.FACE,
            granted=granted,
            reason=Reason.GRANTED if granted else Reason.FLAT_MOTION,
            verdicts=(
                Verdict(
                    Control.LIVENESS,
                    Outcome.PASS if granted else Outcome.FAIL,
                    Requirement.REQUIRED,
                    Reason.OK if granted else Reason.FLAT_MOTION,
                    measured=0.25,
                    limit=0.5,
                ),
            ),
            subject=Subject("subject-1", "Ann", "resident"),
            frame_age_s=0.05,
        )
        await self.site.passages.conclude(decision)
        return decision
