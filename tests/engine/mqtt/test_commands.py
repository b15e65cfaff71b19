"""Commands over a real broker: none that is old, kept, repeated or forged moves a door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path

import pytest

from facegate import broker as connection
from facegate.protocol import DoorAction
from tests.broker import ALLOWED, STRANGER, Mosquitto, mosquitto, needs_mosquitto
from tests.engine.mqtt.house import COMMAND, house, outside
from tests.support import until

pytestmark = needs_mosquitto


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(connection, "LONGEST_RETRY_S", 0.2)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path / "broker") as running:
        yield running


async def test_a_fresh_command_opens_once_and_the_receipt_names_where_it_came_from(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with outside(broker) as other, house(broker, tmp_path / "data") as site:
        await site.connected()
        await other.say(COMMAND, site.order())
        assert (await until(other.results))[0] == {
            "command_id": "command-1",
            "ok": True,
            "code": None,
            "message": None,
        }
        await site.check(pulses=1)
        assert "mqtt:hall" in json.dumps(await site.grants())


async def test_a_command_that_the_broker_is_to_keep_is_refused_at_once_and_taken_from_it(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with house(broker, tmp_path / "data") as site:
        await site.connected()
        async with outside(broker) as other:
            await other.say(COMMAND, site.order("to-be-kept"), retain=True)
            assert "retained" in (await until(other.results))[0]["message"]
            await until(lambda: b"" in other.on(COMMAND))
        async with outside(broker) as later:
            await asyncio.sleep(0.2)
            assert later.on(COMMAND) == []
        assert "retained" in site.told()[0]
        await site.check(pulses=0)


async def test_retained_commands_waiting_at_start_are_cleared_and_move_nothing(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with outside(broker) as other:
        await other.say(COMMAND, b"ON", retain=True)
        await other.say("facegate/door/gone/command", b"ON", retain=True)
        async with house(broker, tmp_path / "data") as site:
            await site.connected()
            await until(lambda: len(site.told()) == 2)
            assert await site.gate.alarms() == ["mqtt", "mqtt"]
            await site.check(pulses=0)
    async with outside(broker) as later:
        await asyncio.sleep(0.2)
        assert [t for t, _, _ in later.received if t.endswith("/command")] == []


async def test_commands_sent_while_the_broker_was_down_for_ten_minutes_open_nothing(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with house(broker, tmp_path / "data") as site:
        await site.connected()
        waiting = [site.order(f"while-down-{n}") for n in range(3)]
        await broker.stop()
        await until(lambda: site.broker.fault)
        site.gate.clock.passed += 600
        await broker.start()
        await site.connected()
        async with outside(broker) as other:
            for order in waiting:
                await other.say(COMMAND, order)
            await until(lambda: len(other.results()) == 3)
            assert {result["code"] for result in other.results()} == {"expired"}
        assert "expired 59" in site.told()[0]
        await site.check(pulses=0)


async def test_duplicated_reordered_and_late_messages_open_once_a_command(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with outside(broker) as other, house(broker, tmp_path / "data") as site:
        await site.connected()
        late, first, second = (site.order(f"command-{n}") for n in ("late", "one", "two"))
        for order in (second, second, first, second, first):
            await other.say(COMMAND, order)
        await until(
            lambda: {r["command_id"] for r in other.results()} == {"command-one", "command-two"}
        )
        assert all(result["ok"] for result in other.results())
        pulses = len(site.gate.client.pulses)
        assert 1 <= pulses <= len(await site.grants()) == 2
        site.gate.clock.passed += 30
        await other.say(COMMAND, first)
        await other.say(COMMAND, late)
        await until(lambda: any(r["code"] == "expired" for r in other.results()))
        assert len(site.gate.client.pulses) == pulses
        assert "expired 25.0 s ago" in site.told()[0]


async def test_a_command_id_serves_no_other_command(broker: Mosquitto, tmp_path: Path) -> None:
    async with outside(broker) as other, house(broker, tmp_path / "data") as site:
        await site.connected()
        await other.say(COMMAND, site.order())
        await until(other.results)
        await other.say(COMMAND, site.order(action="unlock"))
        await until(lambda: len(other.results()) == 2)
        assert other.results()[1]["code"] == "conflict"
        await site.check(pulses=1)


@pytest.mark.parametrize("rights", ["read #", "write facegate/door/+/state"])
async def test_a_client_without_the_right_to_command_is_not_heard(
    rights: str, tmp_path: Path
) -> None:
    allowed = {**ALLOWED, STRANGER: (rights,)}
    async with (
        mosquitto(tmp_path / "broker", allowed) as broker,
        house(broker, tmp_path / "data") as site,
        outside(broker, STRANGER) as stranger,
        outside(broker) as other,
    ):
        await site.connected()
        await stranger.say(COMMAND, site.order("forged-command"))
        await stranger.say(COMMAND, site.order("forged-command"), retain=True)
        await other.say(COMMAND, site.order("honest-command"))
        await until(other.results)
        assert [result["command_id"] for result in other.results()] == ["honest-command"]
        await site.check(pulses=1)
        # The engine never hears of it: the broker's own log does.
        assert broker.log.count("Denied PUBLISH") == 2


@pytest.mark.parametrize(
    ("payload", "code", "field"),
    [
        (b"ON", "malformed", "not JSON"),
        (b"\xff\xfe", "malformed", "not JSON"),
        (b"[]", "malformed", "object"),
        (b"{}", "invalid", "command_id"),
        (b'{"command_id": "command-1", "action": "toggle", "expires_at": 1}', "invalid", "action"),
        (b'{"command_id": "short", "action": "open", "expires_at": 1}', "invalid", "command_id"),
        (b'{"command_id": "command-1", "action": "open"}', "invalid", "expires_at"),
        (
            b'{"command_id": "command-1", "action": "open", "expires_at": 99999999999}',
            "invalid",
            "clock",
        ),
        (b" " * 5000, "too_large", "4096"),
    ],
)
async def test_a_malformed_command_is_refused_by_name_with_an_alarm(
    payload: bytes, code: str, field: str, broker: Mosquitto, tmp_path: Path
) -> None:
    async with outside(broker) as other, house(broker, tmp_path / "data") as site:
        await site.connected()
        await other.say(COMMAND, payload)
        result = (await until(other.results))[0]
        assert (result["ok"], result["code"]) == (False, code)
        assert field in result["message"]
        assert await site.gate.alarms() == ["mqtt"]
        await site.check(pulses=0)


async def test_ten_megabytes_neither_end_the_connection_nor_move_a_door(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with outside(broker) as other, house(broker, tmp_path / "data") as site:
        await site.connected()
        await other.say(COMMAND, b"x" * 10_000_000)
        await other.say(COMMAND, site.order())
        assert (await until(other.results))[0]["ok"]
        assert len(other.results()) == 1
        await site.check(pulses=1)


async def test_refused_commands_raise_one_alarm_a_minute_and_are_counted(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with outside(broker) as other, house(broker, tmp_path / "data") as site:
        await site.connected()
        for _ in range(5):
            await other.say(COMMAND, b"ON")
        await until(lambda: len(other.results()) == 5)
        assert len(await site.gate.alarms()) == 1
        site.gate.clock.passed += 61
        await other.say(COMMAND, b"ON")
        await until(lambda: len(site.told()) == 2)
        assert "4 more" in site.told()[1]


async def test_no_command_is_taken_right_after_the_start(broker: Mosquitto, tmp_path: Path) -> None:
    async with outside(broker) as other, house(broker, tmp_path / "data") as site:
        site.gate.clock.passed -= 11
        await site.connected()
        await other.say(COMMAND, site.order())
        result = (await until(other.results))[0]
        assert "just started" in result["message"]
        await site.check(pulses=0)


async def test_an_answer_to_no_call_is_refused(broker: Mosquitto, tmp_path: Path) -> None:
    async with outside(broker) as other, house(broker, tmp_path / "data") as site:
        await site.connected()
        at = site.gate.clock.now().timestamp() + 5
        answer = {"command_id": "command-1", "answer": "let_in", "expires_at": at}
        await other.say("facegate/call/none/answer", json.dumps(answer))
        result = (await until(lambda: other.results("facegate/call/none/result")))[0]
        assert result["code"] == "call_closed"
        await site.check(pulses=0)


async def test_over_a_new_connection_states_are_told_anew_and_events_are_not(
    broker: Mosquitto, tmp_path: Path
) -> None:
    async with house(broker, tmp_path / "data") as site:
        async with outside(broker) as other:
            await site.connected()
            await site.gate.client.operate("front", DoorAction.OPEN)
            event = (await until(lambda: other.on("facegate/event/access")))[0]
            assert json.loads(event)["approver"] == "Ann"
        await broker.stop()
        await until(lambda: site.broker.fault)
        await site.gate.client.operate("front", DoorAction.OPEN)
        await broker.start()
        await site.connected()
        async with outside(broker) as later:
            await until(lambda: later.on("facegate/door/front/state"))
            assert later.on("facegate/status") == [b"online"]
            assert later.on("facegate/door/front/prompt") == [b"none"]
            assert all(retained for _, _, retained in later.received)
            assert later.on("facegate/event/access") == []
