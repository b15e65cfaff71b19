"""What a thermometer says that is a reading, and what is none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from facegate.domain import Image
from facegate.protocol import AlarmEvent, AlarmKind
from tests.broker import mosquitto, needs_mosquitto
from tests.engine.mqtt.house import outside
from tests.engine.passage import A_LOOK, A_WAIT, Passage, options, passage, residents_scene
from tests.engine.site.test_instruments import (
    FEVER,
    HEAT,
    celsius,
    house,
    measured,
    shown,
    temperature,
)
from tests.engine.site.wired import options_on
from tests.support import until

pytestmark = pytest.mark.usefixtures("free_loop")


@dataclass
class Asked:
    """A thermometer with an address: what it answers, and how often it was asked."""

    answer: str
    status: int = 200
    times: int = 0
    url: str = field(default="", repr=False)

    async def tell(self, _: web.Request) -> web.Response:
        self.times += 1
        return web.Response(text=self.answer, status=self.status)

    async def heard(self, answer: str) -> None:
        """Answer this, and return once it has been taken."""
        self.answer, self.times = answer, 0
        await until(lambda: self.times > 1)


@asynccontextmanager
async def asked(answer: str) -> AsyncIterator[Asked]:
    found = Asked(answer)
    app = web.Application()
    app.router.add_get("/t", found.tell)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/t"))
        yield found


@pytest.fixture(scope="module")
def ann() -> list[Image]:
    return residents_scene()


def reason(front: Passage) -> str:
    return shown(front)[0].reason or ""


@needs_mosquitto
async def test_what_is_no_body_temperature_is_shown_and_is_no_reading(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with house(monkeypatch, tmp_path, **FEVER) as (front, device):
        await measured(front, device, 36.6)
        for value, told in ((45.1, "45.1 °C"), (29.9, "29.9 °C"), (-40.0, "-40.0 °C")):
            await device.say(HEAT, celsius(value))
            await until(lambda told=told: f"it read {told}" in reason(front))  # type: ignore[misc]
            assert not shown(front)[0].ok
            assert temperature(front) == 36.6
        await measured(front, device, 45.0)
        assert shown(front)[0].ok


@needs_mosquitto
@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("37", "path 'person.celsius'"),
        ('{"person": {}}', "path 'person.celsius'"),
        ('{"person": {"celsius": "warm"}}', "no number"),
        ('{"person": {"celsius": true}}', "no number"),
        ('{"person": {"celsius": NaN}}', "no number"),
        ("{", "not JSON"),
        (f'{{"person": {{"celsius": {"9" * 400}}}}}', "no number"),
    ],
)
async def test_what_cannot_be_read_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, payload: str, told: str
) -> None:
    async with house(monkeypatch, tmp_path, **FEVER) as (front, device):
        await device.say(HEAT, payload)
        await until(lambda: told in reason(front))
        assert (shown(front)[0].ok, temperature(front)) == (False, None)


@needs_mosquitto
async def test_nothing_that_was_kept_by_the_broker_is_a_reading_and_the_next_one_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with mosquitto(tmp_path / "broker") as broker, outside(broker) as device:
        await device.say(HEAT, celsius(36.6), retain=True)
        chosen = options_on(broker, **FEVER)
        async with passage(monkeypatch, tmp_path / "data", chosen) as front:
            await until(lambda: bool(device.on("facegate/status")))
            # It comes after the one that was kept, and shows that both were heard.
            await device.say(HEAT, "{")
            await until(lambda: "not JSON" in reason(front))
            assert temperature(front) is None
            # Live for who is there already, though the broker is to keep it as well.
            await device.say(HEAT, celsius(36.7), retain=True)
            await until(lambda: temperature(front) == 36.7)


@needs_mosquitto
async def test_a_reading_serves_one_passage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with house(monkeypatch, tmp_path, **FEVER) as (front, device):
        await front.enroll(["front"])
        await front.show(ann[:2])
        await measured(front, device, 36.6)
        await front.show(ann[2:A_LOOK])
        front.nobody(20)
        await front.show(ann[:A_WAIT])
        assert [event.granted for event in await front.events()] == [True, False]


async def test_a_fever_that_is_read_by_http_denies(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with asked("36.0") as thermometer:
        found = {"url": thermometer.url, "every_seconds": 0.2}
        chosen = options(**FEVER | {"thermometers": [found]})
        async with passage(monkeypatch, tmp_path, chosen) as front:
            await front.enroll(["front"])
            await until(lambda: shown(front)[0].ok)
            await front.show(ann[:2])
            await thermometer.heard("38.2")
            await until(lambda: temperature(front) == 38.2)
            await front.show(ann[2:A_WAIT])
            (event,) = await front.events()
            (verdict,) = [v for v in event.verdicts if v.control == "temperature"]
            assert (event.reason, verdict.measured, verdict.limit) == ("too_hot", 38.2, 37.3)
            assert front.client.pulses == []


async def test_the_time_of_a_reading_by_http_tells_which_one_is_new(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with asked("") as thermometer:
        found = {"url": thermometer.url, "path": "c", "every_seconds": 0.2}
        chosen = options(**FEVER | {"thermometers": [found]})
        async with passage(monkeypatch, tmp_path, chosen) as front:
            await until(lambda: "not JSON" in reason(front))
            now = front.clock.now().timestamp()
            await thermometer.heard(json.dumps({"c": 36.6, "at": now - 10}))
            await until(lambda: temperature(front) == 36.6)
            await thermometer.heard(json.dumps({"c": 36.8, "at": now - 61}))
            await until(lambda: "at: expected a moment of the last minute" in reason(front))
            assert temperature(front) == 36.6
            await thermometer.heard(json.dumps({"c": None, "at": now}))
            await until(lambda: shown(front)[0].ok)
            assert temperature(front) == 36.6


async def test_a_thermometer_that_still_tells_an_old_reading_at_the_start_is_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with asked(json.dumps({"c": 36.6, "at": 1_700_000_000})) as thermometer:
        found = {"url": thermometer.url, "path": "c", "every_seconds": 0.2}
        chosen = options(**FEVER | {"thermometers": [found]})
        async with passage(monkeypatch, tmp_path, chosen) as front:
            await until(lambda: thermometer.times > 1)
            front.clock.passed += 11
            await thermometer.heard(thermometer.answer)
            assert (shown(front)[0].ok, temperature(front)) == (True, None)
            assert front.client.all(AlarmEvent) == []


async def test_a_field_that_changes_beside_a_reading_makes_no_new_reading_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    def answer(value: float | None, uptime: int) -> str:
        return json.dumps({"c": value, "uptime": uptime})

    async with asked(answer(36.0, 1)) as thermometer:
        found = {"url": thermometer.url, "path": "c", "every_seconds": 0.2}
        chosen = options(**FEVER | {"thermometers": [found]})
        async with passage(monkeypatch, tmp_path, chosen) as front:
            await front.enroll(["front"])
            await until(lambda: shown(front)[0].ok)
            await thermometer.heard(answer(36.6, 2))
            await until(lambda: temperature(front) == 36.6)
            front.nobody(6)
            await front.show(ann[:2])
            await thermometer.heard(answer(36.6, 3))
            await front.show(ann[2:A_WAIT])
            (event,) = await front.events()
            assert (event.granted, event.reason) == (False, "stale_reading")
            # Nobody was there, then somebody as warm.
            front.nobody(6)
            await thermometer.heard(answer(None, 4))
            await front.show(ann[:2])
            await thermometer.heard(answer(36.6, 5))
            await front.show(ann[2:A_LOOK])
            assert [event.granted for event in await front.events()] == [False, True]


async def test_a_thermometer_that_answers_again_is_well_and_what_was_missed_is_no_reading(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with asked("36.0") as thermometer:
        found = {"url": thermometer.url, "every_seconds": 0.2}
        async with passage(monkeypatch, tmp_path, options(thermometers=[found])) as front:
            await until(lambda: shown(front)[0].ok)
            await thermometer.heard("36.6")
            await until(lambda: temperature(front) == 36.6)
            for answer in ("36.6", "37.1"):
                thermometer.status = 503
                await until(lambda: "503" in reason(front))
                thermometer.status = 200
                await thermometer.heard(answer)
                await until(lambda: shown(front)[0].ok)
                assert temperature(front) == 36.6
            await thermometer.heard("hot")
            await until(lambda: "no number" in reason(front))
            await thermometer.heard("37.1")
            await until(lambda: shown(front)[0].ok)
            assert temperature(front) == 36.6


async def test_a_thermometer_that_its_door_needs_raises_one_alarm_when_it_is_silent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with asked("36.0") as thermometer:
        thermometer.status = 302
        found = {"url": thermometer.url, "every_seconds": 0.2}
        chosen = options(**FEVER | {"thermometers": [found]})
        async with passage(monkeypatch, tmp_path, chosen) as front:
            await until(lambda: "302" in reason(front))
            for _ in range(3):
                front.clock.passed += 11
                await thermometer.heard(thermometer.answer)
            await until(lambda: bool(front.client.all(AlarmEvent)))
            (alarm,) = front.client.all(AlarmEvent)
            assert alarm.kind is AlarmKind.SENSOR
            assert "302" in (alarm.detail or "")
            assert thermometer.url not in (alarm.detail or "")
