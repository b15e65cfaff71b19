"""Actions on the records."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from tests.integration.home import Home
from tests.integration.premises import add_site
from tests.integration.scripted import Request, ScriptedEngine

ROWS = b'{"seq": 1}\n{"seq": 2}\n{"seq": 3}\n'


@pytest.fixture
async def site(home: Home, scripted: ScriptedEngine) -> ScriptedEngine:
    """Two doors, an area and a visitor, in Home Assistant."""
    return await add_site(home, scripted)


async def test_records_are_returned_up_to_a_limit(home: Home, site: ScriptedEngine) -> None:
    site.answers["GET /api/v1/records"] = lambda _: web.Response(body=ROWS)
    assert await home.act("export_records", limit=2, format="csv") == {
        "rows": [{"seq": 1}, {"seq": 2}],
        "complete": False,
    }
    found = await home.act(
        "export_records",
        limit=3,
        since="1970-01-01T00:00:00+00:00",
        until="1970-01-02T00:00:00+00:00",
        door="lock.front_door",
        subject_id="subject-1",
    )
    assert found == {"rows": [{"seq": 1}, {"seq": 2}, {"seq": 3}], "complete": True}
    assert [request.query for request in site.requests] == [
        {"format": "jsonl"},
        {
            "format": "jsonl",
            "since": "0.0",
            "until": "86400.0",
            "door_id": "front",
            "subject_id": "subject-1",
        },
    ]


async def test_records_are_written_to_a_file_that_home_assistant_may_write(
    hass: HomeAssistant, home: Home, site: ScriptedEngine, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    content = b"seq,kind\n" + b"1,access\n" * 50_000
    site.answers["GET /api/v1/records"] = lambda _: web.Response(body=content)
    path = tmp_path / "records.csv"
    found = await home.act("export_records", path=str(path), format="csv")
    assert found == {"path": str(path), "bytes": len(content)}
    assert path.read_bytes() == content
    assert site.requests[0].query == {"format": "csv"}
    assert _names(tmp_path) == [path.name]
    for wrong, key in (
        (tmp_path.parent / "records.csv", "path_not_allowed"),
        (tmp_path / "none" / "records.csv", "file_failed"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await home.act("export_records", path=str(wrong), format="csv")
        assert caught.value.translation_key == key


async def test_an_export_that_breaks_off_leaves_the_older_file(
    hass: HomeAssistant, home: Home, site: ScriptedEngine, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    path = tmp_path / "records.jsonl"
    path.write_text("older")

    async def break_off(asked: Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(asked.origin)
        await response.write(b"short")
        assert asked.origin.transport is not None
        asked.origin.transport.abort()
        return response

    site.answers["GET /api/v1/records"] = break_off
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("export_records", path=str(path))
    assert caught.value.translation_key == "cannot_connect"
    assert path.read_text() == "older"
    assert _names(tmp_path) == [path.name]


@pytest.mark.parametrize("content", [b"not JSON\n", b"[1]\n", b"{" + b"x" * 300_000 + b"}\n"])
async def test_records_that_cannot_be_read_are_an_error(
    home: Home, site: ScriptedEngine, content: bytes
) -> None:
    site.answers["GET /api/v1/records"] = lambda _: web.Response(body=content)
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("export_records")
    assert caught.value.translation_key == "cannot_connect"


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
