"""The options of an engine on a broker, and its door between two openings."""

from __future__ import annotations

from typing import Any

from facegate.protocol import DoorStateName
from tests.broker import Mosquitto
from tests.engine.passage import Passage, options
from tests.support import until


def options_on(broker: Mosquitto, **door: Any) -> dict[str, Any]:
    """Return options of one door with a camera, and of the broker that its sensors are on."""
    found = broker.settings()
    mqtt = {
        "host": found.host,
        "port": found.port,
        "username": found.username,
        "password": found.password,
    }
    return options(**door) | {"mqtt": mqtt}


async def shut_again(front: Passage) -> None:
    """Return when the door is locked after an opening: only then is the next one a pulse."""
    board = front.site.site.board
    await until(lambda: board.state().doors[0].state is DoorStateName.LOCKED)
