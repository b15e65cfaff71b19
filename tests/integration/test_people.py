"""People in Home Assistant: shown only where wanted, and gone without a trace."""

from __future__ import annotations

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import json_bytes
import pytest
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    async_mock_service,
)

from custom_components.facegate import people
from custom_components.facegate.const import DOMAIN
from custom_components.facegate.options import Options
from custom_components.facegate.protocol import Direction, ErrorCode, PassageEvent, PeopleChanged
from tests.integration.home import Home
from tests.integration.office import ANN, BEN
from tests.integration.scripted import HALL, ScriptedEngine, refused
from tests.support import until

LIST = "GET /api/v1/subjects"


@pytest.fixture(autouse=True)
def _asks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "COOLDOWN_S", 0.01)


def kept(hass: HomeAssistant) -> str:
    """Return all that both registries would store."""
    registries = (dr.async_get(hass)._data_to_save(), er.async_get(hass)._data_to_save())
    return json_bytes(registries).decode()


async def shown(home: Home, scripted: ScriptedEngine, *subjects: dict[str, object]) -> None:
    """Set up with people shown, and enable their entities as a user does."""
    scripted.areas = (HALL,)
    scripted.answers[LIST] = {"subjects": list(subjects)}
    entry = await home.add(scripted, show_people=True)
    registry = er.async_get(home.hass)
    for item in er.async_entries_for_config_entry(registry, entry.entry_id):
        if item.disabled_by is not None:
            registry.async_update_entity(item.entity_id, disabled_by=None)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.hass.async_block_till_done()


async def test_people_are_not_asked_for_unless_they_shall_be_shown(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    await scripted.push(
        PeopleChanged(),
        PassageEvent("front", Direction.ENTRY, 1.0, "d", "hall", "subject-1", "Ann"),
    )
    await until(lambda: home.state("event", "passage").state != "unknown")
    assert scripted.requests == []
    assert home.coordinator.data.subjects == {}


async def test_a_person_shown_is_a_device_whose_entities_are_disabled_at_first(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    scripted.answers[LIST] = {"subjects": [ANN]}
    entry = await home.add(scripted, show_people=True)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    named = {device.name: device.id for device in devices}
    assert set(named) == {"FaceGate", "Front door", "Porch", "Ann"}
    entities = er.async_entries_for_device(
        er.async_get(hass), named["Ann"], include_disabled_entities=True
    )
    disabled = {item.translation_key: item.disabled_by is not None for item in entities}
    assert disabled == {"presence": True, "last_seen": True}


async def test_presence_follows_the_passages(home: Home, scripted: ScriptedEngine) -> None:
    await shown(home, scripted, ANN, BEN)
    assert home.state("binary_sensor", "presence", "subject-1").state == "off"
    assert home.state("sensor", "last_seen", "subject-1").state == "unknown"
    ben = home.state("binary_sensor", "presence", "subject-2")
    assert ben.state == "on"
    assert ben.attributes["device_class"] == "presence"
    assert ben.attributes["area"] == "Hall"
    assert home.state("sensor", "last_seen", "subject-2").state == "1970-01-01T00:16:40+00:00"

    await scripted.push(
        PassageEvent("front", Direction.ENTRY, 2000.0, "d1", "hall", "subject-1", "Ann"),
        PassageEvent("front", Direction.EXIT, 3000.0, "d2", None, "subject-2", "Ben"),
        PassageEvent("front", Direction.ENTRY, 4000.0, "d3", "hall", "subject-9", "Cleo"),
    )
    await home.shows("binary_sensor", "presence", "on", "subject-1")
    await home.shows("binary_sensor", "presence", "off", "subject-2")
    assert home.state("sensor", "last_seen", "subject-1").state == "1970-01-01T00:33:20+00:00"
    assert set(home.coordinator.data.subjects) == {"subject-1", "subject-2"}


async def test_people_who_came_changed_or_went_are_shown_so(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await shown(home, scripted, ANN)
    scripted.answers[LIST] = {"subjects": [{**ANN, "name": "Anna", "last_seen_at": 5.0}, BEN]}
    await scripted.push(PeopleChanged())
    await until(lambda: len(home.coordinator.data.subjects) == 2)
    entry_id = home.coordinator.config_entry.entry_id
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry_id)
    names = {device.name for device in devices}
    assert names == {"FaceGate", "Front door", "Hall", "Porch", "Anna", "Ben"}
    await home.shows("sensor", "last_seen", "1970-01-01T00:00:05+00:00", "subject-1")


async def test_what_a_passage_told_is_not_undone_by_an_older_answer(
    home: Home, scripted: ScriptedEngine
) -> None:
    await shown(home, scripted, ANN)
    await scripted.push(PassageEvent("front", Direction.ENTRY, 9.0, "d", "hall", "subject-1"))
    await home.shows("binary_sensor", "presence", "on", "subject-1")
    scripted.answers[LIST] = {"subjects": [{**ANN, "name": "Anna", "last_seen_at": 5.0}]}
    await scripted.push(PeopleChanged())
    await until(lambda: home.coordinator.data.subjects["subject-1"].name == "Anna")
    assert home.state("binary_sensor", "presence", "subject-1").state == "on"


async def test_an_erased_person_leaves_no_trace(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    purged = async_mock_service(hass, "recorder", "purge_entities")
    await shown(home, scripted, ANN, BEN)
    entity_ids = {
        home.entity_id("binary_sensor", "presence", "subject-1"),
        home.entity_id("sensor", "last_seen", "subject-1"),
    }
    assert "subject-1" in kept(hass)
    assert "ann_presence" in kept(hass)
    scripted.answers[LIST] = {"subjects": [BEN]}
    await scripted.push(PeopleChanged())
    await until(lambda: "subject-1" not in home.coordinator.data.subjects)
    await hass.async_block_till_done()
    for trace in ("subject-1", "Ann", "ann_presence", "ann_last_seen"):
        assert trace not in kept(hass)
    assert "Ben" in kept(hass)
    assert not entity_ids & set(hass.states.async_entity_ids())
    (call,) = purged
    assert set(call.data["entity_id"]) == entity_ids
    assert call.data["keep_days"] == 0


async def test_nobody_is_shown_any_more_once_that_is_switched_off(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await shown(home, scripted, ANN)
    assert home.entry is not None
    hass.config_entries.async_update_entry(home.entry, options=Options().stored())
    await hass.config_entries.async_reload(home.entry.entry_id)
    assert "subject-1" not in kept(hass)
    assert "Ann" not in kept(hass)


async def test_removing_the_integration_forgets_people(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await shown(home, scripted, ANN)
    assert home.entry is not None
    await hass.config_entries.async_remove(home.entry.entry_id)
    assert "subject-1" not in kept(hass)
    assert "Ann" not in kept(hass)


async def test_who_went_while_home_assistant_was_away_is_forgotten_after_it(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await shown(home, scripted, ANN, BEN)
    scripted.answers[LIST] = {"subjects": [BEN]}
    await scripted.drop()
    await until(lambda: "subject-1" not in home.coordinator.data.subjects)
    assert "subject-1" not in kept(hass)
    # Who is still there keeps its entities as the user left them.
    await home.shows("binary_sensor", "presence", "on", "subject-2")


@pytest.mark.parametrize("answer", [{"people": []}, {"subjects": [{"id": "subject-1"}]}])
async def test_an_answer_that_cannot_be_understood_removes_nobody(
    hass: HomeAssistant,
    home: Home,
    scripted: ScriptedEngine,
    caplog: pytest.LogCaptureFixture,
    answer: object,
) -> None:
    await shown(home, scripted, ANN)
    scripted.answers[LIST] = answer
    await scripted.push(PeopleChanged())
    await until(lambda: "Could not ask the FaceGate engine who is known" in caplog.text)
    assert "subject-1" in home.coordinator.data.subjects
    assert "ann_presence" in kept(hass)
    scripted.answers[LIST] = {"subjects": [ANN, BEN]}
    await scripted.push(PeopleChanged())
    await until(lambda: len(home.coordinator.data.subjects) == 2)


async def test_an_engine_that_does_not_say_who_is_known_is_tried_again(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    scripted.answers[LIST] = refused(ErrorCode.INTERNAL, status=500)
    entry = await home.add(scripted, show_people=True)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert hass.states.async_all(DOMAIN) == []


async def test_how_many_people_need_new_photos_is_a_repair_until_none_does(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.need_photos = 2
    entry = await home.add(scripted)
    issue = (DOMAIN, f"{entry.entry_id}_need_photos")

    def counted() -> str | None:
        found = ir.async_get(home.hass).issues.get(issue)
        placeholders = found.translation_placeholders if found is not None else None
        return placeholders["count"] if placeholders is not None else None

    assert counted() == "2"
    await scripted.push(PeopleChanged(need_photos=1))
    await until(lambda: counted() == "1")
    # A change that does not tell it leaves it as it is.
    await scripted.push(PeopleChanged(), PeopleChanged(need_photos=0))
    await until(lambda: issue not in ir.async_get(home.hass).issues)
    scripted.need_photos = 3
    await scripted.drop()
    await until(lambda: counted() == "3")
