"""Every way to set an engine up, and to move it."""

from __future__ import annotations

from typing import Any

from homeassistant.config_entries import (
    SOURCE_HASSIO,
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
import pytest

from custom_components.facegate import config_flow
from custom_components.facegate.const import DOMAIN
from custom_components.facegate.protocol import ErrorCode, ErrorMessage, encode
from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.integration.scripted import ScriptedEngine
from tests.support import free_port, until


def address(engine: RealEngine | ScriptedEngine, **changes: Any) -> dict[str, Any]:
    """Return what a person would enter."""
    return {
        CONF_HOST: "127.0.0.1",
        CONF_PORT: engine.port,
        CONF_TOKEN: engine.token,
        **changes,
    }


async def begin(hass: HomeAssistant, data: dict[str, Any]) -> ConfigFlowResult:
    """Open the form and enter this."""
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "user"
    assert form["errors"] == {}
    return await hass.config_entries.flow.async_configure(form["flow_id"], data)


async def discover(hass: HomeAssistant, config: dict[str, Any]) -> ConfigFlowResult:
    """Let the Supervisor tell of an engine."""
    info = HassioServiceInfo(config=config, name="FaceGate", slug="facegate", uuid="1234")
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_HASSIO}, data=info
    )


# --- by hand ------------------------------------------------------------------------------------


async def test_an_engine_is_tested_and_then_stored(
    hass: HomeAssistant, home: Home, real: RealEngine
) -> None:
    del home
    result = await begin(hass, address(real))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "FaceGate"
    assert result["data"] == address(real)
    entry = result["result"]
    assert entry.unique_id == real.site_id
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_blanks_around_what_was_pasted_do_not_matter(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    del home
    pasted = address(scripted, host=" 127.0.0.1 ", token=f"{scripted.token}\n")
    result = await begin(hass, pasted)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == address(scripted)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({CONF_TOKEN: "wrong"}, "invalid_auth"),
        ({CONF_HOST: "http://127.0.0.1"}, "cannot_connect"),
        ({CONF_PORT: 1}, "cannot_connect"),
    ],
)
async def test_a_mistake_is_told_and_can_be_mended(
    hass: HomeAssistant, home: Home, real: RealEngine, changes: dict[str, Any], error: str
) -> None:
    del home
    result = await begin(hass, address(real, **changes))
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": error}
    result = await hass.config_entries.flow.async_configure(result["flow_id"], address(real))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("code", [ErrorCode.PROTOCOL_TOO_OLD, ErrorCode.PROTOCOL_TOO_NEW])
async def test_versions_that_do_not_fit_say_which_side_to_update(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, code: ErrorCode
) -> None:
    del home
    scripted.greeting = lambda socket: socket.send_str(encode(ErrorMessage(code, "no")))
    result = await begin(hass, address(scripted))
    assert result["errors"] == {"base": code}


async def test_what_nobody_expected_is_told_and_logged(
    hass: HomeAssistant,
    scripted: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(config_flow, "probe", broken)
    result = await begin(hass, address(scripted))
    assert result["errors"] == {"base": "unknown"}
    assert "a mistake of ours" in caplog.text


async def test_an_engine_is_set_up_only_once(
    hass: HomeAssistant, home: Home, real: RealEngine
) -> None:
    await home.add(real)
    result = await begin(hass, address(real))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


# --- found by the Supervisor --------------------------------------------------------------------


async def test_a_discovered_engine_is_stored_when_confirmed(
    hass: HomeAssistant, home: Home, real: RealEngine
) -> None:
    del home
    form = await discover(hass, {**address(real), "addon": "FaceGate"})
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "hassio_confirm"
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == address(real)
    assert result["result"].unique_id == real.site_id


async def test_a_discovered_engine_that_moved_is_updated(
    hass: HomeAssistant, home: Home, real: RealEngine
) -> None:
    entry = await home.add(real)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_PORT: free_port()})
    result = await discover(hass, address(real))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert dict(entry.data) == address(real)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_a_discovered_engine_that_does_not_answer_is_left_alone(
    hass: HomeAssistant, real: RealEngine
) -> None:
    result = await discover(hass, address(real, port=free_port()))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "cannot_connect"


@pytest.mark.parametrize("config", [{}, {CONF_HOST: "127.0.0.1", CONF_PORT: "x", CONF_TOKEN: "t"}])
async def test_a_discovery_that_makes_no_sense_is_left_alone(
    hass: HomeAssistant, config: dict[str, Any]
) -> None:
    result = await discover(hass, config)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "invalid_discovery_info"


# --- signing in again, and moving ---------------------------------------------------------------


async def test_a_new_token_is_tested_stored_and_used(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    entry = await home.add(scripted)
    scripted.token = "changed"
    form = await entry.start_reauth_flow(hass)
    assert form["step_id"] == "reauth_confirm"
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {CONF_TOKEN: "still wrong"}
    )
    assert result["errors"] == {"base": "invalid_auth"}
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {CONF_TOKEN: "changed"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data == address(scripted)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def test_a_token_of_another_engine_is_not_stored(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    entry = await home.add(scripted)
    before = dict(entry.data)
    scripted.site_id, scripted.token = "another-site", "its token"
    form = await entry.start_reauth_flow(hass)
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {CONF_TOKEN: "its token"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_site"
    assert dict(entry.data) == before


async def test_an_engine_can_be_moved(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    entry = await home.add(scripted)
    await scripted.stop()
    old, scripted.port = scripted.port, 0
    await scripted.start()
    form = await entry.start_reconfigure_flow(hass)
    assert form["step_id"] == "reconfigure"
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], address(scripted, port=old)
    )
    assert result["errors"] == {"base": "cannot_connect"}
    result = await hass.config_entries.flow.async_configure(form["flow_id"], address(scripted))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.data == address(scripted)
    await hass.async_block_till_done()
    await home.shows("lock", "lock", "locked")


async def test_an_entry_cannot_be_moved_to_another_engine(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, real: RealEngine
) -> None:
    entry = await home.add(scripted)
    form = await entry.start_reconfigure_flow(hass)
    result = await hass.config_entries.flow.async_configure(form["flow_id"], address(real))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_site"
    assert entry.data == address(scripted)


async def test_the_form_for_moving_does_not_show_the_token(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    entry = await home.add(scripted)
    form = await entry.start_reconfigure_flow(hass)
    assert form["data_schema"] is not None
    assert scripted.token not in str([(key, key.description) for key in form["data_schema"].schema])
    await until(lambda: entry.state is ConfigEntryState.LOADED)
