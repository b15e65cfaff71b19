"""Who is known to the engine, where people shall be shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import logging

import voluptuous as vol

from .errors import CannotConnectError, ClientError
from .protocol import SUBJECTS_PATH
from .rest import Rest
from .state import SubjectState

_LOGGER = logging.getLogger(__name__)

# An import changes people many times a second.
COOLDOWN_S = 2.0

_SUBJECTS = vol.Schema(
    {
        "subjects": [
            vol.Schema(
                {
                    vol.Required("id"): str,
                    vol.Required("name"): str,
                    vol.Required("area_id"): vol.Any(None, str),
                    vol.Required("last_seen_at"): vol.Any(None, vol.Coerce(float)),
                },
                extra=vol.REMOVE_EXTRA,
            )
        ]
    },
    required=True,
    extra=vol.REMOVE_EXTRA,
)


async def read_people(rest: Rest) -> tuple[SubjectState, ...]:
    """Ask who is known; raises ``ClientError``."""
    answer = await rest.request("GET", SUBJECTS_PATH)
    try:
        found = _SUBJECTS(answer)["subjects"]
    except vol.Invalid as err:
        raise CannotConnectError(f"the engine sent what cannot be read: {err}") from err
    return tuple(SubjectState(**subject) for subject in found)


class People:
    """Asks again whenever somebody may have been added, changed or removed."""

    def __init__(self, rest: Rest, take: Callable[[tuple[SubjectState, ...]], None]) -> None:
        self._rest = rest
        self._take = take
        self._stale = asyncio.Event()

    def changed(self) -> None:
        """Take note that what is known may no longer be right."""
        self._stale.set()

    async def run(self) -> None:
        """Ask and hand over, until cancelled."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                self._take(await read_people(self._rest))
            except ClientError as err:
                _LOGGER.warning("Could not ask the FaceGate engine who is known: %s", err)
            await asyncio.sleep(COOLDOWN_S)
