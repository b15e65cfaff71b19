"""Too warm, no mask, somebody else's document: each denied and named."""

from __future__ import annotations

from dataclasses import dataclass
import json

from facegate.domain import Image
from tests.engine.clips import png, resident_photos
from tests.engine.face.real import astronaut
from tests.engine.passage import A_WAIT
from tests.stories.conftest import OpenPlace
from tests.stories.place import Place, face, failed, front


@dataclass
class ScriptedMasks:
    """A classifier that sees what it is told."""

    certainty: float

    def worn(self, crop: Image) -> float:
        assert crop.shape == (112, 112, 3)
        return self.certainty


async def stand(place: Place, *, celsius: float | None = None) -> None:
    """Stand before the camera until it decides; the temperature is taken meanwhile."""
    await place.show(face()[:2])
    if celsius is not None:
        await place.home.act("report_temperature", door="front", celsius=celsius)
    await place.show(face()[2:A_WAIT])


async def test_too_warm_is_denied_and_named_and_cooled_down_is_let_in(place_at: OpenPlace) -> None:
    options = front(controls={"liveness": "off", "temperature": "required"}, temperature_limit=37.5)
    async with place_at(options) as place:
        await place.enroll((await place.add("Ann"))["id"])
        await stand(place, celsius=38.4)
        warm = await place.decision()
        assert (warm["event_type"], warm["subject"]) == ("access_denied", "Ann")
        assert failed(warm) == {"temperature": "too_hot"}
        (found,) = [v for v in warm["verdicts"] if v["control"] == "temperature"]
        assert (found["measured"], found["limit"]) == (38.4, 37.5)
        assert (await place.decision("alarm"))["event_type"] == "fever"
        assert place.strike.asked == []

        place.nobody()
        await stand(place, celsius=36.6)
        assert (await place.decision())["event_type"] == "access_granted"
        await place.pulsed(1)
        granted = [json.loads(row["body"])["granted"] for row in await place.record("access")]
        assert granted == [False, True]


async def test_no_mask_is_denied_and_named_and_with_one_is_let_in(place_at: OpenPlace) -> None:
    masks = ScriptedMasks(0.1)
    options = front(controls={"liveness": "off", "mask": "required"}, mask="worn")
    async with place_at(options, masks) as place:
        await place.enroll((await place.add("Ann"))["id"])
        await stand(place)
        bare = await place.decision()
        assert (bare["event_type"], bare["reason"]) == ("access_denied", "mask_missing")
        assert failed(bare) == {"mask": "mask_missing"}
        assert (await place.decision("alarm"))["event_type"] == "mask"
        assert place.strike.asked == []

        place.nobody()
        masks.certainty = 0.9
        await stand(place)
        assert (await place.decision())["event_type"] == "access_granted"
        await place.pulsed(1)


async def test_somebody_elses_document_is_denied_and_named_and_the_own_one_opens(
    place_at: OpenPlace,
) -> None:
    options = front(controls={"liveness": "off", "document": "required"})
    async with place_at(options) as place:
        await place.enroll((await place.add("Ann"))["id"])
        other = place.file("other.png", png(astronaut()))
        await place.home.act("present_document", door="front", photo_path=str(other))
        await stand(place)
        wrong = await place.decision()
        assert (wrong["event_type"], wrong["reason"]) == ("access_denied", "document_mismatch")
        assert failed(wrong) == {"document": "document_mismatch"}
        (found,) = [v for v in wrong["verdicts"] if v["control"] == "document"]
        assert found["measured"] < found["limit"]
        assert place.strike.asked == []

        place.nobody()
        own = place.file("own.png", resident_photos()[0])
        await place.home.act("present_document", door="front", photo_path=str(own))
        await stand(place)
        assert (await place.decision())["event_type"] == "access_granted"
        await place.pulsed(1)


async def test_a_denial_names_all_that_failed_and_not_only_the_first(place_at: OpenPlace) -> None:
    required = ["temperature", "mask", "document", "second_credential"]
    options = front(controls={"liveness": "off", **dict.fromkeys(required, "required")})
    async with place_at(options, ScriptedMasks(0.0)) as place:
        await place.enroll((await place.add("Ann", permits=[]))["id"])
        other = place.file("other.png", png(astronaut()))
        await place.home.act("present_document", door="front", photo_path=str(other))
        await stand(place, celsius=39.1)
        decision = await place.decision()
        assert decision["event_type"] == "access_denied"
        assert failed(decision) == {
            "permit": "no_permit",
            "temperature": "too_hot",
            "mask": "mask_missing",
            "document": "document_mismatch",
            "second_credential": "second_credential_missing",
        }
        assert place.strike.asked == []
