"""The engine lost and found, and what an engine may say that cannot be understood."""

from __future__ import annotations

import asyncio
from datetime import timedelta
import logging
import time

from aiohttp import web
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    async_fire_time_changed,
)

from custom_components.facegate.const import DOMAIN
from custom_components.facegate.protocol import (
    CameraChanged,
    CameraStateName,
    CameraView,
    DoorChanged,
    DoorStateName,
    DoorView,
    ErrorCode,
    ErrorMessage,
    Result,
    StateMessage,
    Welcome,
    encode,
)
from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.integration.scripted import DOOR, ScriptedEngine
from tests.support import until

OURS = "custom_components.facegate"


def lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """Return what the integration logged."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(OURS) and record.levelno >= level
    ]


async def test_an_engine_lost_and_found_is_unavailable_and_back_with_one_line_each(
    home: Home, real: RealEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await home.add(real)
    await home.shows("binary_sensor", "visitor_waiting", "off")
    caplog.clear()
    await real.stop()
    await home.shows("binary_sensor", "visitor_waiting", "unavailable")
    assert home.state("lock", "lock").state == "unavailable"
    await asyncio.sleep(1)  # several vain attempts
    assert len(lines(caplog)) == 1
    assert "Lost the FaceGate engine" in lines(caplog)[0]
    await real.start()
    await home.shows("binary_sensor", "visitor_waiting", "off")
    assert len(lines(caplog)) == 2
    assert "Found the FaceGate engine" in lines(caplog)[1]


@pytest.mark.parametrize("expected_lingering_timers", [True])  # aiohttp's, of the dead socket
async def test_a_frozen_engine_is_noticed(
    home: Home, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.facegate.connection.HEARTBEAT_S", 0.4)
    await home.add(scripted)
    await home.shows("binary_sensor", "visitor_waiting", "off")
    assert scripted.socket is not None
    transport = scripted.socket._req.transport  # type: ignore[union-attr]
    assert isinstance(transport, asyncio.ReadTransport)
    transport.pause_reading()
    await home.shows("binary_sensor", "visitor_waiting", "unavailable")


async def test_a_command_while_the_engine_is_lost_says_so(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    await scripted.stop()
    await home.shows("lock", "lock", "unavailable")
    lock = home.hass.data["lock"].get_entity(home.entity_id("lock", "lock"))
    assert lock is not None
    with pytest.raises(HomeAssistantError) as caught:
        await lock.async_open()
    assert caught.value.translation_key == "cannot_connect"
    await scripted.start()


async def test_asking_for_an_update_changes_nothing(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    entity_id = home.entity_id("binary_sensor", "visitor_waiting")
    await async_update_entity(hass, entity_id)
    assert scripted.connections == 1
    assert home.state("binary_sensor", "visitor_waiting").state == "off"
    await scripted.stop()
    await home.shows("binary_sensor", "visitor_waiting", "unavailable")
    await async_update_entity(hass, entity_id)
    assert home.state("binary_sensor", "visitor_waiting").state == "unavailable"
    await scripted.start()
    await home.shows("binary_sensor", "visitor_waiting", "off")


# --- setting up ---------------------------------------------------------------------------------


async def test_an_engine_that_is_not_there_is_tried_again(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await scripted.stop()
    entry = await home.add(scripted)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "cannot be reached" in (entry.reason or "")
    await scripted.start()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=60))
    await until(lambda: entry.state is ConfigEntryState.LOADED)


async def test_an_engine_that_refuses_the_token_is_signed_in_to_again(
    hass: HomeAssistant, home: Home, real: RealEngine
) -> None:
    good, real.token = real.token, "another"
    entry = await home.add(real)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert [flow["context"]["source"] for flow in flows] == [SOURCE_REAUTH]
    assert good


async def test_a_token_that_is_changed_while_connected_starts_signing_in_again_once(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await home.add(scripted)
    caplog.clear()
    scripted.token = "another"
    await scripted.drop()
    await until(lambda: list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})))
    await asyncio.sleep(0.5)  # several refusals
    assert len(list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))) == 1
    assert len(lines(caplog)) == 1
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("code", [ErrorCode.PROTOCOL_TOO_OLD, ErrorCode.PROTOCOL_TOO_NEW])
async def test_versions_that_do_not_fit_are_a_repair_until_they_do(
    home: Home, scripted: ScriptedEngine, code: ErrorCode
) -> None:
    entry = await home.add(scripted)
    issue = (DOMAIN, f"{entry.entry_id}_{code}")
    scripted.greeting = lambda socket: socket.send_str(encode(ErrorMessage(code, "no")))
    await scripted.drop()
    await until(lambda: issue in ir.async_get(home.hass).issues)
    assert ir.async_get(home.hass).issues[issue].translation_key == code
    await home.shows("lock", "lock", "unavailable")
    scripted.greeting = None
    await home.shows("lock", "lock", "locked")
    assert issue not in ir.async_get(home.hass).issues


async def test_versions_that_do_not_fit_at_the_start_are_a_repair_too(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.protocol = 0
    entry = await home.add(scripted)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "update the engine" in (entry.reason or "")
    assert (DOMAIN, f"{entry.entry_id}_protocol_too_new") in ir.async_get(home.hass).issues


async def test_a_newer_engine_that_accepts_this_protocol_is_used(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.protocol = 2
    entry = await home.add(scripted)
    assert entry.state is ConfigEntryState.LOADED


async def test_another_engine_at_the_address_drives_no_doors(
    home: Home, scripted: ScriptedEngine
) -> None:
    entry = await home.add(scripted)
    scripted.site_id = "another-site"
    await scripted.drop()
    issue = (DOMAIN, f"{entry.entry_id}_wrong_site")
    await until(lambda: issue in ir.async_get(home.hass).issues)
    assert home.state("lock", "lock").state == "unavailable"
    scripted.site_id = entry.unique_id or ""
    await home.shows("lock", "lock", "locked")
    assert issue not in ir.async_get(home.hass).issues


# --- handshakes and messages that cannot be understood ------------------------------------------


@pytest.mark.parametrize(
    "greeting",
    [
        lambda socket: socket.close(),
        lambda socket: socket.send_str("not JSON"),
        lambda socket: socket.send_bytes(b"\x00"),
        lambda socket: socket.send_str(encode(Result(1, ok=True))),
        lambda socket: socket.send_str(encode(ErrorMessage(ErrorCode.INTERNAL, "no"))),
        lambda socket: socket.send_str(encode(Welcome(1, "9", "site-of-scripts", time.time()))),
    ],
    ids=["closed", "not JSON", "binary", "another message", "an error", "no state"],
)
async def test_a_handshake_that_fails_is_tried_again(
    home: Home, scripted: ScriptedEngine, greeting: object
) -> None:
    scripted.greeting = greeting  # type: ignore[assignment]
    entry = await home.add(scripted)
    assert entry.state is ConfigEntryState.SETUP_RETRY


async def test_an_engine_that_stays_silent_is_given_up_in_time(
    home: Home, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.facegate.connection.CONNECT_TIMEOUT_S", 0.2)

    async def silent(socket: web.WebSocketResponse) -> None:
        await socket.receive()

    scripted.greeting = silent
    entry = await home.add(scripted)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "cannot be reached" in (entry.reason or "")


async def test_an_engine_that_says_the_token_is_wrong_on_the_socket_is_believed(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    refusal = ErrorMessage(ErrorCode.UNAUTHORIZED, "the token was changed")
    scripted.greeting = lambda socket: socket.send_str(encode(refusal))
    entry = await home.add(scripted)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert list(entry.async_get_active_flows(hass, {SOURCE_REAUTH}))


@pytest.mark.parametrize("text", ["not JSON", '{"type": "door"}', "[]"])
async def test_a_message_that_cannot_be_read_begins_the_connection_anew(
    home: Home, scripted: ScriptedEngine, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    await home.add(scripted)
    await scripted.push_text(text)
    await until(lambda: scripted.connections == 2)
    await home.shows("lock", "lock", "locked")
    assert "cannot be read" in lines(caplog)[-2]


async def test_binary_data_begins_the_connection_anew(home: Home, scripted: ScriptedEngine) -> None:
    await home.add(scripted)
    assert scripted.socket is not None
    await scripted.socket.send_bytes(b"\x00")
    await until(lambda: scripted.connections == 2)


async def test_a_message_larger_than_the_protocol_allows_begins_the_connection_anew(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    await scripted.push_text(" " * (1024 * 1024 + 1))
    await until(lambda: scripted.connections == 2)
    await home.shows("lock", "lock", "locked")


async def test_what_a_newer_engine_may_say_is_passed_over(
    home: Home, scripted: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await home.add(scripted)
    await scripted.push_text('{"type": "weather", "sunny": true}')
    await scripted.push(
        Welcome(1, "9.9.9", scripted.site_id, time.time()),
        Result(4711, ok=True),
        ErrorMessage(ErrorCode.INVALID, "what was that"),
        DoorChanged(DoorView("front", "Front door", DoorStateName.UNLOCKED)),
    )
    await home.shows("lock", "lock", "unlocked")
    assert scripted.connections == 1
    assert lines(caplog, logging.WARNING) == ["The engine refused a message: what was that"]


async def test_a_whole_state_in_between_replaces_what_was_known(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    unlocked = DoorView("front", "Front door", DoorStateName.UNLOCKED)
    await scripted.push(StateMessage((unlocked,), (), ()))
    await home.shows("lock", "lock", "unlocked")


# --- cameras ------------------------------------------------------------------------------------


async def test_a_camera_is_connected_while_it_streams_and_says_why_not(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    await home.shows("binary_sensor", "camera", "on", "porch")
    await scripted.push(
        CameraChanged(CameraView("porch", "Porch", CameraStateName.REFUSED, "wrong password"))
    )
    state = await home.shows("binary_sensor", "camera", "off", "porch")
    assert state.attributes["reason"] == "wrong password"
    assert state.attributes["device_class"] == "connectivity"


async def test_a_real_engines_camera_that_cannot_be_reached_is_disconnected(
    home: Home, real: RealEngine
) -> None:
    await real.stop()
    real.options["cameras"] = [{"id": "porch", "name": "Porch", "url": "rtsp://127.0.0.1:9/a"}]
    await real.start()
    await home.add(real)
    await until(
        lambda: home.state("binary_sensor", "camera", "porch").attributes.get("reason") or None
    )
    assert home.state("binary_sensor", "camera", "porch").state == "off"


async def test_a_door_that_was_there_when_nothing_changed_stays(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    await scripted.push(DoorChanged(DOOR))
    await home.hass.async_block_till_done()
    assert home.state("lock", "lock").state == "locked"
