"""PINs and cards at a door: what opens, what waits, what is silently told, what is never said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from facegate.protocol import AccessEvent, AlarmEvent
from facegate.site import presenting
from tests.engine.site.gated import PIN, Gated, gated
from tests.support import until

pytestmark = pytest.mark.usefixtures("free_loop")

DURESS_PIN = "886644"


def failing(receipt: Any) -> dict[str, str]:
    """Return what failed by its control, as the receipt tells it."""
    return {
        verdict["control"]: verdict["reason"]
        for verdict in receipt["verdicts"]
        if verdict["requirement"] == "required" and verdict["outcome"] != "pass"
    }


async def card(site: Gated, subject_id: str, number: str = "card 1") -> dict[str, str]:
    body = {"kind": "card", "card_number": number}
    await site.make("POST", f"subjects/{subject_id}/credentials", body)
    return {"card_number": number}


async def test_what_opens_and_what_does_not_with_every_failing_control(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with gated(tmp_path) as site:
        ann, pin = await site.resident()
        key = await card(site, ann)
        assert (await site.present(**pin))["granted"]
        assert (await site.present(**key))["granted"]
        assert failing(await site.present(**{**pin, "pin": "4712"})) == {
            "credential": "credential_wrong"
        }
        nobody = await site.present(number="0", pin=PIN)
        assert failing(nobody) == {"credential": "credential_unknown", "permit": "no_permit"}
        assert failing(await site.present(card_number="card 2")) == failing(nobody)
        at_the_back = await site.present("back", **{**pin, "pin": "4712"})
        assert failing(at_the_back) == {"credential": "credential_wrong", "permit": "no_permit"}
        assert at_the_back["reason"] == "credential_wrong"
        await site.make("PUT", "mode", {"mode": "lockdown"})
        locked = await site.present("back", **key)
        assert failing(locked) == {"permit": "no_permit", "mode": "lockdown"}
        rows = str(await site.engine.events())
    for secret in (f"'{PIN}'", f'"{PIN}"', "4712", "card 1", "card 2"):
        assert secret not in rows
        assert secret not in caplog.text.replace("audit_head", "")


async def test_a_card_is_retired_for_a_group_at_its_moment_and_a_pin_stays(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        ann, pin = await site.resident()
        key = await card(site, ann)
        group = (await site.make("POST", "groups", {"name": "Plant"}))["id"]
        await site.make("PATCH", f"subjects/{ann}", {"groups": [group]})
        at = site.clock.now().timestamp() + 10
        await site.make("POST", f"groups/{group}/retirements", {"kind": "card", "at": at})
        assert (await site.present(**key))["granted"]
        await site.tick(10)
        assert failing(await site.present(**key)) == {"credential": "credential_retired"}
        assert (await site.present(**pin))["granted"]


@pytest.mark.parametrize("stays_shut", [False, True])
async def test_duress_is_told_silently_and_also_where_the_door_stays_shut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, stays_shut: bool
) -> None:
    async with gated(tmp_path) as site:
        ann, pin = await site.resident(duress_pin=DURESS_PIN)
        usual = await site.present(**pin)
        assert await site.alarms() == []
        if stays_shut:
            await site.make("PUT", "mode", {"mode": "lockdown"})
            usual = await site.present(**pin)
        forced = await site.present(**{**pin, "pin": DURESS_PIN})
        assert forced == {**usual, "decision_id": forced["decision_id"]}
        assert forced["granted"] is not stays_shut
        assert await site.alarms() == ["duress"]
        (alarm,) = site.client.all(AlarmEvent)
        assert (alarm.door_id, alarm.subject_id) == ("front", ann)
        assert "duress" not in str(site.client.all(AccessEvent))
        assert "duress" not in str(await site.events("access", "passage"))
    said = [record for record in caplog.records if record.name.startswith("facegate")]
    assert not any("duress" in record.getMessage().lower() for record in said)


async def test_five_failures_cost_that_credential_half_a_minute_at_that_door(
    tmp_path: Path,
) -> None:
    async with gated(tmp_path) as site:
        ann, pin = await site.resident("Ann", "front", "back")
        key = await card(site, ann)
        wrong = {**pin, "pin": "1111"}
        for _ in range(5):
            assert failing(await site.present(**wrong)) == {"credential": "credential_wrong"}
        assert await site.alarms() == ["attempts"]
        right = await site.present(**pin)
        guess = await site.present(**wrong)
        assert failing(right) == {
            "attempts": "too_many_attempts",
            "credential": "too_many_attempts",
        }
        assert right == {**guess, "decision_id": right["decision_id"]}
        assert (await site.present("back", **pin))["granted"]
        assert (await site.present(**key))["granted"]
        site.clock.passed += 29
        assert not (await site.present(**pin))["granted"]
        site.clock.passed += 1
        assert (await site.present(**pin))["granted"]
        assert await site.alarms() == ["attempts"]


async def test_who_has_to_wait_gets_out_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presenting, "EXIT_DELAY_S", 0.1)
    async with gated(tmp_path) as site:
        _, pin = await site.resident()
        for _ in range(6):
            await site.present(**{**pin, "pin": "1111"})
        assert not (await site.present(**pin))["granted"]
        assert (await site.present(direction="exit", **pin))["granted"]


async def test_two_persons_open_together_and_one_does_not(tmp_path: Path) -> None:
    doors = [{"id": "front", "pulse_seconds": 1, "controls": {"two_persons": "required"}}]
    async with gated(tmp_path, {"doors": doors}) as site:
        ann, pin = await site.resident("Ann")
        _, other = await site.resident("Ben")
        alone = {"two_persons": "second_person_missing"}
        assert failing(await site.present(**pin)) == alone
        assert failing(await site.present(**pin)) == alone
        site.clock.passed += 15.1
        assert failing(await site.present(**other)) == alone
        assert (await site.present(**pin))["granted"]
        granted = [event for event in await site.events("access") if event["body"]["granted"]]
        assert [event["subject_id"] for event in granted] == [ann]
        assert (await site.present(direction="exit", **pin))["granted"]


async def test_a_second_credential_is_another_one_of_the_same_person(tmp_path: Path) -> None:
    doors = [{"id": "front", "pulse_seconds": 1, "controls": {"second_credential": "required"}}]
    async with gated(tmp_path, {"doors": doors}) as site:
        ann, pin = await site.resident("Ann")
        ben, other = await site.resident("Ben")
        key = await card(site, ann)
        await card(site, ben, "card 2")
        missing = {"second_credential": "second_credential_missing"}
        assert failing(await site.present(**pin)) == missing
        assert failing(await site.present(**pin)) == missing
        assert failing(await site.present(**other)) == missing
        assert (await site.present(**key))["granted"]
        site.clock.passed += 15.1
        assert failing(await site.present(card_number="card 2")) == missing


async def test_what_is_neither_one_nor_the_other_is_refused(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        bodies: list[dict[str, str]] = [
            {},
            {"number": "1000"},
            {"pin": PIN},
            {"number": "1000", "pin": PIN, "code": "FG1."},
            {"card_number": "1", "code": "FG1."},
        ]
        found = await asyncio.gather(
            *(site.ask("POST", "doors/front/credentials", body) for body in bodies)
        )
        assert [(status, error["code"]) for status, error in found] == [(400, "invalid")] * 5
        status, _ = await site.ask("POST", "doors/garage/credentials", {"card_number": "1"})
        assert status == 404
        assert await site.events("access") == []
        await until(lambda: site.client.pulses == [])
