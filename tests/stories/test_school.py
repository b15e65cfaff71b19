"""A pupil comes to school, and the parent knows."""

from __future__ import annotations

import json

from homeassistant.exceptions import HomeAssistantError
import pytest

from tests.stories.conftest import OpenPlace
from tests.stories.place import CONSENT, LIVE_RATE, front, living_face
from tests.support import until


async def test_a_pupils_entry_reaches_the_parents_phone(place_at: OpenPlace) -> None:
    options = front(area="school", controls={"liveness": "required"})
    options["areas"] = [{"id": "school", "name": "School"}]
    async with place_at(options) as place:
        ann, other = place.phone("mobile_app_ann"), place.phone("mobile_app_other")
        guardians = [{"name": "Ann", "notify": "notify.mobile_app_ann"}]
        cleo = await place.add("Cleo", kind="pupil", birth_date="2018-05-04", guardians=guardians)
        with pytest.raises(HomeAssistantError, match="guardian"):
            await place.home.act("record_consent", subject_id=cleo["id"], **CONSENT, signer="Cleo")
        await place.enroll(cleo["id"], guardian="Ann")
        passages = place.home.entity_id("event", "passage")
        await place.automate("parent_notice", passages=[passages])

        place.camera.rate = LIVE_RATE
        await place.show(living_face())

        decision = await place.decision()
        assert (decision["event_type"], decision["subject"]) == ("access_granted", "Cleo")
        await until(lambda: ann)
        (notice,) = ann
        assert notice.data["message"].startswith("Cleo came in at ")
        assert notice.data["message"].endswith(": Front door.")
        await place.pulsed(1)
        await place.home.shows("sensor", "occupancy", "1", "school")
        (passage,) = await place.record("passage")
        assert (passage["subject_id"], passage["ref"]) == (cleo["id"], decision["decision_id"])
        assert json.loads(passage["body"])["area"] == "school"
        assert (len(ann), other) == (1, [])
