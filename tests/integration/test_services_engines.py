"""Actions where the engine is away, refuses, or is one of several."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from custom_components.facegate.protocol import ErrorCode
from tests.integration.home import Home
from tests.integration.premises import add_site
from tests.integration.scripted import Request, ScriptedEngine, refused


@pytest.fixture
async def site(home: Home, scripted: ScriptedEngine) -> ScriptedEngine:
    """Two doors, an area and a visitor, in Home Assistant."""
    return await add_site(home, scripted)


async def test_an_engine_that_is_away_is_an_error(home: Home, site: ScriptedEngine) -> None:
    await site.stop()
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("list_people", {}),
        ("lockdown", {}),
        ("export_records", {}),
        ("answer_call", {"call_id": "call-1", "answer": "let_in"}),
    )
    for action, fields in asked:
        with pytest.raises(HomeAssistantError) as caught:
            await home.act(action, **fields)
        assert caught.value.translation_key == "cannot_connect"
    await site.start()


async def test_an_engine_that_does_not_answer_is_an_error(home: Home, site: ScriptedEngine) -> None:
    async def drop(request: Request) -> web.Response:
        del request
        await site.drop()
        raise web.HTTPGatewayTimeout

    site.answers["GET /api/v1/subjects"] = drop
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("list_people")
    assert caught.value.translation_key == "command_failed"
    site.answers["GET /api/v1/subjects"] = web.Response(text="[]", content_type="application/json")
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("list_people")
    assert caught.value.translation_key == "cannot_connect"


async def test_an_engine_that_knows_the_token_no_longer_is_an_error(
    home: Home, site: ScriptedEngine
) -> None:
    site.token = "another"
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("list_people")
    assert caught.value.translation_key == "invalid_auth"


@pytest.mark.parametrize(
    ("code", "kind", "key"),
    [
        (ErrorCode.INVALID, ServiceValidationError, "invalid"),
        (ErrorCode.CONFLICT, ServiceValidationError, "conflict"),
        (ErrorCode.TOO_MANY, ServiceValidationError, "too_many"),
        (ErrorCode.VAULT_UNAVAILABLE, HomeAssistantError, "vault_unavailable"),
        (ErrorCode.RECORDS_UNAVAILABLE, HomeAssistantError, "records_unavailable"),
        (ErrorCode.INTERNAL, HomeAssistantError, "command_failed"),
    ],
)
async def test_what_the_engine_refuses_is_told_with_its_words(
    home: Home, site: ScriptedEngine, code: ErrorCode, kind: type[Exception], key: str
) -> None:
    site.answers["PUT /api/v1/mode"] = refused(code, "mode: because", 400)
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("lockdown")
    assert type(caught.value) is kind
    assert caught.value.translation_key == key
    assert caught.value.translation_placeholders == {"message": "mode: because"}


async def test_of_several_engines_one_has_to_be_chosen(
    home: Home, site: ScriptedEngine, hass: HomeAssistant
) -> None:
    assert home.entry is not None
    site.answers["PUT /api/v1/mode"] = {"mode": "lockdown"}
    first = home.entry
    other = ScriptedEngine(site_id="another-site")
    await other.start()
    other.answers["PUT /api/v1/mode"] = {"mode": "lockdown"}
    second = await home.add(other)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("lockdown")
    assert caught.value.translation_key == "several_engines"
    await home.act("lockdown", config_entry_id=second.entry_id)
    assert (len(site.requests), len(other.requests)) == (0, 1)
    await hass.config_entries.async_unload(second.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("lockdown", config_entry_id=second.entry_id)
    assert caught.value.translation_key == "engine_not_loaded"
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("lockdown", config_entry_id="no entry")
    assert caught.value.translation_key == "no_engine"
    await hass.config_entries.async_remove(second.entry_id)
    await home.act("lockdown")
    assert len(site.requests) == 1
    await other.stop()
    home.entry = first


async def test_actions_stay_when_the_engine_is_removed(
    hass: HomeAssistant, home: Home, site: ScriptedEngine
) -> None:
    assert home.entry is not None
    await hass.config_entries.async_remove(home.entry.entry_id)
    assert hass.services.has_service("facegate", "lockdown")
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("lockdown")
    assert caught.value.translation_key == "no_engine"
    assert site.requests == []
