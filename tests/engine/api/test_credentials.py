"""PINs and cards are given and taken, recognized, and told to nobody."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from facegate.office.credentials import Check, Credentials
from facegate.verdicts import Reason
from tests.engine.api.office import SUBJECTS, add, ask, person, refusal
from tests.support import Engine, FakeClock, engine

pytestmark = pytest.mark.usefixtures("free_loop")

PIN = {"kind": "pin", "pin": "471199"}
CARD = {"kind": "card", "card_number": "04A1B2C3"}


def at_the_door(site: Engine) -> Credentials:
    return site.site.presenting._credentials


def told(check: Check) -> tuple[str | None, bool, bool]:
    return check.person.subject.id if check.person else None, check.ok, check.duress


async def test_a_pin_is_its_owners_with_the_owners_number_only(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    ann, ben = await add(desk, "Ann"), await add(desk, "Ben")
    await ask(desk, "POST", f"{SUBJECTS}/{ann}/credentials", PIN)
    number, other = [(await person(desk, each))["number"] for each in (ann, ben)]
    check = at_the_door(office).check_pin
    assert told(await check(number, "471199")) == (ann, True, False)
    for wrong in ("471198", "4711990", "", "x", "471199 "):
        assert told(await check(number, wrong)) == (ann, False, False)
    assert told(await check(other, "471199")) == (ben, False, False)
    assert told(await check("0000", "471199")) == (None, False, False)
    assert told(await check(other, "")) == (ben, False, False)


async def test_the_pin_of_the_silent_alarm_grants_and_says_so(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    ann = await add(desk)
    path = f"{SUBJECTS}/{ann}/credentials"
    _, shown = await ask(desk, "POST", path, {**PIN, "duress_pin": "471190"})
    assert shown["credentials"][0]["has_duress"] is True
    check = at_the_door(office).check_pin
    assert told(await check(shown["number"], "471190")) == (ann, True, True)
    assert told(await check(shown["number"], "471199")) == (ann, True, False)


async def test_a_new_pin_takes_the_place_of_the_one_before(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    path = f"{SUBJECTS}/{await add(desk)}/credentials"
    await ask(desk, "POST", path, PIN)
    _, shown = await ask(desk, "POST", path, {"kind": "pin", "pin": "2222"})
    assert len(shown["credentials"]) == 1
    check = at_the_door(office).check_pin
    assert not (await check(shown["number"], "471199")).ok
    assert (await check(shown["number"], "2222")).ok


async def test_a_card_is_found_and_is_nobody_elses(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    ann, ben = await add(desk, "Ann"), await add(desk, "Ben")
    for _ in range(2):
        status, shown = await ask(desk, "POST", f"{SUBJECTS}/{ann}/credentials", CARD)
        assert (status, len(shown["credentials"])) == (201, 1)
    assert told(await at_the_door(office).check_card(" 04A1B2C3 ")) == (ann, True, False)
    for unknown in ("04A1B2C4", "", "x" * 65, "a\nb"):
        assert told(await at_the_door(office).check_card(unknown)) == (None, False, False)
    taken = (409, "conflict", "card_number: this card is somebody else's")
    assert await refusal(desk, "POST", f"{SUBJECTS}/{ben}/credentials", CARD) == taken
    credential = shown["credentials"][0]["id"]
    await ask(desk, "DELETE", f"{SUBJECTS}/{ann}/credentials/{credential}")
    assert not (await at_the_door(office).check_card("04A1B2C3")).ok
    assert (await ask(desk, "POST", f"{SUBJECTS}/{ben}/credentials", CARD))[0] == 201


async def test_a_credential_whose_time_is_over_opens_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    until = clock.now().timestamp() + 60
    async with engine({"doors": [{"id": "front"}]}, tmp_path, clock) as site:
        async with site.session() as desk:
            path = f"{SUBJECTS}/{await add(desk)}/credentials"
            await ask(desk, "POST", path, {**PIN, "valid_until": until})
            _, shown = await ask(desk, "POST", path, {**CARD, "valid_until": until})
        door = at_the_door(site)
        assert (await door.check_pin(shown["number"], "471199")).ok
        assert (await door.check_card("04A1B2C3")).ok
        clock.passed += 60
        late = (await door.check_pin(shown["number"], "471199"), await door.check_card("04A1B2C3"))
        assert [check.reason for check in late] == [Reason.CREDENTIAL_RETIRED] * 2


async def test_a_wrong_credential_is_refused_with_its_field(desk: aiohttp.ClientSession) -> None:
    path = f"{SUBJECTS}/{await add(desk)}/credentials"
    wrong: list[tuple[dict[str, object], str]] = [
        ({"kind": "pin", "pin": "123"}, "pin"),
        ({"kind": "pin", "pin": "1" * 13}, "pin"),
        ({"kind": "pin", "pin": "12a4"}, "pin"),
        ({"kind": "pin", "pin": "\uff11\uff12\uff13\uff14"}, "pin"),
        ({**PIN, "duress_pin": "471199"}, "duress_pin"),
        ({**PIN, "duress_pin": "1"}, "duress_pin"),
        ({"kind": "card", "card_number": ""}, "card_number"),
        ({"kind": "card", "card_number": "x" * 65}, "card_number"),
        ({**CARD, "valid_until": 1e300}, "valid_until"),
        ({"kind": "face"}, "kind"),
        ({"kind": "pin"}, "kind"),
        ({**CARD, "pin": "1234"}, "kind"),
        ({**CARD, "duress_pin": "1234"}, "kind"),
    ]
    for body, field in wrong:
        status, code, message = await refusal(desk, "POST", path, body)
        assert (status, code, message.partition(":")[0]) == (400, "invalid", field), body
        assert "471199" not in message


async def test_neither_pin_nor_card_is_written_or_shown(
    office: Engine, desk: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"{SUBJECTS}/{await add(desk)}/credentials"
    await ask(desk, "POST", path, {**PIN, "duress_pin": "471190"})
    _, shown = await ask(desk, "POST", path, CARD)
    await at_the_door(office).check_pin(shown["number"], "471199")
    await at_the_door(office).check_card("04A1B2C3")
    secrets = ("471199", "471190", "04A1B2C3")
    assert not any(secret in str(shown) or secret in caplog.text for secret in secrets)
    for file in office.data.iterdir():
        if file.is_file():
            assert not any(secret.encode() in file.read_bytes() for secret in secrets), file
