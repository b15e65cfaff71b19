"""A contractor's approval ends between two passages."""

from __future__ import annotations

from datetime import timedelta

from homeassistant.util import dt as dt_util

from tests.engine.passage import A_LOOK, A_WAIT
from tests.stories.conftest import OpenPlace
from tests.stories.place import face, failed, front


async def test_an_approval_that_ends_between_two_passages_denies_the_second(
    place_at: OpenPlace,
) -> None:
    async with place_at(front()) as place:
        ben = await place.add("Ben", kind="contractor")
        await place.enroll(ben["id"])
        until = dt_util.utcnow() + timedelta(hours=1)
        await place.home.act(
            "set_approval", subject_id=ben["id"], state="approved", until=until.isoformat()
        )
        await place.home.act(
            "add_credential", subject_id=ben["id"], kind="card", card_number="04:A2:19"
        )
        await place.show(face()[:A_LOOK])
        first = await place.decision()
        assert (first["event_type"], first["subject"]) == ("access_granted", "Ben")
        await place.pulsed(1)

        await place.later(hours=1)
        await place.show(face()[:A_WAIT])
        second = await place.decision()
        assert (second["event_type"], second["subject"]) == ("access_denied", "Ben")
        assert second["reason"] == "approval_expired"
        assert failed(second) == {"contract": "approval_expired"}
        by_card = await place.present(card_number="04:A2:19")
        assert failed(by_card) == {"contract": "approval_expired"}
        await place.pulsed(1)
        # Who is inside still gets out.
        out = await place.present(card_number="04:A2:19", direction="exit")
        assert out["granted"] is True
        await place.pulsed(2)


async def test_a_contractor_without_an_approval_is_denied_with_that_reason(
    place_at: OpenPlace,
) -> None:
    async with place_at(front()) as place:
        ben = await place.add("Ben", kind="contractor")
        await place.home.act("add_credential", subject_id=ben["id"], kind="pin", pin="271828")
        pin = {"number": ben["number"], "pin": "271828"}
        reasons = {
            "applied": "not_approved",
            "documents_checked": "not_approved",
            "suspended": "approval_suspended",
            "revoked": "approval_revoked",
        }
        assert failed(await place.present(**pin)) == {"contract": "not_approved"}
        for state, reason in reasons.items():
            await place.home.act("set_approval", subject_id=ben["id"], state=state)
            receipt = await place.present(**pin)
            assert (receipt["granted"], failed(receipt)) == (False, {"contract": reason})
        assert place.strike.asked == []
