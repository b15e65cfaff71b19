"""A fever that a thermometer of Home Assistant measures keeps the door shut, and says so."""

from __future__ import annotations

import json
from typing import Any

from homeassistant.config_entries import ConfigEntryState

from custom_components.facegate.options import Options
from facegate.protocol import AlarmKind
from tests.engine.passage import A_WAIT
from tests.integration.hardware import STRIKE
from tests.stories.conftest import OpenPlace
from tests.stories.place import Place, face, failed, front

BODY = "sensor.body"
CELSIUS = {"unit_of_measurement": "°C", "device_class": "temperature"}
LIMIT = 37.3


def options() -> dict[str, Any]:
    return front(controls={"liveness": "off", "temperature": "required"}, temperature_limit=LIMIT)


async def choose_thermometer(place: Place) -> None:
    """Choose the thermometer for the front door, as its options do."""
    hass, entry = place.home.hass, place.home.entry
    assert entry is not None
    hass.states.async_set(BODY, "36.0", CELSIUS)
    chosen = Options({"front": STRIKE}, thermometers={"front": BODY})
    hass.config_entries.async_update_entry(entry, options=chosen.stored())
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    await place.ready()


async def measure(place: Place, celsius: float) -> None:
    """Have the thermometer show a value, and return when the door knows it."""
    place.home.hass.states.async_set(BODY, str(celsius), CELSIUS)
    await place.home.shows("sensor", "temperature", str(celsius))


async def stand(place: Place, celsius: float | None = None) -> None:
    """Stand before the camera until it decides; the temperature is taken meanwhile."""
    await place.show(face()[:2])
    if celsius is not None:
        # The test moved the engine's clock, which Home Assistant compares when it connects.
        await place.later()
        await measure(place, celsius)
    await place.show(face()[2:A_WAIT])


def temperature_in(decision: dict[str, Any]) -> tuple[str, str, float | None, float | None]:
    (found,) = [v for v in decision["verdicts"] if v["control"] == "temperature"]
    return found["outcome"], found["reason"], found["measured"], found["limit"]


async def test_a_fever_is_denied_with_its_value_in_record_event_and_entity(
    place_at: OpenPlace,
) -> None:
    async with place_at(options()) as place:
        await choose_thermometer(place)
        await place.enroll((await place.add("Ann"))["id"])
        await stand(place, celsius=38.2)

        event = await place.decision()
        assert (event["event_type"], event["subject"]) == ("access_denied", "Ann")
        assert failed(event) == {"temperature": "too_hot"}
        assert temperature_in(event) == ("fail", "too_hot", 38.2, LIMIT)
        (row,) = await place.record("access")
        receipt = json.loads(row["body"])
        assert receipt["granted"] is False
        assert temperature_in(receipt) == ("fail", "too_hot", 38.2, LIMIT)
        shown = place.home.state("sensor", "last_decision")
        assert shown.state == "denied"
        assert temperature_in(dict(shown.attributes)) == ("fail", "too_hot", 38.2, LIMIT)
        assert place.home.state("sensor", "temperature").state == "38.2"
        assert (await place.decision("alarm"))["event_type"] == AlarmKind.FEVER
        assert place.strike.asked == []


async def test_a_reading_of_the_person_before_does_not_count(place_at: OpenPlace) -> None:
    async with place_at(options()) as place:
        await choose_thermometer(place)
        await place.enroll((await place.add("Ann"))["id"])
        # Somebody was measured whom the camera did not see; Ann steps up six seconds later.
        await measure(place, 36.6)
        place.nobody(6)
        await stand(place)
        event = await place.decision()
        assert event["event_type"] == "access_denied"
        assert failed(event) == {"temperature": "stale_reading"}
        assert place.strike.asked == []

        # Measured herself, she is let in.
        place.nobody()
        await stand(place, celsius=36.7)
        event = await place.decision()
        assert event["event_type"] == "access_granted"
        assert temperature_in(event) == ("pass", "ok", 36.7, LIMIT)
        await place.pulsed(1)
