"""Cards that end at a date, lockdown, and a consent that is withdrawn."""

from __future__ import annotations

from contextlib import closing
import sqlite3

from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.engine.passage import A_LOOK, A_WAIT
from tests.stories.conftest import OpenPlace
from tests.stories.place import face, failed, front

CARD = "04:A2:19:7F"


async def test_cards_of_a_group_are_retired_at_midnight_of_their_date(place_at: OpenPlace) -> None:
    async with place_at(front(), start="2027-08-07T23:59:40+02:00") as place:
        group = await place.home.act("add_group", name="Plant")
        await place.home.act(
            "retire_credentials", group_id=group["id"], kind="card", at="2027-08-08 00:00:00"
        )
        fay = await place.add("Fay", kind="staff", groups=[group["id"]])
        await place.home.act("add_credential", subject_id=fay["id"], kind="card", card_number=CARD)
        await place.home.act("add_credential", subject_id=fay["id"], kind="pin", pin="314159")
        place.clock.wall -= place.clock.now().second - 40
        before = await place.present(card_number=CARD)
        assert (before["granted"], (await place.decision())["subject"]) == (True, "Fay")
        await place.pulsed(1)

        place.nobody(20)
        assert (await place.present(card_number=CARD))["granted"] is False
        after = await place.decision()
        assert (after["event_type"], after["reason"]) == ("access_denied", "credential_retired")
        assert failed(after) == {"credential": "credential_retired"}
        assert after["subject"] == "Fay"
        # The plant's people are not locked out: their PINs and faces go on.
        assert (await place.present(number=fay["number"], pin="314159"))["granted"] is True
        await place.pulsed(2)
        assert len(await place.record("access")) == 3


async def test_lockdown_lets_nobody_in_and_everybody_out(place_at: OpenPlace) -> None:
    async with place_at(front()) as place:
        ann = await place.add("Ann")
        await place.enroll(ann["id"])
        await place.home.act("add_credential", subject_id=ann["id"], kind="pin", pin="314159")
        pin = {"number": ann["number"], "pin": "314159"}
        await place.home.call("switch", "turn_on", "lockdown", owner="")
        await place.home.shows("select", "mode", "lockdown")

        await place.show(face()[:A_WAIT])
        seen = await place.decision()
        assert (seen["event_type"], seen["subject"]) == ("access_denied", "Ann")
        assert failed(seen) == {"mode": "lockdown"}
        assert failed(await place.present(**pin)) == {"mode": "lockdown"}
        with pytest.raises(HomeAssistantError, match="lockdown"):
            await place.home.call("lock", "open", "lock")
        assert place.strike.asked == []
        assert (await place.present(**pin, direction="exit"))["granted"] is True
        await place.pulsed(1)

        await place.home.call("switch", "turn_off", "lockdown", owner="")
        await place.home.shows("select", "mode", "normal")
        assert (await place.present(**pin))["granted"] is True
        await place.pulsed(2)
        assert len(await place.record("mode")) == 2


async def test_a_withdrawn_consent_ends_the_face_at_once_and_nothing_else(
    place_at: OpenPlace,
) -> None:
    async with place_at(front()) as place:
        ann = await place.add("Ann")
        await place.enroll(ann["id"])
        await place.home.act("add_credential", subject_id=ann["id"], kind="pin", pin="314159")
        await place.show(face()[:A_LOOK])
        assert (await place.decision())["subject"] == "Ann"
        await place.pulsed(1)

        view = await place.home.act("withdraw_consent", subject_id=ann["id"])
        assert (view["references"], view["consent"]) == (0, None)
        place.nobody(11)
        await place.show(face()[:A_WAIT])
        unknown = await place.decision()
        assert (unknown["event_type"], unknown["subject"]) == ("access_denied", None)
        assert failed(unknown)["identity"] == "not_recognized"
        with closing(sqlite3.connect(place.data / "facegate.db")) as connection:
            assert connection.execute("SELECT count(*) FROM templates").fetchone() == (0,)
        assert (await place.present(number=ann["number"], pin="314159"))["granted"] is True
        await place.pulsed(2)
        with pytest.raises(HomeAssistantError, match="consent"):
            await place.home.act(
                "enroll_photo",
                subject_id=ann["id"],
                photo_path=str(place.data.parent / "photo-0.png"),
            )
