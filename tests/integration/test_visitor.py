"""A visitor rings, is seen, and is let in once or turned away."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from aiohttp import web
from homeassistant.components.lock.const import LockState
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import (  # type: ignore[import-untyped]
    ClientSessionGenerator,
)

from custom_components.facegate.protocol import (
    AnswerCall,
    CallClosed,
    CallOpened,
    DoorChanged,
    DoorStateName,
    DoorView,
)
from tests.integration.hardware import STRIKE, Bench
from tests.integration.home import Home
from tests.integration.real import OTHER_PICTURE, PICTURE, RealEngine
from tests.integration.scripted import ScriptedEngine, call_view
from tests.support import until


async def test_a_visitor_rings_once_and_waits(home: Home, real: RealEngine) -> None:
    await home.add(real)
    assert home.state("event", "visitor").state == "unknown"
    assert home.state("binary_sensor", "visitor_waiting").state == "off"
    for button in ("let_in", "turn_away"):
        assert home.state("button", button).state == "unavailable"
    call_id = await real.ring()
    await home.shows("binary_sensor", "visitor_waiting", "on")
    rang = home.state("event", "visitor")
    assert rang.attributes["event_type"] == "ring"
    assert rang.attributes["device_class"] == "doorbell"
    assert rang.attributes["call_id"] == call_id
    expires_at = dt_util.parse_datetime(rang.attributes["expires_at"])
    assert expires_at is not None
    assert 50 < (expires_at - dt_util.utcnow()).total_seconds() <= 60
    for button in ("let_in", "turn_away"):
        assert home.state("button", button).state == "unknown"
    assert home.state("binary_sensor", "visitor_waiting", "yard").state == "off"
    assert home.state("event", "visitor", "yard").state == "unknown"


async def test_let_in_opens_the_door_once(home: Home, real: RealEngine, bench: Bench) -> None:
    await home.add(real, {"front": STRIKE})
    await home.shows("lock", "lock", LockState.LOCKED)
    await real.ring()
    await home.shows("binary_sensor", "visitor_waiting", "on")
    await home.call("button", "press", "let_in")
    await home.shows("binary_sensor", "visitor_waiting", "off")
    await home.call("button", "press", "let_in")  # nobody waits: the button is gone
    assert home.state("button", "let_in").state == "unavailable"
    access = home.state("event", "access")
    assert access.attributes["event_type"] == "access_granted"
    assert access.attributes["basis"] == "visitor"
    assert access.attributes["reason"] == "let_in"
    await home.shows("lock", "lock", LockState.LOCKED)
    assert bench.strike.asked == ["on", "off"]


async def test_turning_away_opens_nothing(home: Home, real: RealEngine, bench: Bench) -> None:
    await home.add(real, {"front": STRIKE})
    await real.ring()
    await home.shows("binary_sensor", "visitor_waiting", "on")
    await home.call("button", "press", "turn_away")
    await home.shows("binary_sensor", "visitor_waiting", "off")
    assert home.state("event", "access").state == "unknown"
    assert bench.strike.asked == []


async def test_a_call_that_another_client_answered_is_an_error_with_a_text(
    home: Home, real: RealEngine
) -> None:
    entry = await home.add(real)
    call_id = await real.ring()
    await home.shows("binary_sensor", "visitor_waiting", "on")
    real.site.visitors._calls.answer(
        call_id
    )  # as of another client, and its notice still under way
    with pytest.raises(ServiceValidationError) as caught:
        await home.call("button", "press", "let_in")
    assert caught.value.translation_key == "call_closed"
    assert entry.runtime_data.data.call_at("front") is not None


async def test_a_call_that_closes_while_the_button_is_pressed_is_an_error(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.calls = (call_view(),)
    await home.add(scripted)
    button = home.hass.data["button"].get_entity(home.entity_id("button", "let_in"))
    assert button is not None
    await scripted.push(CallClosed("call-1", "front", "expired"))
    await home.shows("binary_sensor", "visitor_waiting", "off")
    with pytest.raises(ServiceValidationError) as caught:
        await button.async_press()
    assert caught.value.translation_key == "no_visitor"
    assert scripted.all(AnswerCall) == []


async def test_the_newest_of_several_calls_is_answered(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.calls = (call_view("older"),)
    await home.add(scripted)
    await scripted.push(CallOpened(call_view("newer")))
    await until(lambda: len(home.coordinator.data.calls) == 2)
    call = home.coordinator.data.call_at("front")
    assert call is not None
    assert call.id == "newer"


async def test_a_call_that_was_open_before_does_not_ring(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.calls = (call_view(),)
    await home.add(scripted)
    await home.shows("binary_sensor", "visitor_waiting", "on")
    await scripted.push(CallOpened(scripted.calls[0]))  # told of again
    await scripted.push(CallOpened(call_view("elsewhere", "yard")))
    await until(lambda: len(home.coordinator.data.calls) == 2)
    assert home.state("event", "visitor").state == "unknown"


async def test_a_call_rings_again_for_another_unit_only(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    changes: list[Event[EventStateChangedData]] = []
    async_track_state_change_event(
        home.hass,
        [home.entity_id("event", "visitor")],
        callback(lambda change: changes.append(change)),  # noqa: PLW0108
    )
    call = call_view()
    for unit in (None, None, "12B", "12B"):
        await scripted.push(CallOpened(replace(call, unit=unit)))
    await scripted.push(CallOpened(call_view("elsewhere", "yard")))
    await until(lambda: "elsewhere" in home.coordinator.data.calls)
    states = [change.data["new_state"] for change in changes]
    heard = [state.attributes["unit"] for state in states if state is not None]
    assert heard == [None, "12B"]


# --- pictures -----------------------------------------------------------------------------------


async def test_the_visitors_picture_is_there_while_the_call_is_open(
    home: Home,
    real: RealEngine,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await home.add(real)
    browser = await hass_client()
    path = f"/api/image_proxy/{home.entity_id('image', 'visitor_picture')}"
    assert home.state("image", "visitor_picture").state == "unknown"
    assert "entity_picture" not in home.state("image", "visitor_picture").attributes

    call_id = await real.ring(picture=PICTURE)
    await home.shows("binary_sensor", "visitor_waiting", "on")
    state = home.state("image", "visitor_picture")
    assert dt_util.parse_datetime(state.state) is not None
    response = await browser.get(state.attributes["entity_picture"])
    assert response.status == HTTPStatus.OK
    assert response.content_type == "image/jpeg"
    assert await response.read() == PICTURE

    await home.call("button", "press", "turn_away")
    await home.shows("image", "visitor_picture", "unknown")
    # The engine keeps the picture for a while; here nobody waits any more.
    assert await home.coordinator.client.rest.call_picture(call_id) == PICTURE
    assert "entity_picture" not in home.state("image", "visitor_picture").attributes
    response = await browser.get(path)
    assert response.status == HTTPStatus.INTERNAL_SERVER_ERROR  # Home Assistant's "no picture"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_closed_call_takes_the_picture_away(
    home: Home, scripted: ScriptedEngine, hass_client: ClientSessionGenerator
) -> None:
    scripted.calls = (call_view(),)
    scripted.pictures["/api/v1/calls/call-1/picture"] = PICTURE
    await home.add(scripted)
    browser = await hass_client()
    path = f"/api/image_proxy/{home.entity_id('image', 'visitor_picture')}"
    assert await (await browser.get(path)).read() == PICTURE
    await scripted.push(CallClosed("call-1", "front", "turned_away"))
    await home.shows("image", "visitor_picture", "unknown")
    assert (await browser.get(path)).status == HTTPStatus.INTERNAL_SERVER_ERROR


async def test_the_last_picture_of_a_door_changes_with_its_time(
    home: Home, real: RealEngine, hass_client: ClientSessionGenerator
) -> None:
    await home.add(real)
    browser = await hass_client()
    path = f"/api/image_proxy/{home.entity_id('image', 'last_picture')}"
    assert home.state("image", "last_picture").state == "unknown"
    assert (await browser.get(path)).status == HTTPStatus.INTERNAL_SERVER_ERROR
    seen = {"unknown"}
    for picture in (PICTURE, OTHER_PICTURE):
        real.site.board.show_picture("front", picture)
        await until(lambda: home.state("image", "last_picture").state not in seen)
        seen.add(home.state("image", "last_picture").state)
        assert await (await browser.get(path)).read() == picture
    assert home.state("image", "last_picture", "yard").state == "unknown"


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=401),
        web.Response(status=404),
        web.Response(status=500),
        b"x" * (8 * 1024 * 1024 + 1),
    ],
    ids=["token refused", "dropped", "broken", "too large"],
)
async def test_a_picture_that_cannot_be_had_is_not_an_error_in_the_log(
    hass: HomeAssistant,
    home: Home,
    scripted: ScriptedEngine,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
    answer: web.Response | bytes,
) -> None:
    scripted.doors = (DoorView("front", "Front door", DoorStateName.LOCKED, picture_at=1.0),)
    scripted.pictures["/api/v1/doors/front/picture"] = answer
    await home.add(scripted)
    browser = await hass_client()
    path = f"/api/image_proxy/{home.entity_id('image', 'last_picture')}"
    assert (await browser.get(path)).status == HTTPStatus.INTERNAL_SERVER_ERROR
    await hass.async_block_till_done()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_an_engine_that_is_gone_has_no_pictures(
    home: Home, scripted: ScriptedEngine, hass_client: ClientSessionGenerator
) -> None:
    await home.add(scripted)
    await scripted.push(
        DoorChanged(DoorView("front", "Front door", DoorStateName.LOCKED, picture_at=1.0))
    )
    await until(lambda: home.state("image", "last_picture").state != "unknown")
    browser = await hass_client()
    path = f"/api/image_proxy/{home.entity_id('image', 'last_picture')}"
    await scripted.stop()
    await home.shows("image", "last_picture", "unavailable")
    assert (await browser.get(path)).status == HTTPStatus.INTERNAL_SERVER_ERROR
    await scripted.start()
