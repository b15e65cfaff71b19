"""Diagnostics can be handed to others."""

from __future__ import annotations

from dataclasses import replace
import json

from homeassistant.components.diagnostics import REDACTED
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.components.diagnostics import (  # type: ignore[import-untyped]
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import (  # type: ignore[import-untyped]
    ClientSessionGenerator,
)

from custom_components.facegate.protocol import (
    AccessEvent,
    AlarmEvent,
    AlarmKind,
    CallOpened,
    Direction,
    PassageEvent,
    PeopleChanged,
    VerdictView,
)
from tests.integration.home import Home
from tests.integration.office import ANN
from tests.integration.real import RealEngine
from tests.integration.scripted import HALL, ScriptedEngine, call_view
from tests.support import until

GUARDED = {
    **ANN,
    "name": "Ann Example",
    "external_id": "4711-x",
    "unit": "flat-12b",
    "guardians": [{"name": "Cleo Example", "notify": "notify.mobile_app_cleo"}],
}
PRIVATE = (
    "Ann Example", "4711-x", "flat-12b", "Cleo Example", "mobile_app_cleo", "Grace Example",
    "subject-1", "39.1 of Ann",
)  # fmt: skip


async def test_diagnostics_hold_the_state_but_neither_secrets_nor_names_of_people(
    hass: HomeAssistant, home: Home, real: RealEngine, hass_client: ClientSessionGenerator
) -> None:
    entry = await home.add(real)
    await real.deny()
    await until(lambda: home.state("event", "access").state != "unknown")
    coordinator = home.coordinator
    access = replace(coordinator.data.accesses["front"], approver="Grace")
    coordinator.data = replace(coordinator.data, accesses={"front": access})
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["connected"] is True
    assert found["state"]["doors"]["front"]["state"] == "unavailable"
    assert found["state"]["accesses"]["front"]["reason"] == "flat_motion"
    text = json.dumps(found)
    for secret in (real.token, "127.0.0.1", "Ann", "Grace", "subject-1"):
        assert secret not in text


async def test_diagnostics_tell_that_people_came_and_not_who_nor_whom_to_notify(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, hass_client: ClientSessionGenerator
) -> None:
    scripted.areas = (HALL,)
    scripted.answers["GET /api/v1/subjects"] = {"subjects": [GUARDED]}
    entry = await home.add(scripted, show_people=True)
    await scripted.push(
        AccessEvent(
            decision_id="decision-1", door_id="front", direction=Direction.ENTRY, granted=True,
            reason="let_in", at=1.0, basis="visitor", subject_id="subject-1",
            subject_name="Ann Example", subject_kind="pupil", approver="Grace Example",
            verdicts=(VerdictView("permit", "pass", "required", "in_permit"),),
        ),
        PassageEvent(
            "front", Direction.ENTRY, 2.0, "decision-1", "hall", "subject-1", "Ann Example",
            "pupil", ("notify.mobile_app_cleo",),
        ),
        AlarmEvent(AlarmKind.FEVER, 3.0, "front", "subject-1", "Ann Example", "39.1 of Ann"),
        CallOpened(replace(call_view(), unit="flat-12b")),
    )  # fmt: skip
    await until(lambda: home.state("event", "visitor").state != "unknown")
    state = (await get_diagnostics_for_config_entry(hass, hass_client, entry))["state"]
    assert state["subjects"] == 1
    assert state["doors"]["front"]["name"] == state["areas"]["hall"]["name"] == REDACTED
    assert state["accesses"]["front"]["verdicts"][0]["reason"] == "in_permit"
    assert state["passages"]["front"]["direction"] == "entry"
    assert state["alarms"]["front"]["kind"] == "fever"
    assert "call-1" in state["calls"]
    assert state["rings"]["front"]["door_id"] == "front"
    text = json.dumps(state)
    for private in PRIVATE:
        assert private not in text


async def test_diagnostics_of_a_lost_engine_name_neither_its_host_nor_who_was_erased(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, hass_client: ClientSessionGenerator
) -> None:
    entry = await home.add(scripted)
    await scripted.push(PeopleChanged(erased="subject-77"))
    await until(lambda: home.coordinator.data.erased)
    await scripted.stop()
    await until(lambda: home.coordinator.last_exception)
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["state"]["erased"] == 1
    assert found["last_error"] is not None
    for secret in ("127.0.0.1", "subject-77"):
        assert secret not in json.dumps(found)
