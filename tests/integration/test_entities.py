"""What is shown of doors, areas and the whole site, and how modes are set."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
import pytest

from custom_components.facegate.protocol import (
    AccessEvent,
    AlarmEvent,
    AlarmKind,
    AreaChanged,
    ContactStatus,
    Direction,
    DoorChanged,
    DoorMode,
    DoorStateName,
    DoorView,
    ErrorCode,
    PassageEvent,
    Prompt,
    SensorView,
    VerdictView,
)
from tests.integration.home import Home
from tests.integration.scripted import DOOR, HALL, ScriptedEngine, refused
from tests.support import until

YARD = DoorView("yard", "Yard gate", DoorStateName.LOCKED)
CONTACT = "binary_sensor.contact"
PERSONAL = {"subject", "subject_id", "kind", "verdicts", "decision_id"}


async def test_a_doors_mode_is_shown_and_set_in_the_name_of_the_user(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.answers["PUT /api/v1/doors/front/mode"] = {"mode": "free"}
    await home.add(scripted)
    shown = home.state("select", "mode")
    assert shown.state == "normal"
    assert shown.attributes["options"] == ["normal", "free", "lockdown", "emergency"]
    user = await home.user("Grace Höpper")
    await home.call("select", "select_option", "mode", context=user, option="free")
    (request,) = scripted.requests
    assert request.line == "PUT /api/v1/doors/front/mode"
    assert request.json == {"mode": "free"}
    assert request.user == "Grace Höpper"
    assert home.state("select", "mode").state == "normal"  # until the engine says so
    await scripted.push(DoorChanged(replace(DOOR, mode=DoorMode.FREE)))
    await home.shows("select", "mode", "free")


async def test_lockdown_is_on_when_no_door_lets_anybody_in(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.doors = (DOOR, YARD)
    scripted.answers["PUT /api/v1/mode"] = {"mode": "lockdown"}
    await home.add(scripted)
    assert home.state("switch", "lockdown", "").state == "off"
    await home.call("switch", "turn_on", "lockdown", "")
    await scripted.push(DoorChanged(replace(DOOR, mode=DoorMode.LOCKDOWN)))
    await home.shows("select", "mode", "lockdown")
    assert home.state("switch", "lockdown", "").state == "off"
    await scripted.push(DoorChanged(replace(YARD, mode=DoorMode.LOCKDOWN)))
    await home.shows("switch", "lockdown", "on", "")
    await home.call("switch", "turn_off", "lockdown", "")
    assert [request.json for request in scripted.requests] == [
        {"mode": "lockdown"},
        {"mode": "normal"},
    ]
    assert [request.user for request in scripted.requests] == [None, None]


async def test_a_site_without_doors_is_not_in_lockdown(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.doors = ()
    await home.add(scripted)
    assert home.state("switch", "lockdown", "").state == "off"


async def test_a_mode_that_the_engine_refuses_says_why(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.answers["PUT /api/v1/doors/front/mode"] = refused(
        ErrorCode.CONFLICT, "in emergency until the fire alarm is reset"
    )
    await home.add(scripted)
    with pytest.raises(ServiceValidationError) as caught:
        await home.call("select", "select_option", "mode", option="free")
    assert caught.value.translation_key == "conflict"
    assert caught.value.translation_placeholders == {
        "message": "in emergency until the fire alarm is reset"
    }


async def test_who_may_not_control_an_entity_sets_no_mode(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    lock = home.entity_id("lock", "lock")
    reader = await home.user("Reader", {"entities": {"all": {"read": True}}})
    other = await home.user("Other", {"entities": {"entity_ids": {lock: {POLICY_CONTROL: True}}}})
    for user in (reader, other):
        with pytest.raises(Unauthorized):
            await home.call("select", "select_option", "mode", context=user, option="free")
        with pytest.raises(Unauthorized):
            await home.call("switch", "turn_on", "lockdown", "", context=user)
    assert scripted.requests == []


async def test_what_a_person_at_the_door_is_asked_to_do_is_shown(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    shown = home.state("sensor", "prompt")
    assert (shown.state, shown.attributes["options"]) == ("nothing", ["nothing", "turn_your_head"])
    await scripted.push(DoorChanged(replace(DOOR, prompt=Prompt.TURN_YOUR_HEAD)))
    await home.shows("sensor", "prompt", "turn_your_head")
    await scripted.push(DoorChanged(DOOR))
    await home.shows("sensor", "prompt", "nothing")


async def test_a_contacts_alarms_and_a_temperature_are_shown(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    assert home.state("sensor", "temperature").state == "unknown"
    for key in ("forced_open", "held_open"):
        assert home.state("binary_sensor", key).state == "off"
    await scripted.push(
        DoorChanged(
            replace(DOOR, forced_open=True, held_open=True, temperature=37.9, temperature_at=0.0)
        )
    )
    temperature = await home.shows("sensor", "temperature", "37.9")
    assert temperature.attributes["device_class"] == "temperature"
    assert temperature.attributes["unit_of_measurement"] == "°C"
    assert temperature.attributes["at"] == "1970-01-01T00:00:00+00:00"
    assert home.state("binary_sensor", "forced_open").state == "on"
    assert home.state("binary_sensor", "forced_open").attributes["device_class"] == "tamper"
    assert home.state("binary_sensor", "held_open").state == "on"
    assert home.state("binary_sensor", "held_open").attributes["device_class"] == "problem"


async def test_the_last_decision_tells_everything_that_decided(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    assert home.state("sensor", "last_decision").state == "unknown"
    await scripted.push(_access(granted=False))
    denied = await home.shows("sensor", "last_decision", "denied")
    told = home.state("event", "access").attributes
    for attributes in (denied.attributes, told):
        assert attributes["reason"] == "too_hot"
        assert attributes["subject"] == "Ann"
        assert attributes["subject_id"] == "subject-1"
        assert attributes["kind"] == "pupil"
        assert attributes["direction"] == "exit"
        assert attributes["basis"] == "face"
        assert attributes["first_seen_at"] == "1970-01-01T00:00:01+00:00"
        assert attributes["decision_id"] == "decision-1"
        assert attributes["verdicts"][0]["measured"] == 38.2
    await scripted.push(_access(granted=True))
    await home.shows("sensor", "last_decision", "granted")


async def test_a_passage_tells_who_came_and_who_is_to_be_told(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.areas = (HALL,)
    await home.add(scripted)
    assert home.state("event", "passage").state == "unknown"
    await scripted.push(
        PassageEvent(
            door_id="front",
            direction=Direction.ENTRY,
            at=2.0,
            decision_id="decision-1",
            area_id="hall",
            subject_id="subject-1",
            subject_name="Ann",
            subject_kind="pupil",
            notify=("notify.mobile_app_cleo",),
        )
    )
    await until(lambda: home.state("event", "passage").state != "unknown")
    attributes = home.state("event", "passage").attributes
    assert attributes["event_type"] == "entry"
    assert attributes["subject"] == "Ann"
    assert attributes["subject_id"] == "subject-1"
    assert attributes["kind"] == "pupil"
    assert attributes["notify"] == ["notify.mobile_app_cleo"]
    assert attributes["area"] == "Hall"
    assert attributes["area_id"] == "hall"
    assert attributes["at"] == "1970-01-01T00:00:02+00:00"
    await scripted.push(PassageEvent("front", Direction.EXIT, 3.0, "decision-2"))
    await until(lambda: home.state("event", "passage").attributes["event_type"] == "exit")
    assert home.state("event", "passage").attributes["area"] is None
    await scripted.push(PassageEvent("front", Direction.ENTRY, 4.0, "decision-3", "attic"))
    await until(lambda: home.state("event", "passage").attributes["event_type"] == "entry")
    assert home.state("event", "passage").attributes["area"] == "attic"  # its name is not known


@pytest.mark.parametrize("kind", list(AlarmKind))
async def test_each_alarm_is_an_event_of_its_door_or_of_the_site(
    home: Home, scripted: ScriptedEngine, kind: AlarmKind
) -> None:
    await home.add(scripted)
    before = {state.entity_id: state for state in home.hass.states.async_all()}
    await scripted.push(AlarmEvent(kind, 1.0, "front", "subject-1", "Ann", "for 31 s"))
    await until(lambda: home.state("event", "alarm").state != "unknown")
    alarm = home.state("event", "alarm")
    assert alarm.attributes["event_type"] == kind
    assert alarm.attributes["subject"] == "Ann"
    assert alarm.attributes["detail"] == "for 31 s"
    assert home.state("event", "alarm", "").state == "unknown"
    changed = {
        state.entity_id
        for state in home.hass.states.async_all()
        if state is not before[state.entity_id]
    }
    assert changed == {alarm.entity_id}  # a duress alarm shows nowhere else

    await scripted.push(AlarmEvent(kind, 2.0))
    await until(lambda: home.state("event", "alarm", "").state != "unknown")
    assert home.state("event", "alarm", "").attributes["event_type"] == kind
    assert home.state("event", "alarm") is alarm


async def test_what_tells_of_people_is_not_kept_by_home_assistants_recorder(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    await scripted.push(
        _access(granted=True),
        PassageEvent(
            "front", Direction.ENTRY, 2.0, "decision-1", None, "subject-1", "Ann", "pupil"
        ),
        AlarmEvent(AlarmKind.FEVER, 3.0, "front", "subject-1", "Ann"),
    )
    await until(lambda: home.state("event", "alarm").state != "unknown")
    for platform, key in (
        ("event", "access"),
        ("event", "passage"),
        ("event", "alarm"),
        ("sensor", "last_decision"),
    ):
        state = home.state(platform, key)
        unrecorded = state.state_info["unrecorded_attributes"]  # type: ignore[index]
        assert PERSONAL & state.attributes.keys() <= unrecorded
        kept = {name: value for name, value in state.attributes.items() if name not in unrecorded}
        assert "Ann" not in str(kept)
        assert "subject-1" not in str(kept)


async def test_an_area_is_a_device_with_its_occupancy(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    scripted.areas = (HALL,)
    entry = await home.add(scripted)
    occupancy = home.state("sensor", "occupancy", "hall")
    assert occupancy.state == "2"
    assert occupancy.attributes["state_class"] == "measurement"
    assert occupancy.attributes["capacity"] == 10
    assert home.state("binary_sensor", "occupied", "hall").state == "on"
    await scripted.push(AreaChanged(replace(HALL, occupancy=0, capacity=None)))
    await home.shows("binary_sensor", "occupied", "off", "hall")
    assert home.state("sensor", "occupancy", "hall").state == "0"
    assert home.state("sensor", "occupancy", "hall").attributes["capacity"] is None

    await scripted.push(AreaChanged(replace(HALL, id="attic", name="Attic")))
    await until(lambda: len(hass.states.async_entity_ids("sensor")) == 6)
    await home.shows("sensor", "occupancy", "2", "attic")
    registry = dr.async_get(hass)
    devices = {
        device.name: device
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
    }
    assert devices["Hall"].via_device_id == devices["FaceGate"].id
    scripted.areas = ()
    await scripted.drop()
    await until(lambda: len(hass.states.async_entity_ids("sensor")) == 4)
    assert registry.async_get(devices["Attic"].id) is None


async def test_a_sensor_of_the_engines_that_does_not_serve_is_a_problem_of_its_door(
    home: Home, scripted: ScriptedEngine
) -> None:
    well = (
        SensorView("thermometer", Direction.ENTRY, ok=True),
        SensorView("contact", None, ok=True),
    )
    scripted.doors = (replace(DOOR, sensors=well), YARD)
    await home.add(scripted)
    shown = home.state("binary_sensor", "sensors")
    assert shown.state == "off"
    assert shown.attributes["kinds"] == ["thermometer (entry)", "contact"]
    assert shown.attributes["reasons"] == []
    with pytest.raises(AssertionError, match="no binary_sensor"):
        home.entity_id("binary_sensor", "sensors", "yard")
    ill = (SensorView("thermometer", Direction.ENTRY, ok=False, reason="no answer"), well[1])
    await scripted.push(DoorChanged(replace(DOOR, sensors=ill)))
    shown = await home.shows("binary_sensor", "sensors", "on")
    assert shown.attributes["reasons"] == ["thermometer (entry): no answer"]
    assert shown.attributes["device_class"] == "problem"


# --- contacts -----------------------------------------------------------------------------------


async def test_the_engine_is_told_what_a_contact_shows_at_once_and_at_each_change(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.doors = (DOOR, YARD)
    home.hass.states.async_set(CONTACT, "off")
    await home.add(scripted, contacts={"front": CONTACT, "cellar": CONTACT})
    await until(lambda: scripted.all(ContactStatus))
    for state, seen in (("on", True), ("unavailable", None), ("unknown", None), ("off", False)):
        home.hass.states.async_set(CONTACT, state)
        await until(partial(_contact_is, scripted, seen))
    home.hass.states.async_remove(CONTACT)
    await until(partial(_contact_is, scripted, None))
    told = scripted.all(ContactStatus)
    assert {status.door_id for status in told} == {"front"}  # not of a door that is none
    # Also once for "unavailable" and "unknown", which say the same.
    assert [status.open for status in told] == [False, True, None, False, None]


def _contact_is(engine: ScriptedEngine, seen: bool | None) -> bool:  # noqa: FBT001  as told
    return engine.all(ContactStatus)[-1].open is seen


async def test_contacts_are_told_of_again_after_a_reconnection(
    home: Home, scripted: ScriptedEngine
) -> None:
    home.hass.states.async_set(CONTACT, "on")
    await home.add(scripted, contacts={"front": CONTACT})
    await until(lambda: scripted.all(ContactStatus))
    scripted.received.clear()
    await scripted.drop()
    await until(lambda: scripted.all(ContactStatus))
    assert scripted.all(ContactStatus) == [ContactStatus("front", open=True)]


async def test_a_contact_is_followed_no_longer_once_the_integration_is_unloaded(
    home: Home, scripted: ScriptedEngine
) -> None:
    home.hass.states.async_set(CONTACT, "off")
    entry = await home.add(scripted, contacts={"front": CONTACT})
    await until(lambda: scripted.all(ContactStatus))
    contacts = entry.runtime_data.contacts
    await home.unload()
    home.hass.states.async_set(CONTACT, "on")
    await home.hass.async_block_till_done()
    assert contacts._told == {"front": ContactStatus("front", open=False)}


async def test_a_lost_engine_makes_everything_unavailable(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.areas = (HALL,)
    await home.add(scripted)
    await scripted.stop()
    await home.shows("select", "mode", "unavailable")
    await home.shows("switch", "lockdown", "unavailable", "")
    await home.shows("sensor", "occupancy", "unavailable", "hall")
    await home.shows("event", "alarm", "unavailable", "")
    select = home.hass.data["select"].get_entity(home.entity_id("select", "mode"))
    with pytest.raises(HomeAssistantError) as caught:
        await select.async_select_option("free")
    assert caught.value.translation_key == "cannot_connect"
    await scripted.start()


def _access(*, granted: bool) -> AccessEvent:
    return AccessEvent(
        decision_id="decision-1",
        door_id="front",
        direction=Direction.EXIT,
        granted=granted,
        reason="granted" if granted else "too_hot",
        at=2.0,
        basis="face",
        subject_id="subject-1",
        subject_name="Ann",
        subject_kind="pupil",
        first_seen_at=1.0,
        verdicts=(VerdictView("temperature", "fail", "required", "too_hot", 38.2, 37.3),),
    )
