"""The code of a pass, held before the camera of a door: read, and presented once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facegate.domain import Image
from facegate.pipeline import REPEAT_S
from facegate.visitor.qr import qr_png
from tests.engine.api.office import ask
from tests.engine.passage import A_LOOK, A_WAIT, options, passage

pytestmark = pytest.mark.usefixtures("free_loop")


def held_up(code: str) -> Image:
    """Return a gray picture of 640 x 480 with the code in its middle, and no face."""
    drawn = cv2.imdecode(np.frombuffer(qr_png(code), np.uint8), cv2.IMREAD_COLOR)
    assert drawn is not None
    picture = np.full((480, 640, 3), 120, np.uint8)
    picture[70:410, 150:490] = cv2.resize(drawn, (340, 340), interpolation=cv2.INTER_NEAREST)
    return picture


async def test_a_code_that_is_held_up_is_presented_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with passage(monkeypatch, tmp_path, options()) as front, front.site.session() as session:
        body = {
            "name": "Cleo",
            "door_ids": ["front"],
            "valid_until": front.clock.now().timestamp() + 3600,
            "max_uses": 2,
        }
        _, issued = await ask(session, "POST", "/api/v1/passes", body)
        code = held_up(issued["code"])
        await front.show([code] * A_WAIT)
        (event,) = await front.events()
        assert (event.granted, event.basis) == (True, "pass")
        front.nobody(REPEAT_S + 1)
        await front.show([code] * A_LOOK)
        front.nobody(REPEAT_S + 1)
        await front.show([code] * A_LOOK)
        events = await front.events()
        assert [found.reason for found in events] == ["granted", "granted", "pass_used_up"]
        picture = front.site.site.board.state().doors[0].picture_at
        assert picture is not None
