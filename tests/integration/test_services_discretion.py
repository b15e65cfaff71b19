"""What Home Assistant tells of a call of an action holds no secret and names nobody."""

from __future__ import annotations

from typing import Any

from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import Event, HomeAssistant, callback

from custom_components.facegate.services.discretion import REDACTED
from tests.integration.home import Home
from tests.integration.real import RealEngine


async def test_the_event_of_a_call_tells_the_door_and_no_pin_or_name(
    hass: HomeAssistant, home: Home, real: RealEngine
) -> None:
    await home.add(real)
    told: list[dict[str, Any]] = []

    @callback
    def note(event: Event) -> None:
        told.append(dict(event.data["service_data"]))

    hass.bus.async_listen(EVENT_CALL_SERVICE, note)
    ann = await home.act("add_person", name="Ann", permits=[{"door": "front"}])
    await home.act("add_credential", subject_id=ann["id"], kind="pin", pin="314159")
    await home.act("set_permits", subject_id=ann["id"], permits=[])
    receipt = await home.act(
        "present_credential", door="front", direction="exit", number=ann["number"], pin="314159"
    )
    # The engine was told what the event was not: only the permit is missing.
    failed = {each["control"] for each in receipt["verdicts"] if each["outcome"] == "fail"}
    assert "permit" in failed
    assert "credential" not in failed
    assert told == [
        {"name": REDACTED, "permits": REDACTED},
        {"subject_id": REDACTED, "kind": REDACTED, "pin": REDACTED},
        {"subject_id": REDACTED, "permits": REDACTED},
        {"door": "front", "direction": "exit", "number": REDACTED, "pin": REDACTED},
    ]
