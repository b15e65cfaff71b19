"""A triggered alarm panel locks down the site; a person ends it."""

from __future__ import annotations

from datetime import timedelta

from homeassistant.core import ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    async_fire_time_changed,
    async_mock_service,
)

from tests.blueprints.house import House, messages

PANEL = "alarm_control_panel.house"
OTHER_PANEL = "alarm_control_panel.cellar"
SWITCH = "switch.site_lockdown"


@pytest.fixture
def asked(house: House) -> list[bool]:
    """What the engine was asked; it obeys, and the switch shows it."""
    asked: list[bool] = []

    async def lockdown(call: ServiceCall) -> None:
        asked.append(call.data["enabled"])
        house.hass.states.async_set(SWITCH, "on" if call.data["enabled"] else "off")

    house.hass.services.async_register("facegate", "lockdown", lockdown)
    house.hass.states.async_set(SWITCH, "off")
    house.hass.states.async_set(PANEL, "armed_away", {"friendly_name": "House"})
    house.hass.states.async_set(OTHER_PANEL, "armed_away")
    return asked


async def lock_down(house: House, *, end_when_disarmed: bool | None = None) -> None:
    """Make the automation for both panels."""
    ends = {} if end_when_disarmed is None else {"end_when_disarmed": end_when_disarmed}
    await house.automate(
        "lockdown_on_alarm",
        panels=[PANEL, OTHER_PANEL],
        lockdown=SWITCH,
        people=["mobile_app_gone", "mobile_app_office"],
        **ends,
    )


async def panel(house: House, state: str, entity_id: str = PANEL) -> None:
    """Set a panel, and return when all that follows is done."""
    house.hass.states.async_set(entity_id, state, {"friendly_name": "House"})
    await house.settle()


async def test_a_triggered_panel_locks_down_and_says_so(house: House, asked: list[bool]) -> None:
    office = house.phone("mobile_app_office")
    await lock_down(house)
    await panel(house, "pending")
    assert asked == []
    await panel(house, "triggered")
    assert asked == [True]
    assert messages(office) == ["House was triggered. Nobody gets in, every exit is free."]


async def test_a_person_ends_the_lockdown_unless_chosen_otherwise(
    house: House, asked: list[bool]
) -> None:
    await lock_down(house)
    await panel(house, "triggered")
    await panel(house, "disarmed")
    assert asked == [True]


async def test_disarming_ends_the_lockdown_where_that_is_chosen(
    house: House, asked: list[bool]
) -> None:
    office = house.phone("mobile_app_office")
    await lock_down(house, end_when_disarmed=True)
    await panel(house, "triggered")
    await panel(house, "disarmed")
    assert asked == [True, False]
    assert messages(office)[1:] == ["The lockdown is over: House was disarmed."]


async def test_disarming_without_an_alarm_ends_no_lockdown(house: House, asked: list[bool]) -> None:
    await lock_down(house, end_when_disarmed=True)
    house.hass.states.async_set(SWITCH, "on")
    await panel(house, "disarmed")
    await panel(house, "unavailable")
    await panel(house, "disarmed")
    assert asked == []


async def test_a_panel_that_is_still_triggered_keeps_the_lockdown(
    house: House, asked: list[bool]
) -> None:
    await lock_down(house, end_when_disarmed=True)
    await panel(house, "triggered")
    await panel(house, "triggered", OTHER_PANEL)
    await panel(house, "disarmed")
    assert asked == [True, True]
    await panel(house, "disarmed", OTHER_PANEL)
    assert asked == [True, True, False]


async def test_an_alarm_missed_during_a_lost_connection_still_locks_down(
    house: House, asked: list[bool]
) -> None:
    await lock_down(house)
    await panel(house, "unavailable")
    await panel(house, "triggered")
    assert asked == [True]


async def test_a_lockdown_that_fails_is_told(house: House, asked: list[bool]) -> None:
    office = house.phone("mobile_app_office")
    refused = async_mock_service(
        house.hass, "facegate", "lockdown", raise_exception=HomeAssistantError("no engine")
    )
    await lock_down(house)
    house.hass.states.async_set(PANEL, "triggered")
    await house.runs(1)
    assert office == []
    async_fire_time_changed(house.hass, dt_util.utcnow() + timedelta(seconds=11))
    await house.settle()
    assert len(refused) == 1
    assert asked == []
    assert messages(office) == ["The lockdown did not begin. Look at the doors now."]


async def test_a_lockdown_without_facegate_is_told(house: House, asked: list[bool]) -> None:
    office = house.phone("mobile_app_office")
    house.hass.services.async_remove("facegate", "lockdown")
    await lock_down(house)
    house.hass.states.async_set(PANEL, "triggered")
    await house.runs(1)
    async_fire_time_changed(house.hass, dt_util.utcnow() + timedelta(seconds=11))
    await house.settle()
    assert asked == []
    assert messages(office) == ["The lockdown did not begin. Look at the doors now."]
